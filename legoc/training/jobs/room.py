"""The memory that is free: what the machine has, or the group of processes is allowed."""

from collections.abc import Iterator, Sequence
from pathlib import Path


MEMINFO = Path("/proc/meminfo")
GROUPS = Path("/proc/self/cgroup")
ROOT = Path("/sys/fs/cgroup")


def free_memory() -> int | None:
    """Bytes that new processes may take; None where the system does not say."""
    found = [value for value in (machine_free(), *group_free()) if value is not None]
    return min(found) if found else None


def machine_free(path: Path = MEMINFO) -> int | None:
    """What the kernel holds available, caches of files that it can drop included."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith("MemAvailable:")), None)
    return None if found is None else int(found.split()[1]) * 1024


def group_free(groups: Path = GROUPS, root: Path = ROOT) -> Iterator[int]:
    """What each control group around this process leaves, of either version."""
    try:
        lines = groups.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, kinds, path = line.split(":", 2)
        if not kinds:
            yield from around(root, path, "memory.max", "memory.current", "inactive_file")
        elif "memory" in kinds.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from around(root / "memory", path, *names)


def around(root: Path, path: str, limit: str, usage: str, cached: str) -> Iterator[int]:
    """The limits of a group and of those it is in, less what is used there for more than files."""
    place = root / path.strip("/")
    for group in (place, *place.parents):
        if not group.is_relative_to(root):
            return
        try:
            most = int((group / limit).read_text())
            used = int((group / usage).read_text())
        except (OSError, ValueError):
            continue  # `max`, or no limit at this height
        yield max(most - used + dropped(group / "memory.stat", cached), 0)


def dropped(path: Path, name: str) -> int:
    """The bytes of file caches that a group can drop."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    found = next((line for line in lines if line.split()[0] == name), None)
    return 0 if found is None else int(found.split()[1])


def choose_jobs(asked: int, needs: Sequence[int], free: int | None) -> int:
    """How many runs may train at a time, so that the hungriest of them fit together; 1 at least."""
    if free is None:
        return asked
    jobs, taken = 0, 0
    for need in sorted(needs, reverse=True)[:asked]:
        taken += need
        if taken > free:
            break
        jobs += 1
    return max(jobs, 1)
