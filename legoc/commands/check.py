"""`legoc check`. Plain text and `print`, since rich costs more to import than a whole check."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from legoc.commands.flags import Command, selects
from legoc.commands.messages import FORMATS, report


if TYPE_CHECKING:
    from legoc.language import Spec
    from legoc.language.checking import Checked
    from legoc.language.diagnosing.diagnostics import Diagnostic


def check_flags(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--types", action="store_true", help="print the type on each arrow")
    parser.add_argument("--points", action="store_true", help="print the name of every point")
    parser.add_argument("--ir", action="store_true", help="print the typed spec as JSON")
    parser.add_argument(
        "--fix", action="store_true", help="apply the safe fixes in place: spelling, number forms"
    )
    parser.add_argument(
        "--format", choices=FORMATS, default="full", help="how messages are printed"
    )
    selects(parser)


def run_check(arguments: Namespace) -> int:
    from legoc.language import check

    found: list[Diagnostic] = []
    specs: list[Spec] = []
    asked = arguments.types or arguments.points or arguments.ir
    for path in arguments.files:
        if arguments.fix:
            fix_in_place(path, arguments.overrides)
        checked = check(path, overrides=arguments.overrides, only=arguments.only)
        # What several files share is missing once.
        fresh = [d for d in checked.diagnostics if not (d.brief and d in found)]
        found.extend(fresh)
        if arguments.format == "full":
            report(fresh)
        specs.extend(checked.specs)
        if arguments.points:
            for spec in checked.specs:
                print(spec.name)
        if arguments.types:
            for spec in checked.specs:
                show_types(spec)
        if arguments.format == "full" and not (asked or arguments.quiet or checked.errors):
            show_checked(path, checked)
    if arguments.ir:
        show_specs(specs)
    if arguments.format != "full":
        report(found, arguments.format, aside=asked)
    return 1 if any(d.severity == "error" for d in found) else 0


def fix_in_place(path: str, overrides: Sequence[str]) -> None:
    """Apply the safe fixes of a file and say which, to standard error."""
    from legoc.language.diagnosing.diagnostics import fail
    from legoc.language.editing.fixes import fix_file

    try:
        applied = fix_file(path, overrides=overrides)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise fail(
            "E0211", f"`{path}` cannot be written: {reason}", "check the permissions of its folder"
        ) from None
    for diagnostic in applied:
        line, column = diagnostic.fix.span.position if diagnostic.fix else (1, 1)
        title = diagnostic.fix.title if diagnostic.fix else ""
        print(f"{path}:{line}:{column}: fixed[{diagnostic.code}]: {title}", file=sys.stderr)


def show_checked(path: str, checked: "Checked") -> None:
    """One line of result for a file that checks."""
    dropped = [f"{count:,} dropped by {code}" for code, count in checked.dropped.items()]
    if checked.excluded:
        dropped.append(f"{checked.excluded:,} taken out by `except`")
    count = len(checked.specs)
    found = f"{count:,} run{'s' * (count != 1)}" if count else "no run"
    print(
        f"{path}: {', '.join([f'{found} checked', *dropped])}"
        if count
        else f"{path}: checked, no run"
    )


def show_types(spec: "Spec") -> None:
    """The pipeline of one point, a stage a line, with the type on each arrow."""
    from legoc.language.ir.notation import write_call

    print(spec.name)
    lines = [(f"  {role} {write_call(role, call)}", role) for role, call in spec.model.items()]
    width = max(len(text) for text, _ in lines)
    for text, role in lines:
        made = {"content": spec.types.item, "predict": "Score"}.get(role, spec.types.user)
        read = f"  + Context[{len(spec.data.context)}]" if role == "predict" else ""
        print(f"{text:<{width}}  -> {made}{read if spec.data.context else ''}")


def show_specs(specs: "Sequence[Spec]") -> None:
    """The typed specs as one JSON value, each verified against the schema; one alone as it is."""
    import json

    from legoc.language.ir.form import to_json, validate

    documents = [to_json(spec) for spec in specs]
    for document in documents:
        validate(document)
    shown = documents[0] if len(documents) == 1 else documents
    print(json.dumps(shown, indent=1, ensure_ascii=False))


COMMANDS = {"check": Command(check_flags, run_check)}
