"""Fastformer: attention whose cost is linear in the length of a sequence.

Wu et al., Fastformer: Additive Attention Can Be All You Need, 2021. Letters: I any number of rows,
L positions, D width, H heads, E = D / H.
"""

import math

from torch import Tensor, nn

from legoc.operators.blocks.additive import AdditiveAttention
from legoc.operators.blocks.dropout import Dropout
from legoc.operators.blocks.encoder import FeedForward
from legoc.operators.blocks.linear import SmallLinear
from legoc.operators.blocks.masking import cleared, masked_softmax
from legoc.operators.blocks.positions import Positions


class GlobalVector(nn.Module):
    """Σ_i α_i x_i per head, heads concatenated, with α = softmax_i(w x_i / √E) over real positions.

    w maps the whole vector to one score per head. A bias would add the same to every position of a
    head, which the softmax cancels.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.weigh = SmallLinear(width, heads, bias=False)

    def forward(self, x_ILD: Tensor, mask_IL: Tensor) -> Tensor:
        """[I, L, D], Bool[I, L] -> [I, 1, D]."""
        scale = 1.0 / math.sqrt(x_ILD.shape[-1] // self.heads)
        scores_IHL = (self.weigh(x_ILD) * scale).transpose(1, 2)
        weights_ILH = masked_softmax(scores_IHL, mask_IL.unsqueeze(1)).transpose(1, 2)
        x_ILHE = x_ILD.unflatten(-1, (self.heads, -1))
        return (weights_ILH.unsqueeze(-1) * x_ILHE).sum(1, keepdim=True).flatten(2)


class FastformerLayer(nn.Module):
    """q and k are global vectors of Q and of K ⊙ q; u_i = W (k ⊙ Q_i) + Q_i; then the output part
    of BERT. The value is the query."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.query = SmallLinear(width, width)
        self.key = SmallLinear(width, width)
        self.queries = GlobalVector(width, heads)
        self.keys = GlobalVector(width, heads)
        self.transform = SmallLinear(width, width)
        self.output = SmallLinear(width, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)
        self.feed = FeedForward(width, dropout)

    def forward(self, x_ILD: Tensor, mask_IL: Tensor) -> Tensor:
        """[I, L, D], Bool[I, L] -> [I, L, D]; padding means nothing."""
        query_ILD, key_ILD = self.query(x_ILD), self.key(x_ILD)
        mixed_ILD = key_ILD * self.queries(query_ILD, mask_IL)
        value_ILD = query_ILD * self.keys(mixed_ILD, mask_IL)
        made_ILD = self.transform(value_ILD) + query_ILD
        return self.feed(self.norm(x_ILD + self.dropout(self.output(made_ILD))))


class FastformerPooling(nn.Module):
    """LN(x + position) → dropout → layers → additive attention → Linear to `hidden`.

    longest: the longest sequence there can be, 1,024 at least.
    """

    def __init__(
        self, *, width: int, hidden: int, layers: int, heads: int, dropout: float, longest: int = 0
    ) -> None:
        super().__init__()
        self.positions = Positions(width, longest)
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)
        self.layers = nn.ModuleList(FastformerLayer(width, heads, dropout) for _ in range(layers))
        self.pool = AdditiveAttention(width, width)
        self.project = SmallLinear(width, hidden)

    def forward(self, x_ILD: Tensor, mask_IL: Tensor, place_IL: Tensor | None = None) -> Tensor:
        """[I, L, D], Bool[I, L] -> [I, hidden]; a row without a real position gives zeros.
        `place_IL` are the places of the positions, where they are not 0, 1, 2, ..."""
        placed = self.positions(x_ILD) if place_IL is None else self.positions.at(place_IL)
        x_ILD = self.dropout(self.norm(cleared(x_ILD, mask_IL) + placed))
        for layer in self.layers:
            x_ILD = layer(x_ILD, mask_IL)
        found_ID = self.project(self.pool(x_ILD, mask_IL))
        # The bias must not make a vector of a row that holds nothing.
        return found_ID.masked_fill(~mask_IL.any(1, keepdim=True), 0.0)
