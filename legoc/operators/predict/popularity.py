"""What everybody clicks."""

from legoc.language.declaring.declare import Excludes, operator, param
from legoc.operators.blocks.counted import OneNumber


@operator(
    "predict", "Popularity", "(Seq[Vec[d]], Vec[d]) -> Score", tasks=("ranking", "matching"),
    facts={"counts": "clicks", "width": {"plus": 1}},
)  # fmt: skip
class Popularity(OneNumber):
    """The candidate's clicks in the training part, as ln(1 + clicks): the same for every user.

    It stands alone, without content and behavior, and is counted, not trained. With `hours` or
    `days` a click counts exp(-age / span), its age taken at the end of the training part, so that
    the last span counts most and no click is forgotten altogether; the source has to know the times
    of the clicks. An item without a click scores 0.
    """

    class Config:
        hours: float | None = param(None, above=0, doc="the span of memory, in hours")
        days: float | None = param(None, above=0, doc="the same, in days")

    rules = (Excludes("hours", "days"),)
    example = "predict Popularity(hours=24)"
