"""A first spec for a folder of tables, with what was seen of them as comments."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from legoc.language.declaring.catalog import catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.diagnosing.document import Document
from legoc.language.syntax.fmt import format
from legoc.language.syntax.names import written, written_call
from legoc.language.typing.columns import Column, Header, look, open_rows
from legoc.language.typing.guesses import guess_tables
from legoc.language.typing.headers import notation_of, tell
from legoc.language.typing.table_columns import Meant, find_meant
from legoc.language.typing.table_files import (
    Dialect,
    TableFile,
    dialect_of,
    need_tables,
    plain_names,
)
from legoc_runtime.kinds import LONG, LOOK
from legoc_runtime.moments import Moments, UndecidedError


# The share of records without a value from which on an attribute says little.
EMPTY = 0.9
# Tokens of a text from which on training is slow.
SLOW = 64
# Spans over which clicks are counted, in microseconds. A log of one of them alone says nothing of a
# count that has been through it.
SPANS = {"hours=24": 86_400_000_000, "days=7": 604_800_000_000}


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """One attribute of the list: how it is written, or None where it is left out, and why."""

    name: str
    written: str | None
    why: str


def propose(folder: Path, name: str | None = None) -> str:
    """The text of a spec for the tables of a folder, formatted. name: how the spec names the
    folder. Raises E062x for a folder without items or interactions, or that cannot be read."""
    declaration = catalog().get("source", "Tables")
    if declaration is None:
        raise fail("E0201", "there is no source `Tables`", "install legoc again")
    guess = guess_tables(folder, defaults_of(declaration))
    told = guess.args
    args = {**defaults_of(declaration), "path": str(folder), **told}
    tables = need_tables(args)
    meant = find_meant(args, tables, guess.names)
    items = look_at(args, tables, "items", meant)
    told |= guess_notation(items, told)
    args |= told
    items = look_at(args, tables, "items", meant)
    odd = {each: column.odd for each, column in items.items() if column.odd}
    if odd:
        told["numbers"] = args["numbers"] = tuple(odd)
        items = tell(items, args)
    attributes = [propose_attribute(n, column, odd.get(n, ())) for n, column in items.items()]
    notes = look_at_log(args, tables, meant)
    text = write(name or folder.name, told, attributes, meant, notes)
    return format(Document(f"{folder.name}.lego", text))


def defaults_of(declaration: Declaration) -> dict[str, Any]:
    return {p.name: None if p.required else p.default for p in declaration.params}


def look_at(
    args: Mapping[str, Any], tables: Mapping[str, tuple[TableFile, ...]], table: str, meant: Meant
) -> Header:
    found = look(tables[table], dialect_of(args), notation_of(args)) or {}
    key = meant.keys[table]
    return tell({n: each for n, each in found.items() if n.strip() and n != key}, args)


def guess_notation(items: Header, told: Mapping[str, Any]) -> dict[str, Any]:
    """The separator of lists, where some column looks like them."""
    signs = [column.barred for column in items.values() if column.barred and column.mostly_barred]
    return {"separator": signs[0]} if signs and "separator" not in told else {}


def propose_attribute(name: str, column: Column, slips: Sequence[str]) -> Proposed:
    """How an attribute is written in `content`, and what was seen of it. slips: values that are
    none of its numbers."""
    looked = f"{column.looked:,} records"
    if not column.filled:
        return Proposed(name=name, written=None, why="nothing in any record")
    missing = 1 - column.filled / max(column.looked, 1)
    gaps = f", missing in {missing:.0%}" if missing >= 0.005 else ""
    if missing > EMPTY:
        return Proposed(name=name, written=None, why=f"missing in {missing:.0%} of {looked}")
    word, empty = written(name), written_call(name, ())
    if column.kind == "number":
        odd = f"; left empty: {', '.join(slips)}" if slips else ""
        why = f"numbers, in ten bins{gaps}{odd}"
        return Proposed(name=name, written=empty, why=why)
    if column.kind == "category" and column.length > LONG:
        return Proposed(name=name, written=None, why=f"lists of {column.length} values: a vector?")
    if column.kind == "category":
        cut = f", {column.cut:.1%} of the records lose some" if column.cut else ""
        why = f"up to {column.most} values each, {column.length} kept{cut}{gaps}"
        return Proposed(name=name, written=f"{word}({column.length})", why=why)
    if column.speaks and column.words == 1:
        return Proposed(name=name, written=None, why="another word in nearly every record: an id?")
    if column.speaks:
        slow = "; long texts make training slow" if column.words > SLOW else ""
        why = f"text, 95 % have at most {column.words} words and signs{gaps}{slow}"
        return Proposed(name=name, written=f"{word}({column.words})", why=why)
    bars = f"; `{column.barred}` stands between values in some" if column.barred else ""
    return Proposed(name=name, written=empty, why=f"a category{gaps}{bars}")


@dataclass(frozen=True, kw_only=True)
class LogNotes:
    """What was seen of the interactions. clicks: of a user, at the 95th percentile. numbers: of the
    moment, as `context` lists them; none without times. divided: whether times can cut the log."""

    lines: tuple[str, ...]
    warnings: tuple[str, ...]
    clicks: int
    numbers: tuple[str, ...] = ()
    divided: bool = True


def look_at_log(
    args: Mapping[str, Any], tables: Mapping[str, tuple[TableFile, ...]], meant: Meant
) -> LogNotes:
    columns = [c for c in (meant.user, meant.time, meant.label, meant.rating) if c is not None]
    rows = list(islice(read_columns(tables["interactions"], columns, dialect_of(args)), LOOK * 10))
    lines: list[str] = []
    warnings: list[str] = []
    numbers: tuple[str, ...] = ()
    divided = meant.time is not None
    values = dict(zip(columns, zip(*rows, strict=True), strict=True)) if rows else {}
    if meant.time is None:
        warnings.append("no column of times: the order of the rows is taken for time")
    elif rows:
        moments = Moments(meant.time)
        seen = [moments.see(value) for value in values[meant.time]]
        try:
            rule = moments.decide()
            lines.append(rule.told or f"`{meant.time}` holds dates and times")
            times = [rule.read(each) for each in seen]
            numbers = choose_numbers(times, shown=bool(meant.label or meant.rating))
            divided = bool(numbers)
            if not divided:
                warnings.append("all rows have one time, so nothing is before anything else")
        except UndecidedError as error:
            warnings += [error.message, error.help]
    if meant.label is None and meant.rating is None:
        lines.append("every row is a click; non-clicks are drawn")
    elif meant.label is None:
        lines.append(f"`{meant.rating}` above 3 is a click, below none: `neutral` moves that")
    counted: dict[object, int] = {}
    for user in values.get(meant.user or "", ()):
        counted[user] = counted.get(user, 0) + 1
    ordered = sorted(counted.values())
    clicks = ordered[int(0.95 * (len(ordered) - 1))] if ordered else 20
    return LogNotes(
        lines=tuple(lines), warnings=tuple(warnings), clicks=max(5, min(clicks, 50)),
        numbers=numbers, divided=divided,
    )  # fmt: skip


def choose_numbers(moments: Sequence[int | None], *, shown: bool) -> tuple[str, ...]:
    """The numbers of `context` for a log with some moments; none where all are one. shown: whether
    it says what was not clicked."""
    known = [moment for moment in moments if moment is not None]
    length = max(known, default=0) - min(known, default=0)
    if not length:
        return ()
    spans = [f"popularity({span})" for span, whole in SPANS.items() if length > 2 * whole]
    return (*spans, "popularity", *(["share"] if shown else []), "age")


def read_columns(files: Sequence[TableFile], columns: Sequence[str], dialect: Dialect) -> "Any":
    for file in files:
        names, rows = open_rows(file, dialect)
        places = [plain_names(names).index(column) for column in columns]
        for row in rows:
            yield tuple(row[place] for place in places)


def write(
    name: str,
    told: Mapping[str, Any],
    attributes: Sequence[Proposed],
    meant: Meant,
    notes: LogNotes,
) -> str:
    """The spec as text, before it is formatted."""
    kept = [each for each in attributes if each.written is not None]
    lengths = max((len(each.written or "") for each in kept), default=0)
    lines = [
        f"# Begun with `legoc new --from {name}`. Behind each line stands what its tables say.",
        "# `legoc check FILE` says what is wrong, `legoc data FILE` what the tables hold,",
        "# `legoc train FILE` runs it.",
        "",
        *(f"# Look at this first: {warning}." for warning in notes.warnings),
        "data own {",
        f"  source = Tables({', '.join([json.dumps(name, ensure_ascii=False), *settings(told)])})",
        *(f"  # {line}" for line in notes.lines),
        "  content = [",
        *(f"    {f'{each.written},':<{lengths + 1}}  # {each.why}" for each in kept),
        "  ]",
        *(f"  # `{each.name}` is left out: {each.why}" for each in attributes if not each.written),
        f"  history = {notes.clicks}",
        *(
            [
                "  # what everybody clicks at the moment; an application reports clicks then",
                f"  context = [{', '.join(notes.numbers)}]",
            ]
            if notes.numbers
            else []
        ),
        f"  split = {split_of(meant, notes)}",
        "}",
        "",
        f"model first = content {content_of(kept)} -> behavior Additive -> predict Dot",
        "",
        "# The recipe is the default, which ends when validation rises no further. Another is a",
        "# declaration `train NAME { ... }`, and `run first on own with NAME`.",
        "run first on own",
    ]
    return "\n".join(lines) + "\n"


def content_of(kept: Sequence[Proposed]) -> str:
    """The operator that reads what is kept: of nothing, a table of items."""
    if not kept:
        return "Null"
    return "CNN" if any(each.why.startswith("text") for each in kept) else "Pooling"


def settings(told: Mapping[str, Any]) -> list[str]:
    """Settings as a spec writes them."""
    return [
        f"{name}={json.dumps(list(v) if isinstance(v, tuple) else v, ensure_ascii=False)}"
        for name, v in told.items()
    ]


def split_of(meant: Meant, notes: LogNotes) -> str:
    if meant.split is not None:
        return "publisher  # the column that names the parts"
    if notes.divided:
        return "time(valid=10%, test=10%)  # the last tenth is test, the tenth before it valid"
    return "user(valid=10%, test=10%)  # without times, users are set apart"
