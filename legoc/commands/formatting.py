"""`legoc fmt`: files in the one form."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from legoc.commands.flags import Command


def fmt_flags(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if a file would change"
    )
    parser.add_argument(
        "--diff", action="store_true", help="change nothing; print what would change"
    )


def run_fmt(arguments: Namespace) -> int:
    return format_files(arguments.files, check=arguments.check, diff=arguments.diff)


def format_files(paths: Sequence[str], *, check: bool, diff: bool) -> int:
    """Format files in place, or say which would change. One that cannot be formatted keeps none of
    the others from it; what is wrong is raised at the end."""
    from legoc.language.diagnosing.diagnostics import Diagnostic, LegoError

    changed = 0
    problems: list[Diagnostic] = []
    for path in paths:
        try:
            before, after = formatted(path)
            if before != after and not (check or diff):
                replace_file(path, after)
        except LegoError as error:
            problems += error.diagnostics
            continue
        if before == after:
            continue
        changed += 1
        if diff:
            import difflib

            sys.stdout.writelines(
                difflib.unified_diff(
                    before.splitlines(keepends=True),
                    after.splitlines(keepends=True),
                    path,
                    f"{path} (formatted)",
                )
            )
        elif check:
            print(f"{path}: would be formatted")
        else:
            print(f"{path}: formatted")
    if problems:
        raise LegoError(*problems)
    return 1 if changed and (check or diff) else 0


def formatted(path: str) -> tuple[str, str]:
    """The text of a file as it is and as it should be. Raises LegoError."""
    from legoc.language.diagnosing.diagnostics import LegoError, fail
    from legoc.language.resolving.resolve import OTHER_FORMS
    from legoc.language.resolving.scope import read_document, unreadable
    from legoc.language.syntax.fmt import format

    if path.endswith(OTHER_FORMS):
        raise fail(
            "E0201", f"`{path}` is not a .lego file, and only those are formatted",
            "leave it out; `legoc check` reads it",
        )  # fmt: skip
    try:
        document = read_document(path)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise LegoError(unreadable(path, None, error)) from None
    return document.text, format(document)


def replace_file(path: str, text: str) -> None:
    """Replace what a file holds, whole or not at all. Raises LegoError."""
    from legoc.language.diagnosing.diagnostics import fail
    from legoc.language.editing.fixes import replace_text

    try:
        replace_text(path, text)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise fail(
            "E0211", f"`{path}` cannot be written: {reason}", "check the permissions of its folder"
        ) from None


COMMANDS = {"fmt": Command(fmt_flags, run_fmt)}
