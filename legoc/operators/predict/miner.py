"""MINER's predictor: many user vectors against one candidate."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from legoc.language.declaring.declare import operator, param
from legoc.operators.sizes import Sizes


@operator(
    "predict", "MINER", "(Many[k, Vec[d]], Vec[d]) -> Score", tasks=("matching",),
    paper="Li et al., MINER: Multi-Interest Matching Network for News Recommendation, Findings of "
    "ACL 2022",
)  # fmt: skip
class MINER(nn.Module):
    """The inner products of the candidate c and each user vector e_k, joined.

    `max`, `mean`, or `weighted` by softmax_k(c·gelu(W e_k)). `disagreement` adds that many times
    the mean cosine between the vectors of a user to the loss: 0.8 in the paper (unconfirmed), 1 in
    the community's code. The paper's category bias is left out: it weighs clicks by the candidate's
    category, which no predictor is given, and would tie the user vectors to the candidate.
    """

    class Config:
        score: Literal["weighted", "max", "mean"] = param(
            "weighted", doc="how the products of a pair become one score"
        )
        disagreement: float = param(
            0.0, min=0, doc="weight, in the loss, of how alike the vectors of a user are"
        )

    example = "predict MINER(score=weighted)"

    def __init__(self, config: "MINER.Config", sizes: Sizes) -> None:
        super().__init__()
        self.score = config.score
        self.disagreement = config.disagreement
        weighted = config.score == "weighted"
        self.turn = nn.Linear(sizes.width, sizes.width, bias=False) if weighted else None

    def forward(self, user_PCD: Tensor, item_PD: Tensor) -> Tensor:
        """[P, C, D], [P, D] -> [P]."""
        item_PD1 = item_PD.unsqueeze(-1)
        scores_PC = user_PCD.matmul(item_PD1).squeeze(-1)
        if self.score == "max":
            return scores_PC.amax(-1)
        if self.turn is None:
            return scores_PC.mean(-1)
        weights_PC = functional.gelu(self.turn(user_PCD)).matmul(item_PD1).squeeze(-1).softmax(-1)
        return (weights_PC * scores_PC).sum(-1)

    def losses(self, user_BCD: Tensor) -> dict[str, Tensor]:
        """What training adds to the loss of a batch whose users are [B, C, D]."""
        if not self.disagreement:
            return {}
        unit_BCD = functional.normalize(user_BCD, dim=-1)
        cosine_BCC = unit_BCD.matmul(unit_BCD.transpose(1, 2))
        # A vector's cosine with itself is left out of the sum, not of the count (as published).
        itself = torch.eye(cosine_BCC.shape[-1], dtype=torch.bool, device=cosine_BCC.device)
        mean = cosine_BCC.masked_fill(itself, 0.0).mean()
        return {"disagreement": self.disagreement * mean}
