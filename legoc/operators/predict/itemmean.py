"""What users think of an item on average."""

from legoc.language.declaring.declare import operator, param
from legoc.operators.blocks.counted import OneNumber


@operator(
    "predict", "ItemMean", "(Seq[Vec[d]], Vec[d]) -> Score", tasks=("ranking", "matching"),
    facts={"counts": "labels", "logit": True, "width": {"plus": 1}},
)  # fmt: skip
class ItemMean(OneNumber):
    """The candidate's mean label in the training part, drawn towards the mean of all.

    It is the same for every user. It stands alone and is counted, not trained: m = (sum of labels
    + strength · mean of all) / (number of labels + strength), which is the mean of all for an item
    without a label. The score is ln(m / (1 - m)), so that its probability is m. Training rows have
    to tell what was not liked or not clicked; where every one is a click, all means are 1.
    """

    class Config:
        strength: float = param(5.0, min=0, doc="labels that the mean of all is worth")

    example = "predict ItemMean"
