"""One's own tables, row by row into staged files. Ids stay text; what is wrong is counted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from legoc.data.readers.tables import as_id, as_texts, read_own
from legoc.data.readers.times import read_time
from legoc.data.sources.tables_layout import PARTS, Layout
from legoc.data.staging.graded import read_grade, scan
from legoc.data.staging.losses import Losses
from legoc.data.staging.staged import Staged
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.typing.columns import ColumnKind


# What a label may be written as.
LABELS = {"1": 1.0, "0": 0.0, "true": 1.0, "false": 0.0, "1.0": 1.0, "0.0": 0.0}
STORED = {"word": "text", "category": "texts", "number": "number"}
LOG = {
    "file": "text", "line": "integer", "user_id": "text", "item_id": "text", "grade": "number",
    "rating": "number", "time": "integer", "impression": "text", "history_key": "text",
    "part": "text", "fault": "text",
}  # fmt: skip
TOLD = {"file": "text", "line": "integer", "key": "text", "user_id": "text", "clicks": "texts"}


def stage_records(layout: Layout, name: str, staging: Path, losses: Losses) -> str:
    """Stage `items` or `users`; the staged table in SQL."""
    path, kinds = layout.paths[name], layout.items if name == "items" else layout.users
    key = "item_id" if name == "items" else "user_id"
    target = staging / f"{name}.parquet"
    columns = {attribute: STORED[kind] for attribute, kind in kinds.items()}
    with Staged(target, {"file": "text", "line": "integer", key: "text", **columns}) as staged:
        for line, (given, *values) in read_own(path, [layout.keys[name], *kinds], losses):
            staged.add(
                path.name, line, as_id(given),
                *(
                    read_value(value, kind, layout.separator, losses, f"{path.name}:{line}: {each}")
                    for (each, kind), value in zip(kinds.items(), values, strict=True)
                ),
            )  # fmt: skip
    check_rows(staged, path, losses)
    return scan(target)


def check_rows(staged: Staged, path: Path, losses: Losses) -> None:
    """E0625 for a table of a header alone."""
    if not staged.position and not losses.counts:
        raise fail(
            "E0625", f"`{path.name}` has a header and not a single row", "write the rows below it"
        )


def read_value(
    value: Any, kind: ColumnKind, separator: str | None, losses: Losses, place: str
) -> str | list[str] | float | None:
    """An attribute as its kind is stored."""
    if kind == "word":
        return "" if value is None else str(value)
    if kind == "category":
        if isinstance(value, str) and separator is None and not value.startswith("["):
            # Without a separator a category is one value, blanks and all.
            return [value] if value else []
        return as_texts(value, separator)
    if value is None or value == "":
        return None
    found = read_grade(value)
    if found is None:
        losses.add("number that cannot be read", "left empty", "items", f"{place} = {value}")
    return found


def stage_interactions(layout: Layout, staging: Path, losses: Losses) -> str:
    """Stage `interactions`; the staged table in SQL. `fault` says what is wrong with a row."""
    path = layout.paths["interactions"]
    meanings = ("user", "item", "label", "rating", "time", "impression", "history", "split")
    there = [meaning for meaning in meanings if getattr(layout, meaning) is not None]
    names = [getattr(layout, meaning) for meaning in there]
    target = staging / "interactions.parquet"
    number = 0
    with Staged(target, LOG) as staged:
        for line, values in read_own(path, names, losses):
            row = dict(zip(there, values, strict=True))
            part = as_id(row.get("split")) if layout.split else "log"
            grade, fault = read_label(row, layout, part)
            rating = None if layout.rating is None else read_grade(row["rating"])
            time = number * 1_000_000
            if layout.time is not None:
                time = read_time(row["time"])
            number += 1
            if part not in PARTS and layout.split:
                fault = "part"
            staged.add(
                path.name, line, as_id(row.get("user")), as_id(row["item"]), grade, rating,
                time,
                as_id(row["impression"]) if layout.impression else None,
                as_id(row["history"]) if layout.history else None, part, fault,
            )  # fmt: skip
    check_rows(staged, path, losses)
    return scan(target)


def read_label(row: dict[str, Any], layout: Layout, part: str) -> tuple[float | None, str | None]:
    """1 for a click, 0 for none, None in the part `predict`; and what is wrong with it."""
    if part == "predict":
        return None, None
    if layout.label is not None:
        given = row["label"]
        found = LABELS.get(as_id(given).strip().lower())
        return found, "label" if found is None else None
    if layout.rating is not None:
        rating = read_grade(row["rating"])
        if rating is None or rating != rating:
            return None, "label"
        if rating == layout.neutral:
            return None, "neutral"
        return float(rating > layout.neutral), None
    return 1.0, None


def stage_histories(layout: Layout, staging: Path, losses: Losses) -> str:
    """Stage `histories`; the staged table in SQL. Its key is the name of a history, or the user."""
    path = layout.paths["histories"]
    key, owner, clicks = layout.told
    names: Sequence[str] = [name for name in (key, owner, clicks) if name is not None]
    target = staging / "histories.parquet"
    with Staged(target, TOLD) as staged:
        for line, values in read_own(path, names, losses):
            *ids, given = values
            named = [as_id(each) for each in ids]
            staged.add(path.name, line, named[0], named[-1], as_texts(given, layout.separator))
    return scan(target)
