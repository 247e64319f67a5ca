"""The one embedding table of all tokens (OPERATORS section 2).

Letters: I any number of items, L tokens, D width.
"""

import torch
from torch import Tensor, nn


class TokenEmbedding(nn.Module):
    """A vector per id of the one id space: words, category values and bins of numbers.

    Rows start as N(0, 0.1²). Row 0, the padding, is zero and never trained. The gradient is dense:
    sparse ones would bind the recipe to an optimiser that skips the rows a batch does not touch.
    """

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(tokens, width, padding_idx=0)
        nn.init.normal_(self.table.weight, std=0.1)
        with torch.no_grad():
            self.table.weight[:1].zero_()

    def forward(self, ids_IL: Tensor) -> Tensor:
        """Integer ids [I, L] -> [I, L, D]."""
        return self.table(ids_IL)
