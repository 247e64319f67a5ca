"""E0401 to E0404: what stands on the arrows."""

from legoc.language.codes import Code


CODES = (
    Code(
        code="E0401",
        title="behavior cannot read the item",
        explanation=(
            "A behavior operator reads the sequence of what the content stage makes of each "
            "click. `legoc operators behavior` shows what each of them reads."
        ),
        bad="content Text -> behavior Additive -> predict Dot",
        good="content CNN -> behavior Additive -> predict Dot",
    ),
    Code(
        code="E0402",
        title="rule against a width",
        explanation=(
            "Some parameters have to fit the width they work on: the number of attention heads "
            "divides it."
        ),
        bad="content CNN(hidden=250) -> behavior Attention(heads=8) -> predict Dot",
        good="content CNN(hidden=256) -> behavior Attention(heads=8) -> predict Dot",
    ),
    Code(
        code="E0403",
        title="predictor cannot read the user or item",
        explanation=(
            "A predictor reads one user vector (Vec), several (Many), or the clicks themselves "
            "(Seq); the behavior stage decides which there is. `behavior Null` passes the clicks "
            "through."
        ),
        bad="content Pooling -> behavior Additive -> predict DIN",
        good="content Pooling -> behavior Null -> predict DIN",
    ),
    Code(
        code="E0404",
        title="unequal widths",
        explanation=(
            "Dot and its like compare user and item number by number, so both have one width. "
            "Behavior operators inherit the width of the item unless told otherwise."
        ),
        bad="content CNN(hidden=256) -> behavior GRU(hidden=128) -> predict Dot",
        good="content CNN(hidden=256) -> behavior GRU -> predict Dot",
    ),
)
