"""One update of the weights: forward, backward, clip, optimiser.

It is given batches with their seeds and says what the loss was. It knows no folder, log or
validation, so every process that holds the model can make it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from legoc.language.ir.spec import Train
from legoc.model.recommender import Scored
from legoc.training.divergence import verify_loss
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

    def make(self, update: Update, factor: float, first: float | None) -> float:
        """Move the weights by the gradients of all parts, each weighted by its rows, at `factor` of
        the full rates. The mean loss over the rows; E0550 where that of a part is not finite or out
        of all proportion to `first`, the loss of the untrained model."""
        total = 0.0
        for part in update.parts:
            torch.manual_seed(part.seed)
            share = part.rows / update.rows
            loss = self.part_loss(part) * share
            value = loss.item()
            verify_loss(value / share, first, self.train, epoch=part.epoch, step=part.step)
            loss.backward()
            total += value
        self.optimiser.update(factor)
        return total

    def part_loss(self, part: Part) -> Tensor:
        """The mean loss over the rows of one batch, the model's own losses included."""
        scored: Scored = self.module(part.batch)
        scores = scored.scores
        labels = torch.as_tensor(part.batch.labels, device=scores.device)
        if part.batch.offsets is not None:
            scores = scores - torch.as_tensor(part.batch.offsets, device=scores.device)
        return sum(scored.losses.values(), start=self.loss(scores, labels))
