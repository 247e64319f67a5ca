"""docs/bundle.md names every key of the manifest's schema, and every file that an export writes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import legoc_runtime
from legoc.exporting import bundle, contents, kept
from tests.runtime.bundles import KINDS, write_bundle


ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "bundle.md").read_text(encoding="utf-8")
SCHEMA = Path(legoc_runtime.__file__).with_name("manifest.schema.json")
# What stands in code marks, and each word within them.
NAMED = {
    part for mark in re.findall(r"`([^`\n]+)`", PAGE) for part in re.findall(r"[\w.<>]+", mark)
}
NAMED |= {part for name in NAMED for part in name.split(".")}


def said(schema: Any) -> set[str]:
    """The keys and the words of a schema."""
    found: set[str] = set()
    if isinstance(schema, dict):
        found |= set(schema.get("properties", {})) | {
            word for word in schema.get("enum", ()) if isinstance(word, str)
        }
        for value in schema.values():
            found |= said(value)
    elif isinstance(schema, list):
        for value in schema:
            found |= said(value)
    return found


def test_it_names_every_key_of_the_schema() -> None:
    keys = said(json.loads(SCHEMA.read_text()))
    assert len(keys) > 60
    assert sorted(keys - NAMED) == []


def test_it_names_every_file_of_an_export() -> None:
    """The constants that the export writes by, wherever in the room they stand."""
    room = Path(bundle.__file__).parent
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(room.glob("*.py")))
    written = set(
        re.findall(r'"((?:cache|vocabularies)/[\w.]+|golden\.safetensors|model\.lego)"', text)
    )
    assert {contents.ITEMS, contents.USERS, contents.GOLDEN, kept.KEPT} <= written
    for file in (*written, bundle.CARD, bundle.MANIFEST):
        assert f"`{file}`" in PAGE, file


@pytest.mark.parametrize("name", KINDS)
def test_it_names_every_key_and_port_of_a_bundle(tmp_path: Path, name: str) -> None:
    manifest = json.loads((write_bundle(tmp_path / "b", KINDS[name]) / "manifest.json").read_text())
    assert sorted(manifest.keys() - NAMED) == []
    for graph in manifest["graphs"].values():
        attributes = {part["name"] for part in (manifest["reading"] or {"parts": []})["parts"]}
        ports = {port["name"] for port in (*graph["inputs"], *graph["outputs"])}
        told = (manifest.get("profile") or {"reading": {"parts": []}})["reading"]["parts"]
        attributes |= {f"profile_{part['name']}" for part in told}
        own = {*attributes, *(f"{attribute}_mask" for attribute in attributes)}
        assert sorted(ports - own - NAMED) == []


def test_it_names_every_key_that_an_export_writes() -> None:
    """Of the manifest itself, as its source says them."""
    source = Path(bundle.__file__).read_text(encoding="utf-8")
    literal = source.split("manifest = {", 1)[1].split("}  # fmt: skip", 1)[0]
    keys = set(re.findall(r'^\s*"(\w+)":', literal, re.MULTILINE)) | {"files"}
    assert {"graphs", "plan", "certificate", "provenance"} <= keys
    assert sorted(keys - NAMED) == []
