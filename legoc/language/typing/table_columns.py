"""Which columns a user's own tables have: those of the convention, or as the spec names them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.typing.columns import divided_by, header_names, open_text
from legoc.language.typing.table_files import Dialect, TableFile, shown_path


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
class Meant:
    """Columns by what they mean; None for those that are not there.

    keys: the column of the key in `items` and in `users`. told: the columns of `histories` for its
    key, its user and its clicks.
    """

    keys: Mapping[str, str]
    item: str
    user: str | None
    label: str | None
    rating: str | None
    time: str | None
    impression: str | None
    history: str | None
    split: str | None
    told: tuple[str | None, str | None, str]


def read_names(
    tables: Mapping[str, Sequence[TableFile]], dialect: Dialect
) -> Mapping[str, list[str]]:
    """The columns of each table. Raises E0622 and E0625."""
    return {name: names_of(files, dialect) for name, files in tables.items()}


def names_of(files: Sequence[TableFile], dialect: Dialect) -> list[str]:
    for file in files:
        found = header_names([file], dialect)
        if found is None:
            raise unreadable(file, dialect)
        if not found:
            raise fail(
                "E0625", f"`{file.shown}` is empty", "its first line names the columns; rows follow"
            )
    return header_names(files, dialect) or []


def unreadable(file: TableFile, dialect: Dialect) -> LegoError:
    """E0622; of text whose columns another sign divides, it names the sign."""
    sign, taken = None, dialect.sign(file.format)
    if file.format != ".parquet" and marked(file):
        return fail(
            "E0622",
            f"`{file.shown}` is not {dialect.encoding.upper()}: it begins as UTF-16 does",
            'save the file as UTF-8, or write `encoding="utf-16"`',
            notes=(f"the file is {shown_path(file.path)}",),
        )
    if file.format in (".csv", ".tsv"):
        sign = divided_by(first_line(file, dialect), taken)
    note = f"the file is {shown_path(file.path)}"
    if sign is None:
        return fail(
            "E0622",
            f"`{file.shown}` cannot be read as a table",
            "write it again as its name says: CSV or TSV with a header in UTF-8, one JSON object "
            "per line, or Parquet",
            notes=(note,),
        )
    said = "and its name says by" if dialect.delimiter is None else "and `delimiter` says by"
    written = "\\t" if sign == TAB else sign
    return fail(
        "E0622",
        f"`{file.shown}` divides its columns by {SIGNS[sign]}, {said} {SIGNS.get(taken, taken)}",
        f'say so in the spec, `delimiter="{written}"`'
        + (", or name it `.tsv`" if sign == TAB else ", or name it `.csv`" if sign == "," else ""),
        notes=(note,),
    )


def marked(file: TableFile) -> bool:
    """Whether a file begins with the mark of UTF-16."""
    try:
        with file.path.open("rb") as raw:
            return raw.read(2) in (b"\xff\xfe", b"\xfe\xff")
    except OSError:
        return False


def first_line(file: TableFile, dialect: Dialect) -> list[str]:
    try:
        with open_text(file.path, dialect.encoding) as lines:
            return [next((line for line in lines if line.strip()), "").strip()]
    except (OSError, EOFError, LookupError):
        return []


def find_meant(
    args: Mapping[str, Any],
    tables: Mapping[str, Sequence[TableFile]],
    names: Mapping[str, Sequence[str]],
) -> Meant:
    """The columns of the tables. E0621 for one that must be there and is not, or that the spec
    names and no table has."""
    log = names["interactions"]

    def optional(meaning: str) -> str | None:
        name = args[meaning]
        if name in log:
            return name
        if name != CONVENTION[meaning]:
            raise no_column(tables["interactions"][0], log, name, meaning)
        return None

    def need(meaning: str, table: str) -> str:
        for name in (args[meaning], CONVENTION[meaning]):
            if name in names[table]:
                return name
        raise no_column(tables[table][0], names[table], args[meaning], meaning, args["path"])

    keys = {"items": need("item", "items")}
    if "users" in tables:
        keys["users"] = need("user", "users")
    told: tuple[str | None, str | None, str] = (None, None, "")
    history = optional("history") if "histories" in tables else None
    user = None
    if history is None or args["user"] in log:
        user = need("user", "interactions")
    if "histories" in tables:
        # Histories are named, or there is one per user.
        key = need("history", "histories") if history is not None else None
        told = (key, need("user", "histories"), need("clicks", "histories"))
    for name, key in keys.items():
        check_names(names[name], key, f"{name.removesuffix('s')}_id", tables[name][0])
    check_told(args, names)
    return Meant(
        keys=keys, item=need("item", "interactions"), user=user, label=optional("label"),
        rating=optional("rating"), time=optional("time"), impression=optional("impression"),
        history=history, split=optional("split"), told=told,
    )  # fmt: skip


def no_column(
    file: TableFile, names: Sequence[str], name: str, meaning: str, path: str | None = None
) -> LegoError:
    """E0621 for a column that is not there."""
    shown = "FOLDER" if path is None else str(path).rstrip("/").rpartition("/")[2]
    if names and names[0].startswith("version https://git-lfs"):
        hint = "this is a Git LFS pointer and not the file: fetch it with `git lfs pull`"
    else:
        hint = f'name the column in the spec, such as `Tables("{shown}", {meaning}="{names[0]}")`'
    return fail(
        "E0621",
        f"`{file.shown}` has no column `{name}`",
        hint,
        notes=(f"its columns are {', '.join(names)}", f"the file is {shown_path(file.path)}"),
    )


def check_names(header: Sequence[str], key: str, kept: str, file: TableFile) -> None:
    """Refuse columns whose names the tables cannot hold beside each other. kept: the name that the
    column `key` gets."""
    seen: dict[str, str] = {}
    for name in header:
        folded = name.lower()
        taken = folded in (*TAKEN, kept)
        if name != key and (taken or '"' in name):
            what = "a name that legoc keeps for itself" if taken else "a quote in it"
            problem = f"`{file.shown}` has a column `{name}`: {what}"
        elif folded in seen:
            problem = f"`{file.shown}` has `{seen[folded]}` and `{name}`: only their case differs"
        else:
            seen[folded] = name
            continue
        raise fail(
            "E0621",
            problem,
            "rename the column in the table",
            notes=(f"the file is {shown_path(file.path)}",),
        )


def check_told(args: Mapping[str, Any], names: Mapping[str, Sequence[str]]) -> None:
    """Refuse `numbers`, `categories` and `texts` that no table has, or that say two things."""
    known = [*names["items"], *names.get("users", ())]
    kind: dict[str, str] = {}
    for setting in ("numbers", "categories", "texts"):
        for name in args.get(setting) or ():
            if name not in known:
                raise fail(
                    "E0621",
                    f"`{setting}` names `{name}`, and no table has such a column",
                    f"name some of {', '.join(known)}",
                )
            if kind.setdefault(name, setting) != setting:
                raise fail(
                    "E0621", f"`{name}` stands in `{kind[name]}` and in `{setting}`",
                    "keep one of the two",
                )  # fmt: skip
