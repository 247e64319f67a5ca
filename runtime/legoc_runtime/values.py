"""What one value of a table or of a record means: a text, categories, a number, an id.

The one place that says so. `legoc.data` calls it where tables are converted and vocabularies are
learned, the runtime where it reads new items, so that the same value is the same tokens everywhere.
Each reading of what was read before gives the same again. The standard library only: the check of a
spec calls it too.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from legoc_runtime.errors import RequestError
from legoc_runtime.lists import BEGUN, NUMBER, read_list


THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d+)?")
# A whole number that a gap in its column turned into a float.
POINT = re.compile(r"([+-]?\d+)\.0+")
# Where a number or a time is expected, these say that there is none.
NOTHING = frozenset(
    ("", "-", "--", "na", "n/a", "#n/a", "nan", "nat", "null", "none", "nil", "\\n", "<na>")
)
# Beyond it not every whole number has a float of its own, so two ids may become one.
EXACT = 2.0**53
# Of the numbers of a record; what lies beyond has no float.
LARGEST = 10**308


@dataclass(frozen=True, kw_only=True)
class Notation:
    """How the texts of a column are written: what stands between the values of a list and before
    the decimals, and the words that say that nothing is there."""

    separator: str | None = None
    decimal: str = "."
    missing: frozenset[str] = field(default_factory=frozenset[str])

    def to_json(self) -> dict[str, Any]:
        """What differs from the plain notation."""
        found: dict[str, Any] = {}
        if self.separator is not None:
            found["between"] = self.separator
        if self.decimal != ".":
            found["decimal"] = self.decimal
        if self.missing:
            found["missing"] = sorted(self.missing)
        return found

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> "Notation":
        between = value.get("between")
        return Notation(
            separator=None if between is None else str(between),
            decimal=str(value.get("decimal", ".")),
            missing=frozenset(str(word) for word in value.get("missing", ())),
        )


PLAIN = Notation()


def plain(name: str, value: object) -> object:
    """A value without the types of libraries: arrays as lists, their numbers as Python's, bytes as
    text, and what is missing as None."""
    if isinstance(value, str):
        return whole(value)
    if value is None or isinstance(value, bool | int | list):
        return cast(object, value)
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, bytes | bytearray):
        try:
            return bytes(value).decode("utf-8")
        except UnicodeDecodeError:
            raise RequestError(f"`{name}` holds bytes that are not UTF-8", "give a text") from None
    if isinstance(value, tuple):
        return list(cast(Iterable[object], value))
    if hasattr(value, "tolist"):
        found = cast(Any, value).tolist()
        # NumPy's long floats are Python's nothing, and stay what they are.
        return plain(name, float(cast(Any, found)) if type(found) is type(value) else found)
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if type(value).__name__ == "Decimal":
        number = cast(Any, value)
        return int(number) if number == number.to_integral_value() else float(number)
    return value


def whole(text: str) -> str:
    """The text with `�` for each half of a surrogate pair: JSON can spell one, a file in UTF-8
    cannot hold it, so data that was written never has it."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def is_missing(value: object, notation: Notation = PLAIN) -> bool:
    """Null, NaN, the empty text, the empty list and the notation's words are missing."""
    value = plain("", value)
    if isinstance(value, str):
        return not value or value.strip() in notation.missing
    return value is None or value == []


def read_text(name: str, value: object, notation: Notation = PLAIN) -> str:
    """A text; several values are joined by commas and numbers written out, for a language model
    reads categories and numbers as text. Missing is the empty text."""
    value = plain(name, value)
    if is_missing(value, notation):
        return ""
    if isinstance(value, str):
        several = read_list(value, quoted=True)
        return value if several is None else read_text(name, several, notation)
    if isinstance(value, list):
        texts = (read_text(name, part, notation) for part in cast("list[object]", value))
        return ", ".join(text for text in texts if text)
    return write(name, value, "a text", "give it in quotes")


def read_categories(name: str, value: object, notation: Notation = PLAIN) -> list[str]:
    """The values of a category attribute: a text is one, or several where the notation has a
    separator or it is a list written out; a list is several. None of them has blanks around it, and
    a whole number has no decimals."""
    value = plain(name, value)
    if is_missing(value, notation):
        return []
    if isinstance(value, str):
        several: list[object] | None = read_list(value)
        if several is None and notation.separator is not None:
            parts = value.split(notation.separator.strip() or None)
            several = cast("list[object]", parts) if len(parts) > 1 else None
        if several is not None:
            return read_categories(name, several, notation)
        text = value.strip()
        verify_no_list(name, text)
        if text in ("True", "False", "TRUE", "FALSE"):
            text = text.lower()
        whole = POINT.fullmatch(text)
        return [whole[1] if whole else text] if text else []
    if isinstance(value, list):
        return [
            one
            for part in cast("list[object]", value)
            for one in read_categories(name, part, notation)
        ]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [write(name, value, "a category", "give a text or a list of texts")]


def read_number(name: str, value: object, notation: Notation = PLAIN) -> float | None:
    """A number, or None where it is missing. RequestError for what is none."""
    value = plain(name, value)
    if isinstance(value, str):
        text = value.strip()
        if text.lower() in NOTHING or text in notation.missing:
            return None
        if notation.decimal != ".":
            # The point then stands between thousands, or nowhere.
            text = text.replace(".", "") if THOUSANDS.fullmatch(text) else text.replace(".", "?")
            text = text.replace(notation.decimal, ".")
        if NUMBER.fullmatch(text):
            return float(text)
    elif is_missing(value):
        return None
    elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST:
        return float(value)
    raise RequestError(f"`{name}` is {value!r}, not a number", "give a number such as 9.5")


def read_id(name: str, value: object, notation: Notation = PLAIN) -> str:
    """An id as text, verbatim; missing is the empty text. A whole number that a missing neighbour
    turned into a float loses its `.0`. RequestError for a float that may stand for several ids."""
    if isinstance(value, str) and not notation.missing:
        return value
    value = plain(name, value)
    if is_missing(value, notation):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and abs(value) >= EXACT:
        raise RequestError(
            f"the id {value!r} of `{name}` is a float beyond 2^53, where several ids become one",
            "write the ids as text or as whole numbers",
        )
    return write(name, value, "an id", "give a text or a whole number")


def read_ids(name: str, value: object, notation: Notation = PLAIN) -> list[str]:
    """A list of ids: a list, a list written out, or text with the separator (else blanks) between.
    RequestError for what looks like a list and is none."""
    value = plain(name, value)
    if is_missing(value, notation):
        return []
    if isinstance(value, str):
        text = value.strip()
        several: list[object] | None = read_list(text, single=True)
        if several is None:
            verify_no_list(name, text)
            parts = text.split(notation.separator)
            several = [part.strip() for part in parts]
        value = several
    if not isinstance(value, list):
        value = [value]
    found = (read_id(name, part, notation) for part in cast("list[object]", value))
    return [one for one in found if one]


def verify_no_list(name: str, text: str) -> None:
    """Refuse a text that was a list and has lost a part of it."""
    if BEGUN.match(text):
        raise RequestError(
            f"`{name}` is {text[:40]!r}, a list that cannot be read",
            'write it as ["a", "b"], or as text with one separator',
        )


def write(name: str, value: object, what: str, help: str) -> str:
    """A value that is no text, written out. RequestError for what has no usual text."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if type(value).__module__ == "datetime" and hasattr(value, "isoformat"):
        return str(value).removesuffix(" 00:00:00")
    raise RequestError(f"`{name}` is a {type(value).__name__}, not {what}", help)
