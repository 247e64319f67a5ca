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
    """State i of the whole history is the result of the history up to i."""
    from legoc.operators.behavior.sasrec import SASRec

    made = build(SASRec, 8, {})
    (row,) = inputs(SASRec, 8, (5,))
    states = [made(*lay(SASRec, [row[: length + 1]])) for length in range(5)]
    row[4] += np.float32(1.0)
    again = [made(*lay(SASRec, [row[: length + 1]])) for length in range(5)]
    for before, after in zip(states[:4], again[:4], strict=True):
        torch.testing.assert_close(before, after, rtol=0, atol=0)
    assert (states[4] - again[4]).abs().max() > 1e-3


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
