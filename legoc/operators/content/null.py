"""Items as rows of a table."""

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import File, Needs, operator, param
from legoc.operators.blocks.dropout import Dropout
from legoc.operators.blocks.linear import PlainLinear
from legoc.operators.blocks.table import Table
from legoc.operators.sizes import Sizes


@operator(
    "content", "Null", "Id -> Vec[hidden]", facts={"pretrained": {"by": "file", "unless": "frozen"}}
)
class Null(nn.Module):
    """A vector per item; nothing is read of the item but its place in the table.

    The twin of every content model in a comparison. It knows no item that came after training.
    Rows start as N(0, 0.1²), or as those of `file`, found by the items' ids: vectors that a content
    model made before (decoupled from this training), zero for an item without a row. `frozen` keeps
    them as they are. Where they are not `hidden` wide, a Linear follows. Row 0, the padding item,
    is zero and never trained.

    The file is a `.safetensors` with `vectors`, `ids` and `offsets`, as in a bundle, or a `x.npy`
    with `x.ids.txt` beside it, one id per line.
    """

    class Config:
        hidden: int = param(64, min=1, doc="width of an item vector")
        file: File | None = param(None, since=True, doc="pre-trained vectors of the items")
        frozen: bool = param(False, since=True, doc="do not train the vectors of the file")
        dropout: float = param(
            0.0, min=0, max=1, since=True, doc="share of zeroed values of an item vector"
        )

    rules = (Needs("frozen", "file"),)
    example = "content Null(hidden=64)"

    rows = "vectors"

    def __init__(self, config: "Null.Config", sizes: Sizes) -> None:
        super().__init__()
        width = sizes.file if config.file is not None else config.hidden
        self.table = Table(sizes.items, width)
        nn.init.normal_(self.table.weight, std=0.1)
        with torch.no_grad():
            self.table.weight[:1].zero_()
        self.table.weight.requires_grad_(not config.frozen)
        self.table.pretrained = config.file is not None
        self.project = None if width == config.hidden else PlainLinear(width, config.hidden)
        self.dropout = Dropout(config.dropout)

    def fill(self, rows_NW: Tensor, has_N: Tensor) -> None:
        """Rows of the file in the order of the item table; the others become zero."""
        with torch.no_grad():
            self.table.weight.copy_(rows_NW.masked_fill(~has_N.unsqueeze(-1), 0.0))

    def forward(self, item_I: Tensor) -> Tensor:
        """Integer rows [I] of the item table -> [I, hidden]."""
        x_ID = self.table(item_I)
        if self.project is not None:
            # The bias must not make a vector of the padding item.
            x_ID = self.project(x_ID).masked_fill((item_I == 0).unsqueeze(-1), 0.0)
        return self.dropout(x_ID)
