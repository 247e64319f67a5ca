"""A damaged, unsafe or unknown bundle is a clear error that names the file, before graphs load."""

import json
import os
import struct

import numpy as np
import pytest
from safetensors.numpy import save

import legoc_runtime
from legoc_runtime import BundleError, Engine, RequestError
from legoc_runtime.graphs import Graphs
from legoc_runtime.sessions import Settings
from legoc_runtime.tensors import read_tensors
from tests.runtime.bundles import ITEMS, KINDS, rewrite, write_bundle, write_json


@pytest.fixture
def bundle(tmp_path):
    return write_bundle(tmp_path / "bundle", KINDS["users"])


def files(bundle):
    return [path for path in sorted(bundle.rglob("*")) if path.is_file()]


@pytest.fixture
def no_sessions(monkeypatch):
    """Makes any session an error of the test."""

    def refuse(*arguments, **settings):
        raise AssertionError("a session was made")

    monkeypatch.setattr("onnxruntime.InferenceSession", refuse)


def test_every_file_is_guarded_against_one_flipped_bit(bundle, no_sessions):
    for path in files(bundle):
        if path.name == "manifest.json":
            continue
        content = path.read_bytes()
        changed = bytearray(content)
        changed[len(changed) // 2] ^= 1
        path.write_bytes(changed)
        with pytest.raises(BundleError) as caught:
            legoc_runtime.load(bundle)
        assert path.relative_to(bundle).as_posix() in caught.value.message
        assert "hash" in caught.value.message
        assert caught.value.help
        path.write_bytes(content)


def test_every_file_is_guarded_against_loss_and_truncation(bundle, no_sessions):
    for path in files(bundle):
        content = path.read_bytes()
        path.write_bytes(content[:-1])
        with pytest.raises(BundleError) as caught:
            legoc_runtime.load(bundle)
        assert path.name in caught.value.message
        path.unlink()
        with pytest.raises(BundleError) as caught:
            legoc_runtime.load(bundle)
        assert path.name in caught.value.message
        path.write_bytes(content)


@pytest.mark.parametrize(
    "name",
    ["../secret", "/etc/hostname", "onnx/../../secret", "onnx//predictor.onnx", "./golden", "",
     "C:\\secret", "onnx\\predictor.onnx", "a\0b"],
)  # fmt: skip
def test_paths_that_lead_out(bundle, no_sessions, name):
    (bundle.parent / "secret").write_text("x")
    content = json.loads((bundle / "manifest.json").read_text())
    content["files"][name] = {"sha256": "0" * 64, "bytes": 1}
    write_json(bundle / "manifest.json", content)
    with pytest.raises(BundleError, match=r"leads out|not a path"):
        legoc_runtime.load(bundle)


def test_links(bundle, no_sessions):
    outside = bundle.parent / "outside"
    (bundle / "onnx").rename(outside)
    os.symlink(outside, bundle / "onnx")
    with pytest.raises(BundleError, match="by a link"):
        legoc_runtime.load(bundle)
    (bundle / "onnx").unlink()
    outside.rename(bundle / "onnx")
    target = bundle / "onnx/predictor.onnx"
    target.rename(bundle.parent / "predictor.onnx")
    os.symlink(bundle.parent / "predictor.onnx", target)
    with pytest.raises(BundleError, match="by a link"):
        legoc_runtime.load(bundle)


def test_nothing_unverified_lies_beside_the_graphs(bundle, no_sessions):
    (bundle / "onnx/weights.data").write_text("x")
    with pytest.raises(BundleError, match=r"weights\.data` is not in the manifest"):
        legoc_runtime.load(bundle)
    (bundle / "onnx/weights.data").unlink()
    (bundle / "onnx/deep/er").mkdir(parents=True)
    (bundle / "onnx/deep/er/weights.data").write_text("x")
    with pytest.raises(BundleError, match=r"`onnx/deep/er/weights\.data` is not in the manifest"):
        legoc_runtime.load(bundle)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda m: m.update(format="legoc-bundle/2"), "legoc-bundle/2"),
        (lambda m: m.update(format="other/1"), "not a format"),
        (lambda m: m.pop("plan"), "form"),
        (lambda m: m["plan"].update(user="matrix"), "form"),
        (lambda m: m["plan"].update(width="wide"), "form"),
        (lambda m: m["graphs"].pop("predictor"), r"`graphs\.predictor` is missing"),
        (
            lambda m: m["graphs"].update(extra=m["graphs"]["predictor"]),
            r"`graphs\.extra` is not known",
        ),
        (lambda m: m.update(reading=None), "without a reading"),
        (lambda m: m.update(users=None), "no list of them"),
        (lambda m: m["items"].update(file="cache/other"), "has no hash"),
        (lambda m: m["reading"]["parts"][0].update(tokenizer="other.json"), "has no hash"),
        (lambda m: m["reading"]["parts"][1].pop("length"), "form"),
        (
            lambda m: m["items"].update(rows=7),
            r"float32\[6, 5\], the manifest says float32\[7, 5\]",
        ),
        (lambda m: m["plan"].update(width=6), r"`plan\.width` is 6"),
        (lambda m: m["graphs"]["predictor"]["inputs"].pop(), "predictor.onnx` reads"),
        (lambda m: m["graphs"]["predictor"]["inputs"][0].update(dtype="bool"), "reads"),
    ],
)
def test_manifests_that_do_not_fit(bundle, change, match):
    rewrite(bundle, change)
    with pytest.raises(BundleError, match=match):
        legoc_runtime.load(bundle)


def test_manifests_that_are_none(bundle, no_sessions):
    for content in (b"", b"[]", b"{", b"null", b"\xff", b"[" * 100_000):
        (bundle / "manifest.json").write_bytes(content)
        with pytest.raises(BundleError, match=r"manifest\.json is not"):
            legoc_runtime.load(bundle)
    with pytest.raises(BundleError, match="no manifest"):
        legoc_runtime.load(bundle / "onnx")
    with pytest.raises(BundleError, match="no bundle at"):
        legoc_runtime.load(bundle / "nowhere")


def test_graphs_that_are_none(bundle):
    (bundle / "onnx/predictor.onnx").write_bytes(b"not a graph")
    rewrite(bundle, lambda manifest: None)
    with pytest.raises(BundleError, match=r"predictor\.onnx` is not a graph"):
        legoc_runtime.load(bundle)


def test_golden_tensors_that_lack_something(bundle):
    golden = bundle / "golden.safetensors"
    tensors = read_tensors(golden)
    some = {name: value for name, value in tensors.items() if "item_encoder" not in name}
    for kept, match in (
        (some, "no probe of item_encoder"),
        ({**tensors, "predictor/more/users": tensors["predictor/probe/users"]}, "lacks items"),
        ({"other/probe/x": np.zeros(1)}, "lacks other"),
    ):
        golden.write_bytes(save(kept))
        rewrite(bundle, lambda manifest: None)
        with pytest.raises(BundleError, match=match):
            legoc_runtime.load(bundle).self_test()
    golden.unlink()
    rewrite(bundle, lambda manifest: None)
    with pytest.raises(BundleError, match=r"no golden\.safetensors"):
        legoc_runtime.load(bundle).self_test()


def tensor_file(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"x": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\0" * 7, b"\xff" * 8, struct.pack("<Q", 1 << 62), struct.pack("<Q", 50) + b"{}",
        tensor_file(b"[]"), tensor_file(b"{"), tensor_file(b"\xff\xfe"), tensor_file(b"[" * 99_999),
        tensor_file({"x": 1}), tensor_file(entry(dtype="BF16"), bytes(8)),
        tensor_file(entry(), bytes(7)), tensor_file(entry(shape=[3]), bytes(8)),
        tensor_file(entry(offsets=[4, -4]), bytes(8)), tensor_file(entry(offsets=[8, 0]), bytes(8)),
        tensor_file(entry(shape=[-1, -2]), bytes(8)), tensor_file(entry(shape=[2.0]), bytes(8)),
        tensor_file(entry(shape=[1 << 40, 1 << 40], offsets=[0, 8]), bytes(8)),
        tensor_file(entry(shape=[True, 2]), bytes(8)), tensor_file(entry(shape="2"), bytes(8)),
        tensor_file(entry(offsets=[0, 4, 8]), bytes(8)), tensor_file({"x": {}}),
    ],
)  # fmt: skip
def test_hostile_tensor_files(tmp_path, content):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=r"x\.safetensors` is not a safetensors file"):
        read_tensors(path)


def test_tensor_files_read_as_their_own_library_does(tmp_path):
    random = np.random.default_rng(0)
    tensors = {
        "odd": np.array([1, 2, 3], dtype=np.int8),
        "a": random.normal(size=(3, 4)).astype(np.float32), "b": np.arange(5),
        "c": np.zeros((0, 7)), "d": np.array(2.5, dtype=np.float16), "e": np.array([True, False]),
    }  # fmt: skip
    path = tmp_path / "x.safetensors"
    path.write_bytes(save(tensors, metadata={"x": "y"}))
    found = read_tensors(path)
    assert found.keys() == tensors.keys()
    for name, values in tensors.items():
        assert found[name].dtype == values.dtype
        assert found[name].shape == values.shape
        assert np.array_equal(found[name], values)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda t: t.pop("ids"), "has no ids"),
        (lambda t: t["vectors"].__setitem__((0, 0), 1), "row 0"),
        (lambda t: t.update(vectors=t["vectors"].astype(np.float64)), "float64"),
        (lambda t: t["offsets"].__setitem__(2, 99), "damaged"),
        (lambda t: t["ids"].__setitem__(slice(6, 8), 255), "damaged"),
        (lambda t: t["ids"].__setitem__(3, ord("1")), "an id stands twice"),
    ],
)
def test_item_tables_that_do_not_fit(bundle, change, match):
    path = bundle / "cache/items.safetensors"
    tensors = {name: value.copy() for name, value in read_tensors(path).items()}
    change(tensors)
    path.write_bytes(save(tensors))
    rewrite(bundle, lambda manifest: None)
    with pytest.raises(BundleError, match=match):
        legoc_runtime.load(bundle)


def test_guards_before_a_graph_runs(bundle):
    graphs = Graphs(legoc_runtime.open_bundle(bundle), Settings())
    for bad in (-1, 12):
        ids = np.array([[3, bad]])
        inputs = {n: ids if "mask" not in n else ids != 0
                  for n in ("title", "title_mask", "category", "category_mask")}  # fmt: skip
        with pytest.raises(RequestError, match="`title` has ids"):
            graphs.encode_items(inputs)
    none = np.zeros((0, 3), dtype=np.int32)
    mask = none.astype(bool)
    nothing = {"title": none, "title_mask": mask, "category": none, "category_mask": mask}
    assert graphs.encode_items(nothing).shape == (0, 5)
    short = {name: np.zeros((2, 0), dtype=value.dtype) for name, value in nothing.items()}
    assert not graphs.encode_items(short).any()
    assert graphs.encode_users(np.zeros((0, 3, 5), "f4"), np.zeros((0, 3), bool)).shape == (0, 5)
    users = np.ones((2, 5), dtype=np.float32)
    assert graphs.predict(users, users[:0], np.zeros(0, np.int32)).shape == (0,)
    for owner in (-1, 2):
        with pytest.raises(RequestError, match="`owner`"):
            graphs.predict(users, users, np.array([0, owner], dtype=np.int32))


def test_an_engine_over_a_table_refuses_items_it_has_no_row_for(tmp_path):
    class Table:
        lengths = np.ones(3, dtype=np.int32)

    bundle = write_bundle(tmp_path, KINDS["table"])
    known = Engine(bundle, ids=["", "N5", "N1"]).encode_items(Table())
    assert known[1] == pytest.approx(KINDS["table"].item(ITEMS[4]), abs=1e-6)
    assert not known[0].any()
    with pytest.raises(RequestError, match="`X7`"):
        Engine(bundle, ids=["", "N5", "X7"]).encode_items(Table())
