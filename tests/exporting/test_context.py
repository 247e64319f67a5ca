"""Bundles of models that read the moment of a pair: torch, onnxruntime and the counters agree."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import legoc_runtime
from legoc.data.indexing.context import Context
from legoc.data.indexing.counters import Counter, EventTimes, first_moments
from legoc.data.indexing.log import Log
from legoc.data.indexing.shares import Showings
from legoc.evaluation import Uncached, score_log
from legoc.evaluation.torch_engine import TorchEngine
from legoc.exporting.bundle import write_bundle
from legoc.exporting.card import load_example
from legoc.exporting.contents import describe_context
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
    Call(op="share", args={"hours": 2.0, "days": None}),
    Call(op="popularity", args={"hours": None, "days": None}),
    Call(op="share", args={"hours": None, "days": None}),
)  # fmt: skip
NAMES = ("popularity(hours=2.0)", "age", "share(hours=2.0)", "popularity", "share")
KINDS = tuple(call.op for call in CALLS)
SPANS = (7200.0, None, 7200.0, math.inf, math.inf)
SHARES = [2, 4]
OVERALL = 0.3
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


def showings(seed=1, count=90):
    """Items and moments over twenty hours, and which of them were clicked; item 11 is never shown
    and item 10 never clicked."""
    draw = np.random.default_rng(seed)
    items = draw.integers(1, 11, count).astype(np.int32)
    clicked = (draw.random(count) < 0.4) & (items < 10)
    return items, BEGIN + draw.integers(0, 20, count) * HOUR, clicked


def context_of(items, moments, clicked):
    """The context of some showings, each item first seen at its first one."""
    shown, hits = (
        EventTimes.of(items, moments, events.astype(np.int32), 12)
        for events in (np.ones(len(items)), clicked)
    )
    clicks = EventTimes.of(items[clicked], moments[clicked], np.ones(clicked.sum(), np.int32), 12)
    return Context(
        names=NAMES, kinds=KINDS, spans=SPANS, times=clicks,
        counters={span: Counter.of(clicks, span) for span in (7200.0, math.inf)},
        showings=Showings.of(shown, hits, (7200.0, math.inf), OVERALL),
        first=first_moments(items, moments, 12), last=int(moments.max()),
    )  # fmt: skip


def evened(numbers):
    """What the prior standardises: the logit of a share, log(1 + x) of the others."""
    made = np.log1p(numbers.astype(np.float64))
    made[:, SHARES] = np.log(numbers[:, SHARES] / (1.0 - numbers[:, SHARES]))
    return made


@pytest.fixture(scope="module", params=list(MODELS))
def made(request, tmp_path_factory):
    """A model that reads the moment, its data and its bundle."""
    root = tmp_path_factory.mktemp(request.param)
    spec = make_spec(**MODELS[request.param])
    spec = replace(spec, data=replace(spec.data, context=CALLS))
    tiny = make(spec, root / "reading")
    context = context_of(*showings())
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
    assert graph["inputs"][-1] == {"name": "context", "dtype": "float32", "dims": ["pair", 5]}
    assert bundle.certificate["difference"] < TARGET
    assert bundle.certificate["whole"]["rows"] == 30
    described = bundle.manifest["context"]
    assert described["file"] == "cache/counters.safetensors"
    assert described["file"] in bundle.manifest["files"]
    numbers = described["numbers"]
    assert [number["name"] for number in numbers] == list(NAMES)
    assert [number.get("seconds", "none") for number in numbers] == [
        7200.0, "none", 7200.0, None, None,
    ]  # fmt: skip
    assert [number["kind"] for number in numbers] == list(KINDS)
    assert [number.get("overall") for number in numbers] == [None, None, 0.3, None, 0.3]
    assert [number.get("weight") for number in numbers] == [None, None, 10, None, 10]
    mean = evened(tiny.prepared.logs["train"].numbers(slice(0, 30))).mean(0)
    right = np.expm1(mean)
    right[SHARES] = 1 / (1 + np.exp(-mean[SHARES]))
    assert [number["neutral"] for number in numbers] == pytest.approx(right, rel=1e-5)
    verify_bundle(bundle.path)


def test_the_bundle_tells_the_unit_of_a_log_with_a_beginning_of_its_own(made):
    tiny, bundle, _ = made
    assert "unit" not in bundle.manifest["context"]
    counted = replace(tiny.prepared.context, clock="milliseconds")
    described = describe_context(counted, np.zeros(len(NAMES)).tolist())
    assert described["unit"] == "milliseconds"
    for context, told in (described, "milliseconds as"), (bundle.manifest["context"], "a datetime"):
        assert f"when=now)  # {told}" in load_example(tiny.plan, {"context": context})


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
    """Half of the showings are in the bundle, the others come in while it serves, in any order, and
    their clicks before or after them."""
    items, moments, clicked = showings(seed + 10, 200)
    draw = np.random.default_rng(seed)
    order = draw.permutation(200)
    early, late = order[:100], order[100:]
    half = context_of(items[early], moments[early], clicked[early])
    whole = context_of(items, moments, clicked)
    standing = half.standing()
    numbers = [
        Number(name=name, kind=kind, span=span or 1, neutral=0, overall=OVERALL, weight=10)
        for name, kind, span in zip(NAMES, KINDS, SPANS, strict=True)
    ]
    counters = Counters(
        numbers, values=standing.values, showings=standing.showings, moments=standing.moments,
        first=half.first, last=half.last,
    )  # fmt: skip
    calls = [(counters.shown, part) for part in np.array_split(late, 9)]
    calls += [
        (counters.clicked, part)
        for part in np.array_split(draw.permutation(late[clicked[late]]), 5)
    ]
    for place in draw.permutation(len(calls)):
        count, part = calls[place]
        count(items[part], moments[part])
    assert counters.last == whole.last
    every = np.arange(12, dtype=np.int32)
    for later in (1, HOUR, 30 * HOUR):
        right = whole.at(every, np.full(12, whole.last + later))
        assert counters.at(every, whole.last + later) == pytest.approx(right, rel=1e-6)


def test_a_bundle_without_shares_has_the_form_of_before(tmp_path):
    """Its counters and its manifest hold nothing that an earlier runtime does not know."""
    calls = CALLS[:2]
    spec = make_spec(**MODELS["dot"])
    spec = replace(spec, data=replace(spec.data, context=calls))
    tiny = make(spec, tmp_path / "reading")
    whole = context_of(*showings())
    context = replace(
        whole, names=NAMES[:2], kinds=KINDS[:2], spans=SPANS[:2], showings=None,
        counters={7200.0: whole.counters[7200.0]},
    )  # fmt: skip
    log = make_log()
    log = Log(**{**vars(log), "moment": np.full(30, context.last + 1), "context": context})
    prepared = replace(tiny.prepared, logs={"train": log, "valid": log}, context=context)
    bundle = write_bundle(tiny.recommender, spec, tiny.plan, prepared, tmp_path / "bundle")
    kept = load_file(bundle.path / "cache/counters.safetensors")
    assert {name: array.shape for name, array in kept.items()} == {
        "values": (12, 2), "moments": (12,), "first": (12,), "last": (1,)
    }  # fmt: skip
    assert [sorted(number) for number in bundle.manifest["context"]["numbers"]] == [
        ["kind", "name", "neutral", "seconds"], ["kind", "name", "neutral"],
    ]  # fmt: skip
    # A moment is that of the last click, though the item was shown later.
    items, moments, clicked = showings()
    for item in range(1, 10):
        assert kept["moments"][item] == moments[clicked & (items == item)].max()


def test_a_bundle_without_context_says_so(tmp_path):
    tiny = make(make_spec(**MODELS["dot"]), tmp_path / "reading")
    bundle = write_bundle(
        tiny.recommender, tiny.spec, tiny.plan, tiny.prepared, tmp_path / "bundle"
    )
    assert bundle.manifest["context"] is None
    assert not (bundle.path / "cache/counters.safetensors").exists()
