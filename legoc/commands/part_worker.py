"""What a worker does with parts of a Parquet file: answers to records, or vectors of items."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from legoc.commands.answers import to_frame
from legoc.commands.asked import BLOCK, choose_columns
from legoc.commands.parts import Cursor, to_bytes
from legoc.commands.raw_items import encode_items, item_columns
from legoc.commands.records import read_record
from legoc.commands.replies import Asked, Tally, answer_block, verify_asked
from legoc.language.diagnosing.diagnostics import fail


if TYPE_CHECKING:
    import pyarrow

    from legoc_runtime import Model


# How often a part is given to a worker.
ATTEMPTS = 8


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is done with a file. bundle, source: paths; rows: of the source, as who asks has counted
    them. asked: what every record is asked, None where the rows are items to encode."""

    bundle: str
    source: str
    rows: int
    asked: Asked | None = None
    keep_going: bool = False

    def to_text(self) -> str:
        return json.dumps(asdict(self))


def read_order(text: str) -> Order:
    given = json.loads(text)
    asked = given.pop("asked")
    return Order(**given, asked=None if asked is None else Asked(**asked))


class Work(Protocol):
    def do(self, start: int, stop: int) -> "tuple[pyarrow.Table, Tally]":
        """The table of rows [start, stop) and what is told of them. LegoError at the first row that
        is not right."""
        ...


class Answering:
    """Records to answers, in the blocks of one process."""

    def __init__(self, model: "Model", cursor: Cursor, order: Order, asked: Asked) -> None:
        self.model, self.cursor, self.order, self.asked = model, cursor, order, asked
        verify_asked(model, asked)
        names = cursor.file.schema_arrow.names
        cursor.columns = choose_columns(order.source, names, asked.needs)

    def do(self, start: int, stop: int) -> "tuple[pyarrow.Table, Tally]":
        import pyarrow

        needs, source = self.asked.needs, self.order.source
        table = self.cursor.read(start, stop)
        tally, given = Tally(), []
        for begin in range(0, len(table), BLOCK):
            rows = table.slice(begin, BLOCK).to_pylist()
            block = [
                read_record(f"{source}, row {number}", row, needs)
                for number, row in enumerate(rows, start + begin + 1)
            ]
            answers, stopped = answer_block(
                self.model, block, self.asked, tally, keep_going=self.order.keep_going
            )
            if stopped is not None:
                raise stopped
            given += answers
        return pyarrow.Table.from_pandas(to_frame(given), preserve_index=False), tally


class Encoding:
    """Items to vectors."""

    def __init__(self, model: "Model", cursor: Cursor, order: Order) -> None:
        self.model, self.cursor, self.source = model, cursor, order.source
        names = cursor.file.schema_arrow.names
        self.name, cursor.columns = item_columns(model, order.source, names)

    def do(self, start: int, stop: int) -> "tuple[pyarrow.Table, Tally]":
        import pyarrow

        table = self.cursor.read(start, stop)
        # Block by block, so that the bits of a vector do not depend on how the file was cut.
        made = [
            encode_items(
                self.model, self.source, self.name, table.slice(at, BLOCK), start + at
            )
            for at in range(0, max(len(table), 1), BLOCK)
        ]  # fmt: skip
        return pyarrow.concat_tables(made), Tally()


def begin(order: Order) -> Work:
    """Load the bundle and open the file. E0880 where this machine has another file, or none."""
    import legoc_runtime

    for path, what in ((order.source, "file"), (order.bundle, "bundle")):
        if not Path(path).exists():
            raise fail(
                "E0880",
                f"the worker on {os.uname().nodename} has no {what} `{path}`",
                "give paths that all machines share",
            )
    cursor = Cursor(order.source, None)
    if cursor.rows != order.rows:
        raise fail(
            "E0880",
            f"`{order.source}` has {cursor.rows:,} rows on {os.uname().nodename}, and had "
            f"{order.rows:,} when the work began",
            "give the command again when nobody writes the file; name one that all machines share",
        )
    model = legoc_runtime.load(order.bundle)
    if order.asked is None:
        return Encoding(model, cursor, order)
    return Answering(model, cursor, order, order.asked)


class PartWorker:
    """An actor of Ray Data. It is given numbers of parts with their rows, and answers with the
    table or with what is wrong, never by an exception, which Ray would try again. attempts: counts
    the part of a number and says how often it was begun."""

    def __init__(self, order: str, attempts: Callable[[int], int] = lambda number: 1) -> None:
        self.order, self.attempts = order, attempts
        self.work: Work | None = None

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[Any]]:
        found = [
            self.do(int(number), int(start), int(stop))
            for number, start, stop in zip(
                batch["number"], batch["start"], batch["stop"], strict=True
            )
        ]
        return {
            "number": [int(number) for number in batch["number"]],
            "said": [json.dumps(said) for said, _ in found],
            "table": [table for _, table in found],
        }

    def do(self, number: int, start: int, stop: int) -> tuple[dict[str, Any], bytes]:
        from legoc.training.jobs.messages import write_error

        try:
            if self.attempts(number) > ATTEMPTS:
                raise fail(
                    "E0884",
                    f"{ATTEMPTS} workers of Ray were lost while they worked on rows {start + 1} "
                    f"to {stop}",
                    "where memory ran out, give fewer `--jobs`",
                )
            if self.work is None:
                self.work = begin(read_order(self.order))
            table, tally = self.work.do(start, stop)
        except Exception as error:
            return {"failed": write_error(error)}, b""
        return {"tally": asdict(tally), "rows": len(table)}, to_bytes(table)
