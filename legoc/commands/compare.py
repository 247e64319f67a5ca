"""`legoc compare`: which differences between runs are real."""

import math
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from legoc.commands.chosen_runs import chosen_systems, takes_runs
from legoc.commands.flags import Command, prints_json
from legoc.commands.printing import console, print_json, show_warnings, table


if TYPE_CHECKING:
    from legoc.experiments.contrast import Contrast
    from legoc.experiments.systems import System


def compare_flags(parser: ArgumentParser) -> None:
    takes_runs(parser)
    prints_json(parser)


def run_compare(arguments: Namespace) -> int:
    from legoc.experiments.contrast import choose_metrics, contrast, doubts, every_pair
    from legoc.experiments.doubted import doubt_lines, find_doubted
    from legoc.language.diagnosing.diagnostics import fail

    systems = chosen_systems(arguments)
    if len(systems) < 2:
        count = len(systems[0].results)
        raise fail(
            "E0597",
            f"{count} runs of one system are repetitions, and nothing to compare"
            if count > 1
            else "one run is nothing to compare",
            "name a run of another model or recipe too; `legoc table` shows mean and deviation",
        )
    metrics = choose_metrics(systems, arguments.metrics)
    found = contrast(systems, every_pair(systems, metrics))
    part = systems[0].results[0].about["contract"]["part"]
    doubted = find_doubted(systems, part, metrics)
    warnings = [*doubts(systems, found[0].clusters), *(line[2:] for line in doubt_lines(doubted))]
    if arguments.json:
        print_json({"comparisons": [each.to_json() for each in found], "warnings": warnings})
    else:
        show_contrasts(found, systems, warnings)
    return 0


def show_contrasts(
    found: "Sequence[Contrast]", systems: "Sequence[System]", warnings: Sequence[str]
) -> None:
    """A line per comparison, the sentences that follow from them, and what they rest on."""
    out = console()
    rows = [
        (
            each.metric, each.one, number(each.figures[0]), each.other, number(each.figures[1]),
            signed(each.difference), f"{signed(each.low)} to {signed(each.high)}",
            f"{each.p:.4f}", f"{each.adjusted:.4f}", "yes" if each.real else "no",
        )
        for each in found
    ]  # fmt: skip
    columns = (
        "metric", "one", "", "other", "", "difference", "95 % interval", "p", "p (Holm)", "real",
    )  # fmt: skip
    about = systems[0].results[0]
    part, group = about.about["contract"]["part"], about.about["contract"]["group"]
    out.print(table(f"paired comparison on {part}", columns, rows))
    for each in found:
        out.print(f"{each.metric}: {each.verdict()}")
    first = found[0]
    many = "comparison" if len(found) == 1 else "comparisons"
    out.print(
        f"\n{about.groups:,} {group}s of {first.clusters:,} users; intervals by bootstrap over "
        f"users, p by permutation, corrected over {len(found)} {many}",
        style="dim",
    )
    show_warnings(warnings)


def number(figure: float) -> str:
    from legoc.evaluation.report import format_value

    return format_value(figure)


def signed(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:+.4f}"


COMMANDS = {"compare": Command(compare_flags, run_compare)}
