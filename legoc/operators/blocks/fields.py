"""Interactions of fields of one width; user and candidate are two of them.

Letters: P pairs of user and candidate, F fields, D width, Q pairs of fields.
"""

import itertools

import torch
from torch import Tensor, nn


FIELDS = 2


def stacked(user_PD: Tensor, item_PD: Tensor) -> Tensor:
    """[P, D], [P, D] -> the fields [P, 2, D]."""
    return torch.stack([user_PD, item_PD], 1)


class FieldPairs(nn.Module):
    """The two sides of every pair of fields i < j, by gathers with fixed indices: a masked
    selection would have a shape that depends on data. `count`: how many pairs there are."""

    left: Tensor
    right: Tensor

    def __init__(self, fields: int) -> None:
        super().__init__()
        pairs = list(itertools.combinations(range(fields), 2))
        self.count = len(pairs)
        for side, places in zip(("left", "right"), zip(*pairs, strict=True), strict=True):
            self.register_buffer(side, torch.tensor(places), persistent=False)

    def forward(self, fields_PFD: Tensor) -> tuple[Tensor, Tensor]:
        """[P, F, D] -> [P, Q, D], [P, Q, D]."""
        return fields_PFD.index_select(1, self.left), fields_PFD.index_select(1, self.right)


def factorised(fields_PFD: Tensor) -> Tensor:
    """The factorisation machine: the sum of the inner products of all pairs of fields,
    ½ Σ_d ((Σ_f e_f)² − Σ_f e_f²). [P, F, D] -> [P]. Rendle, Factorization Machines, ICDM 2010."""
    square_PD = fields_PFD.sum(1).square()
    return 0.5 * (square_PD - fields_PFD.square().sum(1)).sum(-1)
