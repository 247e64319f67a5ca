"""`export { tolerate = METRIC(loss=...) }`: the fewest bytes that surely cost no more than a loss.

Each graph is tried in fp16 and in int8 beside the others in float32. Of all sets of precisions that
held alone the smallest is tried as a whole, then the next larger one, until one holds: the interval
of its paired difference from float32, over the users of the validation part, lies inside the loss.
The intervals cover so much that all sets there are lie in theirs in 95 % (Bonferroni): of many that
lose too much, one would else seem not to. What a call takes is recorded and decides nothing, so the
choice is the same everywhere.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from legoc.data.indexing.log import F32
from legoc.data.indexing.row_names import name_rows
from legoc.evaluation.comparison import FEW, LEVEL
from legoc.evaluation.compute import metric_name
from legoc.exporting.certificate import TOP, ranked_items
from legoc.exporting.graph_files import GraphFile
from legoc.exporting.sample import every_group
from legoc.exporting.trade import Trade
from legoc.exporting.trials import Trials
from legoc.exporting.variants import FULL, SMALLER, Variants, adopt, time_calls, write_variants
from legoc.language.declaring.catalog import catalog
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.diagnosing.suggest import nearest
from legoc.language.ir.plan import Plan
from legoc.language.ir.spec import Call, Export, Spec
from legoc.progress import Progress
from legoc_runtime.prompting import Prompt


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared

LOSS = "loss"
SPLIT = "valid"
EXAMPLE = 'write `Call(op="NDCG", args={"k": 10, "loss": 0.001})`'


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What was chosen. record: the entry of the certificate. why: the reason where float32 was kept
    without a trial."""

    files: Mapping[str, GraphFile]
    record: Mapping[str, Any]

    @property
    def why(self) -> str | None:
        return self.record["why"]


def verify_tolerance(export: Export) -> None:
    """E0806 to E0808: what a file may not ask for, asked for in Python."""
    asked = export.tolerate
    if asked is None:
        return
    if export.precision != FULL:
        raise fail(
            "E0806",
            f"the precision {export.precision} is given, and `tolerate` is to choose it",
            "leave out one of the two: `precision` or `tolerate`",
        )
    metrics = {d.name: d for d in catalog().role("metric")}
    if asked.op not in metrics:
        near = nearest(asked.op, list(metrics))
        hint = f"did you mean `{near}`? " if near else ""
        raise fail(
            "E0808", f"no metric is called `{asked.op}`", f"{hint}metrics: {', '.join(metrics)}"
        )
    if metrics[asked.op].facts.get("whole"):
        others = ", ".join(name for name, d in metrics.items() if not d.facts.get("whole"))
        raise fail(
            "E0807",
            f"`{asked.op}` has no value per group, so nothing is sure of what it loses",
            f"name one of {others}",
        )
    lacking = [p.name for p in metrics[asked.op].params if p.required and p.name not in asked.args]
    if lacking:
        raise fail("E0808", f"`{asked.op}` needs `{lacking[0]}`", EXAMPLE)
    loss = asked.args.get(LOSS)
    if isinstance(loss, bool) or not isinstance(loss, int | float) or not loss > 0:
        raise fail(
            "E0808",
            f"`{asked.op}` is tolerated to lose {loss}, which is no number above 0",
            EXAMPLE,
        )


def apply_tolerance(
    spec: Spec, plan: Plan, prepared: "Prepared", files: Mapping[str, GraphFile],
    table: F32 | None, place: Path, progress: Progress, prompt: Prompt | None = None,
) -> Choice:  # fmt: skip
    """The graphs at their place in the precisions that `export.tolerate` chooses; a warning where
    float32 is kept for want of anything to choose by.

    files: in float32. table [N, D]: torch's, for items that are rows of a table. place: the folder
    the bundle grows in.
    """
    export, log = spec.export, prepared.logs.get(SPLIT)
    assert export.tolerate is not None
    if log is None or not log.rows or np.isnan(log.label).all():
        verify_size(files["predictor"], export)
        why = f"the data has no labelled rows in `{SPLIT}`, and nothing is sure without them"
        choice = keep(files, export.tolerate, why)
    else:
        tried = place / "tried"
        variants = write_variants(files, tried)
        seed = spec.train.seed if spec.train is not None else 0
        ranked = ranked_items(len(prepared.items), seed)
        sample = every_group(log, further=ranked)
        trade = Trade(
            plan, variants, prepared.inputs, sample,
            metric=metric_of(export.tolerate),
            people=name_rows(prepared.tables, log, SPLIT, spec.data.group).user,
            ranked=np.searchsorted(sample.items, ranked).astype(np.int32),
            table=None if table is None else table[sample.items],
            profiles=prepared.profiles, prompt=prompt,
        )  # fmt: skip
        choice = choose(trade, variants, export, seed=seed, progress=progress)
        choice = replace(choice, files=adopt(choice.files, files))
        shutil.rmtree(tried)
    if choice.why is not None:
        progress.say(f"warning: {spec.name}: the graphs stay float32: {choice.why}")
    return choice


def metric_of(tolerate: Call) -> Call:
    """The metric that a tolerance is of."""
    return Call(op=tolerate.op, args={k: v for k, v in tolerate.args.items() if k != LOSS})


def keep(files: Mapping[str, GraphFile], tolerate: Call, why: str) -> Choice:
    """Float32, where there is nothing to try or nothing to be sure by."""
    record = {
        "metric": metric_name(metric_of(tolerate)), "loss": tolerate.args[LOSS], "split": SPLIT,
        "chosen": dict.fromkeys(files, FULL), "why": why, "tried": [], "refused": {},
    }  # fmt: skip
    return Choice(files=files, record=record)


def choose(
    trade: Trade, variants: Variants, export: Export, *, seed: int, progress: Progress
) -> Choice:
    """The smallest set that holds. Errors: E0826 where the predictor of none is within `budget`."""
    tolerate = export.tolerate
    assert tolerate is not None
    plain = dict.fromkeys(variants.files, FULL)
    files = variants.pick(plain)
    refused = {f"{name} {precision}": why for (name, precision), why in variants.refused.items()}
    if variants.alone:
        told = f": {'; '.join(refused.values())}" if refused else ""
        why = f"no graph has weights that could be stored in fewer bytes{told}"
        verify_size(files["predictor"], export)
        return keep(files, tolerate, why)
    full = trade.measure(plain)
    clusters = 0 if full is None else full.clusters
    if full is None or clusters < FEW:
        verify_size(files["predictor"], export)
        why = (
            f"`{SPLIT}` has {clusters} users that {metric_name(trade.metric)} can be measured on, "
            f"and nothing is sure of fewer than {FEW}"
        )
        return keep(files, tolerate, why)
    sets = prod(len(found) for found in variants.files.values()) - 1
    level = 1 - (1 - LEVEL) / sets
    tried = Trials(trade, full, tolerate.args[LOSS], level, seed, progress)
    tried.add(plain)
    held = {name: [FULL] for name in variants.files}
    for name, found in variants.files.items():
        for precision in SMALLER:
            if precision in found and tried.add({**plain, name: precision}).holds:
                held[name].append(precision)
    chosen = next((s for s in by_size(held, variants, export) if tried.add(s).holds), None)
    if chosen is None:
        least = min(
            (variants.files["predictor"][p] for p in held["predictor"]), key=lambda f: f.bytes
        )
        verify_size(least, export)
        raise AssertionError("float32 holds wherever it is within the budget")
    taken = time_calls(trade.calls())
    record = {
        "metric": metric_name(trade.metric), "loss": tolerate.args[LOSS], "better": full.better,
        "split": SPLIT, "groups": trade.sample.groups, "users": clusters,
        "sets": sets, "level": level,
        "figure": full.figure, "top": min(TOP, len(trade.ranked)),
        "chosen": dict(chosen), "why": None, "refused": refused,
        "tried": [trial.to_json(taken) for trial in tried.made.values()],
    }  # fmt: skip
    return Choice(files=variants.pick(chosen), record=record)


def by_size(
    held: Mapping[str, list[str]], variants: Variants, export: Export
) -> Iterator[dict[str, str]]:
    """All sets of what held alone whose predictor is within the budget, the smallest first; of sets
    of one size the one that comes first with float32 before fp16 before int8."""
    sets = [dict(zip(held, each, strict=True)) for each in product(*held.values())]
    order = [FULL, *SMALLER]

    def size(one: dict[str, str]) -> tuple[int, list[int]]:
        files = variants.pick(one).values()
        return sum(made.bytes for made in files), [order.index(each) for each in one.values()]

    for one in sorted(sets, key=size):
        if export.budget is None or variants.pick(one)["predictor"].bytes <= export.budget:
            yield one


def verify_size(predictor: GraphFile, export: Export) -> None:
    """E0826 where not even this predictor, the smallest there is, is within the budget."""
    size = predictor.bytes
    if export.budget is not None and size > export.budget:
        assert export.tolerate is not None
        raise fail(
            "E0826",
            f"`predictor` has {size:,} bytes where it loses no more than is tolerated, above the "
            f"budget of {export.budget:,}",
            f"make the predictor smaller, tolerate a larger `loss` than "
            f"{export.tolerate.args[LOSS]:g}, or set `budget = {size}`",
        )
