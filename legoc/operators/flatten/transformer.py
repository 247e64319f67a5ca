"""One transformer over all words of a history."""

from legoc.language.declaring.declare import Divides, operator, param
from legoc.operators.blocks.encoder import EncoderPooling
from legoc.operators.blocks.laying import HistoryPooling
from legoc.operators.sizes import Sizes


@operator("flatten", "Transformer", "Seq[Tokens] -> Vec[hidden]", layout="sequence")
class Transformer(HistoryPooling):
    """`content Transformer` over the tokens of all clicks, oldest first.

    A separator stands after each attribute and, with `item_sep`, after each click. Every token
    attends to every other, so the cost grows with the square of clicks times tokens. Without a
    content stage a candidate is a history of one click. An empty history is the zero vector.
    """

    class Config:
        hidden: int = param(64, min=1, doc="width of the token embedding and of a user vector")
        layers: int = param(3, min=1, doc="transformer blocks")
        heads: int = param(8, min=1, doc="attention heads")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed values")
        item_sep: bool = param(True, doc="put a separator after each click")

    rules = (Divides("heads", "hidden"),)
    example = "flatten Transformer(hidden=64, layers=3, heads=8)"

    def __init__(self, config: "Transformer.Config", sizes: Sizes) -> None:
        encode = EncoderPooling(
            width=sizes.width, hidden=config.hidden, layers=config.layers, heads=config.heads,
            dropout=config.dropout, longest=sizes.clicks * (sizes.tokens_each + 1),
        )  # fmt: skip
        super().__init__(encode, width=sizes.width, item_sep=config.item_sep)
