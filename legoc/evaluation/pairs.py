"""Full ranking of predictors that are no inner product: every pair through the engine.

Letters: n items of the catalogue, Q queries, P positives, C classes, m queries of a block.
"""

from typing import Any

import numpy as np

from legoc.data.indexing.log import F32, I64, Log
from legoc.evaluation.best import Running, join
from legoc.evaluation.catalogue import Queries
from legoc.evaluation.compute import verify_finite
from legoc.evaluation.engine import Engine
from legoc.evaluation.placed import Placed
from legoc.progress import Task


PAIRS_AT_ONCE = 65_536


def place_by_pairs(
    engine: Engine, users: Any, items: Any, rows: I64, log: Log, queries: Queries, top: int | None,
    task: Task,
) -> Placed:  # fmt: skip
    """Where the positives stand by the engine's scores; rows I64[Q]: the user of each query. The
    scores of one whole list are there at a time, or of several short ones."""
    catalogue = queries.catalogue
    count = len(queries.item), len(catalogue.ends)
    score = np.zeros(count[0], dtype=np.float32)
    above, tied = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    ranked = np.zeros((len(queries), count[1]), dtype=np.int64)
    best: list[tuple[I64, Running]] = []
    together = max(PAIRS_AT_ONCE // max(len(catalogue), 1), 1)
    for start in range(0, len(queries), together):
        chosen = np.arange(start, min(start + together, len(queries)))
        scores = score_lists(engine, users, items, rows, log, queries, chosen, task)
        out_place, out_row = queries.left_out(chosen)
        scores[out_row, out_place] = -np.inf
        number, row = queries.positives(chosen)
        place = catalogue.place[queries.item[number]]
        score[number] = found = scores[row, place]
        for kind, (begin, end) in enumerate(catalogue.bounds):
            ordered = np.sort(scores[:, begin:end], axis=1)
            ranked[chosen, kind] = (ordered > -np.inf).sum(axis=1)
            for one in range(len(chosen)):
                own = row == one
                low = ordered[one].searchsorted(found[own], "left")
                high = ordered[one].searchsorted(found[own], "right")
                above[number[own], kind], tied[number[own], kind] = end - begin - high, high - low
        if top is not None:
            running = Running(len(chosen), top)
            running.offer(scores, catalogue.items)
            best.append((chosen, running))
    return Placed(
        score=score, above=above, tied=tied, rows=ranked,
        best=None if top is None else join(best),
    )  # fmt: skip


def score_lists(
    engine: Engine, users: Any, items: Any, rows: I64, log: Log, queries: Queries, chosen: I64,
    task: Task,
) -> F32:  # fmt: skip
    """[m, n]: the scores of the whole catalogue for some queries, each at its moment."""
    size = len(queries.catalogue)
    scores = np.empty(len(chosen) * size, dtype=np.float32)
    for first in range(0, len(scores), PAIRS_AT_ONCE):
        pairs = np.arange(first, min(first + PAIRS_AT_ONCE, len(scores)))
        query = chosen[pairs // size]
        candidates = queries.catalogue.items[pairs % size]
        context = None
        if log.context is not None:
            context = log.context.at(candidates, log.moment[queries.row[query]])
        owner = rows[query].astype(np.int32)
        scores[pairs] = engine.score(users, items, owner, candidates, context)
        task.advance(len(pairs))
    verify_finite(scores)
    return scores.reshape(len(chosen), size)
