"""Items that say the same.

Letters: I any number of items, A attributes of L_a tokens, P pairs, U users, S clicks, L tokens of
an item (the sum of L_a), D width = 2 L, R = S L.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import operator
from legoc.operators.blocks.counted import ByUser, add_up, as_ids, pad
from legoc.operators.blocks.masking import cleared
from legoc.operators.sizes import Sizes


class WeighedTokens(nn.Module):
    """An item as the numbers of its tokens and their weights, L each.

    Every attribute has as many places as it is long, so an item's vector is the same whatever
    longer texts stand in its batch. The weight of a token is its idf, and zero for what is no word;
    all are divided by the length of the vector over the vocabulary, in which a token counts as
    often as it stands there.
    """

    def __init__(self, config: Any, sizes: Sizes) -> None:
        super().__init__()
        self.lengths = [attribute.length for attribute in sizes.attributes]
        self.register_buffer("idf", torch.zeros(sizes.tokens))

    def fill(self, idf_V: Tensor) -> None:
        self.idf.copy_(idf_V)

    def forward(self, ids: Sequence[Tensor], masks: Sequence[Tensor]) -> Tensor:
        """A of int[I, L_a] and Bool[I, L_a], in reading order -> [I, 2 L]."""
        spaces = list(zip(ids, masks, self.lengths, strict=True))
        mask_IL = torch.cat([pad(mask_IL, length) for _, mask_IL, length in spaces], 1)
        ids_IL = torch.cat([pad(ids_IL, length) for ids_IL, _, length in spaces], 1)
        ids_IL = ids_IL.masked_fill(~mask_IL, 0)
        weights_IL = self.idf[ids_IL].masked_fill(~mask_IL, 0.0)
        # Σ_v (Σ_{l of v} w_l)² without a row over the vocabulary: each pair of equal tokens once.
        same_ILL = (ids_IL.unsqueeze(2) == ids_IL.unsqueeze(1)).to(weights_IL.dtype)
        sums_IL = torch.matmul(same_ILL, weights_IL.unsqueeze(-1)).squeeze(-1)
        squares_I1 = (sums_IL * weights_IL).sum(1, keepdim=True)
        # The smallest idf is 1: below it there is no word at all.
        weights_IL = weights_IL / squares_I1.clamp_min(1.0).sqrt()
        return torch.cat([ids_IL.to(weights_IL.dtype), weights_IL], 1)


@operator(
    "predict", "TFIDF", "(Seq[Vec[d]], Vec[d]) -> Score", tasks=("ranking", "matching"),
    paper="Salton and Buckley, Term-weighting Approaches in Automatic Text Retrieval, 1988",
    facts={
        "counts": "words", "reads": ["text", "category"], "width": {"per": "tokens", "times": 2},
    },
)  # fmt: skip
class TFIDF(ByUser):
    """How much the candidate says what the clicks say, rare words counting most.

    The score is the sum, over the clicks, of the cosine between the words of click and candidate.
    It stands alone and is counted, not trained. It reads the tokens of all texts and categories in
    `content`, as the tokenizer makes them. A word that n of the N training items hold weighs ln((1
    + N) / (1 + n)) + 1; words that no training item holds weigh nothing. The sum is exact: an
    item's vector is the numbers of its tokens with their weights, so a new item is scored from its
    raw text. A user without clicks gives every item 0.
    """

    class Config:
        pass

    example = "predict TFIDF"

    items = WeighedTokens

    def __init__(self, config: "TFIDF.Config", sizes: Sizes) -> None:
        super().__init__()
        self.length = sizes.width // 2
        self.rows = sizes.tokens

    def score_users(
        self, clicks_USD: Tensor, mask_US: Tensor, item_PD: Tensor, owner_P: Tensor
    ) -> Tensor:
        """[U, S, D], Bool[U, S], [P, D], int[P] -> [P]."""
        real_USD = cleared(clicks_USD, mask_US)
        ids_UR = as_ids(real_USD[..., : self.length], self.rows).flatten(1)
        weights_UR = real_USD[..., self.length :].flatten(1)
        wanted_PL = as_ids(item_PD[:, : self.length], self.rows)
        found_PL = add_up(ids_UR, weights_UR, self.rows, wanted_PL, owner_P)
        return (found_PL * item_PD[:, self.length :]).sum(-1)
