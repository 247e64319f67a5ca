"""Where the answers of `legoc score` and `legoc recommend` go."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.commands.asked import form
from legoc.commands.printing import write_json
from legoc.language.diagnosing.diagnostics import fail
from legoc.writing import replacing


if TYPE_CHECKING:
    import pandas

Answer = dict[str, Any]


@contextmanager
def answers_to(output: str) -> Iterator[Callable[[list[Answer]], None]]:
    """Takes answers, block by block. Standard output shows each block as it comes; a file is there
    complete when the work is done, or not at all. Raises E0562 where it cannot be begun."""
    ending = form(output)
    if output == "-":
        yield print_block
        return
    with begun(output) as made:
        with writable(output):
            file = None if ending == ".parquet" else made.open("w", encoding="utf-8", newline="")
        if ending in (".jsonl", ".json") and file is not None:
            with file:
                yield lambda block: file.writelines(
                    json.dumps(answer, ensure_ascii=False) + "\n" for answer in block
                )
            return
        kept: list[Answer] = []
        yield kept.extend
        with file if file is not None else made.open("wb") as table:
            write_table(kept, table, ending)


@contextmanager
def begun(output: str) -> Iterator[Path]:
    """A file that becomes `output` when the block ends well. Raises E0562 where it cannot be
    begun."""
    with ExitStack() as stack:
        with writable(output):
            made = stack.enter_context(replacing(output))
        yield made


@contextmanager
def writable(output: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise fail(
            "E0562",
            f"`{output}` cannot be written: {(error.strerror or str(error)).lower()}",
            "name a file in a folder that exists and that you may write to",
        ) from None


def print_block(block: list[Answer]) -> None:
    sys.stdout.write("".join(write_json(answer) + "\n" for answer in block))
    sys.stdout.flush()


def write_table(answers: list[Answer], file: Any, ending: str) -> None:
    """A row per answer; in text, a list is its values with blanks between them."""
    frame = to_frame(answers)
    if ending == ".parquet":
        frame.to_parquet(file)
        return
    for name in frame.columns:
        frame[name] = [
            " ".join("" if one is None else str(one) for one in value)
            if isinstance(value, list)
            else value
            for value in frame[name]
        ]
    frame.to_csv(file, sep="," if ending == ".csv" else "\t", index=False)


def to_frame(answers: list[Answer]) -> "pandas.DataFrame":
    """A row per answer."""
    import pandas

    frame = pandas.DataFrame(answers)
    if "user" in frame and frame["user"].map(type).nunique() > 1:
        # A column of a table has one kind.
        frame["user"] = [None if bool(pandas.isna(user)) else str(user) for user in frame["user"]]
    return frame
