"""SASRec: a causal transformer over a history."""

import math

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import Divides, operator, param
from legoc.operators.blocks.attention import SelfAttention
from legoc.operators.blocks.cold import Cold
from legoc.operators.blocks.cold import Settings as ColdSettings
from legoc.operators.blocks.dropout import Dropout
from legoc.operators.blocks.linear import PlainLinear, align
from legoc.operators.blocks.masking import cleared, last_real
from legoc.operators.blocks.positions import Positions, places_back
from legoc.operators.sizes import Sizes


EPSILON = 1e-8  # of the authors' normalisation


@operator(
    "behavior", "SASRec", "Seq[Vec[d]] -> Vec[hidden]", version=3,
    paper="Kang & McAuley, Self-Attentive Sequential Recommendation, ICDM 2018",
    facts={"weights": 2},
)  # fmt: skip
class SASRec(nn.Module):
    """Blocks in which a click attends to those before it; the state after the newest click.

    As in the authors' code: clicks times √d and a learned vector per place, counted back from the
    newest click; in a block queries are normalised, keys and values are not, what is added back is
    the normalised input, dropout falls on the weights of the attention and its heads have no output
    projection; inner width as the input. A Linear follows where `hidden` is not the input width.
    Values begin as the identity.
    """

    class Config(ColdSettings):
        layers: int = param(2, min=1, doc="blocks")
        heads: int = param(2, min=1, doc="attention heads")
        hidden: int = param(inherit="d", min=1, doc="output width; the input width unless given")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed values")

    rules = (Divides("heads", "d"),)
    example = "behavior SASRec(layers=2, heads=2)"

    def __init__(self, config: "SASRec.Config", sizes: Sizes) -> None:
        super().__init__()
        self.cold = Cold(config.cold, config.hidden)
        width = sizes.width
        self.scale = math.sqrt(width)
        self.positions = Positions(width, sizes.clicks)
        self.dropout = Dropout(config.dropout)
        self.blocks = nn.ModuleList(
            Block(width, config.heads, config.dropout) for _ in range(config.layers)
        )
        for block in self.blocks:
            align(block.attend.value)
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        same = config.hidden == width
        self.project = nn.Identity() if same else PlainLinear(width, config.hidden, bias=False)

    def forward(self, clicks_BSD: Tensor, mask_BS: Tensor) -> Tensor:
        """[B, S, D], Bool[B, S] -> [B, hidden]."""
        placed_BSD = self.positions.at(places_back(mask_BS))
        x_BSD = self.dropout(cleared(clicks_BSD, mask_BS) * self.scale + placed_BSD)
        x_BSD = cleared(x_BSD, mask_BS)
        place_S = torch.arange(clicks_BSD.shape[1], device=clicks_BSD.device)
        earlier_SS = place_S[:, None] >= place_S[None, :]
        allowed_BSS = earlier_SS & mask_BS[:, None, :]
        for block in self.blocks:
            x_BSD = cleared(block(x_BSD, allowed_BSS), mask_BS)
        return self.cold(self.project(last_real(self.norm(x_BSD), mask_BS)), mask_BS)


class Block(nn.Module):
    """q = LN(x), y = q + attention(q; x), h = LN(y), z = h + drop(W_2 drop(relu(W_1 h)))."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.asking = nn.LayerNorm(width, eps=EPSILON)
        self.attend = SelfAttention(width, heads, project=False, dropout=dropout)
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.inner = PlainLinear(width, width)
        self.outer = PlainLinear(width, width)
        self.dropout = Dropout(dropout)

    def forward(self, x_BSD: Tensor, allowed_BSS: Tensor) -> Tensor:
        """[B, S, D], Bool[B, S, S] of the clicks each may see -> [B, S, D]."""
        asking_BSD = self.asking(x_BSD)
        y_BSD = asking_BSD + self.attend(x_BSD, allowed_BSS, asking_BSD)
        h_BSD = self.norm(y_BSD)
        inner_BSD = self.dropout(self.inner(h_BSD).relu())
        return h_BSD + self.dropout(self.outer(inner_BSD))
