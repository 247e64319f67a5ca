"""Whether training tells clicks from the same kind of item as the evaluation does."""

import numpy as np

from legoc.data.indexing.codes import SPLITS, Codes
from legoc.data.prepare import Prepared
from legoc.language.ir.spec import Spec


# The share of negatives that have to be filled up from which on they are another kind.
FILLED = 0.2

# What the non-clicks of valid and test are, by `Report.candidates`, and what to write for it.
TESTED = {
    "shown": ("items that were shown and not clicked", "pool=impression"),
    "rated": ("items their user rated low", "pool=impression"),
    "drawn": ("items drawn uniformly from what the user never touched", "pool=uniform"),
    "rated and drawn": ("items their user rated low, and items drawn uniformly", "pool=impression"),
}
# What training draws from each pool but `impression`.
POOLS = {
    "uniform": "uniformly from all items",
    "popularity": "by the clicks of items",
    "category": "from items of the click's category",
}


def compare_candidates(spec: Spec, prepared: Prepared) -> list[str]:
    """What to know where the negatives of the spec's recipe and the candidates it is measured on
    are of different kinds."""
    parts = [name for name in ("valid", "test") if name in prepared.report.parts]
    known = TESTED.get(prepared.report.candidates)
    if spec.train is None or not parts or known is None:
        return []
    what, remedy = known
    task = spec.train.task
    negatives, pool = task.args.get("negatives"), task.args.get("pool") or "impression"
    drawn = prepared.report.candidates == "drawn"
    measured = f"the candidates of {' and '.join(parts)} are {what}"
    if negatives is None:
        if prepared.report.candidates != "rated and drawn":
            return []
        return [
            f"training ranks the log's own rows, and {measured}: it never meets a drawn item; "
            "write `ranking(negatives=4)`"
        ]
    if pool != "impression":
        if drawn and pool == "uniform":
            return []
        return [
            f"training draws negatives {POOLS[pool]}, and {measured}: the figures measure another "
            f"task than is trained; `{remedy}` is of the same kind"
        ]
    filled = share_filled(spec, prepared, negatives)
    # A log of clicks alone is filled up altogether, with the kind it is measured on.
    if drawn or prepared.report.candidates == "rated and drawn" or filled <= FILLED:
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
