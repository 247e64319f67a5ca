"""A bundle appears complete or not at all, and never over something else."""

import pytest

from legoc.exporting.staging import MANIFEST, staged
from legoc.language.diagnosing.diagnostics import LegoError


def fill(place, text):
    (place / "sub").mkdir()
    (place / "sub" / "file").write_text(text)
    (place / MANIFEST).write_text("{}")


def test_it_appears_at_the_end_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "new" / "bundle"
    with staged(target) as place:
        fill(place, "a")
        assert not target.exists()
    assert (target / "sub" / "file").read_text() == "a"
    assert [p.name for p in target.parent.iterdir()] == ["bundle"]


def fail_halfway(target):
    with staged(target) as place:
        fill(place, "new")
        raise RuntimeError("the disk is full")


def test_a_failure_leaves_the_earlier_bundle_and_nothing_else(tmp_path):
    target = tmp_path / "bundle"
    with staged(target) as place:
        fill(place, "old")
    with pytest.raises(RuntimeError):
        fail_halfway(target)
    assert (target / "sub" / "file").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]


def test_a_bundle_replaces_a_bundle(tmp_path):
    target = tmp_path / "bundle"
    for text in ("old", "new"):
        with staged(target) as place:
            fill(place, text)
    assert (target / "sub" / "file").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]


def test_other_files_are_never_replaced(tmp_path):
    target = tmp_path / "thesis"
    target.mkdir()
    (target / "chapter.txt").write_text("text")
    with pytest.raises(LegoError) as caught, staged(target):
        pass
    assert caught.value.diagnostics[0].code == "E0830"
    assert (target / "chapter.txt").read_text() == "text"


def test_a_file_or_link_in_its_place_is_refused(tmp_path):
    (tmp_path / "file").write_text("text")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for name in ("file", "link"):
        with pytest.raises(LegoError), staged(tmp_path / name):
            pass
    assert not any((tmp_path / "real").iterdir())
