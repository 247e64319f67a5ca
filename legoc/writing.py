"""Files and folders that are there complete or not at all, whatever kills the process.

What is written grows in a *workplace*: a private, hidden folder beside its target. Its owner holds
a lock in it, which the system drops when the process ends, however it ends; so the next write to
the same folder tells what a killed process left from what another one is still writing, and removes
it. A workplace of another machine, seen through a shared disk, counts as left when it is a day old.

When the content stands it is brought to the disk, takes the place of the target in one step, and
then the folder of the target is brought to the disk, so that after a power cut too there is the old
or the new. A folder that replaces another swaps names with it (Linux, macOS), so nobody finds none.
"""

import errno
import os
import re
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from hashlib import sha256
from pathlib import Path


try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

LOCK = "lock"
OLD = ".legoc-old"
FORM = re.compile(r"\.(?P<target>.+)\.\d+-(?P<machine>[0-9a-f]{8})-[0-9a-f]{8}\.legoc")
DAY = 24 * 3600.0
# Between making a workplace and locking it lies no work; one without a lock for so long is left.
UNLOCKED = 60.0
NAME_LENGTH = 40
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """A path to write to. When the block ends, what lies there is on disk and has become `path`;
    when it fails nothing has changed.

    A link stays and what it points to changes. A file that is there keeps its permissions, a new
    one has those of any file of the user. What is no file (a pipe, a device) is written as it is.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        # Said now and not when hours of work are to be put there.
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if target.exists() and not target.is_file():
        yield target
        return
    with workplace(target) as place:
        made = place / target.name
        yield made
        made.chmod(mode_of(target if target.is_file() else place / LOCK))
        sync(made)
        os.replace(made, target)
        sync(target.parent)


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """An empty folder to fill. When the block ends it takes the place of `folder`, which is made
    or replaced; when it fails nothing has changed. Its files are readable as any of the user."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with workplace(folder) as place:
        made = place / folder.name
        made.mkdir()
        yield made
        for path in made.rglob("*"):
            if path.is_file():
                path.chmod(mode_of(place / LOCK))
        put_folder(made, folder)


def write_bytes(path: Path | str, content: bytes) -> None:
    """Write a file, whole or not at all."""
    with replacing(path) as made:
        made.write_bytes(content)


def write_text(path: Path | str, text: str) -> None:
    """Write a text file in UTF-8 with the line ends of `text`, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def put_folder(made: Path, folder: Path) -> None:
    """Bring a finished folder to the disk and give it the name of another, which is removed where
    it is there. Both lie on one disk."""
    for path in (*made.rglob("*"), made):
        sync(path)
    try:
        os.rename(made, folder)
    except OSError as error:
        if not folder.is_dir() or folder.is_symlink():
            raise
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.EACCES, errno.EPERM):
            raise
        exchange(made, folder)
        remove(made)
    sync(folder.parent)


def exchange(one: Path, other: Path) -> None:
    """Swap the names of two folders, in one step where the system knows such a step."""
    swap = find_swap()
    found = errno.ENOSYS if swap is None else swap(os.fsencode(one), os.fsencode(other))
    if not found:
        return
    if found not in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP):
        raise OSError(found, os.strerror(found), str(other))
    spare = one.parent / OLD / other.name
    spare.parent.mkdir()
    os.rename(other, spare)
    try:
        os.rename(one, other)
    except OSError:
        os.rename(spare, other)
        raise
    os.rename(spare, one)
    spare.parent.rmdir()


@lru_cache(maxsize=1)
def find_swap() -> Callable[[bytes, bytes], int] | None:
    """The system's call that swaps two names, giving an errno; None where there is none."""
    import ctypes

    if sys.platform == "win32":
        return None
    library = ctypes.CDLL(None, use_errno=True)
    text, number = ctypes.c_char_p, ctypes.c_int
    here, both = -100, 2  # AT_FDCWD; RENAME_EXCHANGE, which is 2 as RENAME_SWAP of macOS is
    if hasattr(library, "renameat2"):
        call = library.renameat2
        call.argtypes = [number, text, number, text, ctypes.c_uint]
        return lambda a, b: ctypes.get_errno() if call(here, a, here, b, both) else 0
    if hasattr(library, "renamex_np"):
        swap = library.renamex_np
        swap.argtypes = [text, text, ctypes.c_uint]
        return lambda a, b: ctypes.get_errno() if swap(a, b, both) else 0
    return None


@contextmanager
def workplace(target: Path) -> Iterator[Path]:
    """A private folder beside `target`, held by this process and gone when the block ends. What
    killed processes left beside it is removed first."""
    remove_leftovers(target.parent)
    try:
        place, lock = make_workplace(target)
    except OSError as error:
        error.filename = str(target)
        raise
    try:
        yield place
    except OSError as error:
        # A reader of the message knows the target, and finds no hidden folder of that name.
        if isinstance(error.filename, str | bytes | os.PathLike):
            told = Path(os.fsdecode(error.filename))
            if told.is_relative_to(place):
                error.filename = str(target.parent / told.relative_to(place))
        elif error.filename is None and error.errno in FULL:
            # A write to an open file does not say to which.
            error.filename = str(target)
        raise
    finally:
        os.close(lock)
        remove(place)


def make_workplace(target: Path) -> tuple[Path, int]:
    """A new workplace and the handle that holds its lock."""
    while True:
        unique = f"{os.getpid()}-{machine()}-{os.urandom(4).hex()}"
        place = target.with_name(f".{target.name[:NAME_LENGTH]}.{unique}.legoc")
        os.mkdir(place, 0o700)
        lock = os.open(place / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        if try_lock(lock) is not False and (place / LOCK).exists():
            return place, lock
        # Whoever looked for leftovers in between has taken it for one.
        os.close(lock)


def try_lock(handle: int) -> bool | None:
    """Whether the lock is now held; None where the disk or the system has no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def remove_leftovers(folder: Path) -> None:
    """Remove the workplaces in a folder whose processes are gone."""
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.name.endswith(".legoc")]
    except OSError:
        return
    for name in names:
        found = FORM.fullmatch(name)
        if found is None:
            continue
        place = folder / name
        # What cannot be looked at or removed now will be another time.
        with suppress(OSError):
            remove_left(place, here=found["machine"] == machine())


def remove_left(place: Path, *, here: bool) -> None:
    """Remove a workplace unless somebody holds it. here: whether it is of this machine."""
    age = time.time() - newest(place)
    try:
        lock = os.open(place / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        if age > UNLOCKED:
            remove(place)
        return
    try:
        free = try_lock(lock)
        if free is None or not here:
            free = free is not False and age > DAY
        # The lock is held on: a place that was made just now would be locked before it is gone.
        if free:
            restore(place)
            remove(place)
    finally:
        os.close(lock)
    if free and fcntl is None:
        remove(place)  # an open file cannot be removed there


def restore(place: Path) -> None:
    """Put back a folder whose owner was killed between the two steps of a swap."""
    for old in (place / OLD).glob("*"):
        target = place.parent / old.name
        if not target.exists():
            os.rename(old, target)


def newest(place: Path) -> float:
    """When something in a workplace last changed."""
    return max(path.lstat().st_mtime for path in (place, *place.rglob("*")))


def remove(place: Path) -> None:
    """Remove a folder, its lock last: as long as anything of it is there, it is held or left."""
    import shutil

    # Somebody else may be removing the same.
    with suppress(OSError):
        for name in set(os.listdir(place)) - {LOCK}:
            if (place / name).is_dir() and not (place / name).is_symlink():
                shutil.rmtree(place / name, ignore_errors=True)
            else:
                (place / name).unlink(missing_ok=True)
    shutil.rmtree(place, ignore_errors=True)


@lru_cache(maxsize=1)
def machine() -> str:
    """Eight hex digits of the running system: equal in all its containers, where it says so, and
    other after it starts anew."""
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    except (OSError, ValueError):
        text = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    return sha256(text.encode()).hexdigest()[:8]


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        # Windows opens no folder, and keeps the names of its own accord.
        if os.name == "nt" and path.is_dir():
            return
        raise
    try:
        os.fsync(handle)
    except OSError as error:
        # Some file systems (shares, FUSE) have no such thing for folders.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP) or not path.is_dir():
            raise
    finally:
        os.close(handle)
