"""`legoc report`: runs as one page, with tables, pictures and what follows from them."""

import sys
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from legoc.commands.boards import chosen_blocks
from legoc.commands.chosen_runs import is_file, takes_runs
from legoc.commands.console import choose
from legoc.commands.flags import Command, caches, compares
from legoc.commands.output import opened
from legoc.commands.table import (
    board_of,
    chosen_published,
    put_beside,
    show_latency,
    takes_published,
    wanted_metrics,
)


if TYPE_CHECKING:
    from collections.abc import Sequence

    from legoc.experiments.blocks import Block
    from legoc.experiments.published import Published
    from legoc.experiments.reporting.material import Material
    from legoc.progress import Progress


# The packages of the extra `report`, as they are imported.
DRAWING = ("altair", "vl_convert", "narwhals")


def report_flags(parser: ArgumentParser) -> None:
    takes_runs(parser)
    parser.add_argument(
        "-o", "--output", metavar="FILE", default="report.html",
        help="where the page goes (default: report.html)",
    )  # fmt: skip
    compares(parser)
    takes_published(parser)
    caches(parser)


def run_report(arguments: Namespace) -> int:
    verify_installed()
    from legoc.experiments.reporting.boards import write_board_page
    from legoc.experiments.reporting.page import write_page

    progress = choose(arguments.quiet)
    beside = chosen_published(arguments)
    chosen = chosen_blocks(arguments)
    wanted = wanted_metrics(arguments, chosen)
    with opened(arguments.output) as made:
        parts = [
            (each.data, gather_block(each, wanted, beside, arguments, progress))
            for each in chosen.blocks
        ]
        progress.say("drawing")
        title = title_of(arguments)
        if chosen.several:
            board = board_of(chosen, [(data, part.table) for data, part in parts], beside)
            page = write_board_page(board, parts, title)
        else:
            page = write_page(parts[0][1], title)
        made.write_text(page, encoding="utf-8")
    print(f"{arguments.output}: written", file=sys.stderr)
    return 0


def gather_block(
    block: "Block", metrics: "Sequence[str]", beside: "Published | None", arguments: Namespace,
    progress: "Progress",
) -> "Material":  # fmt: skip
    """What the page tells of one data set: the table has published figures and latencies beside."""
    from legoc.experiments.reporting.material import gather_material
    from legoc.experiments.table import all_metrics

    known = all_metrics(block.systems)
    material = gather_material(
        block.systems, [metric for metric in metrics if metric in known],
        baselines=not arguments.no_baselines, cache=arguments.cache, progress=progress,
    )  # fmt: skip
    table = put_beside(material.table, beside, block.data)
    return replace(material, table=show_latency(table, block.systems))


def verify_installed() -> None:
    """E0589 where the packages that draw are not there, before anything is read."""
    from legoc.language.diagnosing.diagnostics import fail

    try:
        import altair  # noqa: F401
        import vl_convert  # noqa: F401
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in DRAWING:
            raise
        raise fail(
            "E0589",
            f"the pictures of the page need {error.name}, which is not installed",
            "install it: pip install 'legoc[report]'",
        ) from None


def title_of(arguments: Namespace) -> str:
    """What the page is of: files and runs without the folders they lie in."""
    words = [
        Path(word).name if is_file(word) or Path(word).exists() else word
        for word in arguments.runs_or_file
    ]
    return f"Runs of {', '.join(words)}"


COMMANDS = {"report": Command(report_flags, run_report)}
