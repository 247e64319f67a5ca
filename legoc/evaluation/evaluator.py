"""One evaluator for every engine: it decides what is encoded and when, and never sees a vector."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter, process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc.data.indexing.log import F32, I32, Log
from legoc.data.reading.inputs import Array, ItemInputs
from legoc.evaluation.compute import Figure, compute
from legoc.evaluation.engine import Engine, by_owner, is_stored, prefixes
from legoc.evaluation.histories import Histories, distinct_histories
from legoc.evaluation.report import Report, Timing
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Call
from legoc.progress import SILENT, Progress, Task
from legoc_runtime.prefixes import Spent


USERS_AT_ONCE = 128
PAIRS_AT_ONCE = 65_536

Mask = NDArray[np.bool_]


def evaluate_log(
    engine: Engine,
    inputs: ItemInputs,
    log: Log,
    metrics: Sequence[Call],
    *,
    split: str = "",
    group: str = "impression",
    slices: Mapping[str, Mask] | None = None,
    keep_scores: bool = False,
    marks: Mapping[str, str] | None = None,
    calibration: Mapping[str, Any] | None = None,
    progress: Progress = SILENT,
) -> Report:
    """Score the rows of a log and measure the metrics.

    Every item is encoded once, every distinct history (with its user, if the engine reads users)
    once, and every row is a pair of the two. split and group name what the figures are of. slices:
    row masks [R] by name; each gets the same metrics over its rows alone. Rows without a label are
    scored and not measured. marks, calibration: as in `Report`. Raises LegoError where no row has a
    label (E0591) or a score is not finite (E0590).
    """
    labelled = verify_labelled(log, split)
    timings: dict[str, Timing] = {}
    scores = score_log(engine, inputs, log, timings, progress)
    figures = measure(metrics, scores, log, labelled)
    return Report(
        engine=engine.name,
        split=split,
        group=group,
        metrics=figures,
        slices={
            name: measure(metrics, scores, log, labelled & mask)
            for name, mask in (slices or {}).items()
        },
        counts=count(log, inputs, timings),
        timings=timings,
        scores=scores if keep_scores else None,
        marks=marks or {},
        calibration=calibration,
        stored=is_stored(engine),
    )


def verify_labelled(log: Log, split: str) -> Mask:
    """[R]: the rows that have a label; E0591 where none has."""
    labelled = ~np.isnan(log.label)
    if not labelled.any():
        raise fail(
            "E0591",
            f"no row of `{split}` has a label" if split else "no row has a label",
            "evaluate on a part of the data that is labelled, such as `valid` or `test`",
        )
    return labelled


def score_log(
    engine: Engine,
    inputs: ItemInputs,
    log: Log,
    timings: dict[str, Timing] | None = None,
    progress: Progress = SILENT,
) -> F32:
    """[R]: the logits of every row. `timings` receives what each phase took."""
    spent = {} if timings is None else timings
    items, encoded, histories = encode(engine, inputs, log, spent, progress)
    scores = np.empty(log.rows, dtype=np.float32)
    before = prefixes(engine)
    with clock(spent, "pairs", log.rows), progress.task("scoring", log.rows, "pairs") as task:
        # Users that are read when their pairs are scored are so once where all pairs come at once.
        step = max(log.rows, 1) if by_owner(engine) else PAIRS_AT_ONCE
        for start in range(0, log.rows, step):
            stop = min(start + step, log.rows)
            owner = histories.row[log.history[start:stop]]
            context = log.numbers(slice(start, stop))
            scores[start:stop] = engine.score(encoded, items, owner, log.item[start:stop], context)
            task.advance(stop - start)
    tell_prefixes(spent, before, prefixes(engine))
    return scores


def tell_prefixes(timings: dict[str, Timing], before: Spent, after: Spent) -> None:
    """Part the reading of users from the scoring of their pairs, in which an engine did it."""
    read = after.users - before.users
    if not read:
        return
    seconds, cpu = after.seconds - before.seconds, after.cpu - before.cpu
    pairs = timings["pairs"]
    timings["prefixes"] = Timing(seconds=seconds, cpu=cpu, rows=read)
    timings["pairs"] = Timing(
        seconds=max(pairs.seconds - seconds, 0.0), cpu=max(pairs.cpu - cpu, 0.0), rows=pairs.rows
    )  # fmt: skip


def encode(
    engine: Engine, inputs: ItemInputs, log: Log, timings: dict[str, Timing], progress: Progress
) -> tuple[Any, Any, Histories]:
    """Every item and every distinct history that a row of the log uses, as the engine keeps them;
    `histories.row` has the users of the log's histories."""
    count = len(inputs.lengths) - 1
    with clock(timings, "items", count), progress.task("encoding items", count, "items") as task:
        counted = Counted(inputs, task)
        items = engine.encode_items(counted)
        counted.task = None
    with clock(timings, "users", 0):
        histories = distinct_histories(log, by_user=engine.reads_user)
        with progress.task("encoding users", len(histories), "users") as task:
            clicks, users = halves(histories, task)
            encoded = engine.encode_users(items, clicks, users)
    timings["users"] = Timing(
        seconds=timings["users"].seconds, cpu=timings["users"].cpu, rows=len(histories)
    )
    return items, encoded, histories


class Counted:
    """Item inputs that report the rows an engine reads, as long as `task` is there."""

    def __init__(self, inputs: ItemInputs, task: Task) -> None:
        self.inputs = inputs
        self.ports = inputs.ports
        self.lengths = inputs.lengths
        self.task: Task | None = task

    def rows(self, items: I32) -> Mapping[str, Array]:
        if self.task is not None:
            self.task.advance(len(items))
        return self.inputs.rows(items)


def halves(histories: Histories, task: Task) -> tuple[Iterator[I32], Iterator[I32]]:
    """The clicks and the users of the blocks as two iterators that may be read in any order."""

    def clicks() -> Iterator[I32]:
        for block, _ in histories.blocks(USERS_AT_ONCE):
            yield block
            task.advance(len(block))

    def users() -> Iterator[I32]:
        for start in range(0, len(histories), USERS_AT_ONCE):
            yield histories.log.user[histories.example[start : start + USERS_AT_ONCE]]

    return clicks(), users()


def measure(metrics: Sequence[Call], scores: F32, log: Log, mask: Mask) -> Mapping[str, Figure]:
    return compute(metrics, scores[mask], log.label[mask], log.group[mask])


def count(log: Log, inputs: ItemInputs, timings: Mapping[str, Timing]) -> dict[str, int]:
    """What the figures are over; the keys are those of `Report.counts`."""
    lengths = np.diff(log.starts)
    return {
        "rows": log.rows,
        "groups": len(np.unique(log.group)),
        "cold rows": int((lengths[log.history] == 0).sum()),
        "users": timings["users"].rows,
        "items": len(inputs.lengths) - 1,
    }


@contextmanager
def clock(timings: dict[str, Timing], phase: str, rows: int) -> Iterator[None]:
    wall, cpu = perf_counter(), process_time()
    yield
    timings[phase] = Timing(
        seconds=perf_counter() - wall, cpu=process_time() - cpu, rows=rows
    )  # fmt: skip
