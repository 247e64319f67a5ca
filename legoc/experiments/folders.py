"""Run folders found again: by their path, by the name of a point, or as all that a file names."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from legoc.experiments.naming import tell_apart, without_seed
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.diagnosing.suggest import nearest
from legoc.language.ir.spec import Spec
from legoc.model.run import Run


class Told(Protocol):
    """What says which spec a folder is of."""

    @property
    def folder(self) -> Path: ...
    @property
    def spec(self) -> Spec | None: ...


Known = TypeVar("Known", bound=Told)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A run folder. point: the name of its point; name: with what tells it from others of that
    name, `naml {lr=0.01}`; spec: None where this version cannot read it."""

    folder: Path
    point: str
    name: str
    spec: Spec | None


@dataclass(frozen=True, kw_only=True)
class Found:
    """The run folders of some points, one per trained model, and the points that have none."""

    folders: tuple[Path, ...]
    missing: tuple[Spec, ...] = ()


def list_folders(runs: Path) -> list[Listed]:
    """The folders below `runs` that have a spec.json, by name."""
    folders = [path.parent for path in sorted(runs.glob("*/spec.json")) if path.is_file()]
    specs = [read_spec(folder) for folder in folders]
    known = [place for place, spec in enumerate(specs) if spec is not None]
    readable = [spec for spec in specs if spec is not None]
    told = tell_apart(readable, [spec.name for spec in readable])
    names = dict(zip(known, told, strict=True))
    return [
        Listed(
            folder=folder,
            point=folder.name if spec is None else spec.name,
            name=names.get(place, folder.name),
            spec=spec,
        )
        for place, (folder, spec) in enumerate(zip(folders, specs, strict=True))
    ]


def read_spec(folder: Path) -> Spec | None:
    try:
        return Run(folder).spec
    except (LegoError, OSError):
        return None


def runs_of(spec: Spec, known: Sequence[Known]) -> list[Known]:
    """The runs of a point, the latest first: those of its name, else of points that mean the same.
    Several of one point differ in the state of their data."""
    same = [one for one in known if one.spec is not None and one.spec.keys.spec == spec.keys.spec]
    own = [one for one in same if one.spec is not None and one.spec.name == spec.name]
    return sorted(own or same, key=lambda one: last_written(one.folder), reverse=True)


def find_points(specs: Sequence[Spec], runs: Path) -> Found:
    """The run folders of points. Points that mean the same have one; of several folders the latest
    counts."""
    listed = list_folders(runs)
    folders: list[Path] = []
    missing: list[Spec] = []
    seen: set[str] = set()
    for spec in specs:
        if spec.keys.spec in seen:
            continue
        seen.add(spec.keys.spec)
        found = runs_of(spec, listed)
        if found:
            folders.append(found[0].folder)
        else:
            missing.append(spec)
    return Found(folders=tuple(folders), missing=tuple(missing))


def last_written(folder: Path) -> float:
    """When a run was last trained or measured: reading it, and opening it again, change nothing.
    0 for one that somebody has removed meanwhile."""
    for name in ("metrics.json", "best.safetensors", "spec.json"):
        with suppress(OSError):
            return (folder / name).stat().st_mtime
    return 0.0


def find_runs(word: str, runs: Path) -> list[Path]:
    """The folders that a word names: a path, that of a bundle, a name below `runs`, a name as
    `list_folders` gives it, that of a point but for its seed, which is all its repetitions, or but
    for all its axes, which is the whole sweep.
    E0560 where there is none, or where a name is that of several runs."""
    given = Path(word)
    if (given / "spec.json").is_file():
        return [given]
    if (given / "manifest.json").is_file() and (given.resolve().parent / "spec.json").is_file():
        return [given.parent if given.parent != Path() else given.resolve().parent]
    if (runs / word / "spec.json").is_file():
        return [runs / word]
    listed = list_folders(runs)
    told = [one for one in listed if one.name == word]
    named = told or [one for one in listed if one.point == word]
    repeated = named or [one for one in listed if without_seed(one.point) == word]
    repeated = repeated or [one for one in listed if one.point.partition("[")[0] == word]
    if len({one.point for one in repeated}) < len(repeated):
        folders = ", ".join(f"`{one.folder}`" for one in repeated)
        raise fail(
            "E0560",
            f"`{word}` names {len(repeated)} runs",
            f"name one of {folders}",
            notes=[one.name for one in repeated],
        )
    if repeated:
        return [one.folder for one in repeated]
    pool = (name for one in listed for name in (without_seed(one.point), one.name))
    near = nearest(word, list(dict.fromkeys(pool)))
    hint = f"did you mean `{near}`? " if near else ""
    raise fail("E0560", f"`{word}` is no run folder", f"{hint}`legoc runs` lists them")
