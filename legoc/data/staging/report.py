"""What a conversion counted: the size of each split, the coverage of each attribute, every loss."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Drop:
    """A kind of bad row. `policy` says what became of them, `examples` where the first ones are
    (`train/news.tsv:17: N999`). Rows that are right and left out by a rule, such as ratings in the
    middle, are counted without examples, and `--strict` lets them pass."""

    reason: str
    policy: str
    part: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Part:
    """One split in numbers.

    one_class: impressions (users, where a source has none) that lack a click or a non-click;
    grouped metrics leave them out.
    cold: impressions whose history is empty. new_items: the share of rows whose item no training
    impression or training history shows.
    """

    rows: int
    clicks: int
    impressions: int
    one_class: int
    cold: int
    histories: int
    users: int
    new_items: float


@dataclass(frozen=True, kw_only=True)
class Report:
    """The counts of one data set, kept beside its tables and printed by `legoc data`.

    generated: how many of the items, the last ones, a language model made up for short histories;
    they are no candidates. notation: how the raw files write attributes, by name, where it is no
    plain notation; new items may be written so too.
    """

    source: str
    licence: str
    items: int
    users: int
    histories: int
    empty_histories: int
    coverage: Mapping[str, float] = field(default_factory=dict[str, float])
    parts: Mapping[str, Part] = field(default_factory=dict[str, Part])
    drops: tuple[Drop, ...] = ()
    notes: tuple[str, ...] = ()
    generated: int = 0
    notation: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> "Report":
        given = dict(value)
        given["parts"] = {name: Part(**part) for name, part in given["parts"].items()}
        given["drops"] = tuple(
            Drop(**{**drop, "examples": tuple(drop["examples"])}) for drop in given["drops"]
        )
        given["notes"] = tuple(given["notes"])
        return Report(**given)
