"""What every metric is: what it measures, and over what its figure is taken."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


GROUPS = {"over": "groups", "better": "higher"}
ROWS = {"over": "rows", "better": "higher"}
LOSS = {"over": "rows", "better": "lower", "reads": "probability"}
# Of all rows together: there are no `shares`.
WHOLE = {**LOSS, "whole": True}
CHANCE = {**ROWS, "reads": "probability"}

F32 = NDArray[np.float32]
Bool = NDArray[np.bool_]


class Metric:
    """`config` holds the parameters. A metric of groups measures a ranking, [G]; one of rows
    measures scores F32[R] with labels Bool[R], a number (NaN where it is not defined).

    A metric of rows that can be told apart by groups has `shares(scores, positive, groups I64[R],
    count)`: a numerator and a denominator for each of `count` groups, [G] each, whose sums divide
    to the figure; resampled groups divide to what the figure would be, at least to first order.
    """

    def __init__(self, config: Any = None) -> None:
        self.config = config
