"""The transformer encoder of BERT, from primitives.

Letters: I any number of rows, L positions, D width.
"""

from torch import Tensor, nn
from torch.nn import functional

from legoc.operators.blocks.additive import AdditiveAttention
from legoc.operators.blocks.attention import SelfAttention
from legoc.operators.blocks.dropout import Dropout
from legoc.operators.blocks.linear import SmallLinear
from legoc.operators.blocks.masking import cleared
from legoc.operators.blocks.positions import Positions


class FeedForward(nn.Module):
    """LN(x + drop(W_2 gelu(W_1 x + b_1) + b_2)), inner width four times the outer."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.inner = SmallLinear(width, 4 * width)
        self.outer = SmallLinear(4 * width, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, x_ILD: Tensor) -> Tensor:
        """[I, L, D] -> [I, L, D]."""
        inner = functional.gelu(self.inner(x_ILD))
        return self.norm(x_ILD + self.dropout(self.outer(inner)))


class EncoderBlock(nn.Module):
    """y = LN(x + drop(attention(x))), then `FeedForward`: a post-norm block."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attend = SelfAttention(width, heads, kind=SmallLinear)
        self.norm = nn.LayerNorm(width)
        self.feed = FeedForward(width, dropout)
        self.dropout = Dropout(dropout)

    def forward(self, x_ILD: Tensor, mask: Tensor) -> Tensor:
        """[I, L, D], Bool[I, L] (or [I, L, L], by query) -> [I, L, D]; padding means nothing."""
        return self.feed(self.norm(x_ILD + self.dropout(self.attend(x_ILD, mask))))


class Encoder(nn.Module):
    """LN(x + position) → dropout → blocks → Linear to `hidden`.

    longest: the longest sequence there can be, 1,024 at least.
    """

    def __init__(
        self, *, width: int, hidden: int, layers: int, heads: int, dropout: float, longest: int = 0
    ) -> None:
        super().__init__()
        self.positions = Positions(width, longest)
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)
        self.blocks = nn.ModuleList(EncoderBlock(width, heads, dropout) for _ in range(layers))
        self.project = SmallLinear(width, hidden)

    def forward(self, x_ILD: Tensor, mask_IL: Tensor, place_IL: Tensor | None = None) -> Tensor:
        """[I, L, D], Bool[I, L] -> [I, L, hidden]; padding means nothing. `place_IL` are the places
        of the positions, where they are not 0, 1, 2, ..."""
        placed = self.positions(x_ILD) if place_IL is None else self.positions.at(place_IL)
        x_ILD = self.dropout(self.norm(cleared(x_ILD, mask_IL) + placed))
        for block in self.blocks:
            x_ILD = block(x_ILD, mask_IL)
        return self.project(x_ILD)


class EncoderPooling(nn.Module):
    """`Encoder`, then additive attention whose inner width is that of the result."""

    def __init__(
        self, *, width: int, hidden: int, layers: int, heads: int, dropout: float, longest: int = 0
    ) -> None:
        super().__init__()
        self.encode = Encoder(
            width=width, hidden=hidden, layers=layers, heads=heads, dropout=dropout,
            longest=longest,
        )  # fmt: skip
        self.pool = AdditiveAttention(hidden, hidden)

    def forward(self, x_ILD: Tensor, mask_IL: Tensor, place_IL: Tensor | None = None) -> Tensor:
        """[I, L, D], Bool[I, L] -> [I, hidden]; a row without a real position gives zeros."""
        return self.pool(self.encode(x_ILD, mask_IL, place_IL), mask_IL)
