"""`legoc data`: prepared data with its counts, distributions and warnings."""

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.commands.console import choose
from legoc.commands.flags import Command, caches, prints_json, takes_file, verifies
from legoc.commands.output import write_whole
from legoc.commands.points import points, work_through
from legoc.commands.printing import console, memory, print_json, show_warnings, table


if TYPE_CHECKING:
    from legoc.data.indexing.tables import Tables
    from legoc.data.staging.report import Report
    from legoc.data.survey.portrait import Histogram, Portrait

    Section = tuple[str, Report, Portrait]

# How many bars of a text chart stand for the largest count.
BARS = " ▁▂▃▄▅▆▇█"


def data_flags(parser: ArgumentParser) -> None:
    takes_file(parser)
    parser.add_argument("--page", metavar="FILE", help="write it with charts as an HTML page, too")
    parser.add_argument(
        "--recbench", metavar="FOLDER",
        help="also write items, users, rows and the order of users in the files of RecBench",
    )  # fmt: skip
    caches(parser)
    verifies(parser)
    prints_json(parser)


def run_data(arguments: Namespace) -> int:
    from legoc.data import prepare
    from legoc.data.survey.portrait import draw_portrait, facets
    from legoc.language.ir.notation import write_call

    progress = choose(arguments.quiet)
    seen: set[str] = set()
    found: dict[str, tuple[str, Tables]] = {}
    if arguments.recbench is not None:
        verify_free(arguments.recbench)
    sections: list[Section] = []

    def survey(spec: Any) -> None:
        prepared = prepare(
            spec,
            cache=arguments.cache,
            strict=arguments.strict,
            truncated=arguments.keep_truncated,
            progress=progress,
        )
        found.setdefault(prepared.tables.digest, (spec.data.source.op, prepared.tables))
        if (told := facets(spec, prepared)) <= seen:
            return
        seen.update(told)
        portrait = draw_portrait(spec, prepared)
        sections.append((write_call("source", spec.data.source), prepared.report, portrait))
        if not arguments.json:
            show_prepared(spec, prepared)
            show_portrait(portrait)

    work_through(points(arguments), survey)
    if arguments.json:
        print_json(
            [
                {**report.to_json(), "portrait": portrait.to_json()}
                for _, report, portrait in sections
            ]
        )
    if arguments.page is not None:
        write_page(arguments.page, sections)
        progress.say(f"the same with charts: {arguments.page}")
    if arguments.recbench is not None:
        export_recbench(list(found.values()), arguments.recbench)
    return 0


def verify_free(folder: str) -> None:
    """E0905 for a folder that is there, before anything is read."""
    from legoc.language.diagnosing.diagnostics import fail

    if os.path.lexists(folder):
        raise fail(
            "E0905", f"`{folder}` is there already", "choose another name, or remove it first"
        )


def export_recbench(found: "Sequence[tuple[str, Tables]]", folder: str) -> None:
    """Write one data set as RecBench keeps it; the folder appears whole or not at all."""
    from legoc.commands.output import unwritten
    from legoc.data.sources.recbench_folder import write_folder
    from legoc.language.diagnosing.diagnostics import fail
    from legoc.writing import replacing_folder

    if len(found) > 1:
        names = ", ".join(source for source, _ in found)
        raise fail(
            "E0546",
            f"`--recbench` writes one data set, and these points read {len(found)}: {names}",
            "choose one, such as `--only data=NAME`",
        )
    ((source, tables),) = found
    try:
        with replacing_folder(Path(folder)) as made:
            written = write_folder(tables, source, made)
    except OSError as error:
        raise unwritten(folder, error) from None
    rows = ", ".join(f"{count:,} rows in {name}" for name, count in written.rows.items())
    print(
        f"{folder}: written, {rows}, {written.users:,} users ({written.valid:,} valid), "
        f"{written.items:,} items",
        file=sys.stderr,
    )


def show_prepared(spec: Any, prepared: Any) -> None:
    """Counts, coverage and losses of a prepared data set."""
    from legoc.language.ir.notation import write_call

    report = prepared.report
    out = console()
    source = write_call("source", spec.data.source)
    out.print(
        f"{source}: {report.items:,} items, {report.users:,} users, {report.histories:,} histories "
        f"({report.empty_histories:,} empty)"
    )
    out.print(
        table(
            "splits",
            ("split", "impressions", "rows", "clicks", "users", "cold", "cold rows", "one class",
             "new items"),
            (
                (name, f"{p.impressions:,}", f"{p.rows:,}", f"{p.clicks:,}", f"{p.users:,}",
                 f"{p.cold:,}", f"{p.cold_rows / p.rows:.1%}", f"{p.one_class:,}",
                 f"{p.new_items:.1%}")
                for name, p in report.parts.items()
            ),
        )
    )  # fmt: skip
    if report.coverage:
        filled = ", ".join(f"{name} {share:.1%}" for name, share in report.coverage.items())
        out.print(f"items with a value: {filled}")
    if report.drops:
        out.print(
            table(
                "what is not as it should be",
                ("what", "where", "how many", "what became of it"),
                ((d.reason, d.part, f"{d.count:,}", d.policy) for d in report.drops),
            )
        )
        for drop in report.drops:
            if drop.examples:
                out.print(f"  {drop.reason}: {'; '.join(drop.examples)}", style="dim")
    else:
        out.print("nothing was dropped")
    for note in report.notes:
        out.print(f"note: {note}")
    if report.licence:
        out.print(f"licence: {report.licence}")


def show_portrait(portrait: "Portrait") -> None:
    """The distributions as one line each, then what looks wrong."""
    out = console()
    rows = [
        (name, bars(h), f"{h.median:g}", f"{h.mean:.1f}", f"{h.largest:,}",
         f"{portrait.longer[name]:.1%}")
        for name, h in portrait.histories.items()
    ]  # fmt: skip
    columns = ("clicks before", "0, 1, 2–3, 4–7 ...", "median", "mean", "most", "cut")
    out.print(table("histories", columns, rows))
    popular = portrait.popularity
    tops = ", ".join(f"the top {k} have {share:.1%}" for k, share in portrait.top.items())
    out.print(
        f"clicks of an item in train: {bars(popular)}  median {popular.median:g}, "
        f"most {popular.largest:,}; {tops}"
    )
    if portrait.lengths:
        measured = (
            (n.name, f"{n.limit}", f"{n.median:g}", f"{n.most:,}", f"{n.cut:.1%}")
            for n in portrait.lengths
        )
        out.print(table("tokens", ("attribute", "limit", "median", "most", "cut"), measured))
    if portrait.words:
        known = (
            (name, f"{k.items:,}", f"{k.unknown:.1%}", f"{k.silent:.1%}")
            for name, k in portrait.words.items()
        )
        columns = ("part", "items with text", "unknown tokens", "items with no known token")
        out.print(table("words", columns, known))
    if portrait.context:
        numbers = (
            (part, n.name, f"{n.mean:.4g}", f"{n.zero:.1%}")
            for part, found in portrait.context.items()
            for n in found
        )
        columns = ("part", "number", "mean", "rows where it is 0")
        out.print(table("context: what is known of an item at the moment", columns, numbers))
        out.print(f"the counters hold {memory(portrait.counters)}")
    if portrait.vectors is not None:
        words, spoken = portrait.vectors
        out.print(f"word vectors: {words:.1%} of the vocabulary, {spoken:.1%} of the written words")
    show_warnings(portrait.warnings)


def bars(histogram: "Histogram") -> str:
    """The counts as blocks; a range that holds anything shows at least the lowest."""
    most = max(histogram.counts, default=0) or 1
    steps = len(BARS) - 1
    return "".join(BARS[-(-n * steps // most)] for n in histogram.counts)


def write_page(path: str, sections: "Sequence[Section]") -> None:
    """Write the page, whole or not at all. E0642 where that is not possible."""
    from legoc.data.survey.page import render_page
    from legoc.language.diagnosing.diagnostics import fail

    try:
        write_whole(path, render_page(sections))
    except OSError as error:
        raise fail(
            "E0642",
            f"`{path}` cannot be written ({error.strerror or error})",
            f"name a file in a folder that exists, such as `{Path(path).name or 'data.html'}`",
        ) from None


COMMANDS = {"data": Command(data_flags, run_data)}
