"""What is known of users beside their clicks: attributes as ids, a row per user that trains.

They are read as items are, in an id space of their own. Words, categories and bins are learned from
the users that train, who are also the only ones with a row; row 0 is everyone else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc.data.cache import digest, obtain
from legoc.data.indexing.log import I32
from legoc.data.indexing.names import Names
from legoc.data.indexing.tables import Tables, open_connection, quote
from legoc.data.reading.file_stems import file_stem
from legoc.data.reading.vocabulary import Space, Words, write_bins, write_categories
from legoc.data.staging.first_records import quote_name
from legoc.language.declaring.declare import Attribute
from legoc.language.diagnosing.diagnostics import fail


# Raise when the profiles of the same tables would differ from those an older version wrote.
VERSION = 3


@dataclass(frozen=True, kw_only=True)
class Profiles:
    """ids: attribute -> I32[users, L] padded on the right. lengths: attribute -> I32[users], the
    real ids of each. rows: of the id space, 0 being padding and 1 an unknown value. reading: how
    values become ids, with its files in `folder`."""

    ids: Mapping[str, I32]
    lengths: Mapping[str, I32]
    rows: int
    reading: Mapping[str, Any] | None = None
    folder: Path | None = None

    def mask(self, name: str) -> NDArray[np.bool_]:
        """Bool[users, L], True where an id is real."""
        return np.arange(self.ids[name].shape[1]) < self.lengths[name][:, None]


def read_profiles(
    tables: Tables, attributes: Sequence[Attribute], users: Names, root: Path
) -> Profiles:
    """The profiles of the users that train; a user without a record has none of the attributes.

    root: the cache folder. Raises E0628 for an attribute that the users do not have.
    """
    check_users(tables, attributes)
    described = [[a.name, a.kind, a.length] for a in attributes]
    key = digest([VERSION, tables.digest, described])

    def make(staging: Path) -> dict[str, Any]:
        return write(find_records(tables, attributes, users), attributes, staging)

    folder, manifest = obtain(root / "profiles" / key[:32], make)
    loaded = {a.name: np.load(folder / f"{file_stem(a.name)}.npy") for a in attributes}
    lengths = {a.name: np.load(folder / f"{file_stem(a.name)}.lengths.npy") for a in attributes}
    return Profiles(
        ids=loaded, lengths=lengths, rows=manifest["reading"]["rows"],
        reading=manifest["reading"], folder=folder,
    )  # fmt: skip


def check_users(tables: Tables, attributes: Sequence[Attribute]) -> None:
    """Refuse an attribute that the users have no column for."""
    known: list[str] = []
    if tables.path("users").is_file():
        with open_connection(None) as connection:
            place = quote(tables.path("users"))
            described = connection.execute(f"DESCRIBE SELECT * FROM {place}").fetchall()
        known = [name for name, *_ in described if name != "user_id"]
    for attribute in attributes:
        if attribute.name not in known:
            raise fail(
                "E0628",
                f"the users of {tables.report.source} have no attribute `{attribute.name}`",
                f"name some of {', '.join(f'`{name}`' for name in known)} in `user`"
                if known
                else "leave `user` out, or give the users a table with `augment`",
            )


def find_records(
    tables: Tables, attributes: Sequence[Attribute], users: Names
) -> list[dict[str, Any]]:
    """A record per user, in the order of their rows; that of row 0 is empty."""
    columns = ", ".join(quote_name(attribute.name) for attribute in attributes)
    with open_connection(None) as connection:
        place = quote(tables.path("users"))
        found = connection.sql(f"SELECT user_id, {columns} FROM {place}").to_arrow_table()
    known = {record.pop("user_id"): record for record in found.to_pylist()}
    return [{}, *(known.get(name, {}) for name in users.ids[1:])]


def write(
    records: Sequence[Mapping[str, Any]], attributes: Sequence[Attribute], folder: Path
) -> dict[str, Any]:
    """Learn the vocabularies, and write the ids of every record into `folder`."""
    from legoc_runtime.tokens import Reader
    from legoc_runtime.values import read_text

    space = Space(rows=2, unknown=1, separator=0)
    texts = [a.name for a in attributes if a.kind == "text"]
    if texts:
        words = (read_text(name, r.get(name)) for r in records for name in texts)
        space = Words().write(words, folder / "tokenizer.json")
    parts: list[dict[str, Any]] = []
    for attribute in attributes:
        length = 1 if attribute.kind == "number" else attribute.length
        part = {"name": attribute.name, "kind": attribute.kind, "length": length}
        file = f"vocabularies/{file_stem(attribute.name)}.json"
        values = [record.get(attribute.name) for record in records]
        if attribute.kind == "text":
            parts.append({**part, "tokenizer": "tokenizer.json"})
            continue
        if attribute.kind == "category":
            write_categories(attribute.name, values, folder / file, space)
        else:
            write_bins(values, attribute.length, folder / file, space)
        parts.append({**part, "vocabulary": file})
    reading = {
        "layout": "fields", "rows": space.rows, "padding": 0, "unknown": space.unknown,
        "separator": None, "parts": parts,
    }  # fmt: skip
    for name, (ids, lengths) in Reader.load(folder, reading).read(records).items():
        width = next(int(part["length"]) for part in parts if part["name"] == name)
        padded = np.zeros((len(records), width), dtype=np.int32)
        padded[:, : ids.shape[1]] = ids[:, :width]
        np.save(folder / f"{file_stem(name)}.npy", padded)
        np.save(folder / f"{file_stem(name)}.lengths.npy", lengths)
    return {"reading": reading}
