"""`legoc debug`: what one phase makes of a file."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from legoc.commands.flags import Command, selects


PHASES = (
    ("tokens", "the words of the text"),
    ("tree", "the syntax tree"),
    ("points", "the points, names resolved and axes chosen"),
    ("ir", "the typed specs as JSON"),
    ("types", "the type on each arrow"),
    ("plan", "binding times, caches and graphs"),
)


def debug_flags(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE")
    phase = parser.add_mutually_exclusive_group(required=True)
    for name, does in PHASES:
        phase.add_argument(f"--{name}", action="store_const", const=name, dest="phase", help=does)
    selects(parser)


def run_debug(arguments: Namespace) -> int:
    return show_phase(
        arguments.file, arguments.phase, overrides=arguments.overrides, only=arguments.only
    )


def show_phase(path: str, phase: str, *, overrides: Sequence[str], only: str | None) -> int:
    """What one phase makes of a file. Raises SpecError where an earlier phase refuses it."""
    from legoc.commands.check import show_specs, show_types
    from legoc.language import SpecError, check, debug
    from legoc.language.diagnosing.diagnostics import LegoError
    from legoc.language.resolving.scope import read_document, unreadable

    if phase in ("tokens", "tree"):
        try:
            document = read_document(path)
        except (OSError, UnicodeDecodeError, ValueError) as error:
            raise LegoError(unreadable(path, None, error)) from None
        shown = debug.show_tokens(document) if phase == "tokens" else debug.show_tree(document)
    else:
        checked = check(path, overrides=overrides, only=only)
        if checked.errors:
            raise SpecError(*checked.errors)
        if phase == "ir":
            show_specs(checked.specs)
            return 0
        if phase == "types":
            for spec in checked.specs:
                show_types(spec)
            return 0
        shown = debug.show_points(checked) if phase == "points" else debug.show_plan(checked)
    for line in shown:
        print(line)
    return 0


COMMANDS = {"debug": Command(debug_flags, run_debug)}
