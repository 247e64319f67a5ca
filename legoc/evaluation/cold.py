"""The rows of a log on which a model is cold: clicks on items, and users, training never showed.

`known` and `new` divide the candidates; here whole groups are chosen, so that grouped metrics
compare what was shown together.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray


if TYPE_CHECKING:
    from legoc.data.indexing.log import Log


def mark_cold(log: "Log", training_items: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """Masks of rows [R] by name; one without a labelled row is left out.

    `new clicks`: the groups that have clicks, all of them on items no training impression or
    history shows. `new users`: the rows of users without a training row. `no clicks before`: the
    rows whose history is empty. training_items: Bool[N].
    """
    label, item = np.asarray(log.label), np.asarray(log.item)
    hit = label > 0
    groups = int(log.group.max(initial=-1)) + 1
    clicks = np.bincount(log.group[hit], minlength=groups)
    known = np.bincount(log.group[hit & training_items[item]], minlength=groups)
    masks = {
        "new clicks": ((clicks > 0) & (known == 0))[log.group],
        "new users": (np.asarray(log.user) == 0)[log.history],
        "no clicks before": (np.diff(log.starts) == 0)[log.history],
    }
    return {name: mask for name, mask in masks.items() if (mask & ~np.isnan(label)).any()}
