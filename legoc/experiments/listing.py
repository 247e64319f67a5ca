"""Every run folder with what became of it; where the points of a file went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from legoc.experiments.folders import last_written, list_folders
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

    @property
    def figures(self) -> Mapping[str, Any]:
        """The figures of the part that training measured, by metric; those of full ranking have
        names of their own, for they share no column with others."""
        if self.state != "measured":
            return {}
        found = Run(self.folder).metrics or {}
        report = next(iter(found.values()), {"metrics": {}})
        mark = ", all items" if report.get("candidates") == "all" else ""
        return {name + mark: value for name, value in report["metrics"].items()}

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
            size=sum(path.stat().st_size for path in one.folder.rglob("*") if path.is_file()),
        )
        for one in list_folders(runs)
    ]
    return sorted(entries, key=lambda entry: (entry.name, entry.written))


def infer_state(folder: Path) -> State:
    run = Run(folder)
    if (folder / "metrics.json").is_file():
        return "measured"
    if (run.bundle / "manifest.json").is_file():
        return "exported"
    if run.finished:
        return "trained"
    return "interrupted" if (folder / "resume" / "state.safetensors").is_file() else "begun"


def choose(entries: Sequence[Entry], patterns: Sequence[str], states: Sequence[str]) -> list[Entry]:
    """The entries that some pattern and some state fits; no pattern, or no state, fits all. A
    pattern is a part of the name or of the folder's, or has `*` and `?`."""

    def fits(entry: Entry) -> bool:
        names = (entry.name, entry.folder.name, str(entry.folder))
        return not patterns or any(
            pattern in name or fnmatchcase(name, pattern) for pattern in patterns for name in names
        )

    return [entry for entry in entries if fits(entry) and (not states or entry.state in states)]


def explain_point(spec: Spec, entries: Sequence[Entry]) -> str:
    """Where a point went, in a sentence."""
    same = [e for e in entries if e.spec is not None and e.spec.keys.spec == spec.keys.spec]
    own = [e for e in same if e.spec is not None and e.spec.name == spec.name]
    if own:
        latest = max(own, key=lambda entry: entry.written)
        more = f"; {len(own) - 1} more of other states of the data" if len(own) > 1 else ""
        return f"{latest.state}, in {latest.folder}{more}"
    if same:
        return f"the same model, data and recipe as {same[0].name}, in {same[0].folder}"
    named = [e for e in entries if e.spec is not None and e.spec.name == spec.name]
    if not named:
        return "no run: it was not trained, or its folder was removed"
    latest = max(named, key=lambda entry: entry.written)
    assert latest.spec is not None
    found = changes(latest.spec, spec)
    told = [f"{c.path}: {write(c.before)}, now {write(c.after)}" for c in found[:SHOWN]]
    rest = ", ..." if len(found) > SHOWN else ""
    if not found:
        return f"no run: an earlier version trained it, in {latest.folder}"
    return f"no run; {latest.folder} is of another spec ({'; '.join(told)}{rest})"
