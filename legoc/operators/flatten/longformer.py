"""Recformer's encoder: a history as one text, read by a Longformer.

Letters: B batch, S clicks, L tokens of a click, N positions, D width, H heads, E = D / H.
"""

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import Divides, operator, param
from legoc.operators.blocks.attention import SelfAttention
from legoc.operators.blocks.dropout import Dropout
from legoc.operators.blocks.encoder import FeedForward
from legoc.operators.blocks.laying import ItemSeparator, Laid, lay, read_packed
from legoc.operators.blocks.linear import SmallLinear
from legoc.operators.blocks.positions import Positions
from legoc.operators.sizes import Sizes


@operator(
    "flatten", "Longformer", "Seq[Tokens] -> Vec[hidden]", layout="sequence",
    paper="Li et al., Text Is All You Need: Learning Language Representations for Sequential "
    "Recommendation, KDD 2023; layers of Beltagy et al., Longformer, 2020",
)  # fmt: skip
class Longformer(nn.Module):
    """A start token and the tokens of all clicks, newest first; the vector is the start's state.

    A token is the sum of its word, its place, its kind (start or word) and the place of its click.
    Words see half a `window` to either side, and the start, which sees everything. Trained from
    nothing: the published model starts from a language model and reads the name of each attribute
    before its value; here a separator closes each attribute and, with `item_sep`, each click. Its
    score is the cosine over a temperature of 0.05. Without a content stage a candidate is a history
    of one click. An empty history is the zero vector.
    """

    class Config:
        hidden: int = param(64, min=1, doc="width of the token embedding and of a user vector")
        layers: int = param(3, min=1, doc="Longformer layers")
        heads: int = param(8, min=1, doc="attention heads")
        window: int = param(64, min=2, doc="tokens a word sees, half of them to either side")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed values")
        item_sep: bool = param(False, since=True, doc="put a separator after each click")

    rules = (Divides("heads", "hidden"),)
    example = "flatten Longformer(hidden=64, layers=3, heads=8)"

    def __init__(self, config: "Longformer.Config", sizes: Sizes) -> None:
        super().__init__()
        width, last = sizes.width, config.layers - 1
        self.half = config.window // 2
        self.start = nn.Parameter(0.1 * torch.randn(width))
        self.kinds = nn.Embedding(2, width)
        nn.init.normal_(self.kinds.weight, std=0.02)
        self.separate = ItemSeparator(width) if config.item_sep else None
        each = sizes.tokens_each + (self.separate is not None)
        self.positions = Positions(width, 1 + sizes.clicks * each)
        self.items = Positions(width, 1 + sizes.clicks)
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(config.dropout)
        self.layers = nn.ModuleList(
            Layer(width, config.heads, config.dropout, local=layer < last)
            for layer in range(config.layers)
        )

    def forward(self, x_BSLD: Tensor, mask_BSL: Tensor) -> Tensor:
        """Embedded tokens [B, S, L, hidden], Bool[B, S, L] -> [B, hidden]."""
        if self.separate is not None:
            x_BSLD, mask_BSL = self.separate(x_BSLD, mask_BSL)
        return read_packed(self.read, lay(x_BSLD, mask_BSL, newest_first=True))

    def read(self, laid: Laid) -> Tensor:
        """Laid tokens -> [B, hidden]."""
        x_BND = self.dropout(self.embed(laid))
        # The start is real in every row and stands at place 0.
        mask_BN = torch.cat([torch.ones_like(laid.mask[:, :1]), laid.mask], 1)
        place_BN = torch.cat([torch.zeros_like(laid.place[:, :1]), laid.place + 1], 1)
        away_BNN = (place_BN[:, 1:, None] - place_BN[:, None, :]).abs()
        near_BNN = (away_BNN <= self.half) | (place_BN == 0)[:, None, :]
        allowed_BNN = near_BNN & mask_BN[:, None, :]
        for layer in self.layers:
            x_BND = layer(x_BND, mask_BN, allowed_BNN)
        return x_BND[:, 0].masked_fill(~laid.mask.any(1, keepdim=True), 0.0)

    def embed(self, laid: Laid) -> Tensor:
        """The start and the tokens: [B, 1 + N, D]."""
        words_BND = laid.x + self.kinds.weight[1]
        words_BND = words_BND + self.positions.at(laid.place + 1) + self.items.at(laid.item + 1)
        start_D = self.start + self.kinds.weight[0]
        start_D = start_D + self.positions.table.weight[0] + self.items.table.weight[0]
        start_B1D = start_D.expand(laid.x.shape[0], 1, -1)
        return self.norm(torch.cat([start_B1D, words_BND], 1))


class Layer(nn.Module):
    """A post-norm block; the start attends by projections of its own.

    The dense form of windowed attention: equal to the published one, and exportable. local: the
    last layer has no words to go on with, so it computes the start alone.
    """

    def __init__(self, width: int, heads: int, dropout: float, *, local: bool) -> None:
        super().__init__()
        self.whole = SelfAttention(width, heads, project=False, kind=SmallLinear)
        self.local = SelfAttention(width, heads, project=False, kind=SmallLinear) if local else None
        self.output = SmallLinear(width, width)
        self.norm = nn.LayerNorm(width)
        self.feed = FeedForward(width, dropout)
        self.dropout = Dropout(dropout)

    def forward(self, x_BND: Tensor, mask_BN: Tensor, allowed_BNN: Tensor) -> Tensor:
        """[B, 1 + N, D], Bool[B, 1 + N], what each word may see Bool[B, N, 1 + N] -> the same, or
        [B, 1, D] of the last layer."""
        attended_BND = self.whole(x_BND, mask_BN, x_BND[:, :1])
        if self.local is None:
            x_BND = x_BND[:, :1]
        else:
            words_BND = self.local(x_BND, allowed_BNN, x_BND[:, 1:])
            attended_BND = torch.cat([attended_BND, words_BND], 1)
        return self.feed(self.norm(x_BND + self.dropout(self.output(attended_BND))))
