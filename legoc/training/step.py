"""One update of the weights: forward, backward, clip, optimiser.

It is given batches with their seeds and says what the loss was. It knows no folder, log or
validation, so every process that holds the model can make it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from legoc.language.ir.spec import Train
from legoc.model.recommender import Scored
from legoc.training.divergence import verify_loss
from legoc.training.epoch import Part, Update
from legoc.training.optimise import Optimiser
from legoc.training.ranks.world import Lost
from legoc.training.tracing import ITSELF, find_broken


if TYPE_CHECKING:
    from legoc.training.ranks.exchange import Exchange


@dataclass(frozen=True, kw_only=True)
class Step:
    """What an update needs. module: gives `Scored` for a batch. loss: mean loss of scores F[B, K]
    and labels F[B, K], to which the model's own losses are added. exchange: with the processes that
    have the other shares of every batch, None where there are none."""

    module: nn.Module
    loss: Callable[[Tensor, Tensor], Tensor]
    optimiser: Optimiser
    train: Train
    exchange: "Exchange | None" = None

    def make(self, update: Update, factor: float, first: float | None) -> float:
        """Move the weights by the gradients of all parts, each weighted by its rows, at `factor` of
        the full rates. The mean loss over the rows; E0550 where that of a part is not finite or out
        of all proportion to `first`, the loss of the untrained model."""
        if self.exchange is not None:
            return self.make_together(update, factor, first, self.exchange)
        total = 0.0
        for part in update.parts:
            torch.manual_seed(part.seed)
            share = part.rows / update.rows
            loss = self.part_loss(part) * share
            value = loss.item()
            self.verify(value / share, first, part)
            loss.backward()
            total += value
        self.optimiser.update(factor)
        return total

    def make_together(
        self, update: Update, factor: float, first: float | None, exchange: "Exchange"
    ) -> float:
        """The same by several processes, which all come to the same weights, and fail together."""
        shares = [0.0] * len(update.parts)
        try:
            for place, part in enumerate(update.parts):
                torch.manual_seed(part.seed)
                exchange.sums.counts = float(part.rows > 0)
                loss = self.part_loss(part) * (part.rows / update.rows)
                shares[place] = loss.item()
                loss.backward()
        except Lost:
            raise
        except Exception as error:
            exchange.broken = error
        losses = exchange.tell(shares).losses
        with exchange.world.alike():
            for part, loss in zip(update.parts, losses, strict=True):
                self.verify(loss * update.rows / part.all_rows, first, part)
        exchange.add_up()
        self.optimiser.update(factor)
        return sum(losses)

    def verify(self, loss: float, first: float | None, part: Part) -> None:
        verify_loss(
            loss, first, self.train, epoch=part.epoch, step=part.step,
            trace=lambda: self.trace(part),
        )  # fmt: skip

    def trace(self, part: Part) -> str:
        """What was not finite first while the loss of a batch was computed, which is done again; of
        several processes, in the first that finds something."""
        torch.manual_seed(part.seed)
        if self.exchange is None:
            return find_broken(self.module, part.batch, lambda: self.part_loss(part))
        self.exchange.sums.counts = float(part.rows > 0)
        own = find_broken(self.module, part.batch, lambda: self.part_loss(part))
        return self.exchange.world.first_of(own, ITSELF)

    def part_loss(self, part: Part) -> Tensor:
        """The mean loss over the rows of one batch, the model's own losses included."""
        scored: Scored = self.module(part.batch)
        scores = scored.scores
        labels = torch.as_tensor(part.batch.labels, device=scores.device)
        if part.batch.offsets is not None:
            scores = scores - torch.as_tensor(part.batch.offsets, device=scores.device)
        return sum(scored.losses.values(), start=self.loss(scores, labels))
