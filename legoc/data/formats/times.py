"""Moments as publishers write them, as microseconds since 1970 UTC; None where nobody could tell.

A time without a zone is taken as UTC. What one value may mean is said by `legoc_runtime.moments`; a
published column has one unit, which its source knows, or which all of its values tell.
"""

import re
from calendar import timegm
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from legoc.language.diagnosing.diagnostics import fail
from legoc_runtime.dates import MICRO, MONTHS, read_meanings
from legoc_runtime.moments import KNOWN, UNITS, Moments, Rule, UndecidedError, Unit


# Thu Aug 17 15:15:28 -0700 2017
STAMP = re.compile(r"\w{3} (\w{3}) (\d{1,2}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d) (\d{4})")
# 06 17, 2018 and 02 6, 2014
AMERICAN = re.compile(r"(\d{1,2}) (\d{1,2}), (\d{4})")


def read_epoch(value: float | str, unit: Unit = "seconds") -> int | None:
    """A number of units since 1970."""
    number = read_meanings(value).number
    if number is None or not 0 <= number <= KNOWN[1] * UNITS[unit]:
        return None
    return round(number * MICRO / UNITS[unit])


def read_time(value: object, unit: Unit | None = None) -> int | None:
    """A date or time in words or figures; a number alone is none, unless its unit is known."""
    found = read_meanings(value)
    if found.plain is None and found.figures is None and unit is not None:
        return None if found.number is None else read_epoch(found.number, unit)
    return found.figures if found.plain is None else found.plain


def read_iso(text: str) -> int | None:
    """`2012-01-03`, `2012-01-03 15:28:18`, `2009-05-04T23:08:57Z`."""
    return read_day(text) if len(text) == 10 else read_meanings(text).plain


@lru_cache(maxsize=65536)
def read_day(text: str) -> int | None:
    """A date alone; a log has few of them."""
    return read_meanings(text).plain


def decide_times(values: Iterable[object], name: str, shown: str) -> Rule:
    """What all values of a column mean. E0630 where they have no one meaning."""
    moments = Moments(name)
    for value in values:
        moments.see(value)
    try:
        return moments.decide()
    except UndecidedError as error:
        raise fail(
            "E0630", f"`{shown}`: {error.message}", "use the publisher's file as it is"
        ) from None


def read_stamp(text: str) -> int | None:
    """`Thu Aug 17 15:15:28 -0700 2017`; the zone is honoured."""
    found = STAMP.fullmatch(text.strip())
    if found is None or (month := MONTHS.get(found[1].lower())) is None:
        return None
    hour, minute, second = int(found[3]), int(found[4]), int(found[5])
    behind = (int(found[7]) * 60 + int(found[8])) * (-60 if found[6] == "+" else 60)
    parts = (int(found[9]), month, int(found[2]), hour, minute, second)
    try:
        datetime(*parts)
    except ValueError:
        return None
    return (timegm(parts) + behind) * MICRO


@lru_cache(maxsize=65536)
def read_american(text: str) -> int | None:
    """`06 17, 2018`, the day padded or not."""
    found = AMERICAN.fullmatch(text.strip())
    if found is None:
        return None
    return read_meanings(f"{found[3]}-{int(found[1]):02d}-{int(found[2]):02d}").plain
