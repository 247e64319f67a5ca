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

    groups: what rows are ranked within: impressions or (where a source has none) users; one_class:
    those that lack a click or a non-click, which grouped metrics leave out.
    cold, cold_rows: impressions whose history is empty, and their rows. new_items: the share of
    rows whose item no training impression or training history shows.
    """

    rows: int
    clicks: int
    impressions: int
    groups: int
    one_class: int
    cold: int
    cold_rows: int
    histories: int
    users: int
    new_items: float


@dataclass(frozen=True, kw_only=True)
class Report:
    """The counts of one data set, kept beside its tables and printed by `legoc data`.

    order: what times are, as in `Extracted`. clock: the unit of times that are numbers and count
    from a beginning of their own, not from 1970. group: what rows are ranked within, `impression`
    or `user`. candidates: what the non-clicks of valid and test are: `shown`, `rated`, `drawn`,
    `rated and drawn`, `none`, or `given` by whoever made the rows. warnings: what the user should
    change or know before training. generated: how many of the items, the last ones, a language
    model made up for short histories; they are no candidates. notation: how the raw files write
    attributes, by name, where it is no plain notation; new items may be written so too.
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
    order: str = "time"
    clock: str | None = None
    group: str = "impression"
    candidates: str = "shown"
    warnings: tuple[str, ...] = ()
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
        for name in ("notes", "warnings"):
            given[name] = tuple(given[name])
        return Report(**given)
