"""A bundle is opened once: what was verified is what is used, whoever replaces it meanwhile."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import external_data_helper

import legoc_runtime
from legoc_runtime import BundleError
from legoc_runtime import bundle as opening
from tests.runtime.bundles import ITEMS, KINDS, Kind, rewrite, weights, write_bundle


IDS = [item["id"] for item in ITEMS]
OTHER = Kind(arrays={name: value * 3 for name, value in weights().items()})

WRITER = """
import shutil, sys
from pathlib import Path
from legoc.writing import replacing_folder
target, sources = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
print("ready", flush=True)
turn = 0
while True:
    turn += 1
    with replacing_folder(target) as made:
        shutil.copytree(sources[turn % 2], made, dirs_exist_ok=True)
"""


def scores(model):
    return model.score(model.encode_user(["N1", "N5"]), IDS)


def expected(kind):
    vectors = {item["id"]: kind.item(item) for item in ITEMS}
    return [kind.score([vectors["N1"], vectors["N5"]], vectors[name]) for name in IDS]


def replace_all_the_time(target, sources):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(target), *map(str, sources)], stdout=subprocess.PIPE
    )


def load_many(target, count):
    """How often each of two bundles answered. Every answer is of one of them, wholly."""
    found = [0, 0]
    for _ in range(count):
        model = legoc_runtime.load(target)
        assert model.self_test().difference < 1e-5
        given = scores(model)
        which = [np.allclose(given, expected(kind), atol=1e-4) for kind in (KINDS["dot"], OTHER)]
        assert sum(which) == 1
        found[which.index(True)] += 1
        # All that is asked later comes from the same bytes too, texts included.
        record = {"id": "X", "title": "late storm", "category": "news"}
        model.items.add([record])
        vector = (KINDS["dot"], OTHER)[which.index(True)].item(record)
        assert model.items.vectors[-1] == pytest.approx(vector, abs=1e-5)
    return found


def test_loads_while_the_bundle_is_replaced_never_mix_and_never_miss(tmp_path):
    sources = [write_bundle(tmp_path / name, kind) for name, kind in
               (("one", KINDS["dot"]), ("two", OTHER))]  # fmt: skip
    target = write_bundle(tmp_path / "bundle", OTHER)
    with replace_all_the_time(target, sources) as writer:
        try:
            assert writer.stdout is not None
            writer.stdout.readline()
            found = []
            with ThreadPoolExecutor(2) as pool:
                # A busy machine may leave the writer aside for a while.
                while len(found) < 40 and (not found or np.sum(found, axis=0).min() <= 5):
                    found += pool.map(lambda _: load_many(target, 75), range(2))
        finally:
            writer.kill()
    both = np.sum(found, axis=0)
    assert both.sum() == 75 * len(found)
    assert both.min() > 5, "the bundle was not replaced while it was loaded"


@pytest.mark.slow
def test_three_thousand_loads_while_the_bundle_is_replaced(tmp_path):
    sources = [write_bundle(tmp_path / name, kind) for name, kind in
               (("one", KINDS["dot"]), ("two", OTHER))]  # fmt: skip
    target = write_bundle(tmp_path / "bundle", OTHER)
    with replace_all_the_time(target, sources) as writer:
        try:
            assert writer.stdout is not None
            writer.stdout.readline()
            found = load_many(target, 3000)
        finally:
            writer.kill()
    assert min(found) > 100


def test_a_switched_link_is_a_replaced_bundle(tmp_path, monkeypatch):
    """The first file is of the bundle that the link led to, the second of another."""
    for name, kind in (("one", KINDS["dot"]), ("two", OTHER)):
        write_bundle(tmp_path / name, kind)
    link = tmp_path / "current"
    link.symlink_to("one")
    real = opening.read_content

    def switch(folder, name, entry, *, mapped):
        if name.endswith("items.safetensors") and os.readlink(link) == "one":
            link.unlink()
            link.symlink_to("two")
        return real(folder, name, entry, mapped=mapped)

    monkeypatch.setattr(opening, "read_content", switch)
    assert scores(legoc_runtime.load(link)) == pytest.approx(expected(OTHER), abs=1e-4)


def test_a_moment_of_absence_is_waited_for(tmp_path, monkeypatch):
    """Where names are swapped in two steps."""
    write_bundle(tmp_path / "away", KINDS["dot"])
    monkeypatch.setattr(
        opening.time, "sleep", lambda _: (tmp_path / "away").rename(tmp_path / "bundle")
    )
    assert scores(legoc_runtime.load(tmp_path / "bundle")) == pytest.approx(
        expected(KINDS["dot"]), abs=1e-4
    )


def test_damage_is_told_at_once_and_not_tried_again(tmp_path, monkeypatch):
    folder = write_bundle(tmp_path / "bundle", KINDS["dot"])
    (folder / "golden.safetensors").write_bytes(b"damaged")
    monkeypatch.setattr(opening.time, "sleep", lambda _: pytest.fail("it was tried again"))
    with pytest.raises(BundleError, match=r"golden\.safetensors"):
        legoc_runtime.load(folder)


def test_a_loaded_bundle_needs_no_file_any_more(tmp_path):
    folder = write_bundle(tmp_path / "bundle", KINDS["dot"])
    model = legoc_runtime.load(folder)
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.write_bytes(b"other") and path.unlink()
    assert scores(model) == pytest.approx(expected(KINDS["dot"]), abs=1e-4)
    assert model.self_test().difference < 1e-5
    model.items.add([{"id": "X", "title": "late goal"}])


def test_what_is_no_plain_file_is_missing(tmp_path):
    folder = write_bundle(tmp_path / "bundle", KINDS["dot"])
    (folder / "golden.safetensors").unlink()
    os.mkfifo(folder / "golden.safetensors")
    with pytest.raises(BundleError, match=r"golden\.safetensors` is missing"):
        legoc_runtime.load(folder)


def move_weights(folder, location):
    """Let the item encoder keep its weights in a file of its own."""
    path = folder / "onnx/item_encoder.onnx"
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        if tensor.name == "table":
            external_data_helper.set_external_data(tensor, location, 0, len(tensor.raw_data))
            content = tensor.raw_data
            tensor.ClearField("raw_data")
            tensor.data_location = onnx.TensorProto.EXTERNAL
    path.write_bytes(model.SerializeToString())
    return content


@pytest.mark.parametrize("location", ["item_encoder.onnx.data", "deep/er/weights.bin"])
def test_weights_beside_a_graph(tmp_path, location):
    folder = write_bundle(tmp_path / "bundle", KINDS["dot"])
    content = move_weights(folder, location)
    place = folder / "onnx" / location
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    rewrite(folder, lambda manifest: None)
    model = legoc_runtime.load(folder)
    assert model.self_test().difference < 1e-5
    place.write_bytes(bytes(len(content)))
    with pytest.raises(BundleError, match="its hash differs"):
        legoc_runtime.load(folder)


@pytest.mark.parametrize("location", ["weights.bin", "deep/weights.bin", "../weights.bin", "full"])
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside a listed file"])
def test_a_graph_reads_no_file_that_was_not_verified(tmp_path, monkeypatch, location, beside):
    """Neither below the graph, nor where the process works, nor by a whole path."""
    folder = write_bundle(tmp_path / "bundle", KINDS["dot"])
    full = str(tmp_path / "weights.bin")
    content = move_weights(folder, full if location == "full" else location)
    if beside:
        (folder / "onnx/other.bin").write_bytes(content)
    rewrite(folder, lambda manifest: None)
    for place in (tmp_path / "deep", tmp_path / "work/deep"):
        place.mkdir(parents=True)
        (place / "weights.bin").write_bytes(content)
        (place.parent / "weights.bin").write_bytes(content)
    monkeypatch.chdir(tmp_path / "work")
    with pytest.raises(BundleError, match=r"item_encoder\.onnx` is not a graph"):
        legoc_runtime.load(folder)


def test_an_older_onnxruntime_says_what_it_lacks(tmp_path, monkeypatch):
    folder = write_bundle(tmp_path / "bundle", KINDS["dot"])
    (folder / "onnx/w.bin").write_bytes(move_weights(folder, "w.bin"))
    rewrite(folder, lambda manifest: None)

    class Older:
        def add_session_config_entry(self, *_):
            pass

    monkeypatch.setattr(onnxruntime, "SessionOptions", Older)
    with pytest.raises(BundleError, match=r"onnxruntime 1\.24 or newer"):
        legoc_runtime.load(folder)


def test_a_bundle_as_values_shows_no_bytes(tmp_path):
    bundle = legoc_runtime.open_bundle(write_bundle(tmp_path / "bundle", KINDS["dot"]))
    assert "contents" not in repr(bundle)
    assert bundle.path == Path(tmp_path / "bundle")
    assert bundle.read("golden.safetensors") == (bundle.path / "golden.safetensors").read_bytes()
