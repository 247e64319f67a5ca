"""NAML (width 64, batch 64, history 50, title 30) on a MIND-like log of 22,500 items and 5,000
impressions: training, evaluation with and without caches, torch against onnxruntime."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks import mind_like
from benchmarks.ratio import show, take_turns
from legoc.data import prepare
from legoc.data.batching.batch import Batch
from legoc.data.batching.sampling import Sampler
from legoc.data.indexing.log import Log
from legoc.data.prepare import Prepared
from legoc.evaluation.evaluator import evaluate_log
from legoc.evaluation.torch_engine import TorchEngine
from legoc.evaluation.uncached import Uncached
from legoc.exporting.bundle import write_bundle
from legoc.language import load
from legoc.language.ir.plan import plan
from legoc.language.ir.spec import Spec
from legoc.model import compile
from legoc.model.recommender import Recommender
from legoc.training.samplers import build_sampler
from legoc_runtime.engine import Engine


TEXT = """
data log {{ source = MIND("{folder}") content = [title(30), category] history = 50 }}
model naml = content CNN(hidden=64) -> behavior Additive -> predict Dot
run naml on log
"""
STEPS = 6
SAMPLE = 25  # impressions of the uncached turns; each takes about as long as the cached whole


def run() -> None:
    """Print every figure."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        folder = mind_like.write(Path(place) / "raw")
        file = Path(place) / "naml.lego"
        file.write_text(TEXT.format(folder=folder), encoding="utf-8")
        spec = load(file)[0]
        prepared = prepare(spec, cache=Path(place) / "cache")
        torch.manual_seed(0)
        model = compile(spec).build(prepared.rows)
        measure_training(spec, prepared, model)
        bundle = write_bundle(model, spec, plan(spec), prepared, Path(place) / "bundle")
        measure_engines(spec, prepared, model, Engine(bundle.path))
        measure_caches(spec, prepared, Engine(bundle.path))


def measure_training(spec: Spec, prepared: Prepared, model: Recommender) -> None:
    """Whole updates, batch assembly included: forward, backward, Adam."""
    sampler = build_sampler(spec, prepared)
    assert isinstance(sampler, Sampler)
    ways = {
        "every slot, full length": lambda step: every_slot(sampler, step),
        "distinct items, one bucket": lambda step: replace(sampler, buckets=1).batch(1, step),
        "distinct items, 8 buckets (legoc)": lambda step: sampler.batch(1, step),
    }
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)

    def updates(way: str, steps: int) -> None:
        model.train()
        for step in range(steps):
            batch = ways[way](step)
            scores = model(batch).scores
            target = torch.zeros(len(scores), dtype=torch.int64)
            torch.nn.functional.cross_entropy(scores, target).backward()
            optimiser.step()
            optimiser.zero_grad()

    # The slow way takes fewer updates a turn: a rate needs no more.
    counts = dict(zip(ways, (2, STEPS, 2 * STEPS), strict=True))
    timed = take_turns(
        {w: (counts[w] * sampler.size, lambda w=w: updates(w, counts[w])) for w in ways}, "samples"
    )
    assembly = take_turns(
        {"assembly": (STEPS * sampler.size, lambda: [sampler.batch(1, s) for s in range(STEPS)])},
        "samples",
    )["assembly"]
    show("training", timed, "every slot, full length")
    whole = timed["distinct items, 8 buckets (legoc)"]
    share = (assembly.median / assembly.units) / (whole.median / whole.units)
    print(f"  batch assembly is {share:.1%} of an update")


def every_slot(sampler: Sampler, step: int) -> Batch:
    """The same samples with nothing shared: each slot of each history and each candidate is an item
    of its own, padding included, in one bucket."""
    batch = sampler.batch(1, step)
    row = np.concatenate(([0], batch.items)).astype(np.int32)
    items = np.concatenate([row[batch.clicks].ravel(), row[batch.candidates].ravel()])
    places = 1 + np.arange(len(items), dtype=np.int32)
    clicks = places[: batch.clicks.size].reshape(batch.clicks.shape)
    return replace(
        batch,
        buckets=(sampler.inputs.rows(items),),
        items=items,
        clicks=np.where(batch.mask, clicks, 0),
        candidates=places[batch.clicks.size :].reshape(batch.candidates.shape),
    )


def measure_engines(spec: Spec, prepared: Prepared, model: Recommender, onnx: Engine) -> None:
    """The same rows through both engines, graph by graph, one thread each."""
    sides = {"torch": TorchEngine(model.eval()), "onnxruntime": onnx}
    log, items = prepared.logs["test"], len(prepared.items)
    blocks = [log.padded(np.arange(start, min(start + 256, log.histories), dtype=np.int32))
              for start in range(0, log.histories, 256)]  # fmt: skip
    users = [np.zeros(len(block), dtype=np.int32) for block in blocks]
    made = {name: side.encode_items(prepared.inputs) for name, side in sides.items()}
    people = {name: side.encode_users(made[name], blocks, users) for name, side in sides.items()}
    timed = take_turns(
        {n: (items, lambda s=s: s.encode_items(prepared.inputs)) for n, s in sides.items()}, "items"
    )
    show("item encoder", timed, "torch")
    timed = take_turns(
        {
            n: (log.histories, lambda n=n, s=s: s.encode_users(made[n], blocks, users))
            for n, s in sides.items()
        },
        "users",
    )
    show("user encoder", timed, "torch")
    timed = take_turns(
        {
            n: (log.rows, lambda n=n, s=s: s.score(people[n], made[n], log.history, log.item))
            for n, s in sides.items()
        },
        "pairs",
    )
    show("predictor", timed, "torch")


def measure_caches(spec: Spec, prepared: Prepared, engine: Engine) -> None:
    """The whole evaluation through onnxruntime, against nothing kept between pairs, and against
    nothing kept between impressions; both on a part of the log, for their rate needs no more."""
    assert spec.train is not None
    metrics, log = spec.train.metrics, prepared.logs["test"]
    some = first_groups(log, SAMPLE)
    groups = int(log.group[-1]) + 1

    def evaluated(which: object, rows: Log) -> object:
        return evaluate_log(which, prepared.inputs, rows, metrics)  # type: ignore[arg-type]

    work = {
        "each pair encodes all it reads": (
            SAMPLE, lambda: evaluated(Uncached(engine, "pair"), some)
        ),
        "each impression encodes its user once": (
            SAMPLE, lambda: evaluated(Uncached(engine, "impression"), some)
        ),
        "cached (legoc)": (groups, lambda: evaluated(engine, log)),
    }  # fmt: skip
    timed = take_turns(work, "impressions", turns=3)
    show("evaluation, items and users encoded anew in each turn", timed, next(iter(work)))


def first_groups(log: Log, count: int) -> Log:
    """The rows of the first impressions."""
    rows = int(np.searchsorted(log.group, count))
    return replace(
        log, history=log.history[:rows], item=log.item[:rows], label=log.label[:rows],
        group=log.group[:rows],
    )  # fmt: skip
