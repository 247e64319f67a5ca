"""Nothing in a cache is trusted without its finished manifest."""

import os
from pathlib import Path

import pytest

from legoc.data.cache import MANIFEST, cache_root, digest, hash_file, obtain, read_manifest


def make(text):
    def write(folder):
        (folder / "sub").mkdir()
        (folder / "sub" / "data.txt").write_text(text)
        return {"text": text}

    return write


def test_a_folder_is_made_once_and_then_read(tmp_path):
    folder, manifest = obtain(tmp_path / "x" / "key", make("one"))
    assert manifest["text"] == "one"
    assert manifest["files"] == {"sub/data.txt": 3}
    again, manifest = obtain(tmp_path / "x" / "key", make("two"))
    assert again == folder
    assert (folder / "sub" / "data.txt").read_text() == "one"


def test_an_interrupted_preparation_leaves_nothing(tmp_path):
    def broken(folder):
        (folder / "half.txt").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        obtain(tmp_path / "key", broken)
    assert list(tmp_path.iterdir()) == []
    assert obtain(tmp_path / "key", make("whole"))[1]["text"] == "whole"


@pytest.mark.parametrize("damage", ["manifest", "truncated", "missing", "garbled"])
def test_a_damaged_folder_is_made_again(tmp_path, damage):
    folder, _ = obtain(tmp_path / "key", make("right"))
    data = folder / "sub" / "data.txt"
    if damage == "manifest":
        (folder / MANIFEST).unlink()
    elif damage == "truncated":
        data.write_text("ri")
    elif damage == "missing":
        data.unlink()
    else:
        (folder / MANIFEST).write_text('{"files": ')
    assert read_manifest(folder) is None
    obtain(tmp_path / "key", make("right"))
    assert data.read_text() == "right"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_two_processes_may_finish_the_same_folder(tmp_path):
    def slow(folder):
        obtain(tmp_path / "key", make("first"))
        return make("second")(folder)

    folder, manifest = obtain(tmp_path / "key", slow)
    assert manifest["text"] == "first"
    assert (folder / "sub" / "data.txt").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_digests_of_files_follow_size_and_time(tmp_path):
    path = tmp_path / "raw.tsv"
    path.write_text("one")
    first = hash_file(path, tmp_path / "cache")
    assert hash_file(path, tmp_path / "cache") == first
    path.write_text("two")
    os.utime(path, ns=(1, 1))
    assert hash_file(path, tmp_path / "cache") != first
    # A remembered digest is what is read the second time.
    note = max((tmp_path / "cache" / "digests").iterdir(), key=lambda p: p.stat().st_mtime_ns)
    note.write_text("f" * 64)
    assert hash_file(path, tmp_path / "cache") == "f" * 64


def test_the_cache_lies_where_it_is_told(monkeypatch, tmp_path):
    assert cache_root("here") == Path("here")
    monkeypatch.setenv("LEGOC_CACHE", str(tmp_path))
    assert cache_root() == tmp_path
    monkeypatch.delenv("LEGOC_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root() == tmp_path / "xdg" / "legoc"


def test_digest_does_not_depend_on_the_order_of_keys():
    assert digest({"a": 1, "b": [2, "ü"]}) == digest({"b": [2, "ü"], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
