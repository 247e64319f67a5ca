"""hosts/c gives what the Python runtime gives, and a message for whatever else it is given.

All of it runs under the address and undefined-behaviour sanitizers.
"""

import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from safetensors.numpy import load_file, save_file

import legoc_runtime
from tests.runtime.bundles import ITEMS, KINDS, WIDTH, rewrite, write_bundle, write_manifest


ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "hosts" / "c"
HISTORIES = (["N1"], ["N2", "Ü4"], ["N5", "N1", "N2", "N3"], ["N1", "nothing", "N1"], [])
COMPILER = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)

needs_compiler = pytest.mark.skipif(
    COMPILER is None or shutil.which("make") is None, reason="no C compiler and make here"
)
pytestmark = needs_compiler


def make(folder, target):
    """Build in a copy of hosts/c, as its page says."""
    done = subprocess.run(
        ["make", target, f"PYTHON={sys.executable}", f"CC={COMPILER}"], cwd=folder,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("c") / "c"
    shutil.copytree(HOME, folder, ignore=shutil.ignore_patterns("legoc", "legoc-*"))
    make(folder, "sanitize")
    return folder


@pytest.fixture(scope="module")
def legoc(built):
    """legoc(*arguments): the finished process; it never ends by a signal or a sanitizer."""

    def legoc(*arguments, program="legoc-sanitize", **environment):
        done = subprocess.run(
            [built / program, *map(str, arguments)], capture_output=True, timeout=60,
            env={**os.environ, **environment},
        )  # fmt: skip
        told = done.stderr.decode("utf-8", "replace")
        assert done.returncode in (0, 1), told
        assert "Sanitizer" not in told, told
        assert "runtime error" not in told, told
        assert done.returncode == 0 or "error: " in told, told
        return done.returncode, done.stdout.decode(), told

    return legoc


def answers(text):
    rows = [line.split("\t") for line in text.splitlines()]
    return [name for name, _ in rows], [float(score) for _, score in rows]


def agree(bundle, legoc, histories, **asked):
    """The answers of both hosts are the same; the Python runtime's are given."""
    model = legoc_runtime.load(bundle)
    told = ["-u", asked["user"]] if "user" in asked else []
    for clicks in histories:
        user = model.encode_user(clicks, asked.get("user"))
        ids, scores = model.recommend(user, k=10, exclude=clicks)
        code, out, err = legoc(bundle, *told, *clicks)
        assert code == 0, err
        found, given = answers(out)
        assert given == pytest.approx(scores, abs=1e-5)
        # Scores that rounding cannot tell apart may stand in another order.
        apart = dict(zip(found, given, strict=True))
        assert apart.keys() == set(ids)
        assert apart == pytest.approx(dict(zip(ids, map(float, scores), strict=True)), abs=1e-5)
        assert all((f"`{name}` is not among" in err) == (name in user.unknown) for name in clicks)


@pytest.mark.parametrize("name", KINDS)
def test_recommends_as_python_does(tmp_path, legoc, name):
    bundle = write_bundle(tmp_path / "b", KINDS[name])
    agree(bundle, legoc, HISTORIES, user="U2")
    code, out, err = legoc("--self-test", bundle)
    assert code == 0, err
    assert int(out.split()[0]) == legoc_runtime.load(bundle).self_test().outputs
    assert float(out.split()[-1]) < 1e-5


def test_a_trained_bundle_and_its_golden_tensors(tmp_path, legoc, built):
    """Real probes: no rows, no pairs, texts of every length. By `make` too."""
    from legoc import train
    from legoc.language import load

    (tmp_path / "m.lego").write_text(
        "data d { source = Demo(items=200, users=50, impressions=120)\n"
        "  content = [title(8)]  history = 5 }\n"
        "model m = content CNN(hidden=8) -> behavior Additive(dim=8) -> predict Dot\n"
        "train t { epochs = 1  samples = 64 }\nrun m on d with t\n", "utf-8",
    )  # fmt: skip
    (spec,) = load(tmp_path / "m.lego")
    run = train(spec, runs=tmp_path / "runs", cache=tmp_path / "cache", until="export")
    bundle = run.folder / "bundle"
    make(built, "legoc")
    ids = legoc_runtime.load(bundle).items.ids
    agree(bundle, legoc, ([*ids[:3]], [*ids[4:20]], [ids[-1]]))
    for program in ("legoc", "legoc-sanitize"):
        code, out, err = legoc("--self-test", bundle, program=program)
        assert code == 0, err
        assert int(out.split()[0]) > 20
        assert float(out.split()[-1]) < 1e-5


def many_items(folder, count=20_000):
    """Items whose scores are few different numbers, so that nearly all share theirs."""
    bundle = write_bundle(folder, KINDS["dot"])
    vectors = np.random.default_rng(5).integers(-1, 2, (count, WIDTH)).astype(np.float32)
    vectors[0] = 0
    names = ["", *(f"I{row}" for row in range(1, count))]
    text = [name.encode() for name in names]
    save_file(
        {"vectors": vectors, "ids": np.frombuffer(b"".join(text), dtype=np.uint8),
         "offsets": np.cumsum([0, *map(len, text)]).astype(np.int64)},
        bundle / "cache/items.safetensors",
    )  # fmt: skip
    rewrite(bundle, lambda content: content["items"].update(rows=count, generated=7))
    return bundle, vectors, names


@pytest.mark.parametrize("k", [1, 10, 3000, 100_000])
def test_ties_come_by_row_and_the_top_is_exact(tmp_path, legoc, k):
    bundle, vectors, names = many_items(tmp_path / "b")
    rows = range(1, len(names) - 7)
    scores = vectors @ vectors[5]
    order = sorted((row for row in rows if row != 5), key=lambda row: (-scores[row], row))[:k]
    _, out, _ = legoc(bundle, "I5", "-k", k)
    found, given = answers(out)
    assert found == [names[row] for row in order]
    assert given == [scores[row] for row in order]


def test_clicks_may_return_and_calibration_counts(tmp_path, legoc):
    bundle = write_bundle(tmp_path / "b", KINDS["dot"])
    rewrite(bundle, lambda c: c.update(calibration={"temperature": 2.5, "bias": -1.0}))
    model = legoc_runtime.load(bundle)
    ids, scores = model.recommend(model.encode_user(["N1", "N3"]), k=2)
    _, out, _ = legoc(bundle, "N1", "N3", "--keep-clicked", "-k", "2")
    found, given = answers(out)
    assert found == ids
    assert given == pytest.approx(scores, abs=1e-5)


@pytest.mark.parametrize("name", ["dot", "many", "dnn"])
def test_users_of_whom_nothing_is_known(tmp_path, legoc, name):
    """As the bundle says: by the clicks of all, as the mean user, or not at all."""
    bundle = write_bundle(tmp_path / "b", KINDS[name])
    file = "cache/cold.safetensors"
    clicks = np.array([0, 3, 0, 12, 1, 3])
    save_file({"clicks": clicks}, bundle / file)
    rewrite(bundle, lambda c: c.update(cold={"answer": "popularity", "file": file}))
    _, out, err = legoc(bundle, "nothing")
    found, given = answers(out)
    assert found == ["N3", "N1", "N5", "Ü4", "N2"]
    assert given == pytest.approx(np.log1p([12, 3, 3, 1, 0]))
    assert "answered by: popularity" in err
    assert "answered by" not in legoc(bundle, "N1")[2]

    vectors = load_file(bundle / "cache/items.safetensors")["vectors"]
    shape = (2, WIDTH) if name == "many" else (WIDTH,)
    mean = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    save_file({"user": mean}, bundle / file)
    rewrite(bundle, lambda c: c.update(cold={"answer": "mean", "file": file}))
    _, out, _ = legoc(bundle)
    scores = {
        "dot": lambda: vectors @ mean,
        "dnn": lambda: np.tanh(vectors * mean).sum(axis=1),
        "many": lambda: (vectors @ mean.T).max(axis=1),
    }
    expected = scores[name]()
    wanted = {item["id"]: float(s) for item, s in zip(ITEMS, expected[1:], strict=True)}
    found, given = answers(out)
    assert found == sorted(wanted, key=lambda each: -wanted[each])
    assert given == pytest.approx([wanted[each] for each in found], abs=1e-5)

    rewrite(bundle, lambda c: c.update(cold={"answer": "error", "file": None}))
    assert legoc(bundle)[0] == 1


def test_models_it_does_not_serve(tmp_path, legoc):
    bundle = write_bundle(tmp_path / "b", KINDS["dot"])
    for key in ("context", "tokens"):
        rewrite(bundle, lambda c, key=key: c.update({key: {"file": "golden.safetensors"}}))
        code, _, err = legoc(bundle, "N1")
        assert code == 1
        assert "use the Python runtime" in err
        rewrite(bundle, lambda c, key=key: c.update({key: None}))
    rewrite(bundle, lambda c: c.update(reading={"prompt": {"joined": True}}))
    code, _, err = legoc(bundle, "N1")
    assert code == 1
    assert "this model reads whole texts" in err


@pytest.mark.parametrize(
    "arguments",
    [[], ["-k"], ["-k", "0", "b"], ["-k", "x", "b"], ["-k", "2.5", "b"], ["-k", "", "b"],
     ["--what", "b"], ["--self-test", "b", "N1"], ["nowhere"], [__file__], ["-u"]],
)  # fmt: skip
def test_wrong_calls(legoc, arguments):
    assert legoc(*arguments)[0] == 1


def test_an_id_that_looks_like_a_flag(tmp_path, legoc):
    bundle = write_bundle(tmp_path / "b", KINDS["dot"])
    code, _, err = legoc(bundle, "-k", "1", "--", "-k", "N1")
    assert code == 0
    assert "`-k` is not among the items" in err


def test_a_page_counts_what_is_declared():
    declared = set(re.findall(r"\(\*(\w+)\)", (HOME / "ort.h").read_text())) - {"OrtSkipped"}
    declared -= {"GetApi", "GetVersionString"}
    used = set(re.findall(r"ort->(\w+)\(", (HOME / "legoc.c").read_text()))
    checked = set(re.findall(r"SAME\((\w+)\);", (HOME / "check_header.c").read_text()))
    assert declared == used == checked
    assert f"the {len(declared)} functions" in (HOME / "README.md").read_text()
    assert len((HOME / "legoc.c").read_text().splitlines()) < 500


def test_another_library_is_named(tmp_path, legoc):
    bundle = write_bundle(tmp_path / "b", KINDS["dot"])
    code, _, err = legoc(bundle, "N1", LEGOC_ONNXRUNTIME="/nowhere/libonnxruntime.so")
    assert code == 1
    assert "/nowhere/libonnxruntime.so" in err


def test_every_file_is_guarded(tmp_path, legoc):
    """Against one flipped bit, the loss of its end, and its own loss."""
    bundle = write_bundle(tmp_path / "b", KINDS["users"])
    for path in sorted(bundle.rglob("*")):
        if path.is_dir() or path.name == "manifest.json":
            continue
        name, content = path.relative_to(bundle).as_posix(), path.read_bytes()
        changed = bytearray(content)
        changed[len(changed) // 2] ^= 1
        for damaged in (bytes(changed), content[:-1], content + b"x", b""):
            path.write_bytes(damaged)
            code, _, err = legoc(bundle, "N1")
            assert code == 1
            assert name in err
        path.unlink()
        assert name in legoc(bundle, "N1")[2]
        (bundle / "elsewhere").write_bytes(content)
        path.symlink_to(bundle / "elsewhere")
        assert name in legoc(bundle, "N1")[2]
        path.unlink()
        path.write_bytes(content)
    assert legoc(bundle, "N1")[0] == 0


@pytest.mark.parametrize(
    "name",
    ["../secret", "/etc/hostname", "onnx/../x", "onnx//p", "./golden", "", ".", "..", "a\\b", "C:x",
     "x" * 300, "a\0b", "\ud800"],
)  # fmt: skip
def test_paths_that_lead_out(tmp_path, legoc, name):
    bundle = write_bundle(tmp_path / "b", KINDS["dot"])
    content = json.loads((bundle / "manifest.json").read_text())
    content["files"][name] = {"sha256": "0" * 64, "bytes": 1}
    (bundle / "manifest.json").write_text(json.dumps(content))
    assert legoc(bundle, "N1")[0] == 1


HOSTILE = (None, -1, 0, 1e308, 2.5, 2**31, 2**53, "", "x" * 5000, [], {}, True, [[]])


def test_a_manifest_with_any_other_value(tmp_path, legoc):
    """Every key that is read, with values that are of another kind, or lie."""
    bundle = write_bundle(tmp_path / "b", KINDS["users"])
    whole = json.loads((bundle / "manifest.json").read_text())
    places = [("format",), ("files",), ("graphs",), ("graphs", "predictor"), ("plan",),
              ("graphs", "user_encoder", "file"), ("graphs", "predictor", "inputs"),
              ("graphs", "predictor", "outputs"), ("plan", "user"), ("plan", "width"), ("history",),
              ("items", "rows"), ("items", "file"), ("items", "generated"), ("spec",), ("users",),
              ("spec", "model", "predict", "op"), ("calibration",), ("certificate",), ("cold",),
              ("files", "golden.safetensors", "bytes"),
              ("files", "golden.safetensors")]  # fmt: skip
    draw = random.Random(2)
    for place in places:
        for value in (None, *draw.sample(HOSTILE, 3)):
            content = json.loads(json.dumps(whole))
            into = content
            for key in place[:-1]:
                into = into[key]
            into[place[-1]] = value
            (bundle / "manifest.json").write_text(json.dumps(content))
            legoc(bundle, "N1")  # whatever comes of it, no crash
    for place in (("plan", "width"), ("items", "rows"), ("history",)):
        content = json.loads(json.dumps(whole))
        into = content[place[0]] if len(place) > 1 else content
        into[place[-1]] = 2**31 - 1
        (bundle / "manifest.json").write_text(json.dumps(content))
        assert legoc(bundle, "N1")[0] == (0 if place == ("history",) else 1)


def test_a_manifest_that_is_no_json(tmp_path, legoc):
    bundle = write_bundle(tmp_path / "b", KINDS["dot"])
    path = bundle / "manifest.json"
    content = path.read_bytes()
    for end in random.Random(3).sample(range(len(content)), 25):
        path.write_bytes(content[:end])
        assert legoc(bundle, "N1")[0] == 1
    for text in (b"[" * 100_000, b'{"a":' * 100_000, b'"', b'{"a": "\\', b'{"a": "\\u12', b"{} {}",
                 b'{"format": "\\ud800\\udc', b'{"a": 1e999}', b'{"a": --1}', b'{"a" 1}', b"{,}",
                 b'{"a": tru', b'{"a": "\x01"}', b'{"a": "\\x"}', b'{"a": 1,}', b"\xff\xfe",
                 b'{"format": "legoc-bundle/2"}', b'{"format": "legoc-bundle/10"}', b"{}",
                 b'{"format": "\\u00e9\\ud83d\\ude00\\u0000"}'):  # fmt: skip
        path.write_bytes(text)
        assert legoc(bundle, "N1")[0] == 1
    # What JSON allows and Python does not write.
    path.write_bytes(b" \t\r\n" + content.replace(b'"format": ', b'"for\\u006dat" :\n') + b"\n")
    assert legoc(bundle, "N1")[0] == 0


def tensors(header, body=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


F32 = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 7, b"\0" * 8, b"\xff" * 8, tensors({}, length=3), tensors({}, length=2**63),
     tensors(b"[]"), tensors(b"{"), tensors({"vectors": 1}), tensors({"vectors": F32}),
     tensors({"vectors": {**F32, "dtype": "F31"}}, b"\0" * 16),
     tensors({"vectors": {**F32, "shape": [2**60, 2**60]}}, b"\0" * 16),
     tensors({"vectors": {**F32, "shape": [2**32, 2**32, 2**32]}}, b"\0" * 16),
     tensors({"vectors": {**F32, "shape": [-2, -2]}}, b"\0" * 16),
     tensors({"vectors": {**F32, "shape": [1] * 40 + [4]}}, b"\0" * 16),
     tensors({"vectors": {**F32, "shape": 4}}, b"\0" * 16),
     tensors({"vectors": {**F32, "shape": [1.5]}}, b"\0" * 16),
     tensors({"vectors": {**F32, "data_offsets": [16, 0]}}, b"\0" * 16),
     tensors({"vectors": {**F32, "data_offsets": [0, 1e300]}}, b"\0" * 16),
     tensors({"vectors": {**F32, "data_offsets": [0, 8, 16]}}, b"\0" * 16),
     tensors({"vectors": {**F32, "data_offsets": [8, 24]}}, b"\0" * 16),
     tensors(b'{"a":' * 5000), tensors({"vectors": F32, "ids": F32, "offsets": F32}, b"\0" * 16)],
)  # fmt: skip
@pytest.mark.parametrize("file", ["cache/items.safetensors", "golden.safetensors"])
def test_tensors_that_lie(tmp_path, legoc, content, file):
    bundle = write_bundle(tmp_path / "b", KINDS["dot"])
    (bundle / file).write_bytes(content)
    rewrite(bundle, lambda content: None)
    code, _, err = legoc("--self-test", bundle)
    assert code == 1
    assert file in err or "golden" in err


def change_items(bundle, **changes):
    path = bundle / "cache/items.safetensors"
    save_file({**load_file(path), **changes}, path)
    rewrite(bundle, lambda content: None)


def test_item_tables_that_lie(tmp_path, legoc):
    places = np.array([0, 0, 2, 4, 7, 9])
    for number, changes in enumerate((
        {"offsets": places - 1}, {"offsets": places[::-1].copy()}, {"offsets": places * 2**40},
        {"offsets": np.array([0, 0, 9, 4, 7, 9])}, {"offsets": places[:-1].copy()},
        {"offsets": np.array([0, 0, -(2**62), 4, 7, 9])}, {"ids": np.zeros(0, np.uint8)},
        {"ids": np.frombuffer(b"N1N1\xc3\x9c4N5"[:9], np.uint8)},
        {"ids": np.frombuffer(b"N\0N2N3\xc3\x9c4N5", np.uint8)},
        {"vectors": np.ones((6, WIDTH), np.float32)}, {"vectors": np.zeros((6, WIDTH))},
        {"vectors": np.zeros((6, WIDTH + 1), np.float32)},
    )):  # fmt: skip
        bundle = write_bundle(tmp_path / f"b{number}", KINDS["dot"])
        change_items(bundle, **changes)
        assert legoc(bundle, "N1")[0] == 1, changes


def test_no_number_is_no_recommendation(tmp_path, legoc):
    bundle = write_bundle(tmp_path / "b", KINDS["dot"])
    vectors = load_file(bundle / "cache/items.safetensors")["vectors"].copy()
    vectors[2] = np.nan
    change_items(bundle, vectors=vectors)
    assert "N2" not in answers(legoc(bundle, "N1")[1])[0]
    assert legoc(bundle, "N2")[0] == 1


def test_vectors_of_another_width(tmp_path, legoc):
    """A table, a manifest and graphs that do not belong together."""
    for name in ("dot", "dnn", "din", "many"):
        bundle = write_bundle(tmp_path / name, KINDS[name])
        change_items(bundle, vectors=np.zeros((6, 3), np.float32))
        rewrite(bundle, lambda content: content["plan"].update(width=3))
        assert legoc(bundle, "N1")[0] == 1


def test_graphs_that_cannot_be_run(tmp_path, legoc):
    bundle = write_bundle(tmp_path / "b", KINDS["dnn"])
    path = bundle / "onnx/predictor.onnx"
    content = path.read_bytes()
    other = (bundle / "onnx/user_encoder.onnx").read_bytes()
    for damaged in (b"", b"\0" * 50, content[: len(content) // 2], other):
        path.write_bytes(damaged)
        rewrite(bundle, lambda content: None)
        code, _, err = legoc(bundle, "N1")
        assert code == 1
        assert "onnx/predictor.onnx" in err


def test_a_graph_reads_no_file(tmp_path, legoc, monkeypatch):
    """Its weights would be what nobody verified: neither beside it nor where the program runs."""
    bundle = write_bundle(tmp_path / "b", KINDS["users"])
    path = bundle / "onnx/user_encoder.onnx"
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="w.bin", size_threshold=0)
    assert (bundle / "onnx/w.bin").stat().st_size
    rewrite(bundle, lambda content: None)
    legoc_runtime.load(bundle)
    for folder in (bundle, bundle / "onnx"):
        monkeypatch.chdir(folder)
        code, _, err = legoc(bundle, "N1")
        assert code == 1
        assert "onnx/user_encoder.onnx" in err


def test_golden_tensors_of_another_model(tmp_path, legoc):
    bundle = write_bundle(tmp_path / "b", KINDS["dot"])
    path = bundle / "golden.safetensors"
    golden = load_file(path)
    name = "predictor/probe/scores"
    for other in (golden[name] + 1e-3, golden[name][:1].copy(), golden[name] * np.nan):
        save_file({**golden, name: other}, path)
        rewrite(bundle, lambda content: None)
        code, _, err = legoc("--self-test", bundle)
        assert code == 1
        assert "differs by" in err
    save_file({key: each for key, each in golden.items() if "user_encoder" not in key}, path)
    rewrite(bundle, lambda content: None)
    assert "no probe of user_encoder" in legoc("--self-test", bundle)[2]


def test_a_list_of_users_that_lies(tmp_path, legoc):
    bundle = write_bundle(tmp_path / "b", KINDS["users"])
    content = json.loads((bundle / "manifest.json").read_text())
    for row in (-1, 0, 1.5, 10**6, 1e300, "x", None, [1]):
        (bundle / "vocabularies/users.json").write_text(json.dumps({"values": {"U1": row}}))
        write_manifest(bundle, {key: each for key, each in content.items() if key != "files"})
        # Null is no row at all, so nobody is known by it.
        assert legoc(bundle, "N1", "-u", "U1")[0] == (0 if row is None else 1)


def test_a_table_of_users_that_lies(tmp_path, legoc):
    bundle = write_bundle(tmp_path / "b", KINDS["profile"])
    agree(bundle, legoc, HISTORIES[:2], user="U1")
    file = bundle / "cache/users.safetensors"
    sound = load_file(file)
    for change in (
        {"0/lengths": np.array([0, 3, 0], np.int32)}, {"0/lengths": np.array([0, -1, 0], np.int32)},
        {"1/ids": sound["1/ids"][:1]}, {"0/ids": np.zeros((3, 3), np.int32)},
        {"1/lengths": sound["1/lengths"].astype(np.int64)}, {"0/ids": sound["0/ids"] + 10**6},
    ):  # fmt: skip
        save_file({**sound, **change}, file)
        rewrite(bundle, lambda content: None)
        code, out, err = legoc(bundle, "N1", "-u", "U1")
        assert (code, out) == (1, "")
        assert err.startswith("error: ")
