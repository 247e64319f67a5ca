"""`legoc report`: runs as one page, with tables, pictures and what follows from them."""

import sys
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from legoc.commands.chosen_runs import chosen_systems, is_file, takes_runs
from legoc.commands.console import choose
from legoc.commands.flags import Command, caches, compares
from legoc.commands.output import opened
from legoc.commands.table import chosen_published, put_beside, takes_published


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
    from legoc.experiments.asked_metrics import full_names
    from legoc.experiments.contrast import choose_metrics
    from legoc.experiments.reporting.material import gather_material
    from legoc.experiments.reporting.page import write_page
    from legoc.experiments.table import all_metrics

    progress = choose(arguments.quiet)
    beside = chosen_published(arguments)
    systems = chosen_systems(arguments)
    known = all_metrics(systems)
    wanted = full_names(arguments.metrics, known)
    if not set(wanted) <= set(known):
        choose_metrics(systems, wanted)
    with opened(arguments.output) as made:
        material = gather_material(
            systems, wanted or known, baselines=not arguments.no_baselines,
            cache=arguments.cache, progress=progress,
        )  # fmt: skip
        progress.say("drawing")
        material = replace(material, table=put_beside(material.table, beside))
        made.write_text(write_page(material, title_of(arguments)), encoding="utf-8")
    print(f"{arguments.output}: written", file=sys.stderr)
    return 0


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
