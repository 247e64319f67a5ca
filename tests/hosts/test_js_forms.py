"""legoc-js on the other forms of a bundle: items laid end to end, users read from their clicks'
tokens, probes of texts, and manifests whose parts do not fit."""

import hashlib
import json
import subprocess

import numpy as np
import onnxruntime
import pytest
from safetensors.numpy import save_file

import legoc_runtime
from legoc_runtime import Reader
from tests.hosts.conftest import HOME
from tests.runtime.bundles import (
    ITEMS,
    KINDS,
    build,
    describe,
    rewrite,
    weights,
    write_bundle,
)  # fmt: skip


IDS = [item["id"] for item in ITEMS]
SEQUENCE = """item_encoder (int64[item, tokens] tokens, bool[item, tokens] tokens_mask)
    => (float[item, 5] vectors) {
  middle = Constant<value = int64[1] {1}>()
  last = Constant<value = int64[1] {2}>()
  one = Constant<value = float {1.0}>()
  words = Gather(table, tokens)
  real = Cast<to = 1>(tokens_mask)
  wide = Unsqueeze(real, last)
  kept = Mul(words, wide)
  sum = ReduceSum<keepdims = 0>(kept, middle)
  count = ReduceSum<keepdims = 1>(real, middle)
  atleast = Max(count, one)
  vectors = Div(sum, atleast)
}"""
FLATTENS = """user_encoder (int64[user, clicks, tokens] tokens,
    bool[user, clicks, tokens] tokens_mask) => (float[user, 5] users) {
  both = Constant<value = int64[2] {1, 2}>()
  last = Constant<value = int64[1] {3}>()
  middle = Constant<value = int64[1] {1}>()
  words = Gather(table, tokens)
  real = Cast<to = 1>(tokens_mask)
  wide = Unsqueeze(real, last)
  kept = Mul(words, wide)
  users = ReduceSum<keepdims = 0>(kept, both)
}"""


def write_form(folder, name):
    """The text bundle with a fixed phrase and a literal id around its attributes, end to end."""
    bundle = write_bundle(folder, KINDS["dot"])
    manifest = json.loads((bundle / "manifest.json").read_text())
    reading = {**manifest["reading"], "layout": "sequence"}
    title, category = reading["parts"]
    reading["parts"] = [{"text": "late coast"}, title, {"ids": [9]}, category]
    reader = Reader.load(bundle, reading)
    tokens, lengths = reader.read([{}, *ITEMS])["tokens"]
    mask = np.arange(tokens.shape[1]) < lengths[:, None]
    graph = build(SEQUENCE if name == "sequence" else FLATTENS, weights())
    if name == "sequence":
        given = {"tokens": tokens.astype(np.int64), "tokens_mask": mask}
        file, (out,) = bundle / "onnx/item_encoder.onnx", run(graph, given)
    else:
        given = {"tokens": tokens[:, None].astype(np.int64), "tokens_mask": mask[:, None]}
        file, (out,) = bundle / "onnx/user_encoder.onnx", run(graph, given)
        (bundle / "onnx/item_encoder.onnx").unlink()
        save_file({"tokens": tokens, "lengths": lengths}, bundle / "cache/tokens.safetensors")
    file.write_bytes(graph.SerializeToString())
    names = ["", *IDS]
    save_file(
        {"vectors": out, "ids": np.frombuffer("".join(names).encode(), dtype=np.uint8),
         "offsets": np.cumsum([0, *(len(n.encode()) for n in names)]).astype(np.int64)},
        bundle / "cache/items.safetensors",
    )  # fmt: skip

    def change(content):
        content["reading"] = reading
        content["plan"]["layout"] = "sequence"
        said = {"file": f"onnx/{file.name}", "inputs": describe(graph.graph.input),
                "outputs": describe(graph.graph.output)}  # fmt: skip
        content["graphs"][file.stem] = said
        if name != "sequence":
            del content["graphs"]["item_encoder"]
            content["tokens"] = {"file": "cache/tokens.safetensors"}

    rewrite(bundle, change)
    return bundle


def run(graph, given):
    return onnxruntime.InferenceSession(graph.SerializeToString()).run(None, given)


def test_hand_made_forms_are_what_they_say(tmp_path):
    """The sums by hand, so that the two hosts are not compared on nothing."""
    bundle = write_form(tmp_path, "flattens")
    table = weights()["table"]
    model = legoc_runtime.load(bundle)
    user = model.encode_user(["N2", "N1"])
    # late coast | late goal wins [SEP] | 9 | sport [SEP] and late coast | storm over the coast ...
    ids = [7, 6, 7, 8, 9, 2, 9, 11, 2, 7, 6, 3, 4, 5, 6, 2, 9, 10, 2]
    assert user.vectors == pytest.approx(table[ids].sum(axis=0), abs=1e-5)


@pytest.mark.parametrize("where", ["node", "web"])
@pytest.mark.parametrize("name", ["sequence", "flattens"])
def test_items_laid_end_to_end(tmp_path, ask, name, where):
    bundle = write_form(tmp_path, name)
    model = legoc_runtime.load(bundle)
    new = [{"id": "X1", "title": "Late goal over the coast", "category": "sport"},
           {"id": "X2", "title": "", "category": None}]  # fmt: skip
    model.items.add(new)
    histories = [[], ["N1"], ["N2", "Ü4"], ["X1", "N3", "X2"]]
    names = [*IDS, "X1", "X2"]
    calls = [{"do": "score", "clicks": clicks, "ids": names} for clicks in histories]
    calls += [{"do": "recommend", "clicks": clicks} for clicks in histories]
    added, *answers = ask(bundle, [{"do": "add", "records": new}, *calls], where)
    assert added["empty"] == ["X2"]
    for clicks, scores, best in zip(histories, answers[:4], answers[4:], strict=True):
        user = model.encode_user(clicks)
        assert scores == pytest.approx(model.score(user, names), abs=1e-5)
        ids, wanted = model.recommend(user)
        assert [one["id"] for one in best] == ids
        assert [one["score"] for one in best] == pytest.approx(wanted, abs=1e-5)


def add_probes(bundle, ids):
    (bundle / "probes").mkdir()
    probes = [{"record": {"title": "LATE Goal ΟΔΟΣ", "category": "chess"}, "ids": ids}]
    (bundle / "probes/texts.json").write_text(json.dumps({"probes": probes}), "utf-8")
    rewrite(bundle, lambda c: c.update(probes={"texts": "probes/texts.json"}))


def test_a_host_that_reads_other_tokens_says_so_when_it_loads(tmp_path, ask):
    for name, ids in {"right": [7, 8, 1], "wrong": [7, 8, 1, 1]}.items():
        bundle = write_bundle(tmp_path / name, KINDS["dot"])
        add_probes(bundle, {"title": ids, "category": [1]})
    assert ask(tmp_path / "right", []) == []
    told = ask(tmp_path / "wrong", [])
    assert told["error"] == "BundleError"
    assert "as other tokens than training did" in told["message"]
    assert "LATE Goal" in told["message"]


def reads_more(content):
    content["graphs"]["predictor"]["inputs"].append(
        {"name": "weather", "dtype": "float32", "dims": ["pair"]}
    )


def names_nothing(content):
    content["items"]["file"] = "cache/other.safetensors"


def other_width(content):
    content["graphs"]["predictor"]["inputs"][0]["dims"] = ["user", 7]


DISAGREE = {
    "a port": (reads_more, "weather, which nothing gives it"),
    "a file": (names_nothing, "`cache/other.safetensors` has no hash"),
    "a dimension": (other_width, "has the dimensions [*, 5], the manifest says [*, 7]"),
    "no graphs": (lambda c: c.update(graphs=[]), "`graphs`"),
    "no graph": (lambda c: c["graphs"].update(predictor=None), "`graphs`"),
    "a graph of nothing": (lambda c: c["graphs"]["predictor"].update(inputs=3), "`graphs`"),
    "no users": (lambda c: c["plan"].update(reads_user=True), "no list of them"),
    "no reading": (lambda c: c.update(reading=None), "without a reading"),
    "a reading of nothing": (lambda c: c["reading"].update(parts=[3]), "`reading`"),
    "no context": (lambda c: c.update(context=3), "`context`"),
    "a history of nothing": (lambda c: c.update(history="long"), "`history`"),
}


@pytest.mark.parametrize("name", DISAGREE)
def test_a_manifest_that_does_not_fit_is_refused(tmp_path, ask, name):
    bundle = write_bundle(tmp_path / "bundle", KINDS["dot"])
    change, words = DISAGREE[name]
    rewrite(bundle, change)
    told = ask(bundle, [])
    assert told["error"] == "BundleError"
    assert words in told["message"]


def test_attributes_may_be_called_as_what_every_object_has(tmp_path, ask):
    title = {"name": "constructor", "kind": "text", "length": 4,
             "tokenizer": "tokenizers/words/tokenizer.json"}  # fmt: skip
    reading = {"layout": "sequence", "rows": 12, "padding": 0, "unknown": 1, "separator": None,
               "parts": [title, {**title, "name": "__proto__"}]}  # fmt: skip
    bundle = write_form(tmp_path / "form", "sequence")
    rewrite(bundle, lambda c: c.update(reading=reading))
    records = [{"__proto__": "late"}, {"constructor": "goal"}, {"title": "storm"}]
    (found,) = ask(bundle, [{"do": "tokens", "records": records}])
    assert found["tokens"] == [[7], [8], []]


def test_a_bundle_that_a_person_chose(node, tmp_path):
    """Files as a browser gives them: with the path below the folder that was chosen."""
    bundle = write_bundle(tmp_path / "run/bundle", KINDS["dot"])
    script = f"""
import {{ fromFiles, load }} from {json.dumps((HOME / "src/web.js").as_uri())};
import ort from "onnxruntime-web/wasm";
import {{ readFileSync, readdirSync }} from "node:fs";
const root = {json.dumps(str(tmp_path))};
const files = readdirSync(root, {{ recursive: true, withFileTypes: true }})
  .filter((entry) => entry.isFile())
  .map((entry) => {{
    const path = entry.parentPath + "/" + entry.name;
    const file = new File([readFileSync(path)], entry.name);
    Object.defineProperty(file, "webkitRelativePath", {{ value: path.slice(root.length + 1) }});
    return file;
  }});
ort.env.wasm.numThreads = 1;
const model = await load(ort, fromFiles(files));
console.log(String(model));
try {{ fromFiles([]); }} catch (error) {{ console.log(error.name); }}
try {{
  await load(ort, fromFiles(files.filter((file) => !file.name.startsWith("predictor"))));
}} catch (error) {{ console.log(error.message); }}
"""
    (said, *told) = execute(node, script).splitlines()
    assert said.endswith("5 items of width 5")
    assert told[0] == "BundleError"
    assert told[1].startswith("`onnx/predictor.onnx` is not among the files")
    assert bundle.is_dir()


def test_hashes_where_the_browser_has_none(node):
    """Pages that came over plain HTTP count SHA-256 themselves."""
    script = f"""
import {{ plainDigest }} from {json.dumps((HOME / "src/digest.js").as_uri())};
for (const size of [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1000, 100003]) {{
  const whole = Uint8Array.from({{ length: size + 3 }}, (_, at) => (at * 131 + size) % 251);
  console.log(Buffer.from(plainDigest(whole.subarray(3))).toString("hex"));
}}
"""
    sizes = [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1000, 100003]
    wanted = [
        hashlib.sha256(bytes((at * 131 + n) % 251 for at in range(3, n + 3))).hexdigest()
        for n in sizes
    ]
    assert execute(node, script).split() == wanted


def test_models_of_one_page_stand_in_one_queue(node, tmp_path):
    """Some builds of onnxruntime-web refuse a run beside one of another session."""
    for name in ("dot", "din"):
        write_bundle(tmp_path / name, KINDS[name])
    script = f"""
import {{ load }} from {json.dumps((HOME / "src/web.js").as_uri())};
import {{ readFile }} from "node:fs/promises";
let running = 0, most = 0;
class Tensor {{ constructor(type, data, dims) {{ Object.assign(this, {{ type, data, dims }}); }} }}
const watch = async (made) => {{
  most = Math.max(most, ++running);
  await new Promise((done) => setTimeout(done, 2));
  running -= 1;
  return made;
}};
const sessions = [];
const ort = {{ Tensor, InferenceSession: {{ create: () => watch(sessions.shift()) }} }};
const models = [];
for (const name of ["dot", "din"]) {{
  const read = (file) => readFile({json.dumps(str(tmp_path))} + "/" + name + "/" + file);
  const {{ graphs }} = JSON.parse(await read("manifest.json"));
  for (const {{ inputs, outputs }} of Object.values(graphs)) {{
    const found = {{ [outputs[0].name]: {{ data: new Float32Array(5), dims: [1, 5] }} }};
    const named = (ports) => ports.map((port) => port.name);
    sessions.push({{
      inputNames: named(inputs), outputNames: named(outputs), run: () => watch(found),
    }});
  }}
  models.push(await load(ort, async (file) => new Uint8Array(await read(file))));
}}
const user = await models[1].encodeUser(["N1"]);
await Promise.all([
  ...Array.from({{ length: 5 }}, () => models[0].encodeUser(["N1"])),
  ...Array.from({{ length: 5 }}, () => models[1].score(user, ["N1", "N2", "N3", "Ü4", "N5"])),
]);
console.log(most);
"""
    assert execute(node, script).strip() == "1"


def execute(node, script):
    done = subprocess.run(
        [node, "--input-type=module", "-e", script], cwd=HOME, capture_output=True, text=True,
        encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


COLD = {
    ("dot", "popularity"): {"clicks": np.array([0, 3, 0, 7, 3, 1])},
    ("din", "popularity"): {"clicks": np.array([0, 3, 0, 7, 3, 1])},
    ("dot", "mean"): {"user": np.array([0.5, -1, 2, 0.1, 3], dtype=np.float32)},
    ("many", "mean"): {"user": np.arange(10, dtype=np.float32).reshape(2, 5) - 4},
    ("users", "error"): None,
    ("users", "model"): None,
}


@pytest.mark.parametrize(("name", "answer"), COLD)
def test_users_of_whom_nothing_is_known(tmp_path, ask, name, answer):
    bundle = write_bundle(tmp_path, KINDS[name])
    tensors = COLD[name, answer]
    file = None if tensors is None else "cache/cold.safetensors"
    if tensors is not None:
        save_file(tensors, bundle / file)
    rewrite(bundle, lambda c: c.update(cold={"answer": answer, "file": file}))
    model = legoc_runtime.load(bundle)
    new = [{"id": "X1", "title": "late goal"}]
    model.items.add(new)
    nobody = {"clicks": ["nothing"], "given": {"user": "nobody"}}
    some = {"clicks": [], "given": {"user": "U1"}}
    _, scores, best, user, known = ask(
        bundle,
        [{"do": "add", "records": new}, {"do": "score", **nobody, "ids": [*IDS, "X1"]},
         {"do": "recommend", **nobody}, {"do": "user", **nobody}, {"do": "user", **some}],
    )  # fmt: skip
    if name == "users":
        assert known["cold"] is None
    if answer == "error":
        assert {one["error"] for one in (scores, best, user)} == {"RequestError"}
        with pytest.raises(legoc_runtime.RequestError):
            model.encode_user(["nothing"], user="nobody")
        return
    wanted = model.encode_user(["nothing"], user="nobody")
    assert user["cold"] == wanted.cold == answer
    assert user["unknown"] == ["nothing"]
    assert scores == pytest.approx(model.score(wanted, [*IDS, "X1"]), abs=1e-5)
    ids, logits = model.recommend(wanted)
    assert [one["id"] for one in best] == ids
    assert [one["score"] for one in best] == pytest.approx(logits, abs=1e-5)
