"""Whether training tells clicks from the same kind of item as the evaluation does."""

import numpy as np

from legoc.data.indexing.codes import SPLITS, Codes
from legoc.data.prepare import Prepared
from legoc.language.ir.negatives import TESTED, find_difference
from legoc.language.ir.spec import Spec


# The share of negatives that have to be filled up from which on they are another kind.
FILLED = 0.2


def compare_candidates(spec: Spec, prepared: Prepared) -> list[str]:
    """What to know where the negatives of the spec's recipe and the candidates it is measured on
    are of different kinds."""
    parts = [name for name in ("valid", "test") if name in prepared.report.parts]
    candidates = prepared.report.candidates
    if spec.train is None or not parts or candidates not in TESTED:
        return []
    task = spec.train.task
    measured = f"the candidates of {' and '.join(parts)} are {TESTED[candidates][0]}"
    found = find_difference(task, candidates)
    if found is not None:
        return [
            f"training has {found.trained}, and {measured}: the figures measure another task than "
            f"is trained; `{found.remedy}` is of the same kind"
        ]
    negatives, pool = task.args.get("negatives"), task.args.get("pool") or "impression"
    # A log of clicks alone is filled up altogether, with the kind it is measured on.
    if negatives is None or pool != "impression" or candidates not in ("shown", "rated"):
        return []
    filled = share_filled(spec, prepared, negatives)
    if filled <= FILLED:
        return []
    return [
        f"{filled:.1%} of training's negatives are filled up with uniform items, for there are "
        f"fewer than {negatives} non-clicks to a click, and {measured}: fewer `negatives` are of "
        "one kind with them"
    ]


def share_filled(spec: Spec, prepared: Prepared, negatives: int) -> float:
    """The share of the negatives of `pool=impression` that no group has."""
    codes = Codes.load(prepared.tables.folder)
    rows = np.flatnonzero(codes.split == SPLITS.index("train"))
    label = codes.label[rows]
    group = codes.impression[rows]
    if spec.data.group == "user":
        group = codes.person[codes.history[rows]]
    clicks = np.bincount(group, weights=label > 0)
    quiet = np.bincount(group, weights=label == 0)
    wanted = negatives * clicks.sum()
    return float(1 - (clicks * np.minimum(quiet, negatives)).sum() / wanted) if wanted else 0.0
