"""Run folders: where one lies, who may write to it, and the index of all."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir import form
from legoc.language.ir.spec import Spec
from legoc.model.run import Run
from legoc.training.checkpoint import drop_state
from legoc.training.files import write_json, write_text
from legoc.training.position import BROKEN_OFF
from legoc.writing import remove_leftovers


try:
    import fcntl
except ImportError:  # Windows has no advisory locks on folders
    fcntl = None  # type: ignore[assignment]

INDEX = "index.json"


def infer_id(spec: Spec, data: str) -> str:
    """The first 12 hex digits of the hash of spec digest and data digest."""
    return hashlib.sha256(f"{spec.keys.spec}\n{data}\n".encode()).hexdigest()[:12]


def infer_folder(runs: Path, spec: Spec, data: str) -> Path:
    """`<runs>/<name>-<id>`: all points of a sweep share the name and differ in the id."""
    name = re.sub(r"[^\w.-]+", "_", spec.name.partition("[")[0]).strip("._") or "run"
    return runs / f"{name}-{infer_id(spec, data)}"


def open_folder(folder: Path, spec: Spec, *, again: bool) -> None:
    """Make a run folder, or empty it where it is to be done `again`, and write down what it is.
    What killed processes left in it is removed."""
    if again and folder.exists():
        # Weights go first: a folder emptied halfway must not pass for a finished run. Then the
        # state: nor may it go on from there.
        (folder / "best.safetensors").unlink(missing_ok=True)
        drop_state(folder)
        for path in list(folder.iterdir()):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    clean(folder)
    write_text(folder / "model.lego", spec.source_text)
    write_json(folder / "spec.json", form.to_json(spec))


def clean(folder: Path) -> None:
    """Remove what processes left that were killed: unfinished files, bundles half written or half
    removed, and the state of a training that has ended."""
    end = Run(folder).end
    if end is not None and end["reason"] not in BROKEN_OFF:
        drop_state(folder)
    for place in (folder, folder / "resume"):
        remove_leftovers(place)


@contextmanager
def locked(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold a folder against other processes. Without `wait`, one that is held is an error of the
    user (E0553). The lock ends with the process, so none is ever left behind."""
    folder.mkdir(parents=True, exist_ok=True)
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise fail(
                "E0553",
                f"another process is training in `{folder}`",
                "wait for it, or give the runs another folder with `--runs`",
            ) from None
        yield
    finally:
        os.close(handle)


def enter_index(runs: Path, name: str, folder: Path) -> None:
    """Note in `<runs>/index.json` that the point `name` lies in `folder`; the latest counts."""
    with locked(runs, wait=True):
        index = read_index(runs)
        if index.get(name) != folder.name:
            write_json(runs / INDEX, dict(sorted((index | {name: folder.name}).items())))


def leave_index(runs: Path, folder: Path) -> None:
    """Take a folder that is gone out of `<runs>/index.json`."""
    with locked(runs, wait=True):
        index = read_index(runs)
        kept = {name: place for name, place in index.items() if place != folder.name}
        if kept != index:
            write_json(runs / INDEX, kept)


def read_index(runs: Path) -> dict[str, str]:
    """Full point names to the names of run folders; one that cannot be read counts as empty, since
    it only repeats what the folders say themselves."""
    try:
        found = json.loads((runs / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
