"""What a search looks through: the points of a space, and the choices that lead to one of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from legoc.language.resolving.points import Point, name_point
from legoc.language.resolving.settle import Ends, ends, settle


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What was chosen of one axis: an option of a set, as it is written, or a number of a range, in
    the unit that the range is written in."""

    key: str
    value: str | int | float
    of: tuple[str, ...] = ()
    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    whole: bool = False
    unit: str = ""

    @property
    def name(self) -> str:
        """Equal for what is chosen from the same. An axis within an option may have a namesake."""
        if self.of:
            return f"{self.key} in {{{', '.join(self.of)}}}"
        return f"{self.key} in {self.low}..{self.high}{self.unit}{' log' if self.log else ''}"

    @property
    def text(self) -> str:
        return str(self.value) if self.of else f"{self.value!r}{self.unit}"

    def to_json(self) -> dict[str, Any]:
        if self.of:
            return {"key": self.key, "value": self.value, "of": list(self.of)}
        return {
            "key": self.key, "value": self.value, "low": self.low, "high": self.high,
            "log": self.log, "whole": self.whole, "unit": self.unit,
        }  # fmt: skip

    @staticmethod
    def from_json(found: Mapping[str, Any]) -> "Choice":
        return Choice(**{**found, "of": tuple(found.get("of", ()))})


State = Literal["open", "trained", "hopeless", "failed", "no model"]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A proposal and what became of it. by_epoch: the monitor after each epoch; value: the best of
    it; cpu: seconds that training it has cost; why: what stood against it."""

    number: int
    name: str
    choices: tuple[Choice, ...]
    state: State = "open"
    value: float | None = None
    by_epoch: Mapping[int, float] | None = None
    cpu: float = 0.0
    folder: str = ""
    why: str = ""

    @property
    def epochs(self) -> int:
        return max(self.by_epoch or {0: 0.0})

    @property
    def asked(self) -> tuple[tuple[str, str | int | float], ...]:
        return tuple((choice.name, choice.value) for choice in self.choices)


@dataclass(frozen=True, kw_only=True)
class Space:
    """The points that differ only in what a search chooses. name: that of their run, with what its
    axes chose."""

    name: str
    points: tuple[Point, ...]

    @property
    def keys(self) -> list[str]:
        """The axes of the search, as they are met."""
        return list(dict.fromkeys(pick.key for point in self.points for pick in point.searched))


def spaces(points: Sequence[Point]) -> list[Space]:
    """The searches of a file: one for each choice of the axes that no search chooses. Points with
    nothing to search are none."""
    found: dict[tuple[object, ...], list[Point]] = {}
    names: dict[tuple[object, ...], str] = {}
    for point in points:
        if not point.searched:
            continue
        fixed = [pick for pick in point.picks if not pick.searched]
        base = point.name.removesuffix(name_point("", point.picks))
        key = (point.run.path, point.run.start, base, *((pick.key, pick.text) for pick in fixed))
        axes = ", ".join(f"{pick.key}={pick.text}" for pick in fixed if not pick.inside)
        names[key] = f"{base}[{axes}]" if axes else base
        found.setdefault(key, []).append(point)
    return [Space(name=names[key], points=tuple(each)) for key, each in found.items()]


class Chooser(Protocol):
    """Chooses an option of a set, or a number of a range."""

    def option(self, key: str, of: tuple[str, ...]) -> Choice: ...

    def number(self, key: str, told: Ends) -> Choice: ...


class Given:
    """Chooses again what was chosen."""

    def __init__(self, choices: Sequence[Choice]) -> None:
        self.left = list(choices)

    def option(self, key: str, of: tuple[str, ...]) -> Choice:
        choice = self.left.pop(0)
        assert choice.key == key
        return Choice(key=key, value=choice.value, of=of)

    def number(self, key: str, told: Ends) -> Choice:
        choice = self.left.pop(0)
        assert choice.key == key
        assert not isinstance(choice.value, str)
        return number_of(key, told, choice.value)


def number_of(key: str, told: Ends, value: int | float) -> Choice:
    return Choice(
        key=key, value=value, low=told.low, high=told.high, log=told.log, whole=told.whole,
        unit=told.unit,
    )  # fmt: skip


def walk(space: Space, chooser: Chooser) -> tuple[tuple[Choice, ...], Point]:
    """Choices axis by axis, in the order in which they are met, and the point they make."""
    left = list(space.points)
    choices: list[Choice] = []
    values: dict[str, int | float] = {}
    place = 0
    while place < len(left[0].searched):
        pick = left[0].searched[place]
        if pick.range is not None:
            choice = chooser.number(pick.key, ends(pick.range))
            assert not isinstance(choice.value, str)
            values[pick.key] = choice.value
        else:
            of = tuple(dict.fromkeys(point.searched[place].text for point in left))
            choice = chooser.option(pick.key, of)
            left = [point for point in left if point.searched[place].text == choice.value]
        choices.append(choice)
        place += 1
    return tuple(choices), settle(left[0], values)


def settled(space: Space, choices: Sequence[Choice]) -> Point:
    """The point that some choices make."""
    return walk(space, Given(choices))[1]


def size(space: Space) -> int | None:
    """How many different proposals there are; None where there are numbers without end."""
    total = 0
    for point in space.points:
        ways = 1
        for found in point.ranges:
            told = ends(found)
            if not told.whole:
                return None
            ways *= int(told.high) - int(told.low) + 1
        total += ways
    return total


def every(space: Space) -> Iterator[tuple[Choice, ...]]:
    """All proposals of a space that has an end."""

    def beyond(left: list[Point], place: int) -> Iterator[tuple[Choice, ...]]:
        if place == len(left[0].searched):
            yield ()
            return
        pick = left[0].searched[place]
        if pick.range is not None:
            told = ends(pick.range)
            for value in range(int(told.low), int(told.high) + 1):
                for rest in beyond(left, place + 1):
                    yield (number_of(pick.key, told, value), *rest)
            return
        of = tuple(dict.fromkeys(point.searched[place].text for point in left))
        for option in of:
            chosen = [point for point in left if point.searched[place].text == option]
            for rest in beyond(chosen, place + 1):
                yield (Choice(key=pick.key, value=option, of=of), *rest)

    yield from beyond(list(space.points), 0)
