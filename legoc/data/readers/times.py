"""Moments as publishers write them, as microseconds since 1970 UTC; None where nobody could tell.

A time without a zone is taken as UTC.
"""

import math
import re
from calendar import timegm
from datetime import UTC, date, datetime
from functools import lru_cache


MONTHS = {
    name: place
    for place, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
# Thu Aug 17 15:15:28 -0700 2017
STAMP = re.compile(r"\w{3} (\w{3}) (\d{1,2}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d) (\d{4})")
# 06 17, 2018 and 02 6, 2014
AMERICAN = re.compile(r"(\d{1,2}) (\d{1,2}), (\d{4})")
MICRO = 1_000_000
# The years a log may come from: a number is taken in the unit that puts it there.
LAST = timegm((2200, 1, 1, 0, 0, 0))


def read_epoch(value: float | str) -> int | None:
    """Seconds, milliseconds or microseconds since 1970; told apart by their size."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if not math.isfinite(number) or number < 0:
        return None
    for scale in (MICRO, 1000, 1):
        if number * scale <= LAST * MICRO:
            return round(number * scale)
    return None


def read_time(value: object) -> int | None:
    """An ISO date or time, or a number of `read_epoch`."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return read_epoch(value)
    if isinstance(value, datetime):
        return micros(value)
    if isinstance(value, date):
        return timegm(value.timetuple()) * MICRO
    text = str(value).strip()
    if text.lstrip("-").replace(".", "", 1).isdigit() and len(text) != 8:
        return read_epoch(text)
    return read_iso(text)


def read_iso(text: str) -> int | None:
    """`2012-01-03`, `2012-01-03 15:28:18`, `2009-05-04T23:08:57Z`."""
    if len(text) == 10:
        return read_day(text)
    try:
        return micros(datetime.fromisoformat(text))
    except ValueError:
        return None


@lru_cache(maxsize=65536)
def read_day(text: str) -> int | None:
    """A date alone; a log has few of them."""
    try:
        return timegm(date.fromisoformat(text).timetuple()) * MICRO
    except ValueError:
        return None


def read_stamp(text: str) -> int | None:
    """`Thu Aug 17 15:15:28 -0700 2017`; the zone is honoured."""
    found = STAMP.fullmatch(text.strip())
    if found is None or found[1] not in MONTHS:
        return None
    hour, minute, second = int(found[3]), int(found[4]), int(found[5])
    behind = (int(found[7]) * 60 + int(found[8])) * (-60 if found[6] == "+" else 60)
    try:
        datetime(int(found[9]), MONTHS[found[1]], int(found[2]), hour, minute, second)
    except ValueError:
        return None
    parts = (int(found[9]), MONTHS[found[1]], int(found[2]), hour, minute, second)
    return (timegm(parts) + behind) * MICRO


def read_american(text: str) -> int | None:
    """`06 17, 2018`, the day padded or not."""
    found = AMERICAN.fullmatch(text.strip())
    if found is None:
        return None
    return read_day(f"{found[3]}-{int(found[1]):02d}-{int(found[2]):02d}")


def micros(moment: datetime) -> int:
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return timegm(moment.timetuple()) * MICRO + moment.microsecond
