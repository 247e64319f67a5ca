"""What a command declares, and the flags that several commands share.

Flags are frozen: `--set` changes what a file declares, nothing else grows.
"""

import argparse
from collections.abc import Callable
from typing import NamedTuple


class Command(NamedTuple):
    """flags: adds the command's flags to its parser. run: does its work and gives its exit code."""

    flags: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def at_least(least: int, most: int | None = None) -> Callable[[str], int]:
    """The type of a whole number with a lower bound, and perhaps an upper one."""

    def whole(text: str) -> int:
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"{number} is less than {least}")
        if most is not None and number > most:
            raise argparse.ArgumentTypeError(f"{number} is more than {most}")
        return number

    # argparse names the type in its message.
    whole.__name__ = "whole number"
    return whole


def takes_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE")
    selects(parser)


def selects(parser: argparse.ArgumentParser) -> None:
    overrides(
        parser,
        "override what the file declares: hidden=128, train.lr=1e-4, data.source=Demo; may be "
        "repeated",
    )
    parser.add_argument("--only", metavar="CHOICES", help="select points: content=CNN,hidden=64")


def overrides(parser: argparse.ArgumentParser, does: str) -> None:
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="overrides", help=does
    )


def caches(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cache", metavar="FOLDER", help="where prepared data is kept (else LEGOC_CACHE)"
    )


def runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", metavar="FOLDER", default="runs", help="where run folders go")


def verifies(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--strict", action="store_true", help="refuse raw files with any row that is not right"
    )
    parser.add_argument(
        "--keep-truncated", action="store_true",
        help="read gzip files that break off as far as they are whole, and count them",
    )  # fmt: skip


def machine(parser: argparse.ArgumentParser) -> None:
    # A process is not given many thousands of threads, and torch falls over them.
    parser.add_argument(
        "--threads", type=at_least(1, 1024), metavar="N", help="threads of torch (default: 1)"
    )
    parser.add_argument(
        "--device", metavar="NAME", help="cpu or cuda (default: a GPU if there is one)"
    )


def spreads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--engine", choices=("process", "ray"), default="process",
        help="what does it: this process, or Ray's workers, on many machines; from Parquet to "
        "Parquet (default: process)",
    )  # fmt: skip
    parser.add_argument(
        "--jobs", type=at_least(1, 1024), metavar="N",
        help="workers of Ray (default: a CPU each, and one is left free)",
    )  # fmt: skip
    parser.add_argument(
        "--address",
        metavar="HOST:PORT",
        help="the Ray to join (default: RAY_ADDRESS, else one that starts on this machine)",
    )


def finds_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", metavar="FOLDER", default=None,
        help="where the files and folders that the spec names are found",
    )  # fmt: skip


def compares(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-baselines", action="store_true",
        help="leave out what counting alone reaches on the same rows",
    )  # fmt: skip


def ranks(parser: argparse.ArgumentParser, does: str) -> None:
    parser.add_argument("--candidates", choices=("shown", "all"), default=None, help=does)


def prints_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print results as JSON")
