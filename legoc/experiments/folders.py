"""Run folders found again: by their path, by the name of a point, or as all that a file names."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from legoc.experiments.naming import without_seed
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.diagnosing.suggest import nearest
from legoc.language.ir.spec import Spec


@dataclass(frozen=True)
class Listed:
    """A run folder with what its spec says of itself."""

    folder: Path
    name: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """The run folders of some points, one per trained model, and the points that have none."""

    folders: tuple[Path, ...]
    missing: tuple[Spec, ...] = ()


def list_folders(runs: Path) -> list[Listed]:
    """The run folders below `runs`, by name. What is none, or cannot be read, is left out."""
    found: list[Listed] = []
    for path in sorted(runs.glob("*/spec.json")):
        spec = read_spec_file(path)
        if spec is not None:
            found.append(Listed(path.parent, spec["name"], spec["keys"]["spec"]))
    return found


def read_spec_file(path: Path) -> dict[str, Any] | None:
    try:
        spec = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    keys = spec.get("keys") if isinstance(spec, dict) else None
    return spec if isinstance(keys, dict) and "spec" in keys and "name" in spec else None


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
        named = [one for one in same if one.name == spec.name] or same
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
    """The folders that a word names: a path, that of a bundle, a name below `runs`, the name of a
    point, or that of a point but for its seed, which is all its repetitions. E0560 where there is
    none, or where a name is that of several runs."""
    given = Path(word)
    if (given / "spec.json").is_file():
        return [given]
    if (given / "manifest.json").is_file() and (given.resolve().parent / "spec.json").is_file():
        return [given.parent if given.parent != Path() else given.resolve().parent]
    if (runs / word / "spec.json").is_file():
        return [runs / word]
    listed = list_folders(runs)
    named = [one for one in listed if one.name == word]
    repeated = named or [one for one in listed if without_seed(one.name) == word]
    if len({one.name for one in repeated}) < len(repeated):
        folders = ", ".join(f"`{one.folder}`" for one in repeated)
        raise fail("E0560", f"`{word}` names {len(repeated)} runs", f"name one of {folders}")
    if repeated:
        return [one.folder for one in repeated]
    pool = (name for one in listed for name in (without_seed(one.name), one.name))
    near = nearest(word, list(dict.fromkeys(pool)))
    hint = f"did you mean `{near}`? " if near else ""
    raise fail("E0560", f"`{word}` is no run folder", f"{hint}`legoc runs` lists them")
