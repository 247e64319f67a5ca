"""A spec keeps its identity when its files and folders are named without where they lie."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from legoc.language import load
from legoc.language.ir import form
from legoc.language.ir.places import find_places, list_places, name_paths, name_places
from legoc.language.ir.spec import Call, Spec
from legoc.language.ir.text import resolved_text


TEXT = """
data log {
  source = MIND("raw/MINDsmall")
  tokenizer = file("parts/words.json")
  augment = ["parts/once.parquet"]
  content = [title(30), category]
}
model m = content Null(file="parts/rows.npy") -> behavior Additive -> predict Dot
run m on log
"""
NAMES = ("rows.npy", "MINDsmall", "words.json", "once.parquet")


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    (tmp_path / "raw" / "MINDsmall").mkdir(parents=True)
    (tmp_path / "parts").mkdir()
    np.save(tmp_path / "parts" / "rows.npy", np.zeros((4, 8), dtype=np.float32))
    for name in NAMES[2:]:
        (tmp_path / "parts" / name).write_text(json.dumps({}))
    (tmp_path / "m.lego").write_text(TEXT)
    (found,) = load(tmp_path / "m.lego")
    return found


def test_names_alone_are_left_of_paths(spec: Spec, tmp_path: Path) -> None:
    given = list_places(spec)
    assert [os.path.basename(path) for path in given] == list(NAMES)
    assert all(path.startswith(str(tmp_path)) for path in given)
    named = name_places(spec)
    assert list_places(named) == NAMES
    assert list_places(name_places(named)) == NAMES
    for text in (json.dumps(form.to_json(named)), resolved_text(named)):
        assert str(tmp_path) not in text
        assert all(name in text for name in NAMES)
    assert named.keys == spec.keys
    assert replace(named, model=spec.model, data=spec.data) == spec


def test_names_are_found_again_in_one_folder(spec: Spec, tmp_path: Path) -> None:
    again = find_places(form.from_json(form.to_json(name_places(spec))), str(tmp_path / "else"))
    assert list_places(again) == tuple(str(tmp_path / "else" / name) for name in NAMES)
    assert find_places(spec, str(tmp_path / "else")).data == again.data


def test_files_of_one_name_are_told_apart_by_their_folders(spec: Spec, tmp_path: Path) -> None:
    given = [str(tmp_path / folder / "titles.csv") for folder in ("one/new", "two/new", "three")]
    joined = replace(spec, data=replace(spec.data, augment=tuple([*given, given[0]])))
    named = name_places(joined)
    names = ["one/new/titles.csv", "two/new/titles.csv", "three/titles.csv"]
    assert list(named.data.augment) == [*names, names[0]]
    assert str(tmp_path) not in json.dumps(form.to_json(named))
    for each in (named, joined):
        found = find_places(each, str(tmp_path / "else"))
        assert list(found.data.augment[:3]) == [str(tmp_path / "else" / name) for name in names]
    # The others keep their last part.
    assert list_places(named)[:3] == NAMES[:3]


def test_a_path_that_ends_as_another_is_still_found() -> None:
    paths = ["/a/b/t.csv", "b/t.csv", "/a/b/u.csv", "/"]
    names = name_paths(paths)
    assert [names[path] for path in paths] == ["a/b/t.csv", "b/t.csv", "u.csv", "/"]


def test_a_model_of_a_hub_keeps_its_name(spec: Spec, tmp_path: Path) -> None:
    def of(path: str) -> Spec:
        content = Call(op="LM", args={"path": path})
        return replace(spec, model={**spec.model, "content": content})

    assert list_places(of("org/tiny"))[0] != "org/tiny"
    assert name_places(of("org/tiny")).model["content"].args == {"path": "org/tiny"}
    assert find_places(of("org/tiny"), str(tmp_path)).model["content"].args == {"path": "org/tiny"}
    # The same is a folder where it was one, and where one of its name is found.
    assert list_places(of("/models/tiny"))[0] == "/models/tiny"
    assert name_places(of("/models/tiny")).model["content"].args == {"path": "tiny"}
    (tmp_path / "tiny").mkdir()
    found = find_places(of("tiny"), str(tmp_path))
    assert found.model["content"].args == {"path": str(tmp_path / "tiny")}
