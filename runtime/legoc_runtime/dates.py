"""What one time may mean: a date in words or figures, or a number whose unit its column tells.

Moments are microseconds since 1970 UTC; a time without a zone is taken as UTC. The standard library
only.
"""

import math
import re
from calendar import timegm
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import cast

from legoc_runtime.lists import NUMBER
from legoc_runtime.values import plain


MICRO = 1_000_000
LARGEST = 1e300
FIRST = {"month first": "month", "day first": "day"}
MONTHS = {
    name: place
    for place, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
ZONE = r"(?:\s*(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)(?:\s*\([A-Z]+\))?)?"
CLOCK = (
    r"(?:[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<part>\d{1,9}))?)?"
    rf"\s*(?P<half>[AaPp]\.?[Mm]\.?)?{ZONE})?"
)
# 03/07/2024 10:01:04 PM, 7.3.2024, 2024/03/07 22:01, 2024-03-07 22:01:04 UTC
FIGURES = re.compile(
    rf"(?P<a>\d{{1,4}})(?P<sign>[/.-])(?P<b>\d\d?)(?P=sign)(?P<c>\d{{1,4}}){CLOCK}"
)
WEEKDAY = r"(?:[A-Za-z]{3,9},?\s+)?"
WORD = r"(?P<month>[A-Za-z]{3,9})\.?"
# 7 Mar 2024 22:01, Thu, 07 Mar 2024 22:01:04 GMT
DAY = re.compile(rf"{WEEKDAY}(?P<day>\d\d?)[ -]{WORD}[ ,-]+(?P<year>\d{{4}}){CLOCK}")
# March 7, 2024; Thu Mar 07 22:01:04 +0000 2024
MONTH = re.compile(rf"{WEEKDAY}{WORD}\s+(?P<day>\d\d?),?\s+(?P<year>\d{{4}}){CLOCK}")
STAMP = re.compile(
    r"(?:\w{3},? )?(?P<month>[A-Za-z]{3}) +(?P<day>\d\d?) (?P<hour>\d\d?):(?P<minute>\d\d):"
    r"(?P<second>\d\d) (?P<zone>[+-]\d{4}|UTC|GMT) (?P<year>\d{4})"
)


@dataclass(frozen=True, kw_only=True)
class Meanings:
    """What one value may mean. number: in a unit that the column tells. figures: a number that is
    written as a date (`20240307`). plain: the moment, whatever the column says. month, day: the
    moment if the month, or the day, stands first."""

    number: float | None = None
    figures: int | None = None
    plain: int | None = None
    month: int | None = None
    day: int | None = None


NONE = Meanings()


def read_meanings(value: object, form: str | None = None) -> Meanings:
    """All that a value may mean; nothing where nobody could tell. form: of `strptime`."""
    if isinstance(value, datetime):
        # NaT of pandas is one, and is not equal to itself.
        return Meanings(plain=micros(value)) if value == value else NONE
    if isinstance(value, date):
        return Meanings(plain=timegm(value.timetuple()) * MICRO)
    value = plain("time", value)
    if form is not None and form not in FIRST:
        return Meanings(plain=read_form(written(value), form))
    if isinstance(value, bool) or value is None:
        return NONE
    if isinstance(value, int | float):
        # A whole number may be larger than any float.
        return read_figure(float(value)) if abs(value) < LARGEST else NONE
    text = str(value).strip()
    if NUMBER.fullmatch(text):
        return read_figure(float(text))
    return read_words(text)


def written(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value).strip()


def read_figure(number: float) -> Meanings:
    if not math.isfinite(number):
        return NONE
    return Meanings(number=number, figures=read_digits(number))


def read_digits(number: float) -> int | None:
    """`20240307` and `20240307220104` as moments."""
    if not number.is_integer() or not 19000101 <= number <= 21001231235959:
        return None
    digits = str(int(number))
    if len(digits) not in (8, 14):
        return None
    clock = digits[8:] or "000000"
    return moment(
        (int(digits[:4]), int(digits[4:6]), int(digits[6:8])),
        (int(clock[:2]), int(clock[2:4]), int(clock[4:])),
    )


@lru_cache(maxsize=1 << 16)
def read_words(text: str) -> Meanings:
    """A date in words or figures; a log has few of them, or each once."""
    if len(text) >= 10 and text[4] == "-":
        try:
            return Meanings(plain=micros(datetime.fromisoformat(text)))
        except ValueError:
            pass
    if found := FIGURES.fullmatch(text):
        a, b, c = found["a"], found["b"], found["c"]
        if len(a) == 4:
            return Meanings(plain=of_match(found, int(a), int(b), int(c)))
        if len(c) != 4 or len(a) > 2:
            return NONE
        return Meanings(
            month=of_match(found, int(c), int(a), int(b)),
            day=of_match(found, int(c), int(b), int(a)),
        )
    for pattern in (STAMP, DAY, MONTH):
        found = pattern.fullmatch(text)
        if found and (month := MONTHS.get(found["month"][:3].lower())):
            return Meanings(plain=of_match(found, int(found["year"]), month, int(found["day"])))
    return NONE


def of_match(found: re.Match[str], year: int, month: int, day: int) -> int | None:
    """The moment of a date and the clock behind it, where there is one."""
    given = cast("dict[str, str | None]", found.groupdict())
    hour = int(given["hour"] or 0)
    half = (given.get("half") or "").lower()[:1]
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    whole = moment((year, month, day), (hour, int(given["minute"] or 0), int(given["second"] or 0)))
    if whole is None:
        return None
    zone = given["zone"] or "Z"
    if zone[0] in "+-":
        away = int(zone[1:3]) * 60 + int(zone[-2:])
        whole += (-away if zone[0] == "+" else away) * 60 * MICRO
    part = (given.get("part") or "").ljust(6, "0")[:6]
    return whole + int(part)


def moment(day: tuple[int, int, int], clock: tuple[int, int, int]) -> int | None:
    try:
        return timegm(datetime(*day, *clock).timetuple()) * MICRO
    except ValueError:
        return None


@lru_cache(maxsize=1 << 16)
def read_form(text: str, form: str) -> int | None:
    try:
        return micros(datetime.strptime(text, form))
    except ValueError:
        return None


def micros(given: datetime) -> int:
    """Reckoned by the offset itself, for UTC may have a year that no datetime has."""
    away = given.utcoffset() or timedelta()
    return timegm(given.timetuple()) * MICRO + given.microsecond - away // timedelta(microseconds=1)
