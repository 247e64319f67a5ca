"""The runtime needs numpy and onnxruntime, and reading ids needs numpy alone."""

import subprocess
import sys

from tests.runtime.bundles import KINDS, write_bundle


BLOCK = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked}:
            raise ImportError(name + " is blocked")

sys.meta_path.insert(0, Block())
"""
FOREIGN = "{'torch', 'legoc', 'onnx', 'safetensors', 'pandas', 'pyarrow', 'duckdb', 'transformers'}"


def run(code, blocked):
    script = BLOCK.replace("{blocked}", blocked) + code
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)


def test_a_bundle_scores_without_torch_and_legoc(tmp_path):
    folder = write_bundle(tmp_path, KINDS["dot"])
    done = run(
        f"""
import legoc_runtime
model = legoc_runtime.load({str(folder)!r})
model.items.add([{{"id": "X1", "title": "storm"}}])
print(model.recommend(model.encode_user(["N1"]), k=2)[0], model.self_test().outputs)
""",
        FOREIGN,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("] 3\n")


def test_without_tokenizers_everything_but_raw_text_works(tmp_path):
    folder = write_bundle(tmp_path, KINDS["dot"])
    done = run(
        f"""
import legoc_runtime
model = legoc_runtime.load({str(folder)!r})
model.recommend(model.encode_user(["N1"]))
try:
    model.items.add([{{"id": "X1", "title": "storm"}}])
except legoc_runtime.RequestError as error:
    print(error.help)
""",
        FOREIGN.replace("}", ", 'tokenizers'}"),
    )
    assert done.returncode == 0, done.stderr
    assert "legoc-runtime[text]" in done.stdout


def test_reading_ids_needs_no_onnxruntime():
    done = run(
        "import legoc_runtime.tokens", FOREIGN.replace("}", ", 'onnxruntime', 'tokenizers'}")
    )
    assert done.returncode == 0, done.stderr
