"""What training tells clicks from, and what the evaluation tells them from.

Figures measure what was trained only where the two are of one kind.
"""

from dataclasses import dataclass

from legoc.language.ir.spec import Call


# What the non-clicks of valid and test are, and the task whose negatives are like them.
TESTED = {
    "shown": ("items that were shown and not clicked", "pool=impression"),
    "rated": ("items their user rated low", "pool=impression"),
    "drawn": ("items drawn uniformly from what the user never touched", "pool=uniform"),
    "rated and drawn": ("items their user rated low, and items drawn uniformly", "pool=impression"),
}
# What training draws from each pool but `impression`, which takes the log's own non-clicks and
# fills up with uniform items.
POOLS = {
    "uniform": "uniformly from all items",
    "popularity": "by the clicks of items",
    "category": "from items of the click's category",
    "batch": "from the clicks of other rows",
    "mixed": "from the clicks of other rows and uniformly from all items",
}
# Pools that draw negatives from the other rows of a batch.
SHARED = ("batch", "mixed")
# Those whose negatives count as uniform ones: drawn so, or corrected for how they are drawn.
UNIFORM = ("uniform", *SHARED)


def count_others(pool: str, negatives: int) -> int:
    """How many of a row's negatives are clicks of other rows of its batch: all with `batch`, the
    larger half with `mixed`."""
    return {"batch": negatives, "mixed": negatives - negatives // 2}.get(pool, 0)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """trained, measured: what the negatives of each are; remedy: what to write instead."""

    trained: str
    measured: str
    remedy: str


def find_difference(task: Call, candidates: str) -> Difference | None:
    """How the negatives of a task differ from the non-clicks it is measured on (`candidates`, a key
    of `TESTED`); None where they are of one kind or nothing is known."""
    if candidates not in TESTED:
        return None
    measured, remedy = TESTED[candidates]
    if task.args.get("negatives") is None:
        if candidates != "rated and drawn":
            return None
        return Difference(
            trained="the log's own rows and no drawn item",
            measured=measured,
            remedy="ranking(negatives=4)",
        )
    pool = task.args.get("pool") or "impression"
    if pool == "impression" or (candidates == "drawn" and pool in UNIFORM):
        return None
    return Difference(trained=f"negatives drawn {POOLS[pool]}", measured=measured, remedy=remedy)
