"""The matrix: content x behavior x predict, each cell green, red with its reason, or not there."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from legoc.language.ir import form
from legoc.language.ir.spec import Spec
from legoc.proving.cases import Scope


State = Literal["green", "red", "open", "illegal", "absent"]
MARKS: Mapping[State, str] = {"green": "+", "red": "X", "open": "?", "illegal": ".", "absent": " "}
RANK: tuple[State, ...] = ("red", "open", "green", "illegal", "absent")
MEANING: Mapping[State, str] = {
    "green": "proved", "red": "refuted", "open": "legal, not proved yet",
    "illegal": "refused by the check", "absent": "not in the file",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One combination of stages. cases: architectures that share it (widths, tasks). why: the
    reason where it is red or illegal."""

    encoder: str
    user: str
    predict: str
    state: State
    cases: int
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Everything a page or a terminal shows; counts are of cases, `points` of points."""

    name: str
    code: str
    cells: tuple[Cell, ...]
    counts: Mapping[str, int]
    dropped: Mapping[str, int]
    failures: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]
    facts: Mapping[str, Any]

    @property
    def encoders(self) -> list[str]:
        return list(dict.fromkeys(cell.encoder for cell in self.cells))

    @property
    def users(self) -> list[str]:
        return list(dict.fromkeys(cell.user for cell in self.cells))

    @property
    def predictors(self) -> list[str]:
        return list(dict.fromkeys(cell.predict for cell in self.cells))

    def table(self) -> dict[tuple[str, str, str], Cell]:
        return {(cell.encoder, cell.user, cell.predict): cell for cell in self.cells}

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name, "code": self.code, "counts": dict(self.counts),
            "dropped": dict(self.dropped), "facts": dict(self.facts), "notes": list(self.notes),
            "failures": [dict(failure) for failure in self.failures],
            "cells": [
                {"content": c.encoder, "behavior": c.user, "predict": c.predict, "state": c.state,
                 "cases": c.cases, "why": c.why}
                for c in self.cells
            ],
        }  # fmt: skip


def build_matrix(
    scope: Scope, records: Mapping[str, Mapping[str, Any]], *, name: str, code: str
) -> Matrix:
    """The matrix of a scope, as far as there are records."""
    found: dict[tuple[str, str, str], list[tuple[State, int, str]]] = defaultdict(list)
    for case in scope.cases:
        record = records.get(case.key)
        state: State = "open" if record is None else record["status"]
        why = record.get("reason", "") if record else ""
        found[place(case.labels)].append((state, 1, why))
    for skipped in scope.skipped:
        reason = f"{skipped.code}: {skipped.message}"
        found[place(skipped.labels)].append(("illegal", 0, reason))
    cells: list[Cell] = []
    # What was proved has its cell whatever the combinations name: none is left out of the count.
    for encoder, user, predict in dict.fromkeys([*map(place, scope.combinations), *found]):
        entries = found[encoder, user, predict]
        state, _, why = min(entries, key=lambda entry: RANK.index(entry[0]))
        cases = sum(entry[1] for entry in entries)
        cells.append(
            Cell(encoder=encoder, user=user, predict=predict, state=state, cases=cases, why=why)
        )
    proved = [record for case in scope.cases if (record := records.get(case.key))]
    states = Counter(record["status"] for record in proved)
    dropped: Counter[str] = Counter()
    for skipped in scope.skipped:
        dropped[skipped.code] += skipped.points
    return Matrix(
        name=name, code=code, cells=tuple(cells),
        counts={
            "points": scope.points, "excluded": scope.excluded,
            "illegal": sum(dropped.values()),
            "legal": sum(len(case.points) for case in scope.cases),
            "cases": len(scope.cases), "green": states["green"], "red": states["red"],
            "open": len(scope.cases) - len(proved),
            "architectures": len({describe(case.spec) for case in scope.cases}),
        },
        dropped=dict(dropped),
        failures=tuple(record for record in proved if record["status"] == "red"),
        notes=scope.notes, facts=gather(proved),
    )  # fmt: skip


def describe(spec: Spec) -> str:
    """An architecture whatever it is trained for."""
    return repr((form.to_json(spec)["model"], spec.types))


def place(labels: Mapping[Any, str]) -> tuple[str, str, str]:
    """Encoder, user side and predictor of a pipeline. With `flatten` the user side is its own; the
    encoder is the content stage, or `(tied)` where clicks and candidates share one. A predictor
    alone has neither."""
    if list(labels) == ["predict"]:
        return "(none)", "(none)", labels["predict"]
    user = labels.get("behavior") or f"flatten {labels.get('flatten', '')}"
    return labels.get("content", "(tied)"), user, labels["predict"]


def gather(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the green records say together."""
    green = [record for record in records if record["status"] == "green"]
    seconds: Counter[str] = Counter()
    for record in records:
        seconds.update(record["seconds"])
    differences = [value for r in green for value in r["differences"].values()]
    return {
        "largest difference": max(differences, default=None),
        "largest export difference": max((r["export"] for r in green), default=None),
        "graphs exported": sum(len(r["exported"]) for r in green),
        "seconds": {name: round(spent, 1) for name, spent in seconds.items()},
    }


def text(matrix: Matrix) -> str:
    """The matrix for a terminal: one block per content stage, alike ones together; a letter per
    predictor."""
    predictors = matrix.predictors
    letters = {name: chr(ord("a") + i) if i < 26 else chr(ord("A") + i - 26)
               for i, name in enumerate(predictors)}  # fmt: skip
    table = matrix.table()
    blocks: dict[tuple[tuple[str, str], ...], list[str]] = defaultdict(list)
    for encoder in matrix.encoders:
        rows: list[tuple[str, str]] = []
        for user in matrix.users:
            cells = [table.get((encoder, user, predict)) for predict in predictors]
            if any(cells):
                rows.append((user, " ".join(MARKS[c.state if c else "absent"] for c in cells)))
        blocks[tuple(rows)].append(encoder)
    width = max((len(user) for rows in blocks for user, _ in rows), default=0)
    lines = [f"{letter}  {name}" for name, letter in letters.items()]
    for rows, encoders in blocks.items():
        lines += [
            "",
            f"content {', '.join(encoders)}",
            f"  {'':<{width}}  {' '.join(letters.values())}",
        ]
        lines += [f"  {user:<{width}}  {marks}" for user, marks in rows]
    used = dict.fromkeys(cell.state for cell in matrix.cells)
    lines += ["", ", ".join(f"{MARKS[state]} {MEANING[state]}" for state in RANK if state in used)]
    return "\n".join([*lines, *summary(matrix)])


def summary(matrix: Matrix) -> Iterable[str]:
    """The counts in words, then every failure."""
    c, facts = matrix.counts, matrix.facts
    dropped = ", ".join(f"{code} x {n:,}" for code, n in sorted(matrix.dropped.items()))
    yield (
        f"{c['points']:,} points: {c['excluded']:,} excluded, {c['illegal']:,} refused by the "
        f"check{f' ({dropped})' if dropped else ''}, {c['legal']:,} legal; those are "
        f"{c['architectures']:,} distinct architectures at small widths, {c['cases']:,} with tasks"
    )
    yield f"{c['green']:,} proved, {c['red']:,} refuted, {c['open']:,} not proved yet"
    if facts["largest difference"] is not None:
        yield (
            f"largest difference of the engines {facts['largest difference']:.1e}, of a graph "
            f"{facts['largest export difference']:.1e}"
        )
    if facts["graphs exported"]:
        yield (
            f"{facts['graphs exported']:,} graphs exported; equal parts share one, with the "
            "weights of the first point that had it"
        )
    yield from (f"note: {note}" for note in matrix.notes)
    for failure in matrix.failures:
        yield f"X {' -> '.join(failure['labels'].values())}: {failure['reason']}"
