"""Training on negatives out of the batch: the corrected loss, resumed and accumulated."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from legoc.data import prepare
from legoc.data.batching.others import MASKED
from legoc.language.ir.spec import Call
from legoc.model import compile
from legoc.training import train
from legoc.training.epoch import Part
from legoc.training.samplers import build_sampler
from legoc.training.step import Step
from legoc.training.tasks import build_task
from tests.training.test_train import Watching, build_spec, call


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def drawn(op, **settings):
    return call("task", op, **{"negatives": 3, "pool": "batch"} | settings)


def expected_loss(op, scores, labels, offsets):
    """The losses from their equations, in numpy, masked places left out by hand."""
    kept = offsets < MASKED
    if op == "matching":
        weights = np.where(kept, np.exp(scores - np.where(kept, offsets, 0)), 0)
        return -np.log(weights[:, 0] / weights.sum(axis=1)).mean()
    p = 1 / (1 + np.exp(-(scores - np.where(kept, offsets, 0))))
    losses = -(labels * np.log(p) + (1 - labels) * np.log(1 - p))
    return np.where(kept, losses, 0).mean()


@pytest.mark.parametrize("op", ["matching", "ranking"])
def test_the_loss_is_that_of_the_corrected_scores(cache, op):
    spec = build_spec(task=drawn(op), batch=16)
    prepared = prepare(spec, cache=cache)
    torch.manual_seed(0)
    model = compile(spec).build(prepared.rows).eval()
    batch = build_sampler(spec, prepared).batch(1, 0)
    offsets = batch.offsets.copy()
    # As where the batch has nothing for a place: the last negative, never a click.
    masked = np.argwhere(batch.labels == 0)[-1]
    offsets[tuple(masked)] = MASKED
    batch = replace(batch, offsets=offsets)
    task = build_task(spec.train.task, spec.model["predict"])
    step = Step(module=model, loss=task.loss, optimiser=None, train=spec.train)
    loss = step.part_loss(Part(epoch=1, step=0, seed=0, batch=batch))
    scores = model(batch).scores
    found = scores.detach().numpy().astype(np.float64)
    assert loss.item() == pytest.approx(
        expected_loss(op, found, batch.labels, offsets.astype(np.float64)), rel=1e-5
    )
    scores = model(batch).scores
    scores.retain_grad()
    task.loss(scores - torch.as_tensor(offsets), torch.as_tensor(batch.labels)).backward()
    assert scores.grad[tuple(masked)] == 0
    assert torch.isfinite(scores.grad).all()


@pytest.mark.parametrize("op", ["matching", "ranking"])
@pytest.mark.parametrize("pool", ["batch", "mixed"])
def test_interrupted_between_batches_of_an_update_it_is_the_same_run(cache, tmp_path, op, pool):
    recipe = {"epochs": 1, "accumulate": 3, "samples": 600, "batch": 32}
    spec = build_spec(task=drawn(op, pool=pool), **recipe)
    straight = train(spec, runs=tmp_path / "a", cache=cache, until="train")
    updates = sum(entry["event"] == "step" for entry in straight.log)
    assert updates == math.ceil(math.ceil(600 / 32) / 3)
    with pytest.raises(KeyboardInterrupt):
        train(
            spec, runs=tmp_path / "b", cache=cache, until="train",
            progress=Watching(interrupt=updates // 2),
        )  # fmt: skip
    resumed = train(spec, runs=tmp_path / "b", cache=cache, until="train")
    assert resumed.weights.read_bytes() == straight.weights.read_bytes()
    other = build_spec(task=drawn(op, pool="uniform"), **recipe)
    other = train(other, runs=tmp_path / "c", cache=cache, until="train")
    assert other.weights.read_bytes() != straight.weights.read_bytes()


def test_it_learns(cache, tmp_path):
    """A model trained on the clicks of other rows ranks what was shown far better than chance."""
    spec = build_spec(task=drawn("matching", negatives=15), metrics=(Call(op="GAUC"),))
    run = train(spec, runs=tmp_path, cache=cache, until="train")
    assert max(e["metrics"]["GAUC"] for e in run.log if e["event"] == "evaluation") > 0.56
