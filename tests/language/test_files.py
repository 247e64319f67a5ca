"""Digests of large files are remembered by the state of the file, and never trusted beyond it."""

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from legoc.language.ir import files


LARGE = b"x" * (files.REMEMBERED + 1)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("LEGOC_CACHE", str(folder))
    # These files are made this moment; what that means has a test of its own.
    monkeypatch.setattr(files, "SETTLED", 0.0)
    files.digest_of.cache_clear()
    return folder


def write(path: Path, content: bytes, modified: int = 1) -> str:
    time.sleep(0.02)  # a tick of the clock, so that the change shows
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


def test_other_content_of_the_same_size_and_time_is_read(cache: Path, tmp_path: Path) -> None:
    """Copied over with its times, or put in its place with them."""
    path = write(tmp_path / "file", LARGE)
    fresh(path)
    other = b"y" + LARGE[1:]
    write(tmp_path / "file", other)
    assert fresh(path) == hashlib.sha256(other).hexdigest()
    third = b"z" + LARGE[1:]
    write(tmp_path / "new", third)
    os.replace(tmp_path / "new", path)
    assert fresh(path) == hashlib.sha256(third).hexdigest()
    # Within one process too, which keeps what it has seen.
    write(tmp_path / "file", LARGE)
    assert files.file_digest(path) == hashlib.sha256(LARGE).hexdigest()


def test_a_file_that_changed_a_moment_ago_is_read_each_time(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a tick of the clock another content leaves no trace at all."""
    monkeypatch.setattr(files, "SETTLED", 2.0)
    path = write(tmp_path / "file", LARGE)
    assert fresh(path) == hashlib.sha256(LARGE).hexdigest()
    assert not (cache / "digests.json").exists()
    now = files.time.time() + 3
    monkeypatch.setattr(files.time, "time", lambda: now)
    fresh(path)
    assert (cache / "digests.json").exists()


def test_small_files_are_not_remembered(cache: Path, tmp_path: Path) -> None:
    assert fresh(write(tmp_path / "file", b"small")) is not None
    assert not (cache / "digests.json").exists()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"FILE": 3}', '{"FILE": [1]}'])
def test_a_damaged_memory_is_written_anew(cache: Path, tmp_path: Path, damage: str) -> None:
    path = write(tmp_path / "file", LARGE)
    cache.mkdir()
    (cache / "digests.json").write_text(damage.replace("FILE", path))
    assert fresh(path) == hashlib.sha256(LARGE).hexdigest()
    assert json.loads((cache / "digests.json").read_text())[path][-1] == fresh(path)
    assert [entry.name for entry in cache.iterdir()] == ["digests.json"]


def test_a_folder_that_cannot_be_written_costs_only_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blocked").write_text("a file where the folder should be")
    monkeypatch.setenv("LEGOC_CACHE", str(tmp_path / "blocked"))
    assert fresh(write(tmp_path / "file", LARGE)) == hashlib.sha256(LARGE).hexdigest()
