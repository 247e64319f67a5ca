"""Digests of large files are remembered by size and time, and never trusted beyond that."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from legoc.language.ir import files


LARGE = b"x" * (files.REMEMBERED + 1)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("LEGOC_CACHE", str(folder))
    files.digest_of.cache_clear()
    return folder


def write(path: Path, content: bytes, modified: int = 1) -> str:
    path.write_bytes(content)
    os.utime(path, ns=(modified, modified))
    return str(path)


def fresh(path: str) -> str | None:
    """The digest as another process would find it."""
    files.digest_of.cache_clear()
    return files.file_digest(path)


def test_a_digest_is_sha256_of_the_bytes(cache: Path, tmp_path: Path) -> None:
    for content in (b"", b"small", LARGE):
        path = write(tmp_path / "file", content)
        assert fresh(path) == hashlib.sha256(content).hexdigest()
    assert files.file_digest(str(tmp_path / "gone")) is None
    assert files.file_digest(str(tmp_path)) is None


def test_a_large_file_is_read_once(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "file", LARGE)
    first = fresh(path)
    monkeypatch.setattr(files, "read_digest", lambda _: "read again")
    assert fresh(path) == first
    write(tmp_path / "file", LARGE, modified=2)
    assert fresh(path) == "read again"


def test_small_files_are_not_remembered(cache: Path, tmp_path: Path) -> None:
    assert fresh(write(tmp_path / "file", b"small")) is not None
    assert not (cache / "digests.json").exists()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"FILE": 3}', '{"FILE": [1]}'])
def test_a_damaged_memory_is_written_anew(cache: Path, tmp_path: Path, damage: str) -> None:
    path = write(tmp_path / "file", LARGE)
    cache.mkdir()
    (cache / "digests.json").write_text(damage.replace("FILE", path))
    assert fresh(path) == hashlib.sha256(LARGE).hexdigest()
    assert json.loads((cache / "digests.json").read_text())[path][2] == fresh(path)
    assert [entry.name for entry in cache.iterdir()] == ["digests.json"]


def test_a_folder_that_cannot_be_written_costs_only_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blocked").write_text("a file where the folder should be")
    monkeypatch.setenv("LEGOC_CACHE", str(tmp_path / "blocked"))
    assert fresh(write(tmp_path / "file", LARGE)) == hashlib.sha256(LARGE).hexdigest()
