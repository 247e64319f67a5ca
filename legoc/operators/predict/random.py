"""Chance, to compare with."""

from legoc.language.declaring.declare import operator, param
from legoc.operators.blocks.counted import OneNumber


@operator(
    "predict", "Random", "(Seq[Vec[d]], Vec[d]) -> Score", tasks=("ranking", "matching"),
    facts={"counts": "hashes", "width": {"plus": 1}},
)  # fmt: skip
class Random(OneNumber):
    """A number between 0 and 1 that a hash makes of the candidate's id and `seed`.

    It is the same for every user, on every machine. It stands alone, and there is nothing to
    train. What a metric gives for it is what that metric is worth on these lists of candidates
    without any knowledge.
    """

    class Config:
        seed: int = param(0, min=0, doc="other seeds make other numbers")

    example = "predict Random"
