"""What is written is there complete or not at all, and nothing of a killed process stays."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from legoc import writing
from legoc.writing import put_folder, remove_leftovers, replacing, replacing_folder, write_text


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fill(folder, text, count=3):
    (folder / "deep").mkdir()
    for number in range(count):
        (folder / "deep" / f"{number}.txt").write_text(text)


def texts(folder):
    return {path.read_text() for path in (folder / "deep").iterdir()}


def test_a_file_appears_at_the_end(tmp_path):
    with replacing(tmp_path / "a.parquet") as made:
        assert made.name == "a.parquet"  # writers choose a form by the ending
        made.write_text("new")
        assert not (tmp_path / "a.parquet").exists()
    assert names(tmp_path) == ["a.parquet"]
    assert (tmp_path / "a.parquet").read_text() == "new"


def test_a_failure_changes_nothing(tmp_path):
    write_text(tmp_path / "a", "old")

    def fail(opened):
        with opened as made:
            (made / "x" if made.is_dir() else made).write_text("half")
            raise KeyboardInterrupt

    for opened in (replacing(tmp_path / "a"), replacing_folder(tmp_path / "b")):
        with pytest.raises(KeyboardInterrupt):
            fail(opened)
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_permissions_and_links_stay(tmp_path):
    umask = os.umask(0o027)
    try:
        with replacing(tmp_path / "new") as made:
            os.close(os.open(made, os.O_CREAT, 0o600))  # as safetensors makes its files
        with replacing_folder(tmp_path / "folder") as made:
            os.close(os.open(made / "private", os.O_CREAT, 0o600))
    finally:
        os.umask(umask)
    modes = [
        (tmp_path / name).stat().st_mode & 0o777 for name in ("new", "folder", "folder/private")
    ]
    assert modes == [0o640, 0o750, 0o640]
    (tmp_path / "new").chmod(0o604)
    (tmp_path / "link").symlink_to("new")
    write_text(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "new").read_text() == "text"
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o604


def test_a_folder_in_its_place_is_said_at_once(tmp_path):
    with pytest.raises(IsADirectoryError), replacing(tmp_path):
        pytest.fail("it began")


def test_what_is_no_file_is_written_as_it_is(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    read = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()
    write_text(tmp_path / "pipe", "through")
    reader.join(10)
    assert read == ["through"]
    assert names(tmp_path) == ["pipe"]


@pytest.mark.parametrize("swap", [True, False], ids=["in one step", "in two"])
def test_a_folder_replaces_a_folder(tmp_path, monkeypatch, swap):
    if not swap:
        monkeypatch.setattr(writing, "find_swap", lambda: None)
    for text in ("old", "new", "newest"):
        with replacing_folder(tmp_path / "b") as made:
            fill(made, text)
        assert texts(tmp_path / "b") == {text}
    assert names(tmp_path) == ["b"]
    # A folder that grew elsewhere, as the states of a language model do, takes a name alike.
    fill_at = tmp_path / ".b-part"
    fill_at.mkdir()
    fill(fill_at, "other")
    put_folder(fill_at, tmp_path / "b")
    assert texts(tmp_path / "b") == {"other"}
    assert names(tmp_path) == ["b"]


@pytest.mark.skipif(writing.find_swap() is None, reason="the system swaps no names")
def test_a_replaced_folder_is_never_absent(tmp_path):
    """A reader that opens a file of the folder at any moment finds one."""
    with replacing_folder(tmp_path / "b") as made:
        fill(made, "x")
    done, missed, looked = threading.Event(), [], [0]

    def look():
        while not done.is_set():
            looked[0] += 1
            try:
                os.stat(tmp_path / "b")
            except FileNotFoundError:
                missed.append(looked[0])

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(150):
        with replacing_folder(tmp_path / "b") as made:
            fill(made, "x")
    done.set()
    reader.join()
    assert looked[0] > 150
    assert not missed


KILLED = """
import os, signal, sys
from pathlib import Path
from legoc.writing import replacing, replacing_folder
with {how}(Path(sys.argv[1])) as made:
    (made / "half" if made.is_dir() else made).write_bytes(bytes(1000))
    print("ready", flush=True)
    {then}
"""


def start(how, target, then):
    code = KILLED.format(how=how, then=then)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("how", ["replacing", "replacing_folder"])
def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path, how):
    with (
        start(how, tmp_path / "alive", "sys.stdin.read()") as alive,
        start(how, tmp_path / "killed", "sys.stdin.read()") as killed,
    ):
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait(10)
        assert len(names(tmp_path)) == 2
        (tmp_path / ".other.part").mkdir()
        (tmp_path / ".mine.legoc").mkdir()
        write_text(tmp_path / "x", "x")
        # What somebody is still writing, and what is not ours, stays.
        left = [name for name in names(tmp_path) if name.startswith(".alive")]
        assert len(left) == 1
        assert names(tmp_path) == sorted([*left, ".mine.legoc", ".other.part", "x"])
        os.kill(alive.pid, signal.SIGKILL)
    remove_leftovers(tmp_path)
    assert names(tmp_path) == [".mine.legoc", ".other.part", "x"]


def make_place(folder, machine, age, *, lock=True):
    place = folder / f".b.77-{machine}-0123abcd.legoc"
    place.mkdir()
    (place / "half").write_text("half")
    if lock:
        (place / writing.LOCK).write_text("")
    then = time.time() - age
    for path in (*place.iterdir(), place):
        os.utime(path, (then, then))
    return place


@pytest.mark.parametrize(
    ("machine", "age", "lock", "stays"),
    [
        ("0badcafe", 3600.0, True, True),
        ("0badcafe", 90000.0, True, False),
        (None, 0.0, True, False),
        (None, 0.0, False, True),  # made this moment: its lock is about to be
        (None, 90.0, False, False),
    ],
)
def test_age_decides_where_no_lock_does(tmp_path, machine, age, lock, stays):
    place = make_place(tmp_path, machine or writing.machine(), age, lock=lock)
    remove_leftovers(tmp_path)
    assert place.exists() == stays


def test_without_locks_age_decides(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "fcntl", None)
    young = make_place(tmp_path, writing.machine(), 3600.0)
    remove_leftovers(tmp_path)
    assert young.exists()
    (tmp_path / "more").mkdir()
    old = make_place(tmp_path / "more", writing.machine(), 90000.0)
    remove_leftovers(tmp_path / "more")
    assert not old.exists()
    write_text(tmp_path / "more" / "x", "x")
    assert names(tmp_path / "more") == ["x"]


def test_killed_between_two_steps_of_a_swap_the_old_folder_comes_back(tmp_path, monkeypatch):
    with replacing_folder(tmp_path / "b") as made:
        fill(made, "old")
    place = make_place(tmp_path, writing.machine(), 0.0)
    (place / writing.OLD).mkdir()
    (tmp_path / "b").rename(place / writing.OLD / "b")
    remove_leftovers(tmp_path)
    assert names(tmp_path) == ["b"]
    assert texts(tmp_path / "b") == {"old"}


def test_many_writers_and_cleaners_of_one_folder_do_not_disturb_each_other(tmp_path):
    """Every write succeeds although each begins by looking for leftovers."""
    failed = []

    def write(number):
        try:
            for turn in range(20):
                write_text(tmp_path / f"f{number % 3}", f"{turn}\n" * 50)
                with replacing_folder(tmp_path / f"g{number % 3}") as made:
                    fill(made, str(turn))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert names(tmp_path) == ["f0", "f1", "f2", "g0", "g1", "g2"]
    assert all(len(texts(tmp_path / f"g{number}")) == 1 for number in range(3))


@pytest.mark.parametrize("make", [replacing, replacing_folder])
def test_a_full_disk_names_the_target(tmp_path, monkeypatch, make):
    """The hidden place is nothing a reader of the message could look at."""

    def full(path, *_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    def write():
        with make(tmp_path / "b") as made:
            if made.is_dir():
                made = made / "x"
            made.write_text("x")
            full(made)

    monkeypatch.setattr(os, "mkdir", full)
    with pytest.raises(OSError, match=r"b'$") as caught:
        write()
    assert caught.value.filename == str(tmp_path / "b")
    monkeypatch.undo()
    with pytest.raises(OSError, match="space") as caught:
        write()
    assert Path(caught.value.filename).is_relative_to(tmp_path / "b")

    def write_more():
        with make(tmp_path / "b") as made:
            with open(made / "x" if made.is_dir() else made, "w") as file:
                file.write("half")
            raise OSError(errno.ENOSPC, "no space")  # as a write to an open file says it

    with pytest.raises(OSError, match="space") as caught:
        write_more()
    assert caught.value.filename == str(tmp_path / "b")
    assert names(tmp_path) == []


def test_content_is_on_the_disk_before_its_name_and_the_name_before_the_end(tmp_path, monkeypatch):
    seen = []
    real_sync, real_replace, real_rename = writing.sync, os.replace, os.rename
    monkeypatch.setattr(writing, "sync", lambda p: (seen.append(p.name), real_sync(p)))
    monkeypatch.setattr(os, "replace", lambda a, b: (seen.append("name"), real_replace(a, b)))
    monkeypatch.setattr(os, "rename", lambda a, b: (seen.append("name"), real_rename(a, b)))
    write_text(tmp_path / "x", "x")
    with replacing_folder(tmp_path / "b") as made:
        fill(made, "x", count=1)
    assert seen == ["x", "name", tmp_path.name, "deep", "0.txt", "b", "name", tmp_path.name]
