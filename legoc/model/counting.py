"""What predictors that are counted know of the items, from the training part and nothing else.

Letters: N rows of the item table, R rows of the training log, V rows of the token table.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from legoc.data.indexing.log import F32, I64
from legoc.language.diagnosing.diagnostics import fail
from legoc.model.build import declared
from legoc.model.neighbours import find_neighbours
from legoc.operators.blocks.counted import FIRST_WORD


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared
    from legoc.data.reading.inputs import TokenTable
    from legoc.language.ir.spec import Call

HOUR, DAY = 3600.0, 86400.0
# Items read at a time where their tokens are counted.
BLOCK = 8192
# The largest row number that float32 holds beside all smaller ones.
LARGEST = 1 << 24
# A mean of exactly 0 or 1 has no finite logit.
LEAST = 1e-6


def count_for(call: "Call", prepared: "Prepared") -> F32 | None:
    """The table that a counted predictor's items are filled with; None where there is none."""
    counts = COUNTS.get(declared("predict", call).facts["counts"])
    return None if counts is None else np.asarray(counts(call.args, prepared), dtype=np.float32)


def count_clicks(args: Mapping[str, Any], prepared: "Prepared") -> NDArray[np.floating]:
    """[N, 1] ln(1 + clicks); with a span, of clicks that fade as they age."""
    hours, days = args["hours"], args["days"]
    span = hours * HOUR if hours is not None else None if days is None else days * DAY
    if span is not None:
        return np.log1p(fading_clicks(prepared, span))[:, None]
    return np.log1p(training_clicks(prepared))[:, None]


def training_clicks(prepared: "Prepared") -> I64:
    """[N] the clicks of each item in the training rows."""
    log = prepared.logs["train"]
    clicked = np.asarray(log.item)[np.asarray(log.label) > 0.5]
    return np.bincount(clicked, minlength=len(prepared.items))


def fading_clicks(prepared: "Prepared", span: float) -> NDArray[np.float64]:
    """[N] Σ exp(-age / span) over the training clicks of each item, ages in seconds before the last
    training row. E0634 where the source does not know when its clicks were."""
    name = prepared.report.source
    if prepared.report.order != "time":
        what = {"list": "the place in a user's list", "file": "the place in the file"}
        raise without_times(f"{name} knows the order of clicks ({what[prepared.report.order]})")
    with prepared.tables.connect() as connection:
        unknown, last = connection.execute(
            "SELECT count(*) - count(time), max(epoch(time)) FROM interactions "
            "WHERE split = 'train'"
        ).fetchone() or (0, None)
        if unknown or last is None:
            raise without_times(f"{unknown:,} training rows of {name} have no time")
        found = connection.execute(
            "SELECT place, sum(exp((epoch(time) - $last) / $span)) AS clicks FROM interactions "
            "JOIN places USING (item_id) WHERE split = 'train' AND label > 0.5 "
            "GROUP BY place ORDER BY place",
            {"last": last, "span": span},
        ).fetchnumpy()
    made = np.zeros(len(prepared.items))
    made[np.asarray(found["place"])] = np.asarray(found["clicks"])
    return made


def without_times(why: str) -> Exception:
    return fail(
        "E0634",
        f"{why}, and `Popularity` with a span needs the times of clicks",
        "leave `hours` and `days` out: `predict Popularity` counts all clicks alike",
    )


def count_labels(args: Mapping[str, Any], prepared: "Prepared") -> NDArray[np.floating]:
    """[N, 1] the logit of each item's mean label, drawn towards the mean of all; labels that are no
    probabilities are left as they are."""
    log = prepared.logs["train"]
    item, label = np.asarray(log.item), np.asarray(log.label, dtype=np.float64)
    item, label = item[~np.isnan(label)], label[~np.isnan(label)]
    size, strength = len(prepared.items), args["strength"]
    whole = label.mean() if len(label) else 0.0
    total = np.bincount(item, weights=label, minlength=size) + strength * whole
    count = np.bincount(item, minlength=size) + strength
    mean = np.divide(total, count, out=np.full(size, whole), where=count > 0)
    if label.min(initial=0.0) < 0 or label.max(initial=0.0) > 1:
        return mean[:, None]
    mean = mean.clip(LEAST, 1 - LEAST)
    return np.log(mean / (1 - mean))[:, None]


def draw_numbers(args: Mapping[str, Any], prepared: "Prepared") -> NDArray[np.floating]:
    """[N, 1] a number in [0, 1) from the hash of the seed and the item's id."""
    made = np.zeros((len(prepared.items), 1))
    for row, name in enumerate(prepared.items.ids[1:], 1):
        hashed = hashlib.sha256(f"{args['seed']}/{name}".encode()).digest()
        made[row] = int.from_bytes(hashed[:8], "big") / 2**64
    return made


def count_neighbours(args: Mapping[str, Any], prepared: "Prepared") -> NDArray[np.floating]:
    """[N, 1 + 2 K] of each item its own row, its nearest rows and how similar those are."""
    size = len(prepared.items)
    if size > LARGEST:
        raise fail(
            "E0635",
            f"the catalogue has {size - 1:,} items, and `ItemKNN` counts up to {LARGEST - 1:,}",
            "use another predictor, such as `predict Popularity`",
        )
    count = args["neighbours"]
    made = np.zeros((size, 1 + 2 * count), dtype=np.float32)
    made[:, 0] = np.arange(size)
    for some, rows, similarity in find_neighbours(prepared.logs["train"], items=size, count=count):
        made[some, 1 : 1 + count], made[some, 1 + count :] = rows, similarity
    return made


def weigh_words(args: Mapping[str, Any], prepared: "Prepared") -> NDArray[np.floating]:
    """[V] the idf of each token over the training items; 0 for what is no word of theirs."""
    table: TokenTable = prepared.inputs  # type: ignore[assignment]
    rows = np.flatnonzero(np.asarray(prepared.training_items))
    holding = np.zeros(prepared.rows.tokens, dtype=np.int64)
    for start in range(0, len(rows), BLOCK):
        given = table.rows(rows[start : start + BLOCK].astype(np.int32))
        names = [name for name in table.matrices]
        ids = np.concatenate(
            [np.where(given[f"{name}_mask"], given[name], 0) for name in names], axis=1
        )
        ids.sort(axis=1)
        first = np.ones(ids.shape, dtype=bool)
        first[:, 1:] = ids[:, 1:] != ids[:, :-1]
        holding += np.bincount(ids[first], minlength=len(holding))
    idf = np.log((1 + len(rows)) / (1 + holding)) + 1
    idf[holding == 0] = 0
    idf[:FIRST_WORD] = 0
    return idf


COUNTS: Mapping[str, Callable[[Mapping[str, Any], "Prepared"], NDArray[np.floating]]] = {
    "clicks": count_clicks,
    "labels": count_labels,
    "hashes": draw_numbers,
    "neighbours": count_neighbours,
    "words": weigh_words,
}


def fill(module: Any, call: "Call", prepared: "Prepared") -> None:
    """Put what is counted into the item part of a fresh model."""
    table = count_for(call, prepared)
    if table is not None:
        with torch.no_grad():
            module.fill(torch.from_numpy(table))
