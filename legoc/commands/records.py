"""What `legoc score` and `legoc recommend` are asked: records, each held to one schema.

A record has `history` (item ids, most recent last), for scoring `candidates`, and optionally
`user`, which is copied to the answer and read by models that know users. An id is a text or a whole
number. Ids are a list, a list written out as a text, or a text with blanks between them, as in the
tables of training; none at all are an empty list or null.
Further fields are left alone.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from legoc.language.diagnosing.diagnostics import LegoError, fail


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record that is as it should be. place: where it stands, for messages. user: as it was
    given, None where it was not."""

    place: str
    history: list[str]
    candidates: list[str]
    user: str | int | None

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
        user = read_user(place, fields.get("user"))
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


def read_ids(place: str, field: str, value: object) -> list[str]:
    """The ids of a field."""
    if value is None:
        return []
    if isinstance(value, str | bytes):
        from legoc_runtime.errors import RequestError
        from legoc_runtime.values import read_ids as read_written

        try:
            return read_written(field, text_of(place, field, value))
        except RequestError as error:
            raise fail("E0866", f"{place}: {error.message}", error.help) from None
    if not isinstance(value, list | tuple):
        raise fail(
            "E0866",
            f"{place}: `{field}` is {kind(value)}, not a list of item ids",
            f'write it as in {{"{field}": ["N1", "N2"]}}',
        )
    return [str(read_id(place, field, name)) for name in value]


def read_id(place: str, field: str, value: object) -> str | int:
    if isinstance(value, str | bytes):
        return text_of(place, field, value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise fail(
        "E0866",
        f"{place}: `{field}` holds {kind(value)}, and an id is a text or a whole number",
        "write the ids as the data has them, in quotes",
    )


def read_user(place: str, value: object) -> str | int | None:
    if value is None:
        return None
    if isinstance(value, str | bytes):
        return text_of(place, "user", value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise fail(
        "E0866",
        f"{place}: `user` is {kind(value)}, and an id is a text or a whole number",
        "write the id as the data has it, in quotes, or leave it out",
    )


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
