"""In which order users fill the parts of a protocol: one that is drawn, or that of a file which
RecBench has left beside its data."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.data.staging.report import Drop
from legoc.language.diagnosing.diagnostics import fail


if TYPE_CHECKING:
    import duckdb


ORDER = "user_order.txt"
VALID = "valid_user_set_0.1.txt"


@dataclass(frozen=True, kw_only=True)
class Order:
    """Phrases of SQL over a relation with `user_id`. by: what users are sorted by; among: who takes
    part; held: who of the training users is valid, over `place` of `n` as they are drawn."""

    by: str
    among: str
    held: str
    drops: tuple[Drop, ...] = ()
    notes: tuple[str, ...] = ()


def find_order(config: Any, beside: Path | None) -> Path | None:
    """The file of the order: the one of the split, else the one beside the data."""
    given = getattr(config, "order", None)
    if given is not None:
        return Path(given)
    found = None if beside is None else beside / ORDER
    return found if found is not None and found.is_file() else None


def order_users(
    connection: "duckdb.DuckDBPyConnection", config: Any, users: str, path: Path | None
) -> Order:
    """The order of the users of a query that gives `user_id`. A file is one id a line; the list of
    valid users is read from beside it. E0620 for a file that cannot be read, E0547 for one that
    names nobody of the data."""
    if path is None:
        return Order(
            by=f"md5('{config.seed}/' || user_id), user_id", among="true",
            held=f"place <= round({config.valid} * n)",
        )  # fmt: skip
    list_users(connection, "listed", read_users(path))
    known = f"SELECT DISTINCT user_id FROM ({users})"
    ((here, absent, unlisted),) = connection.execute(
        f"""
        SELECT count(*) FILTER (WHERE user_id IN ({known})),
               count(*) FILTER (WHERE user_id NOT IN ({known})),
               (SELECT count(*) FROM ({known}) WHERE user_id NOT IN (SELECT user_id FROM listed))
        FROM listed
        """
    ).fetchall()
    if not here:
        raise fail(
            "E0547",
            f"`{path.name}` names no user of this data",
            "name the `user_order.txt` of the same data set, or leave `order` out",
            notes=(f"the file is {path}", f"it has {absent:,} lines, the data {unlisted:,} users"),
        )
    drops: tuple[Drop, ...] = ()
    if absent:
        drops = (
            Drop(reason="user of the order file without rows that count", policy="passed over",
                 part="log", count=absent),
        )  # fmt: skip
    told = f"users fill the parts in the order of {path.name}"
    notes = (f"{told}; {unlisted:,} others are left out" if unlisted else told,)
    held = f"place <= round({config.valid} * n)"
    valid = path.with_name(VALID)
    if valid.is_file():
        list_users(connection, "held_out", read_users(valid))
        held = "user_id IN (SELECT user_id FROM held_out)"
        notes += (f"{VALID} says who is valid",)
    return Order(
        by="(SELECT min(place) FROM listed WHERE listed.user_id = known.user_id)",
        among="user_id IN (SELECT user_id FROM listed)", held=held, drops=drops, notes=notes,
    )  # fmt: skip


def read_users(path: Path) -> list[str]:
    """The ids of a file, one a line, each once."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError):
        raise fail(
            "E0620",
            f"`{path}` cannot be read as one user a line",
            f"name the `{ORDER}` of a RecBench folder, or leave `order` out",
        ) from None
    return list(dict.fromkeys(name for line in lines if (name := line.strip())))


def list_users(connection: "duckdb.DuckDBPyConnection", table: str, names: list[str]) -> None:
    connection.execute(
        f"CREATE TABLE {table} AS SELECT unnest($1::VARCHAR[]) AS user_id, "
        "unnest(range(len($1::VARCHAR[]))) AS place", [names],
    )  # fmt: skip
