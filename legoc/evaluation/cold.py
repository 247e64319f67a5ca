"""The rows of a log on which a model is cold: users training never showed, empty histories.

New items are `new` beside `known` (`public.novelty`), which divide the candidates: clicks on new
items against non-clicks on new items of the same group. Against known non-clicks, a model that
knows nothing of any new item would be measured by what it thinks of the known ones.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray


if TYPE_CHECKING:
    from legoc.data.indexing.log import Log


def mark_cold(log: "Log") -> dict[str, NDArray[np.bool_]]:
    """Masks of rows [R] by name; one without a labelled row is left out.

    `new users`: the rows of users without a training row. `no clicks before`: the rows whose
    history is empty.
    """
    label = np.asarray(log.label)
    masks = {
        "new users": (np.asarray(log.user) == 0)[log.history],
        "no clicks before": (np.diff(log.starts) == 0)[log.history],
    }
    return {name: mask for name, mask in masks.items() if (mask & ~np.isnan(label)).any()}
