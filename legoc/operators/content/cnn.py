"""The text encoder of NAML and LSTUR: convolution and additive attention per attribute."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import Odd, operator, param
from legoc.operators.blocks.additive import AdditiveAttention
from legoc.operators.blocks.convolution import Convolution
from legoc.operators.blocks.dropout import Dropout
from legoc.operators.blocks.linear import PlainLinear, RectifiedLinear
from legoc.operators.blocks.masking import cleared, masked_mean
from legoc.operators.sizes import Sizes


@operator(
    "content", "CNN", "Tokens -> Vec[hidden]", layout="fields",
    paper="Wu et al., Neural News Recommendation with Attentive Multi-View Learning, IJCAI 2019",
)  # fmt: skip
class CNN(nn.Module):
    """Convolution and additive attention over each text, then over the attributes.

    A category or number goes through one layer instead. `fuse=additive` weighs the attributes by
    a second additive attention (NAML); `fuse=concat` concatenates them and brings them back to
    `hidden` by one Linear (LSTUR). An attribute without a token is masked, or a slot of zeros.
    `fuse=tokens` is NAML as Legommenders has it: the texts share one convolution, the values one
    Linear without a ReLU, and one additive attention weighs all positions of all attributes.
    """

    class Config:
        hidden: int = param(64, min=1, doc="filters, and width of an item vector")
        kernel: int = param(3, min=1, doc="tokens in a window")
        fuse: Literal["additive", "concat", "tokens"] = param(
            "additive", doc="how attributes are joined"
        )
        dim: int = param(256, min=1, doc="inner width of the additive attentions")
        dropout: float = param(
            0.1, min=0, max=1, doc="share of zeroed inputs and features of texts"
        )

    rules = (Odd("kernel"),)
    example = "content CNN(hidden=64, kernel=3)"

    def __init__(self, config: "CNN.Config", sizes: Sizes) -> None:
        super().__init__()
        self.fuse = config.fuse
        self.texts = tuple(attribute.kind == "text" for attribute in sizes.attributes)
        if config.fuse == "tokens":
            self.readers = SharedReaders(config, self.texts)
            self.join: nn.Module = AdditiveAttention(config.hidden, config.dim)
            return
        self.readers = nn.ModuleList(
            TextReader(config) if text else ValueReader(config.hidden) for text in self.texts
        )
        if config.fuse == "additive":
            self.join = AdditiveAttention(config.hidden, config.dim)
        else:
            self.join = PlainLinear(config.hidden * len(sizes.attributes), config.hidden)

    def forward(self, x: Sequence[Tensor], masks: Sequence[Tensor]) -> Tensor:
        """A of [I, L_a, hidden] and Bool[I, L_a], in reading order -> [I, hidden]."""
        if self.fuse == "tokens":
            return self.join(torch.cat(self.readers(x, masks), 1), torch.cat(list(masks), 1))
        vectors = [
            read(x_ILD, mask_IL)
            for read, x_ILD, mask_IL in zip(self.readers, x, masks, strict=True)
        ]
        has_IA = torch.stack([mask_IL.any(1) for mask_IL in masks], 1)
        if self.fuse == "additive":
            return self.join(torch.stack(vectors, 1), has_IA)
        # The bias must not make a vector of an item that says nothing.
        return self.join(torch.cat(vectors, 1)).masked_fill(~has_IA.any(1, keepdim=True), 0.0)


class SharedReaders(nn.Module):
    """One convolution for all texts and one Linear for all values; nothing is pooled."""

    def __init__(self, config: "CNN.Config", texts: Sequence[bool]) -> None:
        super().__init__()
        self.texts = tuple(texts)
        width = config.hidden
        self.convolve = Convolution(width, width, config.kernel) if any(texts) else None
        self.linear = None if all(texts) else PlainLinear(width, width)
        self.dropout = Dropout(config.dropout)

    def forward(self, x: Sequence[Tensor], masks: Sequence[Tensor]) -> list[Tensor]:
        """A of [I, L_a, hidden] and Bool[I, L_a] -> A of [I, L_a, hidden]."""
        found: list[Tensor] = []
        for text, x_ILD, mask_IL in zip(self.texts, x, masks, strict=True):
            if text and self.convolve is not None:
                features_ILD = self.convolve(self.dropout(cleared(x_ILD, mask_IL))).relu()
                found.append(self.dropout(features_ILD))
            elif self.linear is not None:
                found.append(self.linear(cleared(x_ILD, mask_IL)))
        return found


class TextReader(nn.Module):
    """dropout → convolution → ReLU → dropout → additive attention."""

    def __init__(self, config: "CNN.Config") -> None:
        super().__init__()
        self.convolve = Convolution(config.hidden, config.hidden, config.kernel)
        self.pool = AdditiveAttention(config.hidden, config.dim)
        self.dropout = Dropout(config.dropout)

    def forward(self, x_ILD: Tensor, mask_IL: Tensor) -> Tensor:
        """[I, L, hidden], Bool[I, L] -> [I, hidden]."""
        features_ILD = self.convolve(self.dropout(cleared(x_ILD, mask_IL))).relu()
        # What the bias and the window put into padding ends here: the pooling gives it no weight.
        return self.pool(self.dropout(features_ILD), mask_IL)


class ValueReader(nn.Module):
    """Linear → ReLU of each value, then their mean: a category may hold several."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.linear = RectifiedLinear(hidden, hidden)

    def forward(self, x_ILD: Tensor, mask_IL: Tensor) -> Tensor:
        """[I, L, hidden], Bool[I, L] -> [I, hidden]."""
        return masked_mean(self.linear(cleared(x_ILD, mask_IL)).relu(), mask_IL)
