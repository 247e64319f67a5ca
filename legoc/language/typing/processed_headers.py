"""The columns of processed folders (RecBench, Legommenders), read from their Parquet headers.

Their ids are called by each data set in its own way (`nid`, `bid`, `article_id`): the column of
items is the one that items and interactions share, that of users the one that users and
interactions share.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from legoc.language.typing.columns import UNREAD, ColumnKind, Found, look_typed, read_parquet


# The interactions, by the name of the file; the first that is there tells the columns.
SETS = ("finetune", "train", "valid", "test")
ALL = "interactions"
LABEL = "click"
HISTORY = "history"
# RecBench's MovieLens has its own word.
HISTORIES = (HISTORY, "his")
# What Legommenders keeps beside a history, and how ONCE calls the impression.
NEGATIVES = "neg"
IMPRESSION = "imp"


class Unclear(ValueError):
    """Which column is meant cannot be told; the text says of which file."""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The columns of a folder: ids of items and users, the histories of users, whether there are
    impressions, and the attributes of items and users."""

    item: str
    user: str
    history: str
    impressions: bool
    items: Mapping[str, ColumnKind]
    users: Mapping[str, ColumnKind]


def read_keys(
    items: Mapping[str, ColumnKind],
    users: Mapping[str, ColumnKind],
    log: Mapping[str, ColumnKind],
    args: Mapping[str, Any],
) -> Keys:
    """Tell the columns apart by the headers of three files. Raises Unclear."""
    history = next((name for name in HISTORIES if name in users), HISTORY)
    for name, header, file in ((history, users, "users"), (LABEL, log, "interactions")):
        if name not in header:
            raise Unclear(f"the {file} have no column `{name}`")
    item = choose(args.get("item"), [n for n in log if n in items and is_own(n)], "item")
    shared = [n for n in log if n in users and is_own(n) and n not in (history, NEGATIVES, item)]
    user = choose(args.get("user"), shared, "user")
    return Keys(
        item=item,
        user=user,
        history=history,
        impressions=IMPRESSION in log,
        items={n: kind for n, kind in items.items() if n != item and is_own(n)},
        users={
            n: kind
            for n, kind in users.items()
            if n not in (user, history, NEGATIVES) and is_own(n)
        },
    )


def choose(named: str | None, shared: list[str], what: str) -> str:
    if named is not None:
        return named
    if len(shared) == 1:
        return shared[0]
    listed = ", ".join(f"`{name}`" for name in shared) or "none"
    raise Unclear(f"the {what}s and the interactions share {listed}, and an id is one column")


def is_own(name: str) -> bool:
    """Whether a column is of the data: not the index of a frame, nor a prompt of a tokenizer."""
    return not name.startswith(("__index_level_", "prompt_")) and name not in ("prompt", LABEL)


def read_processed(args: Mapping[str, Any]) -> Found:
    """What the headers of a processed folder say; UNREAD where they do not say it."""
    folder = Path(args["path"])
    whole = args.get("log") == ALL
    sets = [name for name in SETS if (folder / f"{name}.parquet").is_file()]
    first = ALL if whole else next(iter(sets), ALL)
    try:
        items, users, log = (
            read_parquet(folder / f"{name}.parquet") for name in ("items", "users", first)
        )
        keys = read_keys(items, users, log, args)
        attributes, profiles = (
            look_typed(folder / f"{name}.parquet", kinds) if kinds else {}
            for name, kinds in (("items", keys.items), ("users", keys.users))
        )
    except (OSError, ValueError):
        return UNREAD
    return Found(
        items=attributes,
        users=profiles,
        group="impression" if keys.impressions else "user",
        split=not whole and len(sets) > 1,
    )
