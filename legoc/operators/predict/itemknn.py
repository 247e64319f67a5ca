"""Items that the same users clicked.

Letters: P pairs, U users, S clicks, D width, K neighbours.
"""

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import operator, param
from legoc.operators.blocks.counted import ItemTable
from legoc.operators.blocks.masking import cleared
from legoc.operators.sizes import Sizes


@operator(
    "predict", "ItemKNN", "(Seq[Vec[d]], Vec[d]) -> Score", tasks=("ranking", "matching"),
    paper="Sarwar et al., Item-based Collaborative Filtering Recommendation Algorithms, WWW 2001",
    facts={"counts": "neighbours", "width": {"plus": 1, "per": "neighbours", "times": 2}},
)  # fmt: skip
class ItemKNN(nn.Module):
    """The sum of the similarities of the candidate to the clicks of the history, over the
    candidate's nearest neighbours.

    It stands alone and is counted, not trained. Two items are as similar as the cosine of the sets
    of training users who clicked them: users in common / √(users of one · users of the other); an
    item is its own first neighbour, with 1. The vector of an item is its own number, those of its
    neighbours, and their similarities. An item that no training user clicked scores 0, and so does
    every item for a user without clicks.
    """

    class Config:
        neighbours: int = param(100, min=1, doc="neighbours kept of each item, itself included")

    example = "predict ItemKNN(neighbours=100)"

    items = ItemTable

    def __init__(self, config: "ItemKNN.Config", sizes: Sizes) -> None:
        super().__init__()
        self.neighbours = config.neighbours

    def forward(self, clicks_PSD: Tensor, mask_PS: Tensor, item_PD: Tensor) -> Tensor:
        """[P, S, D], Bool[P, S], [P, D] -> [P]."""
        return self.meet(self.own(clicks_PSD, mask_PS), item_PD)

    def score_users(
        self, clicks_USD: Tensor, mask_US: Tensor, item_PD: Tensor, owner_P: Tensor
    ) -> Tensor:
        """The same of users [U, S, D] and owners int[P]: of a click a pair needs its number
        alone."""
        return self.meet(self.own(clicks_USD, mask_US).index_select(0, owner_P), item_PD)

    def own(self, clicks_PSD: Tensor, mask_PS: Tensor) -> Tensor:
        """The clicks' own numbers [P, S], 0 at padding."""
        return cleared(clicks_PSD[..., :1], mask_PS).squeeze(-1)

    def meet(self, own_PS: Tensor, item_PD: Tensor) -> Tensor:
        near_PK = item_PD[:, 1 : 1 + self.neighbours]
        similarity_PK = item_PD[:, 1 + self.neighbours :]
        # Padding is 0 on both sides, and where it meets the similarity is 0.
        same_PSK = own_PS.unsqueeze(2) == near_PK.unsqueeze(1)
        times_PK = same_PSK.to(similarity_PK.dtype).sum(1)
        return torch.where(times_PK > 0, times_PK * similarity_PK, 0.0).sum(-1)
