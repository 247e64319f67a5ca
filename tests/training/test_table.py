"""Tables whose optimiser holds the rows that were read, against torch on the whole table."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from legoc.data import prepare
from legoc.language import load
from legoc.model import compile
from legoc.operators.blocks.table import Table
from legoc.training.jobs.memory import MOMENTS
from legoc.training.moving import KINDS
from legoc.training.optimise import build_optimiser
from legoc.training.samplers import build_sampler


ROWS, WIDTH = 60, 16
TEXT = """
data d { source = Demo(items=200, users=60, impressions=200) content = [title(8), category] }
model m = content CNN(hidden=16) -> behavior Additive -> predict Dot
run m on d
"""
JUDGES = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}


class Model(nn.Module):
    """A table that is read several times, and a Linear."""

    def __init__(self, table):
        super().__init__()
        self.table = table
        self.head = nn.Linear(WIDTH, 1)

    def forward(self, *lookups):
        return sum(self.head(self.table(ids)).square().sum() for ids in lookups)


def pair():
    """The same values twice: ours, and torch's."""
    torch.manual_seed(0)
    ours, theirs = Model(Table(ROWS, WIDTH)), Model(nn.Embedding(ROWS, WIDTH, padding_idx=0))
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def batches(count=7):
    """Two lookups each, of distinct ids, padding among them; some rows are never read."""
    draw = torch.Generator().manual_seed(3)
    for _ in range(count):
        order = torch.randperm(ROWS - 20, generator=draw)
        yield order[:9].int(), order[9:15].reshape(2, 3)


@pytest.mark.parametrize("kind", JUDGES)
def test_weights_are_those_of_torch_to_the_bit(make_recipe, kind):
    ours, theirs = pair()
    optimiser = build_optimiser(ours, make_recipe(optimizer=kind, lr=0.05))
    judge = JUDGES[kind](theirs.parameters(), lr=0.05, weight_decay=0.0, fused=True)
    for lookups in batches():
        loss, expected = ours(*lookups), theirs(*lookups)
        assert loss.item() == expected.item()
        loss.backward()
        optimiser.update(1.0)
        expected.backward()
        judge.step()
        judge.zero_grad()
    assert ours.table.weight.grad is None
    assert torch.equal(ours.table(torch.arange(ROWS)), theirs.table(torch.arange(ROWS)))
    for name, value in ours.state_dict().items():
        assert torch.equal(value, theirs.state_dict()[name]), name
    optimiser.release()
    assert torch.equal(ours.table.weight, theirs.table.weight)


def test_a_row_that_is_read_again_and_again_gets_the_sum_of_its_gradients(make_recipe):
    ours, theirs = pair()
    optimiser = build_optimiser(ours, make_recipe(lr=0.05, clip=0.3))
    judge = torch.optim.Adam(theirs.parameters(), lr=0.05)
    for step in range(4):
        lookups = torch.tensor([[5, 5, 0], [7, 5, 7]]), torch.tensor([step + 7, 5])
        for part in (lookups[:1], lookups[1:]):  # two batches of one update
            ours(*part).backward()
            theirs(*part).backward()
        nn.utils.clip_grad_norm_(theirs.parameters(), 0.3)
        optimiser.update(1.0)
        judge.step()
        judge.zero_grad()
    optimiser.release()
    torch.testing.assert_close(ours.table.weight, theirs.table.weight, rtol=0, atol=1e-6)
    assert not ours.table.weight[0].any()


def test_only_what_was_read_is_held(make_recipe):
    ours, _ = pair()
    optimiser = build_optimiser(ours, make_recipe(lr=0.05))
    ours(torch.tensor([9, 3]), torch.tensor([3, 20])).backward()
    optimiser.update(1.0)
    state = optimiser.tensors()
    assert state["table.weight/rows"].tolist() == [0, 3, 9, 20]
    assert state["table.weight/exp_avg"].shape == (4, WIDTH)
    assert not ours.table.reading.gradient[:4].any()


@pytest.mark.parametrize("before", ["rows", "whole"])
@pytest.mark.parametrize("after", ["rows", "whole"])
def test_a_state_goes_on_wherever_the_table_is_held(make_recipe, before, after):
    recipe = make_recipe(lr=0.05)
    judged, _ = pair()
    judge = build_optimiser(judged, recipe)
    one, other = (pair()[0 if how == "rows" else 1] for how in (before, after))
    first, *rest = list(batches())
    optimiser = build_optimiser(one, recipe)
    for module, moving in ((judged, judge), (one, optimiser)):
        module(*first).backward()
        moving.update(1.0)
    other.load_state_dict(one.state_dict())
    again = build_optimiser(other, recipe)
    again.load({name: value.clone() for name, value in optimiser.tensors().items()})
    for module, moving in ((judged, judge), (other, again)):
        for lookups in rest:
            module(*lookups).backward()
            moving.update(1.0)
    assert all(
        torch.equal(value, other.state_dict()[name]) for name, value in judged.state_dict().items()
    )


def test_lazyadam_leaves_rows_and_their_moments_alone(make_recipe):
    ours, _ = pair()
    p = ours.table.weight.detach().clone()
    m, v = torch.zeros_like(p), torch.zeros_like(p)
    optimiser = build_optimiser(ours, make_recipe(optimizer="lazyadam", lr=0.05))
    for t, rows in enumerate(([4, 9], [9, 11], [4, 30], [9, 4]), 1):
        ids = torch.tensor(rows)
        scores = ours.head(ours.table(ids))
        g = 2 * scores.detach() * ours.head.weight.detach()
        scores.square().sum().backward()
        optimiser.update(1.0)
        m[ids] = 0.9 * m[ids] + 0.1 * g
        v[ids] = 0.999 * v[ids] + 0.001 * g * g
        p[ids] -= 0.05 * (m[ids] / (1 - 0.9**t)) / ((v[ids] / (1 - 0.999**t)).sqrt() + 1e-8)
    optimiser.release()
    torch.testing.assert_close(ours.table.weight.detach(), p, rtol=1e-5, atol=1e-6)


def test_lazyadam_is_adam_where_every_row_is_read(make_recipe):
    every = torch.arange(ROWS)
    found = []
    for kind in ("adam", "lazyadam"):
        ours, _ = pair()
        optimiser = build_optimiser(ours, make_recipe(optimizer=kind, lr=0.05))
        for _ in range(3):
            ours(every).backward()
            optimiser.update(1.0)
        optimiser.release()
        found.append(ours.table.weight.detach().clone())
    assert torch.equal(*found)
    assert KINDS["lazyadam"].some


def test_loading_weights_while_they_train_is_seen(make_recipe):
    ours, theirs = pair()
    optimiser = build_optimiser(ours, make_recipe(lr=0.05))
    ours(torch.tensor([1, 2])).backward()
    optimiser.update(1.0)
    ours.load_state_dict(theirs.state_dict())
    ids = torch.arange(5)
    assert torch.equal(ours(ids), theirs(ids))
    with torch.no_grad():
        assert torch.equal(ours(ids), theirs(ids))


def test_the_memory_of_every_optimiser_is_known():
    assert {name: len(kind.moments) for name, kind in KINDS.items()} == MOMENTS


def test_losses_are_those_of_gradients_as_large_as_the_table(tmp_path, make_recipe):
    """A whole model, whose buckets and attributes read one table of words."""
    file = tmp_path / "m.lego"
    file.write_text(TEXT)
    (spec,) = load(file)
    prepared = prepare(spec, cache=tmp_path)
    losses = []
    for held in (True, False):
        torch.manual_seed(0)
        model = compile(spec).build(prepared.rows).train()
        if not held:
            for part in model.modules():
                if isinstance(part, Table):
                    part.__class__ = nn.Embedding
        optimiser = build_optimiser(model, make_recipe(lr=0.01))
        assert len(optimiser.tables) == held
        sampler = build_sampler(spec, prepared)
        for step in range(6):
            torch.manual_seed(step)
            scores = model(sampler.batch(1, step % sampler.steps)).scores
            loss = cross_entropy(scores, torch.zeros(len(scores), dtype=torch.int64))
            losses.append(loss.item())
            loss.backward()
            optimiser.update(1.0)
    half = len(losses) // 2
    assert losses[:half] == pytest.approx(losses[half:], rel=1e-6)
    assert losses[0] != losses[half - 1]
