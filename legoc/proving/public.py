"""`prove`: every case of a file, what was proved before left out, and the matrix of it all."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from legoc.progress import SILENT, Progress
from legoc.proving.cases import Case, Scope, find_cases
from legoc.proving.matrix import Matrix, build_matrix
from legoc.proving.page import write_page
from legoc.proving.state import State, code_digest
from legoc.proving.workers import Place, prove_all
from legoc.training.files import write_json


@dataclass(frozen=True, kw_only=True)
class Proven:
    """What a proof found. records: by the key of the case. folder: holds `matrix.json`,
    `matrix.html` and the records, from which the same call goes on."""

    folder: Path
    scope: Scope
    matrix: Matrix
    records: Mapping[str, Mapping[str, Any]]

    @property
    def red(self) -> list[Mapping[str, Any]]:
        return [record for record in self.records.values() if record["status"] == "red"]


def prove(
    path: str | Path,
    *,
    out: str | Path,
    jobs: int = 1,
    overrides: Sequence[str] = (),
    only: str | None = None,
    cache: str | Path | None = None,
    share: bool = True,
    limit: int | None = None,
    progress: Progress = SILENT,
) -> Proven:
    """Build, train two steps, export, reload and compare every legal point of a file.

    Points are proved at small widths on a small generated world; those that come down to the same
    architecture and task are proved once. out: where records, matrix and page go; green records of
    the same code found there are not proved again, red ones are. share: equal parts are exported
    once. limit: at most so many cases now; the others are shown as not proved.

    Raises LegoError for a file that does not check (E0xxx) or declares no run (E0702); what a case
    gets wrong is in its record.
    """
    scope = find_cases(str(path), overrides=overrides, only=only)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    code = code_digest()
    state = State(folder, code)
    found = {case.key: state.read(case.key) for case in scope.cases}
    records: dict[str, Mapping[str, Any]] = {
        key: record for key, record in found.items() if record and record["status"] == "green"
    }
    waiting = order(case for case in scope.cases if case.key not in records)[:limit]
    if records:
        progress.say(f"{len(records)} of {len(scope.cases)} were proved before with this code")
    forget_failures(folder)
    place = Place(
        folder=folder, cache=Path(cache) if cache else folder / "cache", code=code, share=share
    )
    reds = 0
    with progress.task("proving", len(waiting), "points") as task:
        for record in prove_all(waiting, place, max(1, min(jobs, len(waiting) or 1))):
            state.write(record)
            records[record["key"]] = record
            reds += record["status"] == "red"
            task.advance(1, f"{reds} red")
    shutil.rmtree(folder / "work", ignore_errors=True)
    matrix = build_matrix(scope, records, name=Path(path).stem, code=code)
    write_json(folder / "matrix.json", matrix.to_json())
    write_page(folder / "matrix.html", matrix)
    return Proven(folder=folder, scope=scope, matrix=matrix, records=records)


def order(cases: Any) -> list[Case]:
    """The cases, those first that between them have every pair of neighbouring stages: parts are
    then shared from the start, and what breaks shows early."""
    every = list(cases)
    first = cover(every)
    chosen = {case.key for case in first}
    return [*first, *(case for case in every if case.key not in chosen)]


def cover(cases: Sequence[Case]) -> list[Case]:
    """A few cases in which every pair of neighbouring stages occurs that occurs at all."""
    wanted = {case.key: neighbours(case) for case in cases}
    left = set[tuple[str, str]]().union(*wanted.values())
    chosen: list[Case] = []
    # Those that bring only new pairs come first: then fewer are needed.
    for enough in (lambda new, of: new == of, lambda new, of: new > 0):
        for case in cases:
            new = len(wanted[case.key] & left)
            if new and enough(new, len(wanted[case.key])):
                chosen.append(case)
                left -= wanted[case.key]
    return chosen


def neighbours(case: Case) -> set[tuple[str, str]]:
    """The pairs of stages that meet in a case, as `role Name(...)`."""
    stages = [f"{role} {label}" for role, label in case.labels.items()]
    return set(pairwise(stages))


def forget_failures(folder: Path) -> None:
    """Parts that could not be exported are tried again by a new call."""
    for path in (folder / "parts").glob("*.json"):
        path.unlink()
