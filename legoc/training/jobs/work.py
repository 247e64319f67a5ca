"""How long runs will take: from those that are done, by the operations each of them needs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from legoc.language.ir.spec import Spec, is_alone
from legoc.training.jobs.memory import essence, measure_sizes


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared

# Forward and backward are three times forward.
UPDATE = 3
# What export, proofs and files take beside the products of matrices, as operations.
ENDING = 2e10


def operations(spec: Spec, prepared: "Prepared", batch: tuple[int, int, int]) -> float:
    """Roughly the operations of all epochs of a training, their evaluations and the last one, with
    something for the export. batch: its `batch_sizes`."""
    if is_alone(spec) or spec.train is None or "train" not in prepared.logs:
        return ENDING
    sizes, train = measure_sizes(essence(spec)), spec.train
    log = prepared.logs["train"]
    rows, candidates, items = batch
    positive = int((np.asarray(log.label) > 0.5).sum()) if train.task.op == "matching" else log.rows
    samples = min(train.samples or positive, positive)
    # Work on single values is as much as the bytes that are kept of it.
    item, user = sizes.cost.item + sizes.item, sizes.cost.user + sizes.user
    pair = sizes.cost.pair + sizes.pair
    each = items / max(rows, 1) * item + user + candidates * pair
    measured = 0.0
    for name in ("valid", "test"):
        if name in prepared.logs:
            part = prepared.logs[name]
            times = train.epochs if name == "valid" else 1
            seen = prepared.rows.items * item + part.histories * user
            measured += times * (seen + part.rows * pair)
    return UPDATE * train.epochs * samples * each + measured + ENDING


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds and operations of the runs that this command has trained so far."""

    known: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    def enter(self, work: float, seconds: float) -> None:
        if work:
            self.known.append((work, seconds))

    def left(
        self, waiting: Sequence[float], running: Sequence[tuple[float, float]], jobs: int
    ) -> float | None:
        """Seconds until all is done, None before any run is. waiting: operations of the runs that
        have not begun; running: operations and seconds so far of those that have."""
        work = sum(each for each, _ in self.known)
        if not work:
            return None
        rate = sum(seconds for _, seconds in self.known) / work
        rest = [max(each * rate - seconds, 0.0) for each, seconds in running]
        whole = sum(rest) + rate * sum(waiting)
        # No run is shared by two processes.
        return max([whole / max(jobs, 1), *rest, *(each * rate for each in waiting)])


def write_left(seconds: float) -> str:
    """`about 40 s left`, `about 14 min left`, `about 3.5 h left`."""
    if seconds < 90:
        return f"about {max(round(seconds / 5) * 5, 5)} s left"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} min left"
    return f"about {seconds / 3600:.1f} h left"
