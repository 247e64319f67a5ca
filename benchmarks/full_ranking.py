"""What ranking the whole catalogue costs against the matrix product that it is made of.

Vectors of users and items as a model of width 64 has them, histories that are left out, and a few
clicks for each user. Beside the ranks stands the product of numpy alone, of the same blocks of
users with all items: written out whole, and in tiles that stay near the core.
"""

from collections.abc import Callable

import numpy as np

from benchmarks.ratio import show, take_turns
from legoc.data.indexing.log import Log
from legoc.evaluation.catalogue import Catalogue, Queries, build_queries, seen_in
from legoc.evaluation.products import ITEMS, USERS, place_by_products
from legoc.progress import SilentTask


COUNT, CATALOGUE, WIDTH, HISTORY = 4_096, 100_000, 64, 50


def run() -> None:
    """Print a line for one click per user, and one for three."""
    for clicks in (1, 3):
        users, items, queries = make(clicks)
        # Without the row of the padding item, so that rows are aligned as well as they can be.
        vectors = np.ascontiguousarray(items[1:])
        product = float(COUNT * CATALOGUE)
        work: dict[str, tuple[float, Callable[[], object]]] = {
            "product, whole rows": (product, multiply(users, vectors, CATALOGUE)),
            "product, tiles": (product, multiply(users, vectors, ITEMS)),
            "ranks": (product, rank(users, items, queries)),
        }
        timed = take_turns(work, "pairs", turns=5)
        title = f"{COUNT:,} users x {CATALOGUE:,} items, width {WIDTH}, {clicks} clicks each"
        show(f"full ranking, {title}", timed, "product, whole rows")
        for base in ("product, whole rows", "product, tiles"):
            print(f"  ranks take {timed['ranks'].median / timed[base].median:.2f} x {base}")


def make(clicks: int) -> tuple[np.ndarray, np.ndarray, Queries]:
    rng = np.random.default_rng(0)
    users = rng.normal(size=(COUNT, WIDTH)).astype(np.float32)
    items = rng.normal(size=(CATALOGUE + 1, WIDTH)).astype(np.float32)
    log = Log(
        clicks=rng.integers(1, CATALOGUE + 1, COUNT * HISTORY).astype(np.int32),
        starts=np.arange(COUNT + 1, dtype=np.int64) * HISTORY,
        user=np.zeros(COUNT, dtype=np.int32),
        history=np.repeat(np.arange(COUNT, dtype=np.int32), clicks),
        item=rng.integers(1, CATALOGUE + 1, COUNT * clicks).astype(np.int32),
        label=np.ones(COUNT * clicks, dtype=np.float32),
        group=np.repeat(np.arange(COUNT, dtype=np.int32), clicks),
    )
    offered = np.arange(CATALOGUE + 1) > 0
    return users, items, build_queries(log, Catalogue.of(offered), seen_in(log))


def rank(users: np.ndarray, items: np.ndarray, queries: Queries) -> Callable[[], object]:
    rows = np.arange(len(users))
    return lambda: place_by_products(users, rows, items, queries, None, SilentTask())


def multiply(users: np.ndarray, items: np.ndarray, width: int) -> Callable[[], object]:
    out = np.empty((USERS, width), dtype=np.float32)

    def product() -> None:
        for start in range(0, len(users), USERS):
            some = users[start : start + USERS]
            for first in range(0, len(items), width):
                part = items[first : first + width]
                np.matmul(some, part.T, out=out[: len(some), : len(part)])

    return product
