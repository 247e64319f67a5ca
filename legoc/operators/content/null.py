"""Items as rows of a trainable table."""

import torch
from torch import Tensor, nn

from legoc.language.declare import operator, param
from legoc.operators.sizes import Sizes


@operator("content", "Null", "Id -> Vec[hidden]")
class Null(nn.Module):
    """A trainable vector per item; nothing is read of the item but its place in the table.

    The twin of every content model in a comparison. It knows no item that came after training.
    Rows start as N(0, 0.1²); row 0, the padding item, is zero and never trained.
    """

    class Config:
        hidden: int = param(64, min=1, doc="width of an item vector")

    example = "content Null(hidden=64)"

    def __init__(self, config: "Null.Config", sizes: Sizes) -> None:
        super().__init__()
        self.table = nn.Embedding(sizes.items, config.hidden, padding_idx=0)
        nn.init.normal_(self.table.weight, std=0.1)
        with torch.no_grad():
            self.table.weight[:1].zero_()

    def forward(self, item_I: Tensor) -> Tensor:
        """Integer rows [I] of the item table -> [I, hidden]."""
        return self.table(item_I)
