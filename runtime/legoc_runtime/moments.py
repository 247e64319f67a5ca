"""What the times of a column mean: one unit and one order of day and month for all of them.

Each value alone may mean several moments; the column is read once, its values are counted, and then
`decide` says which meaning all of them have. The standard library only.
"""

import math
from calendar import timegm
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from legoc_runtime.dates import FIRST, MICRO, Meanings, read_meanings, written
from legoc_runtime.values import NOTHING, plain


Unit: TypeAlias = Literal["seconds", "milliseconds", "microseconds", "nanoseconds"]

# Units of each in a second.
UNITS: dict[Unit, int] = {
    "seconds": 1, "milliseconds": 1000, "microseconds": MICRO, "nanoseconds": 1000 * MICRO,
}  # fmt: skip
# The years that say which unit a number has, and those a readable time lies in. In seconds.
MODERN = (timegm((1990, 1, 1, 0, 0, 0)), timegm((2100, 1, 1, 0, 0, 0)))
KNOWN = (timegm((1971, 1, 1, 0, 0, 0)), timegm((2200, 1, 1, 0, 0, 0)))
# Those that a calendar knows, for a unit that the user names.
ALL = (timegm((1, 1, 2, 0, 0, 0)), timegm((9999, 12, 30, 0, 0, 0)))
# The share of values that may be slips; with more of them a column has no one meaning.
SLIPS = 0.01
# The share of values that may be no time at all.
UNREAD = 0.1
EXAMPLES = 3
FORMS = (
    "ISO (`2024-03-07 22:01:04`), `2024/03/07`, `03/07/2024 10:01:04 PM`, `7 Mar 2024`, or numbers "
    "(seconds to nanoseconds since 1970, `20240307`)"
)


def is_lost(unread: int, total: int) -> bool:
    """Whether so many values of a column cannot be read that it is no slip of a few."""
    return unread > UNREAD * total and (unread > 1 or total == 1)


class UndecidedError(ValueError):
    """The values have no one meaning. `message` shows three of them, `help` says what to type."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What all numbers and all ambiguous dates of a column mean.

    unit: of the numbers; None where they are dates in figures, or there are none. first, last: of
    the numbers that can be read. order: what stands first in a date. own: whether the numbers
    count from a beginning of their own and not from 1970. told: what was found out.
    """

    unit: Unit | None
    first: float
    last: float
    order: Literal["month", "day"]
    own: bool = False
    told: str = ""

    def read(self, meanings: Meanings) -> int | None:
        """The moment of one value, None where it cannot be read."""
        if meanings.plain is not None:
            return meanings.plain
        if meanings.number is not None:
            if self.unit is None:
                return meanings.figures
            if not self.first <= meanings.number <= self.last:
                return None
            return round(meanings.number * MICRO / UNITS[self.unit])
        return meanings.month if self.order == "month" else meanings.day


class Moments:
    """The times of one column, counted one by one; `decide` tells what they mean."""

    def __init__(self, name: str, *, unit: Unit | None = None, form: str | None = None) -> None:
        self.name = name
        self.unit: Unit | None = unit
        self.form = form
        self.total = self.numbers = self.figures = self.idle = self.unread = 0
        self.least, self.most = math.inf, -math.inf
        self.modern: dict[Unit, int] = dict.fromkeys(UNITS, 0)
        self.dates = self.month = self.day = self.same = 0
        self.examples: dict[str, list[str]] = {}

    def see(self, value: object) -> Meanings:
        """Count one value; what it may mean."""
        found = read_meanings(value, self.form)
        number = found.number
        if number is not None:
            self.total += 1
            self.numbers += 1
            self.figures += found.figures is not None
            self.idle += number <= 0
            self.least, self.most = min(self.least, number), max(self.most, number)
            for unit, each in UNITS.items():
                if MODERN[0] <= number / each < MODERN[1]:
                    self.modern[unit] += 1
                    self.show(unit, value)
            self.show("idle" if number < 0 else "number", value)
        elif found.month is not None or found.day is not None:
            self.total += 1
            self.dates += 1
            self.month += found.month is not None
            self.day += found.day is not None
            self.same += found.month == found.day
            self.show("date", value)
        elif found.plain is not None:
            self.total += 1
        elif written(plain(self.name, value)).lower() not in NOTHING:
            self.total += 1
            self.unread += 1
            self.show("unread", value)
        return found

    def show(self, kind: str, value: object) -> None:
        shown = self.examples.setdefault(kind, [])
        if len(shown) < EXAMPLES and (text := f"`{written(value)[:40]}`") not in shown:
            shown.append(text)

    def shown(self, *kinds: str) -> str:
        """Three values of these kinds, taken in turn."""
        lists = [self.examples.get(kind, []) for kind in kinds]
        turns = [each[n] for n in range(EXAMPLES) for each in lists if n < len(each)]
        return ", ".join(dict.fromkeys(turns[:EXAMPLES]))

    def decide(self) -> Rule:
        """The one meaning of all values but a few. Raises UndecidedError where there is none."""
        if is_lost(self.unread, self.total):
            wrong = f"{self.unread:,} of {self.total:,} values"
            raise UndecidedError(
                f"{wrong} of `{self.name}` are no time that can be read: {self.shown('unread')}",
                f'write {FORMS}, or say the form, such as `time_format="%d.%m.%Y %H:%M"`',
            )
        unit, first, last, told = self.decide_unit()
        # A slip among dates is no clock.
        own = unit is not None and 2 * self.numbers > self.total and self.is_own(unit)
        order = self.decide_order()
        if self.dates > self.same:
            told = "; ".join(part for part in (told, f"dates read {order} first") if part)
        return Rule(unit=unit, first=first, last=last, order=order, own=own, told=told)

    def is_own(self, unit: Unit) -> bool:
        """Whether most numbers are no time between 1990 and 2100."""
        return 2 * self.modern[unit] < self.numbers - self.idle

    def decide_unit(self) -> tuple[Unit | None, float, float, str]:
        if not self.numbers:
            return None, 0, 0, ""
        if self.unit is not None:
            scale = UNITS[self.unit]
            return self.unit, ALL[0] * scale, ALL[1] * scale, ""
        if self.figures >= (1 - SLIPS) * self.numbers:
            return None, 0, 0, "times read as dates in figures, such as 20240307"
        # Zero says that a time is not known, or that a log begins: it has no unit.
        positive = self.numbers - self.idle
        many: list[Unit] = [unit for unit, n in self.modern.items() if n >= SLIPS * positive and n]
        if len(many) == 1 and self.modern[many[0]] >= (1 - SLIPS) * positive:
            scale = UNITS[many[0]]
            told = f"times read as {many[0]} since 1970"
            return many[0], KNOWN[0] * scale, KNOWN[1] * scale, told
        fits: list[Unit] = [unit for unit, scale in UNITS.items() if self.most <= KNOWN[1] * scale]
        if len(many) < 2 and fits and self.least >= 0:
            # They count from a beginning of their own: the coarsest unit that holds them all.
            told = f"times read as {fits[0]}, counted from a beginning of their own"
            return fits[0], 0, KNOWN[1] * UNITS[fits[0]], told
        raise UndecidedError(
            f"the numbers of `{self.name}` have no one unit: "
            f"{self.shown(*many) if len(many) > 1 else self.shown('idle', 'number')}",
            'name it: `time_unit="seconds"`, or milliseconds, microseconds, nanoseconds',
        )

    def decide_order(self) -> Literal["month", "day"]:
        if self.form in FIRST:
            return "month" if self.form == "month first" else "day"
        if not self.dates or self.same == self.dates:
            return "month"
        enough = (1 - SLIPS) * self.dates
        month, day = self.month >= enough, self.day >= enough
        if month != day:
            return "month" if month else "day"
        if month and day and self.month != self.day:
            # All but a few fit both: the few tell.
            return "month" if self.month > self.day else "day"
        raise UndecidedError(
            f"the dates of `{self.name}` may have the month or the day first: {self.shown('date')}",
            'say which: `time_format="month first"` or `time_format="day first"`',
        )


def read_column(values: Sequence[object], name: str = "time") -> tuple[list[int | None], Rule]:
    """The moments of a whole column at once."""
    moments = Moments(name)
    seen = [moments.see(value) for value in values]
    rule = moments.decide()
    return [rule.read(each) for each in seen], rule
