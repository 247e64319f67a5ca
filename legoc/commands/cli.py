"""The command `legoc`: finds the module of the command that was typed and imports only that."""

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from legoc.commands.failure import delivered, ended
from legoc.commands.streams import open_streams


if TYPE_CHECKING:
    from legoc.commands.flags import Command

# A command's module, below `legoc.commands`, and what it does.
COMMANDS: dict[str, tuple[str, str]] = {
    "check": ("check", "parse and check files, everything up to the typed spec"),
    "fmt": ("formatting", "format files in place"),
    "operators": ("reference", "list operators, metrics or fields, or describe one"),
    "explain": ("reference", "explain a code such as E0403, or list them"),
    "help": ("reference", "explain a word of the language, such as sweep"),
    "compile": ("compile", "print the plan: types, parameters, cost, caches, graphs"),
    "data": ("data", "prepare the data and print counts, coverage and every dropped row"),
    "generate": ("generate", "ask language models for the text that a file declares"),
    "train": ("train", "compile, prepare, train, export and evaluate every run of a file"),
    "tune": ("tune", "search the best values of what a file leaves open, and test them"),
    "export": ("export", "write the bundle of a run"),
    "index": ("nearest", "put an index for approximate search into a bundle"),
    "eval": ("evaluate", "evaluate a bundle or a run with cached encoders"),
    "predict": ("predict", "score a part of the data, as rows or as MIND and EB-NeRD take them"),
    "compare": ("compare", "say which differences between runs are real"),
    "table": ("table", "write runs as a table, with what is really best"),
    "report": ("report", "write runs as one page, with tables, pictures and sentences"),
    "runs": ("run_list", "list runs, remove them, or say where the points of a file went"),
    "replay": ("replay", "train a run or bundle anew and say to which digit its figures agree"),
    "score": ("serve", "score candidates for histories"),
    "recommend": ("serve", "give the best items for histories"),
    "serve": ("http", "answer over HTTP: recommendations, scores, new items"),
    "embed": ("vectors", "write the item vectors of a model, for `content Null(file=...)`"),
    "codes": (
        "vectors", "make semantic ids of a vector table, for `content SemanticID(file=...)`"
    ),
    "prove": ("prove", "build, train, export and compare every legal point of a file"),
    "demo": ("demo", "train and compare two models on the embedded data set"),
    "inspect": ("export", "say what is in a bundle"),
    "verify": ("export", "check every hash, the golden tensors and the certificate"),
    "diff": ("files", "compare what two files mean, point by point"),
    "new": ("files", "write a starter file from a shipped spec"),
    "import": ("files", "translate a Legommenders configuration"),
    "debug": ("debug", "print what one phase makes of a file"),
    "lsp": ("editors", "serve an editor over standard input and output"),
}  # fmt: skip
LIGHT = ("check", "fmt", "operators", "explain", "help", "diff", "new", "debug", "import")


def command(name: str) -> "Command":
    """What the module of a command declares of it."""
    module = import_module(f"legoc.commands.{COMMANDS[name][0]}")
    return module.COMMANDS[name]


def parser_of(name: str) -> argparse.ArgumentParser:
    """What can be typed after `legoc NAME`."""
    does = COMMANDS[name][1]
    parser = argparse.ArgumentParser(
        prog=f"legoc {name}", description=does[0].upper() + does[1:] + "."
    )
    command(name).flags(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="print results only")
    return parser


def listing() -> argparse.ArgumentParser:
    """What can be typed after `legoc`, where that is not a command with its flags."""
    parser = argparse.ArgumentParser(
        prog="legoc",
        description="Compile a recommender, written in one line, into a trained, certified bundle.",
        epilog="`legoc COMMAND --help` explains a command. A first look: `legoc demo`.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, (_, does) in COMMANDS.items():
        # Behind a flag that is wrong here, the rest of the line is not looked at.
        listed = commands.add_parser(name, help=does, add_help=False)
        listed.add_argument("rest", nargs=argparse.REMAINDER)
    return parser


def introduce(arguments: argparse.Namespace) -> int:
    """What `legoc` says without a command."""
    if arguments.version:
        from legoc import __version__

        print(f"legoc {__version__}")
        return 0
    listing().print_help()
    return 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    if not words or words[0] not in COMMANDS:
        return ended(introduce, listing().parse_args(words))
    name, *rest = words
    arguments = parser_of(name).parse_args(rest)
    if "TORCHELASTIC_RUN_ID" in os.environ and name != "train":
        return ended(lambda arguments: run_single(name, arguments), arguments)
    if name in LIGHT:
        # They end within a moment and make no cycles worth collecting: a tenth of their time.
        gc.disable()
    return ended(command(name).run, arguments)


def run_single(name: str, arguments: argparse.Namespace) -> int:
    """Run a command that torchrun has started, which is no work for several processes: the first of
    them says so."""
    from legoc.training.ranks.told import read_told, verify_single

    told = read_told()
    if told is not None and not told.first:
        return 1
    verify_single(f"`legoc {name}`")
    return command(name).run(arguments)


def start() -> None:
    """The process `legoc`: run a command and leave."""
    open_streams()
    try:
        code = main()
    except SystemExit as stop:  # of argparse, which has printed help or usage
        code = int(stop.code or 0)
    code = delivered(code)
    if len(sys.argv) > 1 and sys.argv[1] in LIGHT:
        # Taking the interpreter down object by object costs as much as a seventh of a check.
        os._exit(code)
    sys.exit(code)
