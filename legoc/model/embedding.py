"""The one embedding table of all tokens (OPERATORS section 2).

Letters: I any number of items, L tokens, D width.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class TokenEmbedding(nn.Module):
    """A vector per id of the one id space: words, category values and bins of numbers.

    Rows start as N(0, 0.1²). Row 0, the padding, is zero and never trained. The gradient is dense:
    sparse ones would bind the recipe to an optimiser that skips the rows a batch does not touch.

    vectors: the width of pre-trained word vectors, which `fill` puts into the rows of the words
    they know (0: there are none); where it is not `width`, a Linear follows the whole table. The
    table then counts as pre-trained; frozen, it takes no gradient.
    """

    def __init__(self, tokens: int, width: int, *, vectors: int = 0, frozen: bool = False) -> None:
        super().__init__()
        self.table = nn.Embedding(tokens, vectors or width, padding_idx=0)
        nn.init.normal_(self.table.weight, std=0.1)
        with torch.no_grad():
            self.table.weight[:1].zero_()
        if vectors:
            self.table.pretrained = True
            self.table.weight.requires_grad_(not frozen)
        self.project = nn.Linear(vectors, width) if vectors not in (0, width) else nn.Identity()

    def fill(self, rows: NDArray[np.int32], values: NDArray[np.float32]) -> None:
        """Put vectors F[n, W] into the rows I32[n] of their words."""
        with torch.no_grad():
            weight = self.table.weight
            weight[torch.from_numpy(rows.astype(np.int64)).to(weight.device)] = torch.tensor(
                values, dtype=weight.dtype, device=weight.device
            )

    def forward(self, ids_IL: Tensor) -> Tensor:
        """Integer ids [I, L] -> [I, L, D]."""
        return self.project(self.table(ids_IL))
