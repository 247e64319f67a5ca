"""Items that the same users clicked.

Letters: P pairs, U users, S clicks, D width, K neighbours, R = S K.
"""

from torch import Tensor

from legoc.language.declaring.declare import operator, param
from legoc.operators.blocks.counted import ByUser, ItemTable, add_up, as_ids
from legoc.operators.blocks.masking import cleared
from legoc.operators.sizes import Sizes


@operator(
    "predict", "ItemKNN", "(Seq[Vec[d]], Vec[d]) -> Score", version=2,
    tasks=("ranking", "matching"),
    paper="Deshpande and Karypis, Item-based Top-N Recommendation Algorithms, TOIS 2004",
    facts={"counts": "neighbours", "width": {"plus": 1, "per": "neighbours", "times": 2}},
)  # fmt: skip
class ItemKNN(ByUser):
    """How similar the candidate is to the clicks, by the users who clicked both.

    The score is the sum, over the clicks, of their similarity to the candidate where it is one of
    their nearest neighbours. It stands alone and is counted, not trained. Two items are as similar
    as the cosine of the sets of training users who clicked them: users in common / √(users of one
    · users of the other); an item that was clicked is its own first neighbour, with 1, and one that
    was not has none. The vector of an item is its own number, those of its neighbours, and their
    similarities. A user without clicks gives every item 0. Where users clicked so much that there
    were more than 100 million pairs of clicks to count, the newest items of each user count.
    """

    class Config:
        neighbours: int = param(100, min=1, doc="neighbours kept of each item, itself included")

    example = "predict ItemKNN(neighbours=100)"

    items = ItemTable

    def __init__(self, config: "ItemKNN.Config", sizes: Sizes) -> None:
        super().__init__()
        self.neighbours = (sizes.width - 1) // 2
        self.rows = sizes.items

    def score_users(
        self, clicks_USD: Tensor, mask_US: Tensor, item_PD: Tensor, owner_P: Tensor
    ) -> Tensor:
        """[U, S, D], Bool[U, S], [P, D], int[P] -> [P]."""
        real_USD = cleared(clicks_USD, mask_US)
        near_UR = as_ids(real_USD[..., 1 : 1 + self.neighbours], self.rows).flatten(1)
        # Where there is no neighbour, 0 stands for it, with the similarity 0.
        similar = slice(1 + self.neighbours, 1 + 2 * self.neighbours)
        similarity_UR = real_USD[..., similar].flatten(1)
        own_P1 = as_ids(item_PD[:, :1], self.rows)
        return add_up(near_UR, similarity_UR, self.rows, own_P1, owner_P).squeeze(1)
