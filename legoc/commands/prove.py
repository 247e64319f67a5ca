"""`legoc prove`: every legal point of a file, built, trained, exported and compared."""

from argparse import ArgumentParser, Namespace

from legoc.commands.console import choose
from legoc.commands.flags import Command, at_least, caches, prints_json, takes_file


def prove_flags(parser: ArgumentParser) -> None:
    takes_file(parser)
    caches(parser)
    parser.add_argument(
        "--jobs", type=at_least(1), default=1, metavar="N",
        help="processes side by side (default: 1)",
    )  # fmt: skip
    parser.add_argument(
        "--out", metavar="FOLDER", help="records, matrix.json and matrix.html (default: prove-FILE)"
    )
    prints_json(parser)


def run_prove(arguments: Namespace) -> int:
    from pathlib import Path

    from legoc.commands.printing import print_json
    from legoc.proving import prove, text

    proven = prove(
        arguments.file, out=arguments.out or f"prove-{Path(arguments.file).stem}",
        jobs=arguments.jobs, overrides=arguments.overrides, only=arguments.only,
        cache=arguments.cache, progress=choose(arguments.quiet),
    )  # fmt: skip
    if arguments.json:
        print_json(proven.matrix.to_json())
    else:
        print(text(proven.matrix))
        print(f"\n{proven.folder / 'matrix.html'}")
    return 1 if proven.red else 0


COMMANDS = {"prove": Command(prove_flags, run_prove)}
