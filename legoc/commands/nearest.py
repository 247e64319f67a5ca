"""`legoc index`: an index for approximate search, put into a bundle."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from legoc.commands.bundles import bundle_of
from legoc.commands.console import choose
from legoc.commands.flags import Command, caches, finds_data


if TYPE_CHECKING:
    from legoc.exporting.nearest import Asked


def share(text: str) -> float:
    number = float(text)
    if not 0 < number <= 1:
        raise ArgumentTypeError(f"{text} is no share: give a number above 0, at most 1")
    return number


def index_flags(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="BUNDLE|RUN")
    parser.add_argument(
        "--recall", type=share, default=0.95, metavar="SHARE",
        help="the share of the best ten that must be found (default: 0.95)",
    )  # fmt: skip
    parser.add_argument(
        "--histories", metavar="FILE",
        help="records to measure on, as `legoc recommend` takes them; histories of the data of "
        "its run (the test part, else the validation part) unless given",
    )  # fmt: skip
    finds_data(parser)
    caches(parser)


def run_index(arguments: Namespace) -> int:
    from legoc.exporting.nearest import write_index

    folder = bundle_of(arguments.folder)
    asked = of_file(arguments.histories) if arguments.histories else of_data(arguments)
    made = write_index(folder, asked, recall=arguments.recall, progress=choose(arguments.quiet))
    print(
        f"{folder}: an index of {made.items:,} items, {made.bytes:,} bytes; it finds "
        f"{made.recall:.1%} of the best ten of {made.users:,} users"
    )
    return 0


def of_file(source: str) -> "list[Asked]":
    """The histories of a file of records."""
    from legoc.commands.asked import read_blocks, verify_source
    from legoc.commands.records import Refused

    verify_source(source)
    found: list[Asked] = []
    for block in read_blocks(source, ("history",)):
        for record in block:
            if isinstance(record, Refused):
                raise record.error
            found.append((record.history, record.user_id))
    return found


def of_data(arguments: Namespace) -> "list[Asked]":
    """Histories of the data that a bundle or a run names, spread evenly."""
    import numpy as np

    from legoc.data import prepare
    from legoc.evaluation.opened import locate, open_bundle_of, read_spec
    from legoc.evaluation.public import choose_split
    from legoc.exporting.nearest import HISTORIES

    folder = locate(arguments.folder)
    spec = read_spec(folder, open_bundle_of(folder, "onnxruntime"), arguments.data)
    prepared = prepare(
        spec, cache=arguments.cache, truncated=True, progress=choose(arguments.quiet)
    )
    log = prepared.logs[choose_split(prepared.logs, None)]
    filled = np.flatnonzero(np.diff(log.starts) > 0)
    if len(filled) > HISTORIES:
        filled = filled[np.linspace(0, len(filled) - 1, HISTORIES).astype(np.int64)]
    items, users = prepared.items.ids, prepared.users.ids
    return [
        ([items[item] for item in log.clicks[log.starts[place] : log.starts[place + 1]]],
         users[log.user[place]] or None)
        for place in filled.tolist()
    ]  # fmt: skip


COMMANDS = {"index": Command(index_flags, run_index)}
