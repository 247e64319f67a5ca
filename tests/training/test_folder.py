"""Run folders: names, locks, the index, and files that are never half there."""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from legoc.language.declaring.declare import Attribute
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call, Data, Export, Keys, Spec, Types
from legoc.training.files import write_json, write_tensors, write_text
from legoc.training.folder import enter_index, infer_folder, locked, open_folder, read_index
from legoc.training.machine import choose_device, describe_environment, working


SPEC = Spec(
    name="zoo[content=CNN(hidden=64)]",
    model={"content": Call(op="Null"), "behavior": Call(op="Pooling"), "predict": Call(op="Dot")},
    data=Data(
        source=Call(op="Demo"), content=(Attribute(name="title", kind="text", length=20),),
        history=50, split=Call(op="publisher"), group="impression",
    ),
    train=None, export=Export(), types=Types(item="Vec[64]", user="Vec[64]"),
    keys=Keys(item="", user="", prefix="", spec="ab" * 32),
    source_text="content Null -> behavior Pooling -> predict Dot\n",
)  # fmt: skip


def test_a_folder_is_named_after_the_run_and_the_digests(tmp_path):
    folder = infer_folder(tmp_path, SPEC, "cd" * 32)
    assert folder.parent == tmp_path
    assert re.fullmatch(r"zoo-[0-9a-f]{12}", folder.name)
    assert infer_folder(tmp_path, SPEC, "cd" * 32) == folder
    other = replace(SPEC, keys=replace(SPEC.keys, spec="ac" * 32))
    assert infer_folder(tmp_path, SPEC, "ce" * 32) != folder
    assert infer_folder(tmp_path, other, "cd" * 32) != folder


@pytest.mark.parametrize("name", ["../up", "a/b c", "..", ""])
def test_no_name_leaves_the_folder_of_runs(tmp_path, name):
    folder = infer_folder(tmp_path, replace(SPEC, name=name), "cd")
    assert folder.parent == tmp_path
    assert not folder.name.startswith(".")


def test_again_leaves_nothing_of_before(tmp_path):
    folder = tmp_path / "run"
    open_folder(folder, SPEC, again=False)
    (folder / "best.safetensors").write_bytes(b"old")
    (folder / "resume").mkdir()
    (folder / "resume" / "state.safetensors").write_bytes(b"old")
    open_folder(folder, SPEC, again=False)
    assert (folder / "best.safetensors").exists()
    open_folder(folder, SPEC, again=True)
    assert sorted(path.name for path in folder.iterdir()) == ["model.lego", "spec.json"]
    assert (folder / "model.lego").read_text() == SPEC.source_text


def test_a_folder_has_one_writer(tmp_path):
    with locked(tmp_path / "run"):
        with pytest.raises(LegoError) as caught, locked(tmp_path / "run"):
            pass
        assert caught.value.diagnostics[0].code == "E0553"
    with locked(tmp_path / "run"):
        pass


def test_the_index_keeps_the_entries_of_all_writers(tmp_path):
    def enter(n):
        enter_index(tmp_path, f"point{n}", tmp_path / f"folder{n}")

    with ThreadPoolExecutor(8) as workers:
        list(workers.map(enter, range(8)))
    assert read_index(tmp_path) == {f"point{n}": f"folder{n}" for n in range(8)}
    enter_index(tmp_path, "point3", tmp_path / "later")
    assert read_index(tmp_path)["point3"] == "later"
    (tmp_path / "index.json").write_text("{ half")
    enter_index(tmp_path, "a", tmp_path / "b")
    assert read_index(tmp_path) == {"a": "b"}


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file.json"
    write_json(path, {"value": 1})
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError("disk full")))
    for write in (
        lambda: write_text(path, "new"),
        lambda: write_json(path, {"value": 2}),
        lambda: write_tensors(path, {"a": torch.zeros(2)}),
    ):
        with pytest.raises(OSError, match="disk full"):
            write()
        assert json.loads(path.read_text()) == {"value": 1}
        assert [p.name for p in tmp_path.iterdir()] == ["file.json"]


def test_tied_and_strided_tensors_are_stored(tmp_path):
    base = torch.arange(12.0).reshape(3, 4)
    given = {"one": base, "tied": base, "turned": base.T, "empty": torch.zeros(0, 3)}
    write_tensors(tmp_path / "file.safetensors", given)
    found = load_file(tmp_path / "file.safetensors")
    assert found.keys() == given.keys()
    assert all(torch.equal(found[name], value) for name, value in given.items())


def test_the_machine_is_left_as_it_was():
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    with working(3, torch.device("cpu")) as count:
        assert count == torch.get_num_threads() == 3
        torch.manual_seed(1)
        torch.rand(5)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    found = describe_environment(torch.device("cpu"), 3)
    assert found["threads"] == 3
    assert found["versions"]["torch"].startswith(torch.__version__.partition("+")[0])


def test_a_device_that_is_not_there_is_an_error():
    assert choose_device("cpu") == torch.device("cpu")
    for name in ("cuda:77", "abacus"):
        with pytest.raises(LegoError) as caught:
            choose_device(name)
        assert caught.value.diagnostics[0].code == "E0555"


def test_tasks_can_be_declared_without_evaluation_or_export():
    code = (
        "import sys, legoc.training.tasks; "
        "print([m for m in sys.modules if m.startswith(('legoc.evaluation', 'legoc.exporting'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
