"""A catalogue that is asked and added to: the ten best of so many items beside one numpy product of
the same matrix, and one item added beside the same table made anew."""

import time
import tracemalloc
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from benchmarks.ratio import show, take_turns
from legoc_runtime.adding import DIGEST
from legoc_runtime.blocks import Blocks
from legoc_runtime.changes import Made, insert
from legoc_runtime.cold import ColdUsers
from legoc_runtime.recommending import Recommender
from legoc_runtime.scoring import Scorer
from legoc_runtime.table import Table, make_table
from legoc_runtime.users import User


WIDTH = 64
SIZES = (3_000, 100_000, 1_000_000)
REPEATS = {3_000: 400, 100_000: 40, 1_000_000: 5}


def run() -> None:
    random = np.random.default_rng(0)
    vector = random.normal(size=WIDTH).astype(np.float32)
    user = User(vectors=vector, clicks=(), unknown=(), known=False)
    for size in SIZES:
        matrix = random.normal(size=(size, WIDTH)).astype(np.float32)
        matrix[0] = 0
        alike = matrix[random.integers(1, 20, size)]
        asked = ask(make_table(names(size), matrix), user)
        tied = ask(make_table(names(size), alike), user)
        repeats = REPEATS[size]
        show(
            f"10 of {size:,} items, {WIDTH} wide",
            take_turns(
                {
                    "numpy product": (repeats, times(repeats, lambda m=matrix: m @ vector)),
                    "recommend": (repeats, times(repeats, asked)),
                    "recommend, 19 different scores": (repeats, times(repeats, tied)),
                },
                "answers",
            ),
            "numpy product",
        )
    add(random, matrix)


def names(count: int) -> list[str]:
    return ["", *(f"N{number}" for number in range(1, count))]


def ask(table: Table, user: User) -> Callable[[], object]:
    """A call for the ten best, without graphs: what is measured is the search."""
    plan = SimpleNamespace(user="vector", width=WIDTH)
    parts = SimpleNamespace(
        plan=plan, predict="Dot", context=None, reading=None, rows=table.count, calibration=None
    )
    scorer = Scorer(cast(Any, SimpleNamespace(parts=parts)))
    items = SimpleNamespace(table=table, moment=lambda when: None)
    recommender = Recommender(cast(Any, items), scorer, ColdUsers("model"))
    return lambda: recommender.users(
        [user], 10, None, exclude=None, candidates=None, where=None, boost=None
    )


def times(count: int, call: Callable[[], object]) -> Callable[[], None]:
    def several() -> None:
        for _ in range(count):
            call()

    return several


def add(random: np.random.Generator, matrix: Any) -> None:
    """Milliseconds and memory of items that come one by one to a full table."""
    table = make_table(names(len(matrix)), matrix)
    digests = Blocks.of(np.zeros((len(matrix), DIGEST), np.uint8))
    rows = random.normal(size=(1, WIDTH)).astype(np.float32)
    count = 20_000
    tracemalloc.start()
    began = time.process_time()
    for number in range(count):
        made = Made(
            names=[f"X{number}"], changed=np.zeros(1, np.intp), vectors=rows,
            digests=np.ones((1, DIGEST), np.uint8), tokens=None,
        )  # fmt: skip
        table, digests, _ = insert(table, digests, made, [{}], None)
    seconds = time.process_time() - began
    steady, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"\n{count:,} items added one by one to {len(matrix):,}, without their encoding")
    print(f"  {1000 * seconds / count:.3f} ms each; {peak / 2**20:,.0f} MiB more at the peak, ")
    print(f"  {steady / 2**20:,.0f} MiB of it stay; the table has {matrix.nbytes / 2**20:,.0f} MiB")
