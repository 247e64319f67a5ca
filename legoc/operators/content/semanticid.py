"""Items as sums of a few codes that they share with like items.

Letters: I any number of items, N rows of the item table, D width.
"""

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import File, operator, param
from legoc.language.diagnosing.diagnostics import fail
from legoc.operators.blocks.linear import PlainLinear
from legoc.operators.sizes import Sizes


@operator(
    "content", "SemanticID", "Id -> Vec[hidden]",
    paper="Rajput et al., Recommender Systems with Generative Retrieval, NeurIPS 2023",
)  # fmt: skip
class SemanticID(nn.Module):
    """The sum of a trainable vector per code: Σ_l E_l[code_l], and a Linear where widths differ.

    The codes of an item, one per level, stay as they are in `file`: a `.safetensors` with `codes`
    (integers from 0, a row per item), `ids` and `offsets`, or `x.npy` with `x.ids.txt` beside it.
    `legoc codes` makes it of a vector table. As many levels as the file has columns; 4 of 256 codes
    are usual. An item without a row is the zero vector. Vectors start so that their sum is
    N(0, 0.1²).
    """

    class Config:
        file: File = param(doc="the codes of the items")
        hidden: int = param(64, min=1, doc="width of an item vector")
        size: int = param(256, min=2, doc="codes of each level")
        dim: int | None = param(None, min=1, doc="width of a code's vector; `hidden` where none")

    example = 'content SemanticID(file="codes.safetensors")'

    rows = "codes"
    places: Tensor

    def __init__(self, config: "SemanticID.Config", sizes: Sizes) -> None:
        super().__init__()
        width = config.hidden if config.dim is None else config.dim
        self.size = config.size
        self.levels = sizes.file
        # Row 0 is the code of an item that has none; level l has the rows from 1 + l size on.
        self.table = nn.Embedding(1 + sizes.file * config.size, width, padding_idx=0)
        nn.init.normal_(self.table.weight, std=0.1 / max(sizes.file, 1) ** 0.5)
        with torch.no_grad():
            self.table.weight[:1].zero_()
        self.register_buffer("places", torch.zeros(sizes.items, sizes.file, dtype=torch.int32))
        same = width == config.hidden
        self.project = nn.Identity() if same else PlainLinear(width, config.hidden, bias=False)

    def fill(self, codes_NL: Tensor, has_N: Tensor) -> None:
        """Codes in the order of the item table, and which items have any. Raises E0646 for a code
        outside its level."""
        wrong = codes_NL[has_N]
        wrong = wrong[(wrong < 0) | (wrong >= self.size)]
        if len(wrong):
            raise fail(
                "E0646",
                f"the file of codes holds {int(wrong[0])}, and a level has {self.size} codes",
                f"number the codes of each level from 0 to {self.size - 1}, or set `size`",
            )
        first_L = 1 + self.size * torch.arange(self.levels)
        places_NL = (codes_NL.long() + first_L).masked_fill(~has_N.unsqueeze(-1), 0)
        self.places.copy_(places_NL)

    def forward(self, item_I: Tensor) -> Tensor:
        """Integer rows [I] of the item table -> [I, hidden]."""
        places_IL = self.places.index_select(0, item_I.long())
        return self.project(self.table(places_IL.long()).sum(1))
