"""What `legoc table` and `legoc report` put side by side: systems of one data set, or a block of
them for each of several."""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from legoc.commands.chosen_runs import choose_folders, read_results


if TYPE_CHECKING:
    from legoc.experiments.absent import Absent
    from legoc.experiments.blocks import Block
    from legoc.experiments.listing import Entry
    from legoc.language import Spec
    from legoc.language.diagnosing.diagnostics import LegoError


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """blocks: the data sets with figures; names: all data sets, in order; absent: the cells without
    figures. One data set is told in its own words, where its rows keep their whole names."""

    blocks: "list[Block]"
    names: list[str]
    absent: "list[Absent]"

    @property
    def several(self) -> bool:
        return len(self.names) > 1


def chosen_blocks(arguments: Namespace) -> Blocks:
    """The systems of the runs that were named, by data set. Of one data set, points without a run
    are said, and a run whose groups were not kept is refused (E0595); of several both are cells
    that stay empty, but for a table of nothing else."""
    from legoc.experiments.absent import Absent, explain_absent
    from legoc.experiments.blocks import (
        Block,
        bare_name,
        join_sources,
        name_sources,
        source_of,
        split_blocks,
    )
    from legoc.experiments.listing import list_runs
    from legoc.experiments.systems import gather
    from legoc.language.diagnosing.diagnostics import LegoError

    chosen = choose_folders(arguments)
    results, lacking = read_results(chosen.folders, arguments)
    known = unread(lacking)
    specs = [*chosen.specs, *(result.spec for result in results), *(spec for spec, _ in known)]
    joined = join_sources(results)
    names = name_sources(specs, joined)

    def data_of(spec: "Spec") -> str:
        return names[joined.get(source_of(spec), source_of(spec))]

    if len(names) < 2 or not results or len(known) < len(lacking):
        chosen.warn(arguments.runs)
        if lacking:
            raise LegoError(*(each for error in lacking.values() for each in error.diagnostics))
        (name,) = names.values()
        return Blocks(blocks=[Block(data=name, systems=tuple(gather(results)))], names=[name],
                      absent=[])  # fmt: skip
    missing = [spec for own in chosen.missing.values() for spec in own]
    entries: list[Entry] = list_runs(Path(arguments.runs)) if missing else []
    absent = [explain_absent(spec, data_of(spec), entries) for spec in missing]
    for spec, error in known:
        name, why = bare_name(spec.name), why_unread(error)
        absent.append(Absent(name=name, data=data_of(spec), why=why))
    return Blocks(
        blocks=split_blocks(results, names, joined), names=list(names.values()),
        absent=in_order(absent, chosen.specs),
    )  # fmt: skip


def unread(lacking: "dict[Path, LegoError]") -> "Sequence[tuple[Spec, LegoError]]":
    """The specs of runs whose figures cannot be read; what is no run has none."""
    from legoc.experiments.folders import read_spec

    found = ((read_spec(folder), error) for folder, error in lacking.items())
    return [(spec, error) for spec, error in found if spec is not None]


def why_unread(error: "LegoError") -> str:
    found = error.diagnostics[0]
    return f"not measured ({found.help[0] if found.help else found.message})"


def in_order(absent: "list[Absent]", specs: "Sequence[Spec]") -> "list[Absent]":
    """The cells in the order of the points of the files; others behind."""
    from legoc.experiments.blocks import bare_name

    places = {bare_name(spec.name): place for place, spec in reversed([*enumerate(specs)])}
    return sorted(absent, key=lambda each: places.get(each.name, len(places)))
