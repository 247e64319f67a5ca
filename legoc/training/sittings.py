"""environment.json: the machine a training began on, and those it went on on.

A training is the same to the bit on the same ground only: threads, device and versions decide how
sums are rounded. So every sitting is recorded, and a change is said.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from legoc.progress import Progress
from legoc.training.checkpoint import read_position
from legoc.training.files import write_json


ENVIRONMENT = "environment.json"
# What the numbers depend on, of the settings and of the packages.
SETTINGS = ("device", "gpu", "processor", "threads", "numbers")
PACKAGES = ("legoc", "torch", "numpy", "transformers", "peft")


def enter_sitting(folder: Path, environment: Mapping[str, Any], progress: Progress) -> None:
    """Record the machine of a sitting that begins now: the first as the file itself, each later one
    under `resumed`, with the epoch and the updates it began at."""
    path = folder / ENVIRONMENT
    position = read_position(folder)
    begun = position is not None and (position.updates > 0 or position.epoch > 1)
    earlier = read_environment(path) if begun else None
    if position is None or earlier is None:
        write_json(path, environment)
        return
    resumed = earlier.get("resumed", [])
    changes = list(differences(resumed[-1] if resumed else earlier, environment))
    sitting = {"epoch": position.epoch, "updates": position.updates, **environment}
    write_json(path, {**earlier, "resumed": [*resumed, sitting]})
    if changes:
        progress.say(
            f"warning: {', '.join(changes)} since the last sitting; the weights will not be those "
            "of an uninterrupted training"
        )


def read_environment(path: Path) -> dict[str, Any] | None:
    """What the file says, None where it says nothing."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    """What differs between two sittings: `threads 1 -> 2`."""
    for name in SETTINGS:
        # What an older version did not record is not known to differ.
        if name in one and name in other and one[name] != other[name]:
            yield f"{name} {one.get(name)} -> {other.get(name)}"
    before, now = one.get("processes", 1), other.get("processes", 1)
    if before != now:
        yield f"processes {before} -> {now}"
    for name in PACKAGES:
        before, now = (of.get("versions", {}).get(name) for of in (one, other))
        if before != now:
            yield f"{name} {before} -> {now}"
