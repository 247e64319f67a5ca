"""Runs by the data set they were measured on: each is a block, compared within itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from legoc.evaluation.contract import differences
from legoc.experiments.naming import chosen_on, without_axis, without_seed
from legoc.experiments.results import Result, verify_comparable
from legoc.experiments.systems import System, gather
from legoc.language.ir.notation import write_call
from legoc.language.ir.spec import Spec


@dataclass(frozen=True, kw_only=True)
class Block:
    """The systems of one data set, by names that do not name it again."""

    data: str
    systems: tuple[System, ...]


def bare_name(name: str) -> str:
    """A point's name without the axes of seeds and of data."""
    return without_axis(without_seed(name), "data")


def source_of(spec: Spec) -> str:
    """What a spec reads, as it is written: points of one source are of one data set."""
    return write_call("source", spec.data.source)


def join_sources(results: Sequence[Result]) -> dict[str, str]:
    """For each source the first one that has the same rows under the same contract, such as one
    that translates the items of another: their runs compare, so they are one data set."""
    firsts: dict[str, Result] = {}
    found: dict[str, str] = {}
    for result in results:
        own = source_of(result.spec)
        if own in found:
            continue
        found[own] = next((s for s, first in firsts.items() if is_comparable(first, result)), own)
        if found[own] == own:
            firsts[own] = result
    return found


def is_comparable(one: Result, other: Result) -> bool:
    same = not differences(one.about["contract"], other.about["contract"])
    return same and one.about["rows"] == other.about["rows"]


def name_sources(specs: Sequence[Spec], joined: Mapping[str, str]) -> dict[str, str]:
    """A name for each source that stands for itself: the one its points have for their data, else
    that of the source; the whole call where two would be called the same."""
    found: dict[str, str] = {}
    for spec in specs:
        source = source_of(spec)
        own = joined.get(source, source)
        if own not in found:
            found[own] = chosen_on(spec.name, "data") or spec.data.source.op
    names = list(found.values())
    return {
        source: name if names.count(name) == 1 else source for source, name in found.items()
    }  # fmt: skip


def split_blocks(
    results: Sequence[Result], names: Mapping[str, str], joined: Mapping[str, str]
) -> list[Block]:
    """A block for each data set that some result is of, in the order of `names`. Those of one set
    have to be comparable (E0596)."""
    found: dict[str, list[Result]] = {}
    for result in results:
        found.setdefault(joined[source_of(result.spec)], []).append(result)
    for own in found.values():
        verify_comparable(own)
    several = {source for other, source in joined.items() if other != source}
    return [
        # Where a block has several sources, its rows say which.
        Block(data=name, systems=tuple(
            gather(found[source], without_seed if source in several else bare_name)
        ))
        for source, name in names.items()
        if source in found
    ]  # fmt: skip
