"""How one's own tables are laid out: files, columns and notations, as the spec and headers say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from legoc.language.diagnosing.diagnostics import fail
from legoc.language.typing.columns import Column, Header
from legoc.language.typing.headers import attributes_of, notation_of
from legoc.language.typing.table_columns import Meant, find_meant, read_names
from legoc.language.typing.table_files import Dialect, TableFile, dialect_of, need_tables
from legoc_runtime.moments import Unit
from legoc_runtime.values import Notation


PARTS = ("train", "valid", "test", "predict")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """tables: the files of each. meant: columns by what they mean. items, users: their attributes.
    notation: of ids, labels and lists of clicks. unit, form: of times, where the spec says so.
    """

    tables: Mapping[str, tuple[TableFile, ...]]
    dialect: Dialect
    meant: Meant
    items: Header
    users: Header
    notation: Notation
    neutral: float
    unit: Unit | None
    form: str | None

    def attributes(self, table: str) -> Header:
        return self.items if table == "items" else self.users

    def shown(self, table: str) -> str:
        """How messages call a table: by its file, or the first of them."""
        return self.tables[table][0].shown


def read_layout(config: Any) -> Layout:
    """The tables of the folder. Raises E062x for what must be there and is not."""
    args = vars(config)
    check_dialect(args)
    tables = need_tables(args)
    dialect = dialect_of(args)
    meant = find_meant(args, tables, read_names(tables, dialect))
    items, users = (attributes_of(args, tables, name, meant) for name in ("items", "users"))
    return Layout(
        tables=tables, dialect=dialect, meant=meant, items=items or {}, users=users or {},
        notation=notation_of(args), neutral=config.neutral, unit=config.time_unit,
        form=config.time_format,
    )  # fmt: skip


def check_dialect(args: Mapping[str, Any]) -> None:
    """Refuse settings that no file can have."""
    sign, encoding = args.get("delimiter"), args.get("encoding") or "utf-8"
    if sign is not None and (len(sign) != 1 or sign in '"\r\n'):
        raise fail(
            "E0621", f"`delimiter` is {sign!r}, and columns are divided by one sign",
            'write it in quotes, such as `delimiter=";"` or `delimiter="\\t"`',
        )  # fmt: skip
    try:
        "".encode(encoding)
    except LookupError:
        raise fail(
            "E0621", f"`encoding` is `{encoding}`, and Python knows no such encoding",
            'write one it knows, such as `encoding="latin-1"` or `encoding="utf-16"`',
        ) from None  # fmt: skip


def describe_notation(items: Mapping[str, Column]) -> dict[str, dict[str, Any]]:
    """How attributes are written, by name, for those that are not written plainly."""
    found = {name: column.notation.to_json() for name, column in items.items()}
    return {name: notation for name, notation in found.items() if notation}
