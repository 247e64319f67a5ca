"""Runs by the data set they were measured on: each is a block, compared within itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


def name_sources(specs: Sequence[Spec]) -> dict[str, str]:
    """A name for each source: the one its points have for their data, else that of the source; the
    whole call where two would be called the same."""
    found: dict[str, str] = {}
    for spec in specs:
        own = chosen_on(spec.name, "data")
        source = source_of(spec)
        if source not in found:
            found[source] = own or spec.data.source.op
    names = list(found.values())
    return {
        source: name if names.count(name) == 1 else source for source, name in found.items()
    }  # fmt: skip


def split_blocks(results: Sequence[Result], names: Mapping[str, str]) -> list[Block]:
    """A block for each data set that some result is of, in the order of `names`. Those of one set
    have to be comparable (E0596)."""
    found: dict[str, list[Result]] = {}
    for result in results:
        found.setdefault(source_of(result.spec), []).append(result)
    for own in found.values():
        verify_comparable(own)
    return [
        Block(data=name, systems=tuple(gather(found[source], bare_name)))
        for source, name in names.items()
        if source in found
    ]
