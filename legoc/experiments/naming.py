"""Names that tell specs apart: those of their points, and of what `--set` changed in them."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from legoc.language.ir.difference import ABSENT, changes, write
from legoc.language.ir.spec import Spec


# The axis of seeds in a point's name: `base[hidden=64, seed=2]`.
AXIS = re.compile(r"(?:(?<=\[)seed=\d+(?:, )?)|(?:, seed=\d+(?=[,\]]))")


def without_seed(name: str) -> str:
    """A point's name without the axis of seeds."""
    return AXIS.sub("", name).removesuffix("[]")


def tell_apart(specs: Sequence[Spec], names: Sequence[str]) -> list[str]:
    """The names, with what differs behind those that several specs have: `naml {lr=0.01}`."""
    same: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        same[name].append(place)
    told = list(names)
    for name, places in same.items():
        if len(places) < 2:
            continue
        notes = notes_of([specs[place] for place in places])
        for place, note in zip(places, notes, strict=True):
            told[place] = f"{name} {{{note}}}" if note else name
    return told


def notes_of(specs: Sequence[Spec]) -> list[str]:
    """What each spec has where they differ: `lr=0.01, hidden=64`. Only the last part of a path is
    told where that is enough."""
    found: dict[str, dict[int, Any]] = defaultdict(dict)
    for place, spec in enumerate(specs[1:], start=1):
        for change in changes(specs[0], spec):
            found[change.path].setdefault(0, change.before)
            found[change.path][place] = change.after
    short = shorten(list(found))
    return [
        ", ".join(
            f"{short[path]}={write(value)}"
            for path, values in found.items()
            if (value := values.get(place, values[0])) is not ABSENT
        )
        for place in range(len(specs))
    ]


def shorten(paths: Sequence[str]) -> Mapping[str, str]:
    """The shortest end of each path that no other has."""
    told: dict[str, str] = {}
    for path in paths:
        parts = path.split(".")
        for size in range(1, len(parts) + 1):
            end = ".".join(parts[-size:])
            if not any(other != path and f".{other}".endswith(f".{end}") for other in paths):
                break
        told[path] = end
    return told


def axes_of(name: str) -> tuple[str, list[str]]:
    """The base of a point's name and what its axes chose: `m[data=cds, lr=0.1]` is `m` and
    `data=cds`, `lr=0.1`. Commas within brackets, calls and quotes part nothing."""
    base, bracket, rest = name.partition("[")
    if not bracket or not rest.endswith("]"):
        return name, []
    found, depth, quoted, start = [], 0, False, 0
    inner = rest[:-1]
    for place, letter in enumerate(inner):
        if letter == '"':
            quoted = not quoted
        elif not quoted:
            depth += (letter in "([{") - (letter in ")]}")
            if letter == "," and depth == 0:
                found.append(inner[start:place])
                start = place + 1
    return base, [each.strip() for each in (*found, inner[start:])]


def chosen_on(name: str, axis: str) -> str | None:
    """What a point's name says of an axis; None where it is not named."""
    return next(
        (each.removeprefix(f"{axis}=") for each in axes_of(name)[1] if each.startswith(f"{axis}=")),
        None,
    )


def without_axis(name: str, axis: str) -> str:
    """A point's name without one of its axes."""
    base, chosen = axes_of(name)
    kept = [each for each in chosen if not each.startswith(f"{axis}=")]
    return f"{base}[{', '.join(kept)}]" if kept else base
