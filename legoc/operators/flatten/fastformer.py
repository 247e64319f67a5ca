"""Fastformer over all words of a history."""

from legoc.language.declaring.declare import Divides, operator, param
from legoc.operators.blocks.fastformer import FastformerPooling
from legoc.operators.blocks.laying import HistoryPooling
from legoc.operators.sizes import Sizes


@operator(
    "flatten", "Fastformer", "Seq[Tokens] -> Vec[hidden]", layout="sequence",
    paper="Wu et al., Fastformer: Additive Attention Can Be All You Need, 2021",
)  # fmt: skip
class Fastformer(HistoryPooling):
    """`content Fastformer` over the tokens of all clicks, oldest first.

    A separator stands after each attribute and, with `item_sep`, after each click. The
    cost is linear in clicks times tokens. Without a content stage a candidate is a history of one
    click. An empty history is the zero vector.
    """

    class Config:
        hidden: int = param(64, min=1, doc="width of the token embedding and of a user vector")
        layers: int = param(1, min=1, doc="Fastformer layers")
        heads: int = param(16, min=1, doc="attention heads")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed values")
        item_sep: bool = param(True, doc="put a separator after each click")

    rules = (Divides("heads", "hidden"),)
    example = "flatten Fastformer(hidden=64, layers=1, heads=16)"

    def __init__(self, config: "Fastformer.Config", sizes: Sizes) -> None:
        encode = FastformerPooling(
            width=sizes.width, hidden=config.hidden, layers=config.layers, heads=config.heads,
            dropout=config.dropout, longest=sizes.clicks * (sizes.tokens_each + 1),
        )  # fmt: skip
        super().__init__(encode, width=sizes.width, item_sep=config.item_sep)
