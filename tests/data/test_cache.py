"""Nothing in a cache is trusted without its finished manifest."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from legoc.data.cache import (
    MANIFEST,
    cache_root,
    digest,
    hash_file,
    hash_files,
    obtain,
    read_manifest,
)
from legoc.language.ir import files


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


def test_digests_of_files_follow_their_state(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "SETTLED", 0.0)
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


def test_no_digest_is_stale(tmp_path, monkeypatch):
    """Same size and modification time, other content."""
    path, root = tmp_path / "raw.tsv", tmp_path / "cache"
    for settled in (0.0, 2.0):
        monkeypatch.setattr(files, "SETTLED", settled)
        seen = set()
        for text in ("one", "two", "six"):
            time.sleep(0.02 - settled / 100)  # a tick of the clock, where that is needed
            path.write_text(text)
            os.utime(path, ns=(1, 1))
            assert hash_file(path, root) == hashlib.sha256(text.encode()).hexdigest()
            seen.add(hash_file(path, root))
        assert len(seen) == 3
    # The last round remembered nothing, for its files changed a moment ago.
    assert len(list((root / "digests").iterdir())) == 3


def test_the_name_of_a_file_belongs_to_what_it_is(tmp_path):
    def make(folder, *names):
        paths = [tmp_path / folder / name for name in names]
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("same")
        return hash_files(paths, tmp_path / "cache")

    base = make("a", "items.csv", "histories.csv")
    assert make("a", "items.csv", "users.csv") != base
    assert make("b/deeper", "items.csv", "histories.csv") == base  # a folder that was moved
    assert [name for name, _ in base] == ["items.csv", "histories.csv"]
    parts = make("c", "train/news.tsv", "dev/news.tsv", "dev/behaviors.tsv")
    assert [name for name, _ in parts] == ["train/news.tsv", "dev/news.tsv", "behaviors.tsv"]
    assert make("d", "test/news.tsv", "dev/news.tsv", "dev/behaviors.tsv") != parts
    assert hash_files([tmp_path / "a/items.csv"] * 2, tmp_path / "cache") == [base[0]] * 2


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
