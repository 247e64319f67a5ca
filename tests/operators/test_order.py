"""What the order of clicks means to each user encoder."""

import numpy as np
import pytest
import torch

from tests.operators.cases import build, inputs, key, lay, name, operators


# By their place: later clicks weigh otherwise, or come last.
ORDERED = {"GRU", "LSTUR", "Transformer", "Fastformer", "SASRec", "Longformer"}
SETS = {"Pooling", "Additive", "Attention", "PolyAttention"}
ENCODERS = [o for o in operators() if key(o)[0] in ("behavior", "flatten")]


def reversed_clicks(operator, given):
    if key(operator)[0] == "flatten":
        return given[0], [row[::-1] for row in given[1]]
    if isinstance(given, tuple):
        return [row[::-1] for row in given[0]], given[1]
    return [row[::-1] for row in given]


@pytest.mark.parametrize("operator", ENCODERS, ids=name)
@torch.no_grad()
def test_order_counts_where_it_should(operator):
    title = key(operator)[1]
    if title == "Null":
        return
    assert (title in ORDERED) != (title in SETS)
    made = build(operator, 8, {})
    given = inputs(operator, 8, (5, 4))
    one = made(*lay(operator, given))
    other = made(*lay(operator, reversed_clicks(operator, given)))
    if title in SETS:
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
    else:
        assert (one - other).abs().max() > 1e-3


@torch.no_grad()
def test_sasrec_does_not_look_ahead():
    """No block lets a click change what comes before it."""
    from legoc.operators.behavior.sasrec import SASRec

    made = build(SASRec, 8, {})
    states = []
    for block in made.blocks:
        block.register_forward_hook(lambda _block, _given, state: states.append(state[0]))
    (row,) = inputs(SASRec, 8, (5,))
    made(*lay(SASRec, [row]))
    row[3] *= np.float32(-1.0)
    made(*lay(SASRec, [row]))
    half = len(states) // 2
    for before, after in zip(states[:half], states[half:], strict=True):
        torch.testing.assert_close(before[:3], after[:3], rtol=0, atol=0)
        assert ((before[3:5] - after[3:5]).abs().amax(1) > 1e-3).all()


@torch.no_grad()
def test_places_of_sasrec_count_back_from_the_newest_click():
    """An older click in front leaves the others where they were, so one that no query attends to
    changes nothing."""
    from legoc.operators.behavior.sasrec import SASRec

    made = build(SASRec, 8, {"layers": 1})
    block = made.blocks[0]
    (row,) = inputs(SASRec, 8, (4,))
    given = []
    block.register_forward_pre_hook(lambda _block, args: given.append(args[0][0]))
    made(*lay(SASRec, [row[1:]], more=2))
    made(*lay(SASRec, [row]))
    torch.testing.assert_close(given[1][1:4], given[0][:3], rtol=0, atol=0)
    assert (given[1][0] - given[0][0]).abs().max() > 1e-3


def test_dropout_of_sasrec_falls_on_the_weights_of_the_attention():
    """Of a lone click each head keeps its whole value, doubled, or nothing of it."""
    from legoc.operators.behavior.sasrec import Block

    torch.manual_seed(0)
    block = Block(8, heads=2, dropout=0.5).train()
    x, allowed = torch.randn(64, 1, 8), torch.ones(64, 1, 1, dtype=torch.bool)
    with torch.no_grad():
        made = block.attend(x, allowed, block.asking(x)).unflatten(-1, (2, 4))
        value = block.attend.value(x).unflatten(-1, (2, 4))
    gone = (made == 0).all(-1)
    assert 0.3 < gone.float().mean() < 0.7
    torch.testing.assert_close(made[~gone], 2 * value[~gone])


@torch.no_grad()
def test_one_click_has_all_the_weight_of_every_code():
    """One click among padding: published code gave padding most of the weight."""
    from legoc.operators.behavior.polyattention import PolyAttention

    made = build(PolyAttention, 8, {})
    given = inputs(PolyAttention, 8, (1,))
    found = made(*lay(PolyAttention, given, more=5, hold=3.0))
    expected = torch.from_numpy(given[0]).unsqueeze(0).expand_as(found)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


def test_lstur_hides_users_while_training():
    from legoc.operators.behavior.lstur import LSTUR

    made = build(LSTUR, 8, {"form": "con"}).train()
    x, mask = torch.randn(400, 2, 8), torch.ones(400, 2, dtype=torch.bool)
    users = torch.full((400,), 3)
    torch.manual_seed(0)
    with torch.no_grad():
        long = made(x, mask, users)[:, 4:]
    hidden = (long == 0).all(1)
    assert 0.4 < hidden.float().mean() < 0.6
    torch.testing.assert_close(long[~hidden], made.users.weight[users[~hidden]].detach())
