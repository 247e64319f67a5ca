"""A moment as callers give it: a datetime, a date, a text or a number, read as the times of a log.

One value alone has to say what it means, so a date that may have the month or the day first is
refused, and a number has the unit that makes it a time between 1990 and 2100. A log that counts
from a beginning of its own knows no calendar: its moments are numbers of its unit.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from legoc_runtime.dates import MICRO, Meanings, read_meanings
from legoc_runtime.errors import RequestError
from legoc_runtime.ids import as_list, shown
from legoc_runtime.moments import ALL, UNITS, Moments, UndecidedError, Unit


FORMS = (
    "give a datetime, ISO text such as `2024-03-07 22:01:04`, or a number that is a time between "
    "1990 and 2100, such as seconds since 1970"
)

# What NumPy counts more finely than in microseconds.
FINER = ("ns", "ps", "fs", "as")


def as_moment(value: object, what: str = "`when`", unit: Unit | None = None) -> int:
    """Microseconds since 1970, UTC where nothing else is said; with the `unit` of a log that counts
    from a beginning of its own, since that. RequestError for what is no time."""
    # NumPy's times are numbers of a unit of theirs.
    if isinstance(value, np.datetime64) and unit is None:
        counted = count_micros(value)
        if counted is None:
            raise RequestError(f"{what} is {shown(value)}, which is no time", FORMS)
        return counted
    plain: object = value.item() if isinstance(value, np.generic) else value
    if unit is not None:
        dated = isinstance(value, np.datetime64)
        return count_moment(Meanings() if dated else read_meanings(plain), value, what, unit)
    moments = Moments("when")
    try:
        seen = moments.see(plain)
        found = moments.decide().read(seen) if moments.total else None
    except UndecidedError:
        found = None
    # In a column such a number would count from a beginning of its own. Alone it has no unit.
    unclear = moments.numbers > moments.figures and not any(moments.modern.values())
    if found is None or unclear:
        raise RequestError(f"{what} is {shown(value)}, which is no time", FORMS)
    return found


def count_micros(value: np.datetime64) -> int | None:
    """Of a time of NumPy; None where it is none, or so far away that NumPy would wrap around."""
    if np.isnat(value):
        return None
    micros = value.astype("datetime64[us]")
    finer = np.datetime_data(value.dtype)[0] in FINER
    return int(micros.astype(np.int64)) if finer or micros.astype(value.dtype) == value else None


def count_moment(seen: Meanings, value: object, what: str, unit: Unit) -> int:
    """A number of units since the beginning of a log."""
    scale = UNITS[unit]
    if seen.number is None or not ALL[0] * scale <= seen.number <= ALL[1] * scale:
        raise RequestError(
            f"{what} is {shown(value)}, and the times of this model are numbers of {unit} from a "
            "beginning of their own",
            f"give a number of {unit} as the log of its training has them",
        )
    return round(seen.number * MICRO / scale)


def is_several(value: object) -> bool:
    """Whether a value gives moments one after the other, as a list does."""
    if isinstance(value, str | bytes | bytearray | Mapping | np.generic):
        return False
    # An array of no axes, of whatever library, can be asked for an iterator and has none.
    return getattr(value, "ndim", 1) > 0 and isinstance(value, Iterable)


def as_moments(
    value: object, count: int, what: str = "`when`", unit: Unit | None = None
) -> list[int]:
    """One moment for each of `count`: a list of as many, or one for all of them."""
    if not is_several(value):
        return [as_moment(value, what, unit)] * count
    given = as_list(value, what, FORMS)
    if len(given) != count:
        raise RequestError(
            f"{len(given)} moments for {count}", "give one for all of them, or one for each"
        )
    return [as_moment(each, f"one of {what}", unit) for each in given]
