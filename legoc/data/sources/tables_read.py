"""One's own tables, row by row into staged files. What a value means `legoc_runtime` decides; what
cannot be read is counted, and a column of which much cannot be read stops."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from legoc.data.formats.tables import read_own
from legoc.data.sources.tables_layout import PARTS, Layout
from legoc.data.staging.graded import scan
from legoc.data.staging.losses import Losses
from legoc.data.staging.staged import Staged
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.typing.columns import Column
from legoc_runtime.dates import MICRO
from legoc_runtime.errors import RequestError
from legoc_runtime.moments import UNITS, Moments, Rule, UndecidedError, Unit, is_lost
from legoc_runtime.values import (
    NOTHING,
    plain,
    read_categories,
    read_id,
    read_ids,
    read_number,
    read_text,
)


# What a label may be written as.
LABELS = {
    "1": 1.0, "1.0": 1.0, "true": 1.0, "yes": 1.0, "y": 1.0, "t": 1.0,
    "0": 0.0, "0.0": 0.0, "false": 0.0, "no": 0.0, "n": 0.0, "f": 0.0,
}  # fmt: skip
STORED = {"word": "text", "category": "texts", "number": "number"}
LOG = {
    "file": "text", "line": "integer", "user_id": "text", "item_id": "text", "grade": "number",
    "rating": "number", "number": "number", "figures": "integer", "plain": "integer",
    "month": "integer", "day": "integer", "impression": "text", "history_key": "text",
    "part": "text", "fault": "text", "said": "text",
}  # fmt: skip
TOLD = {"file": "text", "line": "integer", "key": "text", "user_id": "text", "clicks": "texts"}


@dataclass(frozen=True, kw_only=True)
class StagedLog:
    """The staged interactions in SQL, with a column `time`; what their times were taken for, and
    the unit of those that count from a beginning of their own."""

    table: str
    told: str
    clock: Unit | None


def rows_of(
    layout: Layout, table: str, columns: Sequence[str], losses: Losses
) -> Iterator[tuple[str, int, tuple[Any, ...]]]:
    """File, line and values of every row of a table, one file after the other. What no column can
    hold stops with its place."""
    for file in layout.tables[table]:
        for line, values in read_own(file, columns, losses, layout.dialect):
            yield file.shown, line, values


def stage_records(layout: Layout, table: str, staging: Path, losses: Losses) -> str:
    """Stage `items` or `users`; the staged table in SQL."""
    kinds = layout.attributes(table)
    key = "item_id" if table == "items" else "user_id"
    target = staging / f"{table}.parquet"
    columns = {name: STORED[column.kind] for name, column in kinds.items()}
    names = [layout.meant.keys[table], *kinds]
    with Staged(target, {"file": "text", "line": "integer", key: "text", **columns}) as staged:
        for file, line, (given, *values) in rows_of(layout, table, names, losses):
            staged.add(
                file, line, id_of(given, names[0], layout, file, line),
                *(
                    read_value(value, each, column, losses, f"{file}:{line}", table)
                    for (each, column), value in zip(kinds.items(), values, strict=True)
                ),
            )  # fmt: skip
    check_rows(staged, layout.shown(table), losses)
    return scan(target)


def check_rows(staged: Staged, shown: str, losses: Losses) -> None:
    """E0625 for a table of a header alone."""
    if not staged.position and not losses.counts:
        raise fail(
            "E0625", f"`{shown}` has a header and not a single row", "write the rows below it"
        )


def id_of(value: object, name: str, layout: Layout, file: str, line: int) -> str:
    """An id as text. E0630 for a value that is none, or that may stand for several ids."""
    try:
        return read_id(name, value, layout.notation)
    except RequestError as error:
        raise unclear(error, file, line) from None


def unclear(error: RequestError, file: str, line: int) -> LegoError:
    return fail("E0630", f"`{file}` line {line}: {error.message}", error.help)


def read_value(
    value: Any, name: str, column: Column, losses: Losses, place: str, table: str
) -> str | list[str] | float | None:
    """An attribute as its kind is stored; what cannot be read is counted and left empty."""
    try:
        match column.kind:
            case "word":
                return read_text(name, value, column.notation)
            case "category":
                return read_categories(name, value, column.notation)
            case _:
                return read_number(name, value, column.notation)
    except RequestError:
        what = {"word": "text", "category": "list", "number": "number"}[column.kind]
        reason = f"{what} that cannot be read"
        losses.add(reason, "left empty", table, f"{place}: {name} = {str(value)[:60]}")
        return {"word": "", "category": [], "number": None}[column.kind]


@dataclass(kw_only=True)
class Readable:
    """Counts the values of a column that cannot be read, so that a column of which much cannot be
    read is an error and not a loss."""

    name: str
    forms: str
    total: int = 0
    unread: int = 0
    examples: list[str] = field(default_factory=list[str])

    def see(self, value: object, *, read: bool) -> None:
        self.total += 1
        if not read:
            self.unread += 1
            shown = f"`{str(value)[:40]}`"
            if len(self.examples) < 3 and shown not in self.examples:
                self.examples.append(shown)

    def verify(self) -> None:
        if is_lost(self.unread, self.total):
            raise fail(
                "E0630",
                f"{self.unread:,} of {self.total:,} values of `{self.name}` cannot be read: "
                f"{', '.join(self.examples)}",
                self.forms,
            )


def stage_interactions(layout: Layout, staging: Path, losses: Losses) -> StagedLog:
    """Stage `interactions`. `fault` says what is wrong with a row, `said` the value that is."""
    meanings = ("user", "item", "label", "rating", "time", "impression", "history", "split")
    columns = {m: name for m in meanings if (name := getattr(layout.meant, m)) is not None}
    target = staging / "interactions.parquet"
    moments = Moments(columns.get("time", "time"), unit=layout.unit, form=layout.form)
    labels = Readable(
        name=columns.get("label") or columns.get("rating") or "label",
        forms="labels are read as 1 or 0, true or false, yes or no"
        if "label" in columns
        else "ratings are read as numbers",
    )
    with Staged(target, LOG) as staged:
        for file, line, values in rows_of(
            layout, "interactions", list(columns.values()), losses
        ):  # fmt: skip
            row = dict(zip(columns, values, strict=True))
            ids = {
                m: id_of(row[m], columns[m], layout, file, line)
                for m in ("user", "item", "impression", "history", "split") if m in row
            }  # fmt: skip
            part = ids.get("split", "log")
            grade, rating, fault, said = read_label(row, layout, part, labels)
            seen = moments.see(row["time"]) if "time" in row else None
            if part not in PARTS and "split" in ids:
                fault = "part"
            if fault is None and seen is not None:
                said = "" if row["time"] is None else str(row["time"])
            staged.add(
                file, line, ids.get("user", ""), ids["item"], grade, rating,
                *(
                    (seen.number, seen.figures, seen.plain, seen.month, seen.day)
                    if seen is not None
                    # The order of the rows stands for the time that is not told.
                    else (None, None, (staged.position + len(staged.held)) * 1_000_000, None, None)
                ),
                ids.get("impression"), ids.get("history"), part, fault, said,
            )  # fmt: skip
    check_rows(staged, layout.shown("interactions"), losses)
    labels.verify()
    try:
        rule = moments.decide()
    except UndecidedError as error:
        raise fail("E0630", error.message, error.help) from None
    clock = rule.unit if rule.own else None
    return StagedLog(table=timed(scan(target), rule), told=rule.told, clock=clock)


def timed(table: str, rule: Rule) -> str:
    """A staged log in SQL, the time of each row as the rule of all of them says."""
    number = "figures"
    if rule.unit is not None:
        number = (
            f"CASE WHEN number BETWEEN {rule.first!r} AND {rule.last!r} "
            f"THEN round_even(number * {MICRO} / {UNITS[rule.unit]}, 0)::BIGINT END"
        )
    return (
        "(SELECT * EXCLUDE (number, figures, plain, month, day), "
        f"coalesce(plain, CASE WHEN number IS NOT NULL THEN {number} ELSE {rule.order} END) "
        f"AS time FROM {table})"
    )


def read_label(
    row: dict[str, Any], layout: Layout, part: str, labels: Readable
) -> tuple[float | None, float | None, str | None, str]:
    """1 for a click, 0 for none, None in the part `predict`; the rating that says so; what is
    wrong with it, and its value."""
    if part == "predict":
        return None, None, None, ""
    if layout.meant.label is not None:
        given = row["label"]
        text = "" if given is None else str(plain("label", given)).strip()
        found = LABELS.get(text.lower())
        labels.see(text, read=found is not None or text.lower() in NOTHING)
        return found, None, "label" if found is None else None, text
    if layout.meant.rating is not None:
        given = row["rating"]
        rating, read = None, True
        try:
            rating = read_number("rating", given, layout.notation)
        except RequestError:
            read = False
        labels.see(given, read=read)
        if rating is None:
            return None, None, "label", "" if given is None else str(given)
        if rating == layout.neutral:
            return None, rating, "neutral", ""
        return float(rating > layout.neutral), rating, None, ""
    return 1.0, None, None, ""


def stage_histories(layout: Layout, staging: Path, losses: Losses) -> str:
    """Stage `histories`; the staged table in SQL. Its key is the name of a history, or the user."""
    names = [name for name in layout.meant.told if name is not None]
    target = staging / "histories.parquet"
    with Staged(target, TOLD) as staged:
        for file, line, (*ids, given) in rows_of(layout, "histories", names, losses):
            named = [
                id_of(each, name, layout, file, line)
                for name, each in zip(names, ids, strict=False)
            ]
            try:
                clicks = read_ids(names[-1], given, layout.notation)
            except RequestError as error:
                if not isinstance(given, str):
                    raise unclear(error, file, line) from None
                clicks = []
                losses.add(
                    "list of clicks that cannot be read", "taken as empty", "histories",
                    f"{file}:{line}: {given[:60]}",
                )  # fmt: skip
            staged.add(file, line, named[0], named[-1], clicks)
    return scan(target)
