"""Which rows a task trains on, as the sampler of `legoc.data` that draws them."""

from typing import TYPE_CHECKING, Any

from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Spec


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared
    from legoc.training.job import Sampler


def build_sampler(spec: Spec, prepared: "Prepared") -> "Sampler":
    """The batches of a spec's recipe over the training part; there being none is E0551."""
    from legoc.data.batching.sampling import matching_batches, ranking_batches

    train = spec.train
    if train is None or "train" not in prepared.logs:
        raise fail(
            "E0551",
            "the data has no training part",
            "choose a `split` that keeps rows for training",
        )
    given: dict[str, Any] = {"batch": train.batch, "seed": train.seed, "samples": train.samples}
    if "flatten" in spec.model:
        # Tokens of different clicks stand in one sequence, so all items need one length.
        given["buckets"] = 1
    task = train.task.args
    if train.task.op == "matching":
        return matching_batches(prepared, negatives=task["negatives"], pool=task["pool"], **given)
    return ranking_batches(prepared, negatives=task["negatives"], pool=task.get("pool"), **given)
