"""What checking and formatting print, and what differs between files. Plain text and `print`, since
rich costs more to import than a whole check."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from legoc.language.checking import Checked
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.notation import write_call
from legoc.language.ir.spec import Spec
from legoc.language.resolving.resolve import OTHER_FORMS


if TYPE_CHECKING:
    from legoc.language.ir.difference import Difference


def show_checked(
    path: str, checked: Checked, *, types: bool, points: bool, ir: bool, quiet: bool
) -> None:
    """One line of result for a file that checks, and what was asked for beside it."""
    if points:
        for spec in checked.specs:
            print(spec.name)
    if types:
        for spec in checked.specs:
            show_types(spec)
    if ir:
        from legoc.language.ir.form import to_json, validate

        documents = [to_json(spec) for spec in checked.specs]
        for document in documents:
            validate(document)
        print(
            json.dumps(
                documents[0] if len(documents) == 1 else documents, indent=1, ensure_ascii=False
            )
        )
    if quiet or points or types or ir or checked.errors:
        return
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


def show_types(spec: Spec) -> None:
    """The pipeline of one point, a stage a line, with the type on each arrow."""
    print(spec.name)
    lines = [(f"  {role} {write_call(role, call)}", role) for role, call in spec.model.items()]
    width = max(len(text) for text, _ in lines)
    for text, role in lines:
        made = {"content": spec.types.item, "predict": "Score"}.get(role, spec.types.user)
        print(f"{text:<{width}}  -> {made}")


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
    from legoc.language.diagnosing.diagnostics import LegoError
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
    from legoc.language.editing.fixes import replace_text

    try:
        replace_text(path, text)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise fail(
            "E0211", f"`{path}` cannot be written: {reason}", "check the permissions of its folder"
        ) from None


def write_whole(path: str, text: str) -> None:
    """Write a file, whole or not at all."""
    import os

    part = f"{path}.part"
    with open(part, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    os.replace(part, path)


def show_differences(one: str, other: str, differences: "Sequence[Difference]") -> int:
    """What differs between two files, a block per point; 1 if anything does, as of `diff`."""
    from legoc.language.ir.difference import ABSENT, write

    for found in differences:
        if found.after is None:
            print(f"only in {one}: {found.before}")
            continue
        if found.before is None:
            print(f"only in {other}: {found.after}")
            continue
        names = found.before if found.before == found.after else f"{found.before} -> {found.after}"
        print(names)
        for change in found.changes:
            if change.before is not ABSENT:
                print(f"  - {change.path}: {write(change.before)}")
            if change.after is not ABSENT:
                print(f"  + {change.path}: {write(change.after)}")
    return 1 if differences else 0


def show_starters() -> int:
    """The names `legoc new` takes, each with the first sentence of its file."""
    from legoc.language.starter import starters

    known = starters()
    width = max(map(len, known))
    for name, path in known.items():
        print(f"{name:<{width}}  {first_sentence(path.read_text('utf-8'))}".rstrip())
    print("\n`legoc new NAME -o FILE` writes one.")
    return 0


def first_sentence(text: str) -> str:
    """The first sentence of the comment a file begins with; a point within brackets ends none."""
    import itertools
    import re

    lines = itertools.takewhile(lambda line: line.startswith("#"), text.splitlines())
    whole = " ".join(line.lstrip("# ") for line in lines)
    return re.split(r"(?<=[a-z)]\.) (?![^(]*\))", whole)[0].strip()


def write_output(text: str, path: str | None) -> int:
    """A text to a new file, or to standard output. A file that is there is left alone (E0905)."""
    import os

    if path is None:
        sys.stdout.write(text)
        return 0
    if os.path.lexists(path):
        raise fail("E0905", f"`{path}` is there already", "choose another name, or remove it first")
    try:
        write_whole(path, text)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise fail(
            "E0905", f"`{path}` cannot be written: {reason}", "check the folder it goes to"
        ) from None
    print(f"{path}: written", file=sys.stderr)
    return 0


def show_phase(path: str, phase: str, *, overrides: Sequence[str], only: str | None) -> int:
    """What one phase makes of a file. Raises SpecError where an earlier phase refuses it."""
    from legoc.language import debug
    from legoc.language.diagnosing.diagnostics import LegoError, SpecError
    from legoc.language.diagnosing.document import Document
    from legoc.language.resolving.scope import read_document, unreadable

    if phase in ("tokens", "tree"):
        try:
            document: Document = read_document(path)
        except (OSError, UnicodeDecodeError, ValueError) as error:
            raise LegoError(unreadable(path, None, error)) from None
        shown = debug.show_tokens(document) if phase == "tokens" else debug.show_tree(document)
    else:
        from legoc.language import check

        checked = check(path, overrides=overrides, only=only)
        if checked.errors:
            raise SpecError(*checked.errors)
        if phase in ("ir", "types"):
            show_checked(
                path, checked, types=phase == "types", points=False, ir=phase == "ir", quiet=True
            )
            return 0
        shown = debug.show_points(checked) if phase == "points" else debug.show_plan(checked)
    for line in shown:
        print(line)
    return 0
