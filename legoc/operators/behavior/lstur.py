"""The user encoder of LSTUR: a recurrent short term and a learned long term."""

from typing import Literal

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import operator, param
from legoc.operators.blocks.cold import Cold
from legoc.operators.blocks.cold import Settings as ColdSettings
from legoc.operators.blocks.masking import cleared, last_real
from legoc.operators.blocks.recurrent import GatedUnit
from legoc.operators.blocks.table import Table
from legoc.operators.sizes import Sizes


@operator(
    "behavior", "LSTUR", "(Seq[Vec[d]], Id) -> Vec[hidden]", version=3,
    paper="An et al., Neural News Recommendation with Long- and Short-term User Representations, "
    "ACL 2019",
)  # fmt: skip
class LSTUR(nn.Module):
    """A gated recurrent unit over the clicks, joined with a learned vector of the user.

    `form=ini`: the user's vector is the state before the first click, so an empty history gives the
    user's vector. `form=con`: the last state and the user's vector, half the width each,
    concatenated. Users that did not train have the zero vector. In training the user's vector is
    left out for a share `mask` of the rows; what is kept is not rescaled (unconfirmed).
    """

    class Config(ColdSettings):
        form: Literal["ini", "con"] = param("ini", doc="how the user's vector joins the clicks")
        mask: float = param(
            0.5, min=0, max=1, doc="share of rows whose user is unknown while training"
        )
        hidden: int = param(inherit="d", min=1, doc="output width; the input width unless given")

    example = "behavior LSTUR(form=ini)"

    def __init__(self, config: "LSTUR.Config", sizes: Sizes) -> None:
        super().__init__()
        self.cold = Cold(config.cold, config.hidden)
        long = config.hidden if config.form == "ini" else config.hidden // 2
        short = config.hidden if config.form == "ini" else config.hidden - long
        self.form = config.form
        self.mask = config.mask
        self.run = GatedUnit(sizes.width, short, longest=sizes.clicks)
        self.users = Table(sizes.users, long)
        nn.init.zeros_(self.users.weight)

    def forward(self, clicks_BSD: Tensor, mask_BS: Tensor, users_B: Tensor) -> Tensor:
        """[B, S, D], Bool[B, S], rows of the user table int[B] -> [B, hidden]."""
        user_BD = self.users(users_B)
        if self.training:
            kept_B1 = torch.rand(len(user_BD), 1, device=user_BD.device) >= self.mask
            user_BD = user_BD * kept_B1
        clicks_BSD = cleared(clicks_BSD, mask_BS)
        if self.form == "con":
            states_BSD, _ = self.run(clicks_BSD)
            return self.cold(torch.cat([last_real(states_BSD, mask_BS), user_BD], -1), mask_BS)
        states_BSD, _ = self.run(clicks_BSD, user_BD.unsqueeze(0))
        return self.cold(
            torch.where(mask_BS.any(1, keepdim=True), last_real(states_BSD, mask_BS), user_BD),
            mask_BS,
        )
