"""What `legoc score` and `legoc recommend` are asked: records, each held to one schema.

A record has `history` (item ids, most recent last), for scoring `candidates`, and optionally
`user` (or `user_id`), which is copied to the answer and read by models that know users, `profile`,
the attributes of the user for models that read some, and `when` (or `time`), the moment that models
with a `context` read. An id is a text or a whole number.
Ids are a list, a list written out as text, or one text with blanks between them; none at all are
an empty list or null. Further fields are left alone.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc_runtime import values
from legoc_runtime.errors import RequestError


# Where a moment stands: its own name first, then that of a log's column.
TIMES = ("when", "time")
# What names the user: the field of records, and the column of the tables of training.
USERS = ("user", "user_id")
# What is told of the user besides.
PROFILE = "profile"


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record that is as it should be. place: where it stands, for messages. user, when: as they
    were given, None where they were not."""

    place: str
    history: list[str]
    candidates: list[str]
    user: str | int | None
    when: object = None
    profile: Mapping[str, object] | None = None

    @property
    def user_id(self) -> str | None:
        return None if self.user is None else str(self.user)


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A record that is not, and what is wrong with it; its user where one can be told."""

    error: LegoError
    user: str | int | None = None


def read_record(place: str, value: object, needs: Sequence[str]) -> Record | Refused:
    """A value held to the schema; `needs` are the fields that must be there."""
    user: str | int | None = None
    try:
        fields = verify_object(place, value)
        user = find_user(place, fields)
        for field in needs:
            if field not in fields:
                raise fail(
                    "E0860",
                    f"{place}: the record has no `{field}`",
                    f'give one, such as {{"{field}": ["N1", "N2"]}}',
                )
        return Record(
            place=place,
            history=read_ids(place, "history", fields.get("history")),
            candidates=read_ids(place, "candidates", fields.get("candidates"))
            if "candidates" in needs
            else [],
            user=user,
            when=next((fields[name] for name in TIMES if is_given(fields.get(name))), None),
            profile=read_profile(place, fields.get(PROFILE)),
        )
    except LegoError as error:
        return Refused(error=error, user=user)


def read_json(place: str, line: bytes, needs: Sequence[str]) -> Record | Refused:
    """The record that a line of JSON holds."""
    try:
        value = json.loads(decode(place, line), object_pairs_hook=unique)
    except LegoError as error:
        return Refused(error=error)
    except (ValueError, RecursionError) as error:
        return Refused(
            error=fail(
                "E0864",
                f"{place}: not JSON ({reason_of(error)})",
                'each line is one record, such as {"history": ["N1", "N2"]}',
            )
        )
    return read_record(place, value, needs)


def reason_of(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at column {error.colno}"
    if isinstance(error, RecursionError):
        return "nested too deep"
    return "a number of too many digits" if "digits" in str(error) else str(error)


def decode(place: str, line: bytes) -> str:
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise fail(
            "E0864",
            f"{place}: not UTF-8 (byte {error.start + 1} is 0x{line[error.start]:02x})",
            "save the records as UTF-8",
        ) from None


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, each of whose fields is given once."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"`{next(n for n in names if names.count(n) > 1)}` is given twice")
    return found


def verify_object(place: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise fail("E0864", f"{place}: {kind(value)}, not a record", "write {...} on each line")
    return value


def read_profile(place: str, value: object) -> Mapping[str, object] | None:
    """The attributes of a user: an object, or in a table the text of one."""
    if not is_given(value):
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value, object_pairs_hook=unique)
        except (ValueError, RecursionError):
            value = str(value)
    if not isinstance(value, dict):
        raise fail(
            "E0866",
            f"{place}: `{PROFILE}` is {kind(value)}, not the attributes of a user",
            f'write it as in {{"{PROFILE}": {{"age": 31}}}}',
        )
    return value


def read_ids(place: str, field: str, value: object) -> list[str]:
    """The ids of a field."""
    if value is None:
        return []
    if isinstance(value, str | bytes):
        with refused(place):
            return values.read_ids(field, text_of(place, field, value))
    if not isinstance(value, list | tuple):
        raise fail(
            "E0866",
            f"{place}: `{field}` is {kind(value)}, not a list of item ids",
            f'write it as in {{"{field}": ["N1", "N2"]}}',
        )
    for one in value:
        if not is_id(one):
            raise fail(
                "E0866",
                f"{place}: `{field}` holds {kind(one)}, and an id is a text or a whole number",
                "write the ids as the data has them, in quotes",
            )
    return [read_id(place, field, one) for one in value]


def find_user(place: str, fields: Mapping[str, object]) -> str | int | None:
    """The user of a record, by either name. Both may be there where they are the same."""
    found = [
        user
        for user in (read_user(place, name, fields.get(name)) for name in USERS)
        if user is not None
    ]
    if len({str(user) for user in found}) > 1:
        raise fail(
            "E0866",
            f"{place}: `user` is {found[0]!r} and `user_id` is {found[1]!r}",
            "leave one of them out",
        )
    return found[0] if found else None


def read_user(place: str, field: str, value: object) -> str | int | None:
    if value is None or is_id(value):
        return value if value is None or isinstance(value, int) else read_id(place, field, value)
    raise fail(
        "E0866",
        f"{place}: `{field}` is {kind(value)}, and an id is a text or a whole number",
        "write the id as the data has it, in quotes, or leave it out",
    )


def is_given(value: object) -> bool:
    """An empty cell of a table is no moment, nor is one of a column with gaps."""
    return value is not None and value != "" and value == value


def is_id(value: object) -> bool:
    """A float may be a whole number of a column with gaps; that it is none comes out later."""
    if isinstance(value, float):
        return not math.isnan(value)
    return isinstance(value, str | bytes | int) and not isinstance(value, bool)


def read_id(place: str, field: str, value: object) -> str:
    """An id as the data has it (`legoc_runtime.values`)."""
    given = text_of(place, field, value) if isinstance(value, str | bytes) else value
    with refused(place):
        return values.read_id(field, given)


@contextmanager
def refused(place: str) -> Iterator[None]:
    """What the runtime refuses is of this record."""
    try:
        yield
    except RequestError as error:
        raise fail("E0866", f"{place}: {error.message}", error.help) from None


def text_of(place: str, field: str, value: str | bytes) -> str:
    """A text that a file can hold: half of a surrogate pair, which JSON can spell, is none."""
    try:
        if isinstance(value, bytes):
            return value.decode()
        value.encode()
    except UnicodeError:
        raise fail(
            "E0866",
            f"{place}: `{field}` holds {value!a}, which is no text in UTF-8",
            "write the ids as the data has them",
        ) from None
    return value


def kind(value: object) -> str:
    """What JSON calls a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}" if abs(value) < 1e20 else "a number"
    names: dict[type, str] = {str: "a text", list: "a list", tuple: "a list", dict: "an object"}
    return names.get(type(value), f"a {type(value).__name__}")
