"""`legoc diff`, `legoc new` and `legoc import`: whole files compared, begun and translated."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from legoc.commands.flags import Command, overrides
from legoc.commands.messages import report
from legoc.commands.output import write_output


if TYPE_CHECKING:
    from legoc.language.ir.difference import Difference


def diff_flags(parser: ArgumentParser) -> None:
    parser.add_argument("before", metavar="FILE")
    parser.add_argument("after", metavar="FILE")
    overrides(parser, "override what both files declare")


def run_diff(arguments: Namespace) -> int:
    from legoc.language import SpecError, check
    from legoc.language.ir.difference import compare

    files = (arguments.before, arguments.after)
    checked = [check(path, overrides=arguments.overrides) for path in files]
    for found in checked:
        if found.errors:
            raise SpecError(*found.errors)
    differences = compare(*(found.specs for found in checked))
    return show_differences(*files, differences)


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


def new_flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "name", nargs="?", help="for example nrms; without one, the names are listed"
    )
    parser.add_argument(
        "--from", dest="folder", metavar="FOLDER",
        help="look at the tables of a folder, and begin a spec for them",
    )  # fmt: skip
    parser.add_argument("-o", "--output", metavar="FILE", help="where it goes, else it is printed")


def run_new(arguments: Namespace) -> int:
    if arguments.folder is not None:
        return propose_spec(arguments)
    if arguments.name is None:
        return show_starters()
    from legoc.language.starter import starter

    return write_output(starter(arguments.name), arguments.output)


def propose_spec(arguments: Namespace) -> int:
    """A spec for a folder of tables, whose path is written as seen from the spec."""
    import os
    from pathlib import Path

    from legoc.language.diagnosing.diagnostics import fail
    from legoc.language.typing.proposal import propose

    if arguments.name is not None:
        raise fail(
            "E0905", "`legoc new` was given a shipped spec and a folder",
            f"leave out `{arguments.name}`, or `--from`",
        )  # fmt: skip
    beside = os.path.dirname(arguments.output or "") or "."
    shown = Path(os.path.relpath(arguments.folder, beside)).as_posix()
    return write_output(propose(Path(arguments.folder), shown), arguments.output)


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


def import_flags(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="MODEL.yaml")
    parser.add_argument("--data", metavar="DATA.yaml", help="its data configuration")
    parser.add_argument("-o", "--output", metavar="FILE", help="where it goes, else printed")
    overrides(parser, "fill a placeholder `${NAME}$`, as that library's command line would")


def run_import(arguments: Namespace) -> int:
    from legoc.language.importing.configuration import import_config

    text, diagnostics = import_config(
        arguments.file, arguments.data, overrides=arguments.overrides, output=arguments.output
    )
    report(diagnostics)
    return write_output(text, arguments.output)


COMMANDS = {
    "diff": Command(diff_flags, run_diff),
    "new": Command(new_flags, run_new),
    "import": Command(import_flags, run_import),
}
