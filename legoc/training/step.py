"""One update of the weights: forward, backward, clip, optimiser.

It is given batches with their seeds and says what the loss was. It knows no folder, log or
validation, so every process that holds the model can make it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.ir.spec import Train
from legoc.model.recommender import Scored
from legoc.training.epoch import Part, Update
from legoc.training.optimise import Optimiser


@dataclass(frozen=True, kw_only=True)
class Step:
    """What an update needs. module: gives `Scored` for a batch. loss: mean loss of scores F[B, K]
    and labels F[B, K], to which the model's own losses are added."""

    module: nn.Module
    loss: Callable[[Tensor, Tensor], Tensor]
    optimiser: Optimiser
    train: Train

    def make(self, update: Update, factor: float) -> float:
        """Move the weights by the gradients of all parts, each weighted by its rows, at `factor` of
        the full rates. The mean loss over the rows; E0550 where it is not finite."""
        total = 0.0
        for part in update.parts:
            torch.manual_seed(part.seed)
            loss = self.part_loss(part) * (part.rows / update.rows)
            value = loss.item()
            if not math.isfinite(value):
                raise not_finite(part, self.train)
            loss.backward()
            total += value
        self.optimiser.update(factor)
        return total

    def part_loss(self, part: Part) -> Tensor:
        """The mean loss over the rows of one batch, the model's own losses included."""
        scored: Scored = self.module(part.batch)
        labels = torch.as_tensor(part.batch.labels, device=scored.scores.device)
        return sum(scored.losses.values(), start=self.loss(scored.scores, labels))


def not_finite(part: Part, train: Train) -> LegoError:
    ways = [f"lower `lr` (now {train.lr:g})"]
    ways.append("limit the gradient with `clip=1.0`" if train.clip is None else "lower `clip`")
    if not train.warmup:
        ways.append("warm up with `warmup=5%`")
    return fail(
        "E0550",
        f"the loss is not finite at epoch {part.epoch}, step {part.step + 1}",
        "; or ".join(ways),
    )
