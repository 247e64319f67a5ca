"""Which columns one's own tables have: those of the convention, or as the spec names them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from legoc.data.readers.delimited import missing_column
from legoc.data.readers.delimited import read_header as read_names
from legoc.data.readers.tables import format_of
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.typing.columns import ColumnKind, columns, divided_by
from legoc.language.typing.headers import attributes_of


PARTS = ("train", "valid", "test", "predict")

TAB = "\t"
SIGNS = {",": "commas", TAB: "tabs", ";": "semicolons", "|": "bars"}
# What stands beside the attributes while the tables are made.
TAKEN = ("position", "file", "line", "nth")

# The names the settings have where a spec says nothing.
CONVENTION = {
    "item": "item_id", "user": "user_id", "label": "label", "rating": "rating", "time": "time",
    "impression": "impression_id", "history": "history_id", "clicks": "clicks", "split": "split",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Columns by what they mean; None for those that are not there.

    paths: the tables. keys: the column of the key in `items` and in `users`. items, users: their
    attributes. told: the columns of `histories` for its key, its user and its clicks.
    """

    paths: Mapping[str, Path]
    keys: Mapping[str, str]
    items: Mapping[str, ColumnKind]
    users: Mapping[str, ColumnKind]
    item: str
    user: str | None
    label: str | None
    rating: str | None
    neutral: float
    time: str | None
    impression: str | None
    history: str | None
    split: str | None
    told: tuple[str | None, str | None, str]
    separator: str | None


def read_layout(config: Any, paths: Mapping[str, Path]) -> Layout:
    """The columns of the tables. E0621 for one that must be there and is not, or that the spec
    names and no table has."""
    headers = {name: read_header(path) for name, path in paths.items()}
    log, names = paths["interactions"], list(headers["interactions"])

    def optional(meaning: str) -> str | None:
        name = getattr(config, meaning)
        if name in names:
            return name
        if name != CONVENTION[meaning]:
            raise missing_column(name, names, log, log.name)
        return None

    keys = {"items": need(config, "item", headers["items"], paths["items"])}
    if "users" in paths:
        keys["users"] = need(config, "user", headers["users"], paths["users"])
    told: tuple[str | None, str | None, str] = (None, None, "")
    history = optional("history") if "histories" in paths else None
    user = None
    if history is None or config.user in names:
        user = need(config, "user", headers["interactions"], log)
    if "histories" in paths:
        given, path = headers["histories"], paths["histories"]
        # Histories are named, or there is one per user.
        key = need(config, "history", given, path) if history is not None else None
        owner = need(config, "user", given, path)
        told = (key, owner, need(config, "clicks", given, path))
    for name, key in keys.items():
        check_names(headers[name], key, f"{name.removesuffix('s')}_id", paths[name])
    args = {"numbers": config.numbers, "categories": config.categories}
    check_kinds(config, headers)
    return Layout(
        paths=paths,
        keys=keys,
        items=attributes_of(headers["items"], {keys["items"]}, args) or {},
        users=attributes_of(headers.get("users"), {keys.get("users", "")}, args) or {},
        item=need(config, "item", headers["interactions"], log),
        user=user,
        label=optional("label"),
        rating=optional("rating"),
        neutral=config.neutral,
        time=optional("time"),
        impression=optional("impression"),
        history=history,
        split=optional("split"),
        told=told,
        separator=config.separator,
    )


def read_header(path: Path) -> Mapping[str, ColumnKind]:
    found = columns(path)
    if found is None:
        raise unreadable(path)
    if not found:
        raise fail(
            "E0625", f"`{path.name}` is empty", "its first line names the columns; rows follow"
        )
    return found


def unreadable(path: Path) -> LegoError:
    """E0622; of text whose columns another sign divides, it names the sign."""
    sign = None
    if format_of(path) in (".csv", ".tsv"):
        tabs = format_of(path) == ".tsv"
        sign = divided_by(read_names(path, path.name, "\t" if tabs else ","))
    if sign is None:
        return fail(
            "E0622",
            f"`{path.name}` cannot be read as a table",
            "write it again as its name says: CSV or TSV with a header in UTF-8, one JSON object "
            "per line, or Parquet",
            notes=(f"the file is {path}",),
        )
    return fail(
        "E0622",
        f"`{path.name}` divides its columns by {SIGNS[sign]}, and its name says by "
        f"{SIGNS[',' if format_of(path) == '.csv' else TAB]}",
        "name it `.tsv`" if sign == TAB else "name it `.csv`" if sign == ","
        else "save it with commas as `.csv`, or with tabs as `.tsv`",
        notes=(f"the file is {path}",),
    )  # fmt: skip


def check_names(header: Mapping[str, ColumnKind], key: str, kept: str, path: Path) -> None:
    """Refuse columns whose names the tables cannot hold beside each other. kept: the name that the
    column `key` gets."""
    seen: dict[str, str] = {}
    for name in header:
        folded = name.lower()
        taken = folded in (*TAKEN, kept)
        if name != key and (taken or '"' in name):
            what = "a name that legoc keeps for itself" if taken else "a quote in it"
            problem = f"`{path.name}` has a column `{name}`: {what}"
        elif folded in seen:
            problem = f"`{path.name}` has `{seen[folded]}` and `{name}`: only their case differs"
        else:
            seen[folded] = name
            continue
        raise fail(
            "E0621", problem, "rename the column in the table", notes=(f"the file is {path}",)
        )


def need(config: Any, meaning: str, header: Mapping[str, ColumnKind], path: Path) -> str:
    """The column of a meaning: as the spec names it, else by convention."""
    for name in (getattr(config, meaning), CONVENTION[meaning]):
        if name in header:
            return name
    name = getattr(config, meaning)
    raise fail(
        "E0621",
        f"`{path.name}` has no column `{name}`",
        f'name the column in the spec, such as `Tables("{path.parent.name}", '
        f'{meaning}="{next(iter(header))}")`',
        notes=(f"its columns are {', '.join(header)}", f"the file is {path}"),
    )


def check_kinds(config: Any, headers: Mapping[str, Mapping[str, ColumnKind]]) -> None:
    """Refuse `numbers` and `categories` that no table has."""
    known = [*headers["items"], *headers.get("users", ())]
    for setting in ("numbers", "categories"):
        for name in getattr(config, setting):
            if name not in known:
                raise fail(
                    "E0621",
                    f"`{setting}` names `{name}`, and no table has such a column",
                    f"name some of {', '.join(known)}",
                )
