"""What a model is told of each item or user: attributes, and clicks that came before.

Of a user only the clicks of a history are read that stood before every row there is of the user
(`until = first`), or before every row that does not train (`until = test`). A candidate, a label or
anything that came later is in no question: a model that trains on the answers would know it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from legoc.data.augmenting.generated import SHORT
from legoc.data.indexing.tables import Tables, quote
from legoc.language.ir.spec import Call


# Words that are shown of an attribute, where nothing asks for fewer.
WORDS = 200
# Categories that are named to a model, at most.
CATEGORIES = 60

# The history of the first row of each user, among all rows or among those that do not train.
FIRST = """
    SELECT user_id, clicks, row_number() OVER (
        PARTITION BY user_id ORDER BY time NULLS FIRST, row
    ) AS place FROM asked
"""
# Of users who only train, the history of the last row.
LAST = """
    SELECT user_id, clicks, row_number() OVER (
        PARTITION BY user_id ORDER BY time DESC NULLS LAST, row DESC
    ) AS place FROM asked
    WHERE user_id NOT IN (SELECT user_id FROM asked WHERE split <> 'train')
"""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """An item or a user by its id. `item` are the attributes of an item, `clicks` those of the
    clicked items, oldest first, `profile` those of the user."""

    id: str
    item: Mapping[str, str]
    clicks: tuple[Mapping[str, str], ...] = ()
    profile: tuple[str, ...] = ()

    def fields(self, task: Call, *, words: int, clicks: int, categories: Sequence[str]) -> (
        dict[str, str]
    ):  # fmt: skip
        """The fields of a prompt, texts cut to so many words, of the clicks the last ones."""
        if task.op == "Summarise":
            cut = {name: shorten(text, words) for name, text in self.item.items()}
            return {**cut, "item": "\n".join(f"{name}: {text}" for name, text in cut.items())}
        shown = self.clicks[-clicks:]
        history = "\n".join(
            f"{place}. {'; '.join(filter(None, (shorten(t, words) for t in click.values())))}"
            for place, click in enumerate(shown, start=1)
        )
        known = ", ".join(categories)
        if task.op == "Profile":
            listed = ", ".join(task["topics"])
            topics = f"The topics there are: {listed}\n\n" if listed else ""
            return {"history": history, "topics": topics, "most": str(task["most"])}
        profile = ", ".join(self.profile)
        return {
            "history": history,
            "profile": f"The reader cares about: {profile}\n\n" if profile else "",
            "categories": f"The categories there are: {known}\n\n" if known else "",
        }


@dataclass(frozen=True, kw_only=True)
class Subjects:
    """Everything that is asked about, in the order of the tables. `silent`: users of whom no click
    may be read, and items of whom nothing is known; nobody is asked about them."""

    each: tuple[Subject, ...]
    silent: int
    categories: tuple[str, ...] = ()


def find_subjects(tables: Tables, task: Call) -> Subjects:
    """What a task asks about. Items that a model invented are not read again."""
    items = dict(read_items(tables, task["from"]))
    if task.op == "Summarise":
        kept = [Subject(id=id, item=item) for id, item in items.items() if any(item.values())]
        return Subjects(each=tuple(kept), silent=len(items) - len(kept))
    profiles = read_users(tables, task.args.get("profile", ()))
    kept, silent = [], 0
    for user, history in read_histories(tables, task["until"]):
        clicks = tuple(items[click] for click in history if click in items)
        if task.op == "Invent" and not 1 <= len(history) <= SHORT:
            continue
        if not any(any(click.values()) for click in clicks):
            silent += 1
            continue
        kept.append(Subject(id=user, item={}, clicks=clicks, profile=profiles.get(user, ())))
    known = ()
    if task.op == "Invent" and "category" in task["write"]:
        named = {part for item in read_items(tables, ("category",)) for part in item[1].values()}
        known = tuple(sorted(filter(None, named)))[:CATEGORIES]
    return Subjects(each=tuple(kept), silent=silent, categories=known)


def read_items(tables: Tables, attributes: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Id and attributes of the items in order, without those that a model invented."""
    import pyarrow.parquet as pq

    table = pq.read_table(tables.path("items"), columns=["item_id", *attributes])
    for row in table.slice(0, table.num_rows - tables.report.generated).to_pylist():
        yield row["item_id"], {name: text_of(row[name]) for name in attributes}


def read_users(tables: Tables, attributes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What is known of the users beside their clicks; nothing where nothing is asked for."""
    import pyarrow.parquet as pq

    if not attributes or not tables.path("users").is_file():
        return {}
    table = pq.read_table(tables.path("users"), columns=["user_id", *attributes])
    return {
        row["user_id"]: tuple(filter(None, (text_of(row[name]) for name in attributes)))
        for row in table.to_pylist()
    }


def read_histories(tables: Tables, until: str) -> Iterator[tuple[str, list[str]]]:
    """Each user with the clicks that may be read, oldest first, by id of the user."""
    asked = f"""
        CREATE TEMP TABLE asked AS
        SELECT h.user_id, h.clicks, i.time, i.row, i.split
        FROM read_parquet({quote(tables.path("interactions"))}) i
        JOIN read_parquet({quote(tables.path("histories"))}) h USING (history_id)
    """
    rows = f"SELECT user_id, clicks FROM ({FIRST}) WHERE place = 1"
    if until == "test":
        rows = (
            f"SELECT user_id, clicks FROM ({FIRST} WHERE split <> 'train') WHERE place = 1 "
            f"UNION ALL SELECT user_id, clicks FROM ({LAST}) WHERE place = 1"
        )
    with tables.connect() as connection:
        connection.execute(asked)
        for user, clicks in connection.execute(f"{rows} ORDER BY user_id").fetchall():
            yield user, clicks or []


def text_of(value: Any) -> str:
    """A value as a model reads it, on one line."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(filter(None, map(text_of, value)))
    if isinstance(value, float):
        return f"{value:g}"
    return " ".join(str(value).split())


def shorten(text: str, words: int) -> str:
    found = text.split()
    return text if len(found) <= words else " ".join(found[:words])
