"""Histories are read at a cost that follows their tokens, and the same comes of it."""

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from legoc.operators.blocks.laying import GROUPS, lay, read_packed
from tests.operators.cases import build, name, operators, padded_clicks, ragged


FLATTENERS = [o for o in operators() if o.declaration.role == "flatten"]
WIDTH = 8


def histories(count, *, more, seed=0):
    """Histories of 0 to 6 clicks of 0 to 5 tokens, padded by `more` clicks and tokens."""
    rng = np.random.default_rng(seed)
    rows = [
        ragged(WIDTH, rng.integers(0, 6, size=rng.integers(0, 7)).tolist(), place)
        for place in range(count)
    ]
    return padded_clicks(rows, WIDTH, more=more, hold=3.0)


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_row_is_read_without_the_padding_between_its_tokens(newest_first):
    x, mask = histories(11, more=2)
    laid = lay(x, mask, newest_first=newest_first)
    seen = []

    def read(given):
        for row in range(len(given.x)):
            length = int(given.mask[row].sum())
            assert given.mask[row, :length].all()
            seen.append(
                (given.x[row, :length], given.place[row, :length], given.item[row, :length])
            )
        assert given.mask.shape[1] == max(1, int(given.mask.sum(1).max()))
        return given.x.sum(1) + 10.0 * given.place.sum(1, keepdim=True)

    found = read_packed(read, laid)
    torch.testing.assert_close(found, laid.x.sum(1) + 10.0 * laid.place.sum(1, keepdim=True))
    lengths = laid.mask.sum(1)
    for (x_ND, place_N, item_N), row in zip(seen, lengths.argsort(stable=True), strict=True):
        real = laid.mask[row]
        torch.testing.assert_close(x_ND, laid.x[row][real], rtol=0, atol=0)
        assert torch.equal(place_N, laid.place[row][real])
        assert torch.equal(item_N, laid.item[row][real])


@pytest.mark.parametrize("operator", FLATTENERS, ids=name)
def test_work_does_not_grow_with_padding(operator):
    made = build(operator, WIDTH, {}).train()
    counts = []
    for more in (0, 5):
        counter = FlopCounterMode(display=False)
        with counter:
            made(*histories(16, more=more)).sum().backward()
        counts.append(counter.get_total_flops())
    assert counts[0] == counts[1] > 0


@pytest.mark.parametrize("operator", FLATTENERS, ids=name)
def test_packed_and_laid_rows_agree_with_their_gradients(operator, monkeypatch):
    made = build(operator, WIDTH, {})
    x, mask = histories(3 * GROUPS + 1, more=1)
    found = []
    for compiling in (False, True):
        monkeypatch.setattr(torch.compiler, "is_compiling", lambda given=compiling: given)
        made.zero_grad()
        output = made(x, mask)
        (output * torch.arange(1.0, WIDTH + 1)).sum().backward()
        found.append((output, [p.grad.clone() for p in made.parameters()]))
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-5, atol=1e-6)
    for one, other in zip(found[0][1], found[1][1], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
