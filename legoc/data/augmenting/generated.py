"""Items that a language model made up for users with few clicks (GENRE; Liu et al., WSDM 2024).

Such an item stands at the end of its user's short histories. It is part of no impression: it is
never a candidate, a label, a negative or a recommendation.
"""

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.data.augmenting.files import Once
from legoc.data.indexing.tables import Tables, quote
from legoc.data.staging.losses import Losses
from legoc.data.staging.report import Drop
from legoc.data.staging.staged import Staged
from legoc.language.diagnosing.diagnostics import fail


if TYPE_CHECKING:
    import duckdb


# A history is short with so many clicks; who has none was given no item.
SHORT = 5

# The attributes a model was asked for: of news, and of books.
WRITTEN = ("title", "abstract", "description", "category")
# What a category is called that no item of the publisher has.
OTHERS = "others"

MALFORMED = ("generated text that cannot be read", "left out")


@dataclass(frozen=True, kw_only=True)
class Generated:
    """A staged log: `position`, `item_id` (unique), `user_id` (unique) and the written
    attributes, empty where the model left one out."""

    path: Path
    shown: str


def stage_generated(
    lines: Iterator[tuple[int, str]],
    users: Callable[[], list[str]],
    path: Path,
    target: Path,
    losses: Losses,
) -> Generated:
    """Stage a generator's log. users: the id of each `uid`, where the log numbers them."""
    kept = Once(path, losses)
    known: list[str] | None = None
    with Staged(target, dict.fromkeys(("item_id", "user_id", *WRITTEN), "text")) as staged:
        for line, text in lines:
            if not text.strip():
                continue
            place = f"{path.name}:{line}"
            if known is None and '"uid"' in text:
                known = users()
            found = read_generated(text)
            if found is None:
                losses.add(*MALFORMED, "augment", f"{place}: {text[:40]}")
                continue
            user, written = found
            if isinstance(user, int):
                if known is None or not 0 <= user < len(known):
                    reason = "user beyond `tok.uid.dat`"
                    losses.add(reason, "dropped", "augment", f"{place}: {user}")
                    continue
                user = known[user]
            if kept.first(user, line, [written[name] for name in WRITTEN]):
                staged.add(f"{path.stem}/{user}", user, *(written[name] for name in WRITTEN))
    return Generated(path=target, shown=path.name)


def read_generated(text: str) -> tuple[int | str, dict[str, str]] | None:
    """The user, by place or by id, and the written attributes of one line; None where it cannot be
    read, or says no title."""
    try:
        record = json.loads(text)
        named = "user_id" in record
        user = record.pop("user_id" if named else "uid")
        (answer,) = record.values()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if isinstance(user, bool) or not isinstance(user, str if named else int):
        return None
    written = read_written(answer)
    return None if written is None else (user, written)


def read_written(answer: object) -> dict[str, str] | None:
    """The attributes of an invented item in what a model answered; None where there is no title."""
    item = answer if isinstance(answer, dict) else find_object(str(answer))
    if item is None:
        return None
    written = {name: clean(item.get(name)) for name in WRITTEN}
    return written if written["title"] else None


def find_object(text: str) -> dict[str, Any] | None:
    """The first JSON object in an answer, which may stand in prose or break its lines."""
    decoder = json.JSONDecoder(strict=False)
    start = text.find("{")
    while start >= 0:
        try:
            found, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            start = text.find("{", start + 1)
            continue
        return found
    return None


def clean(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def load_histories(connection: "duckdb.DuckDBPyConnection", tables: Tables) -> None:
    """The table `histories`, with the place of each row and the clicks it has of its own."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS histories AS "
        "SELECT * EXCLUDE (file_row_number), file_row_number AS place, len(clicks) AS own "
        f"FROM read_parquet({quote(tables.path('histories'))}, file_row_number = true)"
    )


def attach(
    connection: "duckdb.DuckDBPyConnection",
    generated: Generated,
    place: str,
    losses: Losses,
    retold: Collection[str] = (),
) -> tuple[int, str, tuple[Drop, ...]]:
    """Add the items to `items` and to the short `histories` of their users: how many there are,
    what a reader should know, and what a rule left out.

    place: the column of an item's row. retold: columns with titles that a model wrote anew; an
    invented item has its own title there, or a model that reads them alone could not read it.
    Raises E0640 where the items have no title.
    """
    kinds = {name: kind for name, kind, *_ in connection.execute("DESCRIBE items").fetchall()}
    if "title" not in kinds:
        raise fail(
            "E0640",
            f"`{generated.shown}` holds generated items with titles, and the items have none",
            "leave the log out, or name the attribute of your items `title`",
        )
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE made AS
        SELECT *, user_id IN (SELECT user_id FROM users) AS known,
               user_id IN (SELECT user_id FROM histories WHERE own BETWEEN 1 AND {SHORT}) AS short
        FROM read_parquet({quote(generated.path)})
        """
    )
    for (user,) in connection.execute(
        "SELECT user_id FROM made WHERE NOT known ORDER BY position"
    ).fetchall():
        losses.add(
            "record of an unknown user", "joins nothing", "augment", f"{generated.shown}: {user}"
        )
    taken = connection.execute(
        "SELECT item_id FROM made WHERE short AND item_id IN (SELECT item_id FROM items) LIMIT 1"
    ).fetchone()
    if taken is not None:
        raise fail(
            "E0640",
            f"`{generated.shown}` adds an item `{taken[0]}`, and there is one of this id",
            "rename the log: its name is part of the ids of its items",
        )
    values = ", ".join(
        "title" if name in retold and kind == "VARCHAR" else value_of(name, kind, place)
        for name, kind in kinds.items()
    )
    connection.execute(f"INSERT INTO items SELECT {values} FROM made WHERE short ORDER BY position")
    ((histories,),) = connection.execute(
        "UPDATE histories SET clicks = list_append(clicks, made.item_id) FROM made "
        f"WHERE made.user_id = histories.user_id AND own BETWEEN 1 AND {SHORT}"
    ).fetchall()
    ((items, longer),) = connection.execute(
        "SELECT count(*) FILTER (short), count(*) FILTER (known AND NOT short) FROM made"
    ).fetchall()
    note = (
        f"{items:,} generated items of {generated.shown} stand last in {histories:,} histories of "
        f"1 to {SHORT} clicks and are no candidates; what a model read to write them may be later "
        "than an interaction"
    )
    reason = f"generated item of a user without a history of 1 to {SHORT} clicks"
    drop = Drop(reason=reason, policy="left out", part="augment", count=longer)
    return int(items), note, (drop,) if longer else ()


def value_of(name: str, kind: str, place: str) -> str:
    """A column of a generated item in SQL: what was written, else nothing."""
    if name == "item_id":
        return "item_id"
    if name == place:
        return f'(SELECT max("{place}") FROM items) + row_number() OVER (ORDER BY position)'
    if name not in WRITTEN:
        return {"VARCHAR": "''", "VARCHAR[]": "[]"}.get(kind, "NULL")
    if name != "category":
        return f'"{name}"'
    if kind == "VARCHAR[]":
        known = "SELECT unnest(category) FROM items"
        return (
            f"CASE WHEN category = '' THEN [] WHEN category IN ({known}) THEN [category] "
            f"ELSE ['{OTHERS}'] END"
        )
    known = "SELECT category FROM items"
    return f"CASE WHEN category = '' OR category IN ({known}) THEN category ELSE '{OTHERS}' END"
