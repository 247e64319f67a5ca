"""Every run folder with what became of it; where the points of a file went."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from legoc.experiments.folders import last_written, list_folders, runs_of
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.difference import changes, write
from legoc.language.ir.spec import Spec
from legoc.model.run import Run
from legoc.training.cost import read_cost


State = Literal["measured", "exported", "trained", "interrupted", "begun", "unreadable"]
STATES: tuple[State, ...] = (
    "measured", "exported", "trained", "interrupted", "begun", "unreadable",
)  # fmt: skip
# Differences that a line has room for.
SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A run folder. name: that of its point, with what tells it from others of that name; state:
    the last thing that was finished."""

    folder: Path
    name: str
    state: State
    spec: Spec | None
    written: float
    size: int

    @cached_property
    def figures(self) -> Mapping[str, float | None]:
        """The figures of the part that training measured, by metric; those of full ranking have
        names of their own, for they share no column with others."""
        return read_figures(self.folder) or {} if self.state == "measured" else {}

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "folder": str(self.folder),
            "state": self.state,
            "written": self.written,
            "bytes": self.size,
            "metrics": dict(self.figures),
            "cost": read_cost(self.folder),
        }


def list_runs(runs: Path) -> list[Entry]:
    """The run folders below `runs`, by name and then by age."""
    entries = [
        Entry(
            folder=one.folder,
            name=one.name,
            state="unreadable" if one.spec is None else infer_state(one.folder),
            spec=one.spec,
            written=last_written(one.folder),
            size=measure_size(one.folder),
        )
        for one in list_folders(runs)
        if one.folder.is_dir()
    ]
    return sorted(entries, key=lambda entry: (entry.name, entry.written))


def measure_size(folder: Path) -> int:
    """The bytes of its files. Those that vanish meanwhile, as of a training at work, have none."""
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                size += os.stat(os.path.join(place, name)).st_size
    return size


def read_figures(folder: Path) -> Mapping[str, float | None] | None:
    """The figures of the part that metrics.json has first, null where one is not defined; None
    where it cannot be read."""
    try:
        found = Run(folder).metrics
    except (LegoError, OSError):
        return None
    report = next(iter(found.values()), None) if isinstance(found, dict) else None
    figures = report.get("metrics") if isinstance(report, dict) else None
    if not isinstance(figures, dict):
        return None
    if not all(value is None or isinstance(value, int | float) for value in figures.values()):
        return None
    mark = ", all items" if report.get("candidates") == "all" else ""
    return {name + mark: value for name, value in figures.items()}


def infer_state(folder: Path) -> State:
    run = Run(folder)
    if read_figures(folder) is not None:
        return "measured"
    if (run.bundle / "manifest.json").is_file():
        return "exported"
    if run.finished:
        return "trained"
    return "interrupted" if (folder / "resume" / "state.safetensors").is_file() else "begun"


def choose(entries: Sequence[Entry], patterns: Sequence[str], states: Sequence[str]) -> list[Entry]:
    """The entries that some pattern and some state fits; no pattern, or no state, fits all."""
    return [
        entry
        for entry in entries
        if (not patterns or any(fits(entry, pattern) for pattern in patterns))
        and (not states or entry.state in states)
    ]


def fits(entry: Entry, pattern: str) -> bool:
    """Whether a pattern is a part of the name of a run or of its folder, fits one of them whole
    with `*` and `?`, or is the path of the folder. Where the folder lies is no part of its name,
    and a pattern without letters fits nothing."""
    if not pattern:
        return False
    # Names hold brackets, which would be sets of letters.
    written = pattern.replace("[", "[[]")
    names = (entry.name, entry.folder.name)
    return (
        any(pattern in name or fnmatchcase(name, written) for name in names)
        or Path(pattern).resolve() == entry.folder.resolve()
    )


def has_state(spec: Spec, entries: Sequence[Entry], states: Sequence[str]) -> bool:
    """Whether the run of a point, the latest one, is in one of these states."""
    found = runs_of(spec, entries)
    return bool(found) and found[0].state in states


def explain_point(spec: Spec, entries: Sequence[Entry]) -> str:
    """Where a point went, in a sentence."""
    found = runs_of(spec, entries)
    if found:
        latest = found[0]
        if latest.spec is not None and latest.spec.name != spec.name:
            return f"the same model, data and recipe as {latest.name}, in {latest.folder}"
        more = f"; {len(found) - 1} more of other states of the data" if len(found) > 1 else ""
        return f"{latest.state}, in {latest.folder}{more}"
    named = [e for e in entries if e.spec is not None and e.spec.name == spec.name]
    if not named:
        return "no run: it was not trained, or its folder was removed"
    latest = max(named, key=lambda entry: entry.written)
    assert latest.spec is not None
    changed = changes(latest.spec, spec)
    told = [f"{c.path}: {write(c.before)}, now {write(c.after)}" for c in changed[:SHOWN]]
    rest = ", ..." if len(changed) > SHOWN else ""
    if not changed:
        return f"no run: an earlier version trained it, in {latest.folder}"
    return f"no run; {latest.folder} is of another spec ({'; '.join(told)}{rest})"
