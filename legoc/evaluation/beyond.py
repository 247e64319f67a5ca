"""What the first k recommendations are like, whether or not they were clicked.

Of equal scores the earlier candidate comes first. Letters: R rows, G groups, N items, D width.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from legoc.data.indexing.log import F32, I32, I64, Log
from legoc.evaluation.compute import plain
from legoc.evaluation.ranking import order_rows
from legoc.model.counting import training_clicks


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared

F64 = NDArray[np.float64]
# Numbers of vectors that are looked at together.
FLOATS = 1 << 18

MEANINGS = {
    "coverage": "share of the catalogue that is recommended to somebody",
    "coverage at most": "share of the catalogue that was a candidate at all",
    "gini": "inequality of how often candidates are recommended: 0 all alike, 1 one alone",
    "novelty": "bits of surprise: -log2 of an item's share of the clicks in training",
    "popularity lift": "clicks in training of what is recommended, over those of the candidates",
    "diversity of categories": "share of pairs in a list that are of two categories",
    "diversity of vectors": "1 - cosine of the item vectors, on average over pairs in a list",
}


@dataclass(frozen=True, kw_only=True)
class Beyond:
    """Figures by the names in MEANINGS; one that the data or the model has no ground for is left
    out. groups: those that are means over groups, [G], NaN where a group has none."""

    k: int
    figures: Mapping[str, float]
    groups: Mapping[str, F64]

    def to_json(self) -> dict[str, Any]:
        return {"k": self.k, **{name: plain(value) for name, value in self.figures.items()}}

    def table(self) -> list[tuple[str, str, str]]:
        """Rows of name, figure and meaning."""
        return [
            (name, "-" if np.isnan(value) else f"{value:.4f}", MEANINGS[name])
            for name, value in self.figures.items()
        ]


@dataclass(frozen=True, kw_only=True)
class About:
    """What is known of the items [N]: clicks in training, a number per category, and how many items
    there are to recommend."""

    clicks: I64
    categories: I32 | None
    catalogue: int


def sum_up_items(prepared: "Prepared") -> About:
    return About(
        clicks=training_clicks(prepared),
        categories=prepared.categories() if "category" in prepared.report.coverage else None,
        catalogue=len(prepared.items) - 1 - prepared.generated,
    )


def look_beyond(log: Log, scores: F32, prepared: "Prepared", vectors: F32 | None, k: int) -> Beyond:
    """The figures of the rows of a log under scores [R]. vectors: of the items, F[N, D]."""
    about = sum_up_items(prepared)
    return measure_lists(np.asarray(log.group), np.asarray(log.item), scores, k, about, vectors)


def measure_lists(
    group: I32, item: I32, scores: F32, k: int, about: About, vectors: F32 | None = None
) -> Beyond:
    """The figures of rows in groups [R]."""
    order, place = order_rows(group, scores)
    top = order[place < k]
    count = int(group.max(initial=-1)) + 1
    return describe_lists(
        group[top], item[top], count, k, about, offered=np.unique(item),
        usual=means(group, about.clicks[item].astype(np.float64), count), vectors=vectors,
    )  # fmt: skip


def describe_lists(
    owner: I64,
    chosen: I32,
    count: int,
    k: int,
    about: About,
    *,
    offered: I32,
    usual: F64,
    vectors: F32 | None,
) -> Beyond:
    """The figures of lists of the chosen items, by their owners below `count`. offered: what could
    have been chosen; usual F[G]: the clicks in training of the candidates of each list."""
    clicks, catalogue = about.clicks, about.catalogue
    groups: dict[str, F64] = {}
    rarity = -np.log2((clicks + 1) / (clicks.sum() + len(clicks) - 1))
    groups["novelty"] = means(owner, rarity[chosen], count)
    if about.categories is not None:
        groups["diversity of categories"] = differing(owner, about.categories[chosen], count)
    if vectors is not None:
        groups["diversity of vectors"] = spread(owner, vectors, chosen, count)
    exposure = np.bincount(chosen, minlength=len(clicks))[offered]
    recommended = means(owner, clicks[chosen].astype(np.float64), count)
    expected = float(np.nanmean(usual)) if len(usual) else float("nan")
    figures = {
        "coverage": np.count_nonzero(exposure) / catalogue if catalogue else float("nan"),
        "coverage at most": len(offered) / catalogue if catalogue else float("nan"),
        "gini": gini(exposure),
        "novelty": nan_mean(groups["novelty"]),
        "popularity lift": nan_mean(recommended) / expected if expected else float("nan"),
    }
    figures |= {name: nan_mean(each) for name, each in groups.items() if name not in figures}
    return Beyond(k=k, figures=figures, groups=groups)


def means(owner: I32, values: F64, count: int) -> F64:
    """[G]: the mean of the values of each group, NaN where it has none."""
    sizes = np.bincount(owner, minlength=count)
    return divide(np.bincount(owner, values, minlength=count), sizes)


def differing(owner: I32, codes: I32, count: int) -> F64:
    """[G]: the share of pairs with two different codes. 0, no category, is like no other."""
    sizes = np.bincount(owner, minlength=count)
    known = codes > 0
    pairs = owner[known].astype(np.int64) * (int(codes.max(initial=0)) + 1) + codes[known]
    keys, together = np.unique(pairs, return_counts=True)
    owners = keys // (int(codes.max(initial=0)) + 1)
    same = np.bincount(owners, together * (together - 1) / 2, minlength=count)
    every = sizes * (sizes - 1) / 2
    return divide(every - same, every)


def spread(owner: I32, vectors: F32, chosen: I64, count: int) -> F64:
    """[G]: 1 - cosine, the mean over pairs of the vectors [N, D] of the items that are chosen for
    each group; one of length 0 is at right angles to all. owner: ascending. The cosines of pairs
    are what the squared sum of unit vectors has beyond their own."""
    width = vectors.shape[1]
    step = max(FLOATS // max(width, 1), 1)
    together, own = np.zeros(count), np.zeros(count)
    before_D = np.zeros(width)
    for start in range(0, len(owner), step):
        groups = owner[start : start + step]
        vectors_KD = vectors[chosen[start : start + step]].astype(np.float64)
        lengths = np.linalg.norm(vectors_KD, axis=1)
        units_KD = vectors_KD / np.where(lengths > 0, lengths, 1)[:, None]
        opens = np.flatnonzero(np.diff(groups, prepend=-1))
        sums_GD = np.add.reduceat(units_KD, opens)
        if start and owner[start - 1] == owner[start]:
            # The group goes on from the block before, and replaces what was known of it.
            sums_GD[0] += before_D
        together[groups[opens]] = (sums_GD**2).sum(1)
        own[groups[opens]] += np.add.reduceat(lengths > 0, opens, dtype=np.float64)
        before_D = sums_GD[-1]
    sizes = np.bincount(owner, minlength=count)
    every = sizes * (sizes - 1) / 2
    return 1 - divide((together - own) / 2, every)


def gini(counts: I64) -> float:
    """Of how often each item is recommended: half the mean difference over the mean."""
    total, size = int(counts.sum()), len(counts)
    if not total:
        return float("nan")
    ranks = np.arange(1, size + 1)
    return float(((2 * ranks - size - 1) * np.sort(counts)).sum() / (size * total))


def divide(one: F64, other: Any) -> F64:
    """NaN where there is nothing to divide by."""
    bottom = np.asarray(other, dtype=np.float64)
    return np.divide(one, bottom, out=np.full(len(bottom), np.nan), where=bottom > 0)


def nan_mean(values: F64) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else float("nan")


def vectors_of(encoded: Any) -> F32 | None:
    """The item vectors that an engine keeps, where it keeps some."""
    found = getattr(encoded, "vectors", encoded)
    if hasattr(found, "detach"):
        found = found.detach().cpu().numpy()
    return found if isinstance(found, np.ndarray) and found.ndim == 2 else None
