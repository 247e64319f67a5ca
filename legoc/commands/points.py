"""The points of a file, which most commands work through."""

from argparse import Namespace
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from legoc.commands.messages import report


if TYPE_CHECKING:
    from legoc.language import Checked, Spec


def points(arguments: Namespace) -> "list[Spec]":
    """The specs a command works through; warnings are printed, errors raised, and so is what only a
    search can choose."""
    from legoc.language.typing.searching import verify_settled

    specs = list(checked_points(arguments).specs)
    verify_settled(specs, arguments.file)
    return specs


def checked_points(arguments: Namespace) -> "Checked":
    """The check of a file that runs something; warnings are printed, errors raised."""
    from legoc.language import SpecError, check
    from legoc.language.diagnosing.diagnostics import fail

    checked = check(arguments.file, overrides=arguments.overrides, only=arguments.only)
    if checked.errors:
        raise SpecError(*checked.diagnostics)
    report(checked.diagnostics)
    if not checked.specs:
        line = checked.suggestion or "run MODEL on DATA with TRAIN"
        raise fail(
            "E0702",
            f"`{arguments.file}` declares no run, so there is nothing to work on",
            f"add a line: `{line}`",
        )
    return checked


def work_through(specs: "Iterable[Spec]", work: "Callable[[Spec], None]") -> None:
    """Do the same with every point. What is wrong with some of them is raised at the end, all of it
    at once and what points share once, so that it need not be found one run after the other."""
    from legoc.language.diagnosing.diagnostics import Diagnostic, LegoError

    found: dict[tuple[str, str], Diagnostic] = {}
    for spec in specs:
        try:
            work(spec)
        except LegoError as error:
            for problem in error.diagnostics:
                found.setdefault((problem.code, problem.message), problem)
    if found:
        raise LegoError(*found.values())
