"""A validation encodes the items that its rows refer to, and finds what it found before."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from legoc.data import prepare
from legoc.evaluation import evaluate_log, score_log
from legoc.evaluation.referred import narrow
from legoc.evaluation.torch_engine import TorchEngine
from legoc.language import load
from legoc.model import compile
from legoc.training.validation import build_validation


DATA = """
data d {{ source = Demo(items=300, users=60, impressions=60) content = [title(8), category]
  history = 6 {more} }}
"""
MODELS = {
    "words": "content CNN(hidden=8) -> behavior Additive -> predict Dot",
    "clicks": "content CNN(hidden=8) -> behavior Null -> predict DIN(units=[8], attention=[4])",
    "ids": "content Null(hidden=8) -> behavior LSTUR -> predict Dot",
    "flat": "flatten Transformer(hidden=8, heads=2, layers=1) -> predict Dot",
    "both": "content Pooling(hidden=8) -> flatten Fastformer(hidden=8, heads=2) "
    "-> predict DNN(units=[8])",
}


@pytest.fixture
def made(tmp_path):
    def make(model, more=""):
        file = tmp_path / "spec.lego"
        file.write_text(f"{DATA.format(more=more)}model m = {model}\nrun m on d\n")
        (spec,) = load(file)
        prepared = prepare(spec, cache=tmp_path / "cache")
        torch.manual_seed(0)
        return spec, prepared, compile(spec).build(prepared.rows).eval()

    return make


def part(log, rows):
    """The first rows of a log, with the histories and groups they use."""
    return replace(
        log, history=log.history[:rows], item=log.item[:rows], label=log.label[:rows],
        group=log.group[:rows], moment=log.moment[:rows],
    )  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "more", ["", "context = [popularity(hours=24), popularity(days=7), popularity, age]"]
)
def test_scores_are_those_of_the_whole_table(made, name, more):
    _, prepared, model = made(MODELS[name], more)
    log = prepared.logs["valid"]
    inputs, narrowed = narrow(prepared.inputs, log)
    assert len(inputs.lengths) < len(prepared.inputs.lengths)
    engine = TorchEngine(model)
    expected = score_log(engine, prepared.inputs, log)
    np.testing.assert_allclose(score_log(engine, inputs, narrowed), expected, atol=1e-5)
    assert np.std(expected) > 0


class Counting:
    """Inputs that count the rows that are read of them."""

    def __init__(self, inputs):
        self.inputs, self.read = inputs, []
        self.ports, self.lengths = inputs.ports, inputs.lengths

    def rows(self, items):
        self.read.extend(items.tolist())
        return self.inputs.rows(items)


def test_each_item_that_is_referred_to_is_encoded_once_and_no_other(made):
    spec, prepared, model = made(MODELS["words"])
    log = prepared.logs["valid"]
    counting = Counting(prepared.inputs)
    validate = build_validation(model, spec, replace(prepared, inputs=counting))
    figures = validate()
    wanted = set(log.item.tolist()) | set(log.clicks.tolist())
    assert sorted(counting.read) == sorted(wanted - {0})
    report = evaluate_log(TorchEngine(model), prepared.inputs, log, spec.train.metrics)
    assert figures == pytest.approx({n: f.value for n, f in report.metrics.items()}, abs=1e-6)


def test_a_log_that_names_every_item_is_left_as_it_is(made):
    _, prepared, _ = made(MODELS["ids"])
    log = prepared.logs["valid"]
    every = replace(log, clicks=np.arange(prepared.rows.items, dtype=np.int32))
    assert narrow(prepared.inputs, every) == (prepared.inputs, every)
