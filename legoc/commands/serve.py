"""`legoc score` and `legoc recommend`: histories in, scores or the best items out."""

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from legoc.commands.bundles import bundle_of
from legoc.commands.flags import Command, spreads


if TYPE_CHECKING:
    from legoc.commands.replies import Asked, Tally
    from legoc_runtime import Model


def score_flags(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="BUNDLE|RUN")
    records(parser, '{"history": ["N1"], "candidates": ["N5"]}')


def run_score(arguments: Namespace) -> int:
    """Score `candidates` for each record; the answer's `scores` are in their order. A candidate the
    bundle does not know is an error: it cannot be ranked with the others."""
    from legoc.commands.replies import Asked

    return serve(arguments, Asked(when=arguments.when))


def recommend_flags(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="BUNDLE|RUN")
    records(parser, '{"history": ["N1", "N2"]}')
    parser.add_argument("-k", type=int, default=10, help="items per user (default: 10)")
    parser.add_argument(
        "--keep-clicked", action="store_true", help="items of the history may return"
    )
    parser.add_argument(
        "--approximate", action="store_true",
        help="search the index of the bundle, which `legoc index` makes, instead of all items",
    )  # fmt: skip


def run_recommend(arguments: Namespace) -> int:
    """The `k` best items for each record, clicked ones left out unless `keep_clicked`."""
    from legoc.commands.replies import Asked
    from legoc.language.diagnosing.diagnostics import fail

    if arguments.k < 1:
        raise fail("E0861", f"`-k {arguments.k}` asks for no items", "give a number of at least 1")

    asked = Asked(
        k=arguments.k, keep_clicked=arguments.keep_clicked, approximate=arguments.approximate,
        when=arguments.when,
    )  # fmt: skip
    return serve(arguments, asked)


def records(parser: ArgumentParser, example: str) -> None:
    parser.add_argument(
        "input", nargs="?", default="-",
        help=f"records such as {example}, as .jsonl, .csv, .tsv or .parquet; - reads JSON lines",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", default="-", help="where the answers go, by the same endings"
    )
    parser.add_argument(
        "--when", metavar="TIME",
        help="the moment, for models with a `context`, of records without `when` or `time`; the "
        "last one the bundle knows unless given",
    )  # fmt: skip
    parser.add_argument(
        "--keep-going", action="store_true",
        help="answer a record that is not right with `error` and go on; exit 1 at the end",
    )  # fmt: skip
    spreads(parser)


def serve(arguments: Namespace, asked: "Asked") -> int:
    """Answer every record. One that is not right ends the command, or with `--keep-going` is
    answered by what is wrong with it; then the exit code is 1."""
    from legoc.commands.asked import verify_source

    verify_source(arguments.input)
    if arguments.engine == "ray":
        from legoc.commands.spreading import spread_answers

        tally = spread_answers(arguments, asked)
    else:
        from legoc.commands.parts import verify_alone

        verify_alone(arguments)
        tally = answer_here(arguments, asked)
    if tally.unknown:
        print(
            f"{tally.unknown:,} of {tally.clicks:,} clicks name items this bundle does not know; "
            "they were left out",
            file=sys.stderr,
        )
    if tally.wrong:
        print(f"{tally.wrong:,} of {tally.asked:,} records could not be answered", file=sys.stderr)
    return 1 if tally.wrong else 0


def answer_here(arguments: Namespace, asked: "Asked") -> "Tally":
    """Load a bundle and answer every record in this process."""
    import legoc_runtime
    from legoc.commands.answers import answers_to
    from legoc.commands.asked import read_blocks
    from legoc.commands.replies import Tally, answer_block, verify_asked

    tally = Tally()
    with answers_to(arguments.output) as give:
        model: Model = legoc_runtime.load(bundle_of(arguments.folder))
        verify_asked(model, asked)
        for block in read_blocks(arguments.input, asked.needs):
            given, stop = answer_block(model, block, asked, tally, keep_going=arguments.keep_going)
            give(given)
            if stop is not None:
                raise stop
    return tally


COMMANDS = {
    "score": Command(score_flags, run_score),
    "recommend": Command(recommend_flags, run_recommend),
}
