"""Bundles of models that read the moment of a pair: torch, onnxruntime and the counters agree."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import legoc_runtime
from legoc.data.indexing.context import Context
from legoc.data.indexing.counters import EventTimes, Counter, first_moments
from legoc.data.indexing.log import Log
from legoc.evaluation import Uncached, score_log
from legoc.evaluation.torch_engine import TorchEngine
from legoc.exporting.bundle import write_bundle
from legoc.exporting.gates import TARGET
from legoc.exporting.verify import verify_bundle
from legoc.language.ir.spec import Call
from legoc_runtime.counters import Counters
from legoc_runtime.engine import Engine
from legoc_runtime.manifest import Number
from tests.exporting.tiny import call, make, make_log, make_spec


BEGIN, HOUR = 1_700_000_000 * 10**6, 3600 * 10**6
CALLS = (
    Call(op="popularity", args={"hours": 2.0, "days": None}), Call(op="age", args={}),
    Call(op="popularity", args={"hours": None, "days": None}),
)  # fmt: skip
NAMES = ("popularity(hours=2.0)", "age", "popularity")
MODELS = {
    "dot": {"content": call("content", "CNN"), "behavior": call("behavior", "Additive"),
            "predict": call("predict", "Dot")},
    "cosine": {"content": call("content", "Null"), "behavior": call("behavior", "GRU"),
               "predict": call("predict", "Cosine")},
    "din": {"content": call("content", "Pooling"), "behavior": call("behavior", "Null"),
            "predict": call("predict", "DIN")},
    "miner": {"content": call("content", "Pooling"),
              "behavior": call("behavior", "PolyAttention", codes=3),
              "predict": call("predict", "MINER")},
    "flat": {"flatten": call("flatten", "Longformer"), "predict": call("predict", "Dot")},
}  # fmt: skip


def clicks(seed=1, count=90):
    """Items and moments over twenty hours; item 11 is never clicked."""
    draw = np.random.default_rng(seed)
    return draw.integers(1, 11, count).astype(np.int32), BEGIN + draw.integers(0, 20, count) * HOUR


def context_of(items, moments):
    """The context of some clicks, each item first seen at its first click."""
    times = EventTimes.of(items, moments, np.ones(len(items), np.int32), 12)
    return Context(
        names=NAMES, spans=(7200.0, None, math.inf), times=times,
        counters=(Counter.of(times, 7200.0), None, Counter.of(times, math.inf)),
        first=first_moments(items, moments, 12), last=int(moments.max()),
    )  # fmt: skip


@pytest.fixture(scope="module", params=list(MODELS))
def made(request, tmp_path_factory):
    """A model that reads the moment, its data and its bundle."""
    root = tmp_path_factory.mktemp(request.param)
    spec = make_spec(**MODELS[request.param])
    spec = replace(spec, data=replace(spec.data, context=CALLS))
    tiny = make(spec, root / "reading")
    context = context_of(*clicks())
    draw = np.random.default_rng(2)
    log = make_log()
    moments = BEGIN + np.repeat(draw.integers(-2, 24, 6), 5) * HOUR
    log = Log(**{**vars(log), "moment": moments, "context": context})
    tiny.recommender.prior.fill([log.numbers(slice(0, log.rows))])
    with torch.no_grad():
        for parameter in tiny.recommender.prior.parameters():
            parameter.copy_(torch.from_numpy(draw.normal(size=parameter.shape)))
    prepared = replace(tiny.prepared, logs={"train": log, "valid": log}, context=context)
    tiny = replace(tiny, prepared=prepared)
    bundle = write_bundle(tiny.recommender, spec, tiny.plan, prepared, root / "bundle")
    return tiny, bundle, log


def test_the_bundle_is_proved_with_the_moment(made):
    tiny, bundle, _ = made
    graph = bundle.manifest["graphs"]["predictor"]
    assert graph["inputs"][-1] == {"name": "context", "dtype": "float32", "dims": ["pair", 3]}
    assert bundle.certificate["difference"] < TARGET
    assert bundle.certificate["whole"]["rows"] == 30
    described = bundle.manifest["context"]
    assert described["file"] == "cache/counters.safetensors"
    assert described["file"] in bundle.manifest["files"]
    numbers = described["numbers"]
    assert [number["name"] for number in numbers] == list(NAMES)
    assert [number.get("seconds", "none") for number in numbers] == [7200.0, "none", None]
    mean = np.log1p(tiny.prepared.logs["train"].numbers(slice(0, 30))).mean(0)
    assert [number["neutral"] for number in numbers] == pytest.approx(np.expm1(mean), rel=1e-5)
    verify_bundle(bundle.path)


def test_every_engine_scores_a_log_alike(made):
    tiny, bundle, log = made
    inputs, ids = tiny.prepared.inputs, tiny.prepared.items.ids
    ours = score_log(TorchEngine(tiny.recommender), inputs, log)
    for engine in (
        Engine(bundle.path, ids=ids), Engine(bundle.path, ids=ids, stored=True),
        Uncached(TorchEngine(tiny.recommender)), Uncached(Engine(bundle.path, ids=ids)),
        Uncached(Engine(bundle.path, ids=ids), "impression"),
    ):  # fmt: skip
        found = score_log(engine, inputs, log)
        assert found == pytest.approx(ours, rel=1e-4, abs=1e-5), engine.name
    # The moment matters: the same rows a day later score otherwise.
    later = Log(**{**vars(log), "moment": log.moment + 24 * HOUR})
    assert np.abs(score_log(TorchEngine(tiny.recommender), inputs, later) - ours).max() > 0.01


def test_the_runtime_knows_what_the_data_knew(made):
    """At moments after the last click the counters give the numbers of training, and so scores."""
    tiny, bundle, log = made
    model = legoc_runtime.load(bundle.path)
    context, ids = tiny.prepared.context, tiny.prepared.items.ids
    items = np.arange(1, 12, dtype=np.int32)
    for later in (1, HOUR, 90 * HOUR):
        when = context.last + later
        right = context.at(items, np.full(11, when))
        assert model.items.counters.at(items, when) == pytest.approx(right, rel=1e-6)
        history = 2
        row = Log(**{
            **vars(log), "history": np.full(11, history, np.int32), "item": items,
            "label": np.zeros(11, np.float32), "group": np.zeros(11, np.int32),
            "moment": np.full(11, when),
        })  # fmt: skip
        expected = score_log(TorchEngine(tiny.recommender), tiny.prepared.inputs, row)
        clicked = log.clicks[log.starts[history] : log.starts[history + 1]]
        user = model.encode_user([ids[click] for click in clicked])
        found = model.score(user, ids[1:], when=when)
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)
        best, scores = model.recommend(user, k=11, when=when)
        assert scores == pytest.approx(np.sort(expected)[::-1], rel=1e-4, abs=1e-5)
        assert set(best) == set(ids[1:])


@pytest.mark.parametrize("seed", range(8))
def test_counting_on_is_counting_all_at_once(seed):
    """Half of the clicks are in the bundle, the others come in while it serves, in any order."""
    items, moments = clicks(seed + 10, 200)
    order = np.random.default_rng(seed).permutation(200)
    early, late = order[:100], order[100:]
    half, whole = context_of(items[early], moments[early]), context_of(items, moments)
    values, last = half.standing()
    numbers = [
        Number(name=name, kind="age" if span is None else "popularity", span=span or 1, neutral=0)
        for name, span in zip(NAMES, half.spans, strict=True)
    ]
    counters = Counters(numbers, values=values, moments=last, first=half.first, last=half.last)
    for part in np.array_split(late, 9):
        counters.clicked(items[part], moments[part])
    assert counters.last == whole.last
    every = np.arange(12, dtype=np.int32)
    for later in (1, HOUR, 30 * HOUR):
        right = whole.at(every, np.full(12, whole.last + later))
        assert counters.at(every, whole.last + later) == pytest.approx(right, rel=1e-6)


def test_a_bundle_without_context_says_so(tmp_path):
    tiny = make(make_spec(**MODELS["dot"]), tmp_path / "reading")
    bundle = write_bundle(
        tiny.recommender, tiny.spec, tiny.plan, tiny.prepared, tmp_path / "bundle"
    )
    assert bundle.manifest["context"] is None
    assert not (bundle.path / "cache/counters.safetensors").exists()
