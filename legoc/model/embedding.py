"""The one embedding table of all tokens (OPERATORS section 2).

Letters: I any number of items, L tokens, D width.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from legoc.operators.blocks.table import Table


# An item of so few tokens is read whole: a name without a word of it is another name, and what is
# left would be learnt as the usual item.
NAME = 4


class TokenEmbedding(nn.Module):
    """A vector per id of the one id space: words, category values and bins of numbers.

    Rows start as N(0, 0.1²). Row 0, the padding, is zero and never trained.

    vectors: the width of pre-trained word vectors, which `fill` puts into the rows of the words
    they know (0: there are none); where it is not `width`, a Linear follows the whole table. The
    table then counts as pre-trained; frozen, it takes no gradient, and what no vector is known of
    (unknown words, categories, numbers) has rows of a table of its own, `own`, that learns.

    dropout: the share of ids that training reads as `unknown`, whatever they stand for. Padding and
    the separator are left alone, for they are no words, and so are items of no more than `NAME`.
    """

    filled: Tensor

    def __init__(
        self,
        tokens: int,
        width: int,
        *,
        vectors: int = 0,
        frozen: bool = False,
        dropout: float = 0.0,
        unknown: int = 1,
        separator: int | None = 2,
    ) -> None:
        super().__init__()
        self.table = Table(tokens, vectors or width)
        nn.init.normal_(self.table.weight, std=0.1)
        with torch.no_grad():
            self.table.weight[:1].zero_()
        if vectors:
            self.table.pretrained = True
            self.table.weight.requires_grad_(not frozen)
        self.project = nn.Linear(vectors, width) if vectors not in (0, width) else nn.Identity()
        self.own: Table | None = None
        if vectors and frozen:
            self.own = Table(tokens, width)
            nn.init.normal_(self.own.weight, std=0.1)
            with torch.no_grad():
                self.own.weight[:1].zero_()
                self.table.weight.zero_()
            # Known only where training fills the table: the rows it covers stay zero for good.
            self.register_buffer("filled", torch.zeros(tokens, dtype=torch.bool), persistent=False)
        self.dropout = dropout
        self.unknown = unknown
        self.separator = 0 if separator is None else separator

    def fill(self, rows: NDArray[np.int32], values: NDArray[np.float32]) -> None:
        """Put vectors F[n, W] into the rows I32[n] of their words."""
        with torch.no_grad():
            weight = self.table.weight
            places = torch.from_numpy(rows.astype(np.int64)).to(weight.device)
            weight[places] = torch.tensor(values, dtype=weight.dtype, device=weight.device)
            if self.own is not None:
                self.own.weight[places] = 0.0
                self.filled[places] = True

    def forward(self, ids_IL: Tensor) -> Tensor:
        """Integer ids [I, L] -> [I, L, D]."""
        if self.training and self.dropout:
            ids_IL = self.drop(ids_IL)
        x_ILD = self.project(self.table(ids_IL))
        if self.own is None:
            return x_ILD
        own_ILD = self.own(ids_IL)
        if self.training:
            own_ILD = own_ILD.masked_fill(self.filled[ids_IL].unsqueeze(-1), 0.0)
        return x_ILD + own_ILD

    def drop(self, ids_IL: Tensor) -> Tensor:
        """The ids with some of them unknown."""
        hit_IL = torch.rand(ids_IL.shape, device=ids_IL.device) < self.dropout
        kept_IL = (ids_IL == 0) | (ids_IL == self.separator)
        kept_IL |= (~kept_IL).sum(dim=-1, keepdim=True) <= NAME
        return ids_IL.masked_fill(hit_IL & ~kept_IL, self.unknown)
