"""Full ranking: every group that clicks against the whole catalogue, whatever it was shown.

Letters: N items, R rows, Q queries, G groups.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from legoc.data.indexing.log import I64, Log
from legoc.data.reading.inputs import ItemInputs
from legoc.evaluation.beyond import Beyond, describe_lists, sum_up_items, vectors_of
from legoc.evaluation.catalogue import (
    Catalogue,
    Queries,
    Seen,
    build_queries,
    offered,
    read_seen,
)
from legoc.evaluation.compute import average, build_metric, metric_name, ranks
from legoc.evaluation.engine import Engine, is_stored
from legoc.evaluation.evaluator import Mask, clock, encode, verify_labelled
from legoc.evaluation.factors import BY_MATRIX, find_factors
from legoc.evaluation.group_values import GroupValues, values_of_ranking
from legoc.evaluation.pairs import place_by_pairs
from legoc.evaluation.placed import Placed, to_ranking
from legoc.evaluation.products import place_by_products
from legoc.evaluation.report import Report, Timing
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Call, Spec, is_alone
from legoc.progress import SILENT, Progress


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared

QUERIES_AT_ONCE = 4096


@dataclass(frozen=True, kw_only=True)
class Lists:
    """What each group of a log comes to, 0 ... G - 1: metrics by name, the items that were ranked
    and the clicks among them, 0 where nothing was. pairs: how many scores the engine gave one by
    one, 0 where the item matrix did."""

    values: Mapping[str, GroupValues]
    rows: I64
    clicks: I64
    pairs: int


def ranking_metrics(metrics: Sequence[Call]) -> list[Call]:
    """The metrics that ranks are enough for; E0588 where there is none."""
    kept = [call for call in metrics if ranks(call)]
    if not kept:
        named = ", ".join(f"`{metric_name(call)}`" for call in metrics)
        raise fail(
            "E0588",
            f"full ranking keeps ranks, and {named} {'need' if len(metrics) > 1 else 'needs'} "
            "the scores of all rows",
            "choose metrics of groups, such as `metrics = [Recall(10), NDCG(10), MRR]`",
        )
    return kept


def rank_log(
    engine: Engine,
    inputs: ItemInputs,
    log: Log,
    predict: str,
    catalogue: Catalogue,
    seen: Seen,
    *,
    top: int | None = None,
    most: int | None = None,
    timings: dict[str, Timing] | None = None,
    progress: Progress = SILENT,
) -> tuple[Queries, Placed, Any, int]:
    """The lists of a log, where their positives stand, the items as the engine keeps them, and how
    many pairs it scored one by one. predict: the name of the predictor. most: more pairs than these
    are refused (E0588)."""
    spent = {} if timings is None else timings
    queries = build_queries(log, catalogue, seen)
    rows = queries.row
    asked = replace(
        log, history=log.history[rows], item=log.item[rows], label=log.label[rows],
        group=log.group[rows], moment=log.moment[rows] if len(log.moment) else log.moment,
    )  # fmt: skip
    by_matrix = log.context is None and predict in BY_MATRIX
    pairs = len(queries) * len(catalogue)
    if not by_matrix:
        verify_pairs(pairs, most)
    items, users, histories = encode(engine, inputs, asked, spent, progress)
    own = histories.row[asked.history].astype(np.int64)
    found = find_factors(predict, users, items, len(histories)) if by_matrix else None
    if found is not None:
        with clock(spent, "pairs", pairs), progress.task("ranking", len(queries), "lists") as task:
            placed = place_by_products(found[0], own, found[1], queries, top, task)
        return queries, placed, items, 0
    verify_pairs(pairs, most)
    progress.say(f"full ranking scores {pairs:,} pairs")
    with clock(spent, "pairs", pairs), progress.task("scoring", pairs, "pairs") as task:
        placed = place_by_pairs(engine, users, items, own, log, queries, top, task)
    return queries, placed, items, pairs


def verify_pairs(pairs: int, most: int | None) -> None:
    if most is not None and pairs > most:
        raise fail(
            "E0588",
            f"full ranking would score {pairs:,} pairs one by one",
            "evaluate the model itself with `--candidates all`, which says how far it is",
        )


def evaluate_catalogue(
    engine: Engine,
    spec: Spec,
    prepared: "Prepared",
    log: Log,
    metrics: Sequence[Call],
    *,
    split: str,
    slices: Mapping[str, Mask] | None = None,
    top: int | None = None,
    most: int | None = None,
    calibration: Mapping[str, Any] | None = None,
    progress: Progress = SILENT,
) -> tuple[Report, Lists]:
    """The metrics of groups over the whole catalogue; others are left out.

    Known and new items are measured apart, each against its like, as `evaluate_log` does with
    slices of rows. slices: further masks of rows [R]; a group belongs to those of the row that it
    is ranked as of. top, most, calibration: as elsewhere.
    """
    labelled = verify_labelled(log, split)
    kept = ranking_metrics(metrics)
    left_out = tuple(metric_name(call) for call in metrics if not ranks(call))
    catalogue = Catalogue.of(offered(prepared), np.asarray(prepared.training_items))
    seen = read_seen(prepared, split, spec.data.group)
    timings: dict[str, Timing] = {}
    queries, placed, items, pairs = rank_log(
        engine, prepared.inputs, log, spec.model["predict"].op, catalogue, seen,
        top=top, most=most, timings=timings, progress=progress,
    )  # fmt: skip
    everything = list(range(len(catalogue.ends)))
    asked = {"all": (everything, np.ones(len(queries), dtype=bool), labelled)}
    if len(everything) > 1:
        asked |= {
            name: ([place], asked["all"][1], labelled) for place, name in enumerate(catalogue.names)
        }
    for name, mask in (slices or {}).items():
        asked[name] = (everything, mask[queries.row], labelled & mask)
    rankings = {
        name: to_ranking(queries, placed, classes, wanted, len(np.unique(log.group[mask])))
        for name, (classes, wanted, mask) in asked.items()
    }
    figures = {
        name: {metric_name(call): average(build_metric(call), ranking) for call in kept}
        for name, ranking in rankings.items()
    }
    lengths = np.diff(log.starts)
    report = Report(
        engine=engine.name, split=split, group=spec.data.group, candidates="all",
        metrics=figures.pop("all"), slices=figures, timings=timings, calibration=calibration,
        stored=is_stored(engine),
        counts={
            "rows": int(placed.rows.sum()),
            "groups": len(np.unique(log.group[labelled])),
            "lists": len(queries),
            "cold rows": int((lengths[log.history[queries.row]] == 0).sum()),
            "users": timings["users"].rows,
            "items": len(prepared.inputs.lengths) - 1,
            "catalogue": len(catalogue),
        },
        left_out=left_out,
        beyond=None if top is None else look(queries, placed, prepared, spec, items, top),
    )  # fmt: skip
    count = int(np.asarray(log.group).max(initial=-1)) + 1
    rows, clicks = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    rows[queries.group] = placed.rows.sum(axis=1)
    clicks[queries.group] = np.diff(queries.starts)
    values = values_of_ranking(kept, rankings["all"], count)
    return report, Lists(values=values, rows=rows, clicks=clicks, pairs=pairs)


def look(
    queries: Queries, placed: Placed, prepared: "Prepared", spec: Spec, items: Any, k: int
) -> Beyond:
    """What the first k of each list are like."""
    assert placed.best is not None
    about = sum_up_items(prepared)
    clicks = about.clicks.astype(np.float64)
    usual = np.full(len(queries), clicks[queries.catalogue.items].sum())
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        chosen = np.arange(start, min(start + QUERIES_AT_ONCE, len(queries)))
        place, owner = queries.left_out(chosen)
        gone = clicks[queries.catalogue.items[place]]
        usual[chosen] -= np.bincount(owner, gone, minlength=len(chosen))
    return describe_lists(
        placed.best.owner, placed.best.item, len(queries), k, about,
        offered=np.sort(queries.catalogue.items),
        usual=usual / np.maximum(placed.rows.sum(axis=1), 1),
        vectors=None if is_alone(spec) else vectors_of(items),
    )  # fmt: skip
