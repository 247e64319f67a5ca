"""What a predictor adds to the loss beside what its scores cost: MINER's disagreement."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn


Loss = Callable[[Tensor, Tensor], Tensor]


def penalised(loss: Loss, recommender: Any) -> Loss:
    """`loss` and, where the predictor of `recommender` has a `penalty`, that of the users of the
    batch whose scores it is given.

    A loss is told scores and labels alone, so the users are kept as the behavior operator makes
    them. In evaluation nothing is kept.
    """
    penalty = getattr(recommender.predict, "penalty", None)
    if penalty is None:
        return loss
    latest: list[Tensor] = []

    def keep(behavior: nn.Module, given: Any, users: Tensor) -> None:
        if behavior.training:
            latest[:] = [users]

    recommender.behavior.register_forward_hook(keep)

    def total(scores: Tensor, labels: Tensor) -> Tensor:
        more = penalty(latest.pop())
        return loss(scores, labels) if more is None else loss(scores, labels) + more

    return total
