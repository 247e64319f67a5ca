"""What a model is trained for: which rows it sees and which loss it minimises."""

from importlib import import_module
from typing import Any, Literal, Protocol

from torch import Tensor

from legoc.language.declaring.catalog import catalog
from legoc.language.declaring.declare import Needs, operator, param
from legoc.language.ir.scores import is_cosine
from legoc.language.ir.spec import Call
from legoc.training.losses import binary_cross_entropy, cross_entropy, squared_error


Pool = Literal["impression", "uniform", "popularity", "category", "batch", "mixed"]


class Task(Protocol):
    """A task with its settings. `bounded` says that scores are cosines and not logits."""

    config: Any

    def loss(self, scores: Tensor, labels: Tensor) -> Tensor:
        """The mean loss of scores F[B, K] against labels F[B, K]: a scalar."""
        ...


@operator("task", "matching")
class Matching:
    """One clicked candidate among negatives: cross-entropy over their scores.

    Trains on one row per click of the training part. The negatives of a row are drawn anew in every
    epoch, and never from validation or test rows. Of the pools `batch` and `mixed` an item may come
    twice in a row, as several others have clicked it; of the rest none does while there are enough.
    A place that no other row of the batch can serve is masked: it takes no part in the loss.
    """

    class Config:
        negatives: int = param(4, min=1, doc="Negatives beside each clicked candidate.")
        pool: Pool = param(
            "impression",
            doc="Where negatives come from: non-clicks of the same impression, filled up with "
            "uniform items the user never clicked; all items; all items by their clicks; "
            "items of the positive's category; clicks of other rows of the `batch`, the scores "
            "corrected for how often they come; or `mixed`, the larger half so and the others "
            "from all items.",
        )

    example = "train base {\n  task = matching(negatives=4, pool=impression)\n}"

    def __init__(self, config: Any, *, bounded: bool = False) -> None:
        self.config = config

    def loss(self, scores: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(scores)


@operator("task", "ranking")
class Ranking:
    """Labelled pairs of user and item: a loss on each row by itself.

    Trains on every labelled row of the training part, or with `negatives` on each click and that
    many negatives, drawn anew in every epoch.
    """

    class Config:
        loss: Literal["bce", "mse"] = param(
            "bce",
            doc="`bce`: binary cross-entropy of sigmoid(score). `mse`: squared error of "
            "sigmoid(score), or of the score itself where it is a cosine and nothing is added.",
        )
        negatives: int | None = param(
            None, min=1, doc="Negatives drawn for each click; `none` takes the log's every row."
        )
        pool: Pool | None = param(
            None,
            since=True,
            doc="Where `negatives` come from, as in `matching`; `none` is `impression`.",
        )

    example = "train base {\n  task = ranking(loss=bce)\n}"
    rules = (Needs("pool", "negatives"),)

    def __init__(self, config: Any, *, bounded: bool = False) -> None:
        self.config = config
        self.bounded = bounded

    def loss(self, scores: Tensor, labels: Tensor) -> Tensor:
        if self.config.loss == "mse":
            return squared_error(scores, labels, bounded=self.bounded)
        return binary_cross_entropy(scores, labels)


def build_task(call: Call, predict: Call, *, prior: bool = False) -> Task:
    """The task a `train.task` names, for the scores of the predictor `predict`. prior: what the
    moment says is added to them, so they are no cosines any more."""
    declaration = catalog().get("task", call.op)
    if declaration is None:
        raise KeyError(f"no task {call.op!r}")
    module, _, name = declaration.module.partition(":")
    task = getattr(import_module(module), name)
    return task(task.Config(**call.args), bounded=is_cosine(predict) and not prior)
