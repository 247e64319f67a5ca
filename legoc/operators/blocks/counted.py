"""Items of models that are counted and not trained: a frozen table, filled from the training part.

Letters: I any number of items, N rows of the item table, U users, P pairs, S clicks, D width,
R ids that a user holds, L ids that a pair wants, V rows of a table.
"""

from typing import Any

import torch
from torch import Tensor, nn

from legoc.operators.sizes import Sizes


# Below are padding, the unknown token and the separator (DESIGN section 5): none of them is a word.
FIRST_WORD = 3


class ItemTable(nn.Module):
    """A row of numbers per item, `width` of them; zeros until it is filled, and for padding."""

    def __init__(self, config: Any, sizes: Sizes) -> None:
        super().__init__()
        self.register_buffer("table", torch.zeros(sizes.items, sizes.width))

    def fill(self, rows_ND: Tensor) -> None:
        self.table.copy_(rows_ND)

    def forward(self, item_I: Tensor) -> Tensor:
        """Integer rows [I] of the item table -> [I, D]."""
        return self.table.index_select(0, item_I.long())


class ByUser(nn.Module):
    """A predictor that reads each user once, whatever number of pairs he has: `score_users`."""

    def forward(self, clicks_PSD: Tensor, mask_PS: Tensor, item_PD: Tensor) -> Tensor:
        """[P, S, D], Bool[P, S], [P, D] -> [P]: every pair is a user of its own."""
        owner_P = torch.arange(item_PD.shape[0], device=item_PD.device)
        return self.score_users(clicks_PSD, mask_PS, item_PD, owner_P)

    def score_users(
        self, clicks_USD: Tensor, mask_US: Tensor, item_PD: Tensor, owner_P: Tensor
    ) -> Tensor:
        """Users [U, S, D], Bool[U, S], candidates [P, D] and their owners int[P] -> [P]."""
        raise NotImplementedError


class OneNumber(ByUser):
    """The score of a pair is the one number that is known of its candidate, whoever asks."""

    items = ItemTable

    def __init__(self, config: Any, sizes: Sizes) -> None:
        super().__init__()

    def score_users(
        self, clicks_USD: Tensor, mask_US: Tensor, item_PD: Tensor, owner_P: Tensor
    ) -> Tensor:
        """[U, S, 1], Bool[U, S], [P, 1], int[P] -> [P]."""
        return item_PD.select(1, 0)


def add_up(
    ids_UR: Tensor, weights_UR: Tensor, rows: int, wanted_PL: Tensor, owner_P: Tensor
) -> Tensor:
    """[P, L] the sums of the weights that the owner of each pair has for the ids it wants, all of
    them below `rows`: what a user holds is added up once, over all ids, and looked up by pairs."""
    blank_UV = weights_UR.new_zeros(weights_UR.shape[0], rows)
    sums_UV = blank_UV.scatter_add(1, ids_UR, weights_UR)
    return sums_UV.flatten()[owner_P.unsqueeze(1) * rows + wanted_PL]


def as_ids(numbers: Tensor, rows: int) -> Tensor:
    """Rows of a table that were kept as float32, which holds whole numbers up to 2^24; what no row
    is (a graph may be fed anything) becomes one."""
    return numbers.clamp(0, rows - 1).long()


def pad(x_IL: Tensor, length: int) -> Tensor:
    """To so many columns, zeros behind: a batch is as wide as its longest text."""
    blank = x_IL.new_zeros(x_IL.shape[0], length)
    return torch.cat([x_IL, blank], 1)[:, :length]
