"""Run folders found again: by their path, by the name of a point, or as all that a file names."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from legoc.experiments.naming import tell_apart, without_seed
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.diagnosing.suggest import nearest
from legoc.language.ir import form
from legoc.language.ir.spec import Spec


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A run folder. point: the name of its point; name: with what tells it from others of that
    name, `naml {lr=0.01}`; spec: None where this version cannot read it."""

    folder: Path
    point: str
    name: str
    digest: str
    spec: Spec | None


@dataclass(frozen=True, kw_only=True)
class Found:
    """The run folders of some points, one per trained model, and the points that have none."""

    folders: tuple[Path, ...]
    missing: tuple[Spec, ...] = ()


def list_folders(runs: Path) -> list[Listed]:
    """The folders below `runs` that have a spec.json, by name."""
    folders = [path.parent for path in sorted(runs.glob("*/spec.json"))]
    specs = [read_spec(folder / "spec.json") for folder in folders]
    known = [place for place, spec in enumerate(specs) if spec is not None]
    readable = [spec for spec in specs if spec is not None]
    told = tell_apart(readable, [spec.name for spec in readable])
    names = dict(zip(known, told, strict=True))
    return [
        Listed(
            folder=folder,
            point=folder.name if spec is None else spec.name,
            name=names.get(place, folder.name),
            digest="" if spec is None else spec.keys.spec,
            spec=spec,
        )
        for place, (folder, spec) in enumerate(zip(folders, specs, strict=True))
    ]


def read_spec(path: Path) -> Spec | None:
    try:
        return form.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def find_points(specs: Sequence[Spec], runs: Path) -> Found:
    """The run folders of points. Points that mean the same have one. Of several folders, which
    differ in the state of their data, the one that was written last counts."""
    listed = list_folders(runs)
    folders: list[Path] = []
    missing: list[Spec] = []
    seen: set[str] = set()
    for spec in specs:
        if spec.keys.spec in seen:
            continue
        seen.add(spec.keys.spec)
        same = [one for one in listed if one.digest == spec.keys.spec]
        named = [one for one in same if one.point == spec.name] or same
        if named:
            folders.append(max(named, key=lambda one: last_written(one.folder)).folder)
        else:
            missing.append(spec)
    return Found(folders=tuple(folders), missing=tuple(missing))


def last_written(folder: Path) -> float:
    """When a run was last trained or measured: reading it, and opening it again, change nothing."""
    parts = [folder / name for name in ("metrics.json", "best.safetensors", "spec.json")]
    return next(path.stat().st_mtime for path in parts if path.is_file())


def find_runs(word: str, runs: Path) -> list[Path]:
    """The folders that a word names: a path, that of a bundle, a name below `runs`, a name as
    `list_folders` gives it, or that of a point but for its seed, which is all its repetitions.
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
