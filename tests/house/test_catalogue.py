"""The generated files are written in one step, and one that is not whole is named."""

import os
from pathlib import Path

import pytest

from legoc import catalogue
from legoc.language.declaring import catalog
from legoc.language.diagnosing.diagnostics import LegoError


def test_a_reader_meets_the_old_file_or_the_new_one(tmp_path, monkeypatch):
    path = tmp_path / "schema.json"
    catalogue.put(path, "old")
    path.chmod(0o640)
    seen = []

    def replace(temporary, target):
        seen.append((path.read_text("utf-8"), Path(temporary).read_text("utf-8")))
        rename(temporary, target)

    rename = os.replace
    monkeypatch.setattr(os, "replace", replace)
    catalogue.put(path, "nèw")
    assert seen == [("old", "nèw")]
    assert path.read_text("utf-8") == "nèw"
    assert path.stat().st_mode & 0o777 == 0o640
    # What is up to date is not touched.
    catalogue.put(path, "nèw")
    assert len(seen) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["schema.json"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "schema.json"
    path.write_text("old", "utf-8")

    def full(*_):
        raise OSError("no space")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        catalogue.put(path, "new")
    assert [(each.name, each.read_text("utf-8")) for each in tmp_path.iterdir()] == [
        ("schema.json", "old")
    ]


@pytest.mark.parametrize("text", ["", '{"$defs": {"role": {', "[]", "{}"])
def test_a_damaged_schema_is_named(tmp_path, monkeypatch, text):
    path = tmp_path / "schema.json"
    path.write_text(text, "utf-8")
    monkeypatch.setattr(catalog, "shipped", lambda _: path)
    catalog.load_schema.cache_clear()
    try:
        with pytest.raises(LegoError) as caught:
            catalog.load_schema()
    finally:
        catalog.load_schema.cache_clear()
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == (
        "E0201", "`grammar/lego.schema.json`, a part of legoc, is damaged",
    )  # fmt: skip
