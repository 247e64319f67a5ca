"""A moment as callers give it: a datetime, a date, a text or a number, read as the times of a log.

One value alone has to say what it means, so a date that may have the month or the day first is
refused, and a number has the unit that makes it a time between 1990 and 2100.
"""

import numpy as np

from legoc_runtime.errors import RequestError
from legoc_runtime.ids import as_list, shown
from legoc_runtime.moments import Moments, UndecidedError


FORMS = "give a datetime, ISO text such as `2024-03-07 22:01:04`, or seconds since 1970"


def as_moment(value: object, what: str = "`when`") -> int:
    """Microseconds since 1970, UTC where nothing else is said. RequestError for what is no time."""
    moments = Moments("when")
    plain: object = value.item() if isinstance(value, np.generic) else value
    # NumPy's times are numbers of a unit of theirs.
    if isinstance(value, np.datetime64):
        plain = None if np.isnat(value) else int(value.astype("datetime64[us]").astype(np.int64))
        if plain is not None:
            return plain
    try:
        seen = moments.see(plain)
        found = moments.decide().read(seen) if moments.total else None
    except UndecidedError:
        found = None
    if found is None:
        raise RequestError(f"{what} is {shown(value)}, which is no time", FORMS)
    return found


def as_moments(value: object, count: int, what: str = "`when`") -> list[int]:
    """One moment for each of `count`: a list of as many, or one for all of them."""
    if not isinstance(value, list | tuple | np.ndarray) or np.ndim(value) == 0:
        return [as_moment(value, what)] * count
    given = as_list(value, what, FORMS)
    if len(given) != count:
        raise RequestError(
            f"{len(given)} moments for {count}", "give one for all of them, or one for each"
        )
    return [as_moment(each, f"one of {what}") for each in given]
