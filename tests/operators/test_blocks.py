"""The shared blocks: masks, the convolution and Dice, each against a second opinion."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from legoc.operators.blocks.attention import attend
from legoc.operators.blocks.convolution import Convolution
from legoc.operators.blocks.dice import Dice
from legoc.operators.blocks.linear import PlainLinear
from legoc.operators.blocks.masking import last_real, masked_max, masked_mean, masked_softmax
from legoc.operators.blocks.mlp import Layers


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_masked_softmax_is_bit_equal_to_softmax_over_the_real_part(scale):
    scores = torch.randn(3, 5, generator=torch.Generator().manual_seed(0)) * scale
    padded = functional.pad(scores, (0, 4), value=1e30)
    mask = torch.arange(9) < 5
    # Of the form that trains, the padding changes no bit either.
    assert torch.equal(masked_softmax(padded, mask)[:, :5], masked_softmax(scores, mask[:5]))
    with torch.no_grad():
        found = masked_softmax(padded, mask)
    assert torch.equal(found[:, :5], scores.softmax(-1))
    assert not found[:, 5:].any()


def test_masked_softmax_of_an_empty_row_is_zero():
    found = masked_softmax(
        torch.randn(2, 4), torch.tensor([[False] * 4, [True, False, True, True]])
    )
    assert not found[0].any()
    assert found[1].sum().item() == pytest.approx(1)
    assert found[1, 1] == 0


def test_one_click_among_padding_has_all_the_weight():
    mask = torch.tensor([[True, False, False, False, False, False]])
    assert masked_softmax(torch.zeros(1, 6), mask).tolist() == [[1, 0, 0, 0, 0, 0]]


def test_means_and_maxima_read_real_positions_only():
    x = torch.tensor([[[-3.0], [-1.0], [9.0]], [[5.0], [5.0], [5.0]]])
    mask = torch.tensor([[True, True, False], [False, False, False]])
    assert masked_mean(x, mask).tolist() == [[-2.0], [0.0]]
    assert masked_max(x, mask).tolist() == [[-1.0], [0.0]]


def test_last_real_is_the_newest_position():
    x = torch.arange(12.0).reshape(2, 3, 2)
    mask = torch.tensor([[True, True, False], [False, False, False]])
    assert last_real(x, mask).tolist() == [[2.0, 3.0], [0.0, 0.0]]


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("length", [1, 2, 7])
def test_convolution_equals_conv1d(kernel, length):
    ours, theirs = Convolution(4, 6, kernel), nn.Conv1d(4, 6, kernel, padding=kernel // 2)
    with torch.no_grad():
        ours.linear.weight.copy_(theirs.weight.permute(0, 2, 1).reshape(6, kernel * 4))
        ours.linear.bias.copy_(theirs.bias)
    x = torch.randn(3, length, 4)
    torch.testing.assert_close(ours(x), theirs(x.transpose(1, 2)).transpose(1, 2))


def test_dice_learns_statistics_of_real_rows_only():
    real = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)) * 2 + 1
    reference = nn.BatchNorm1d(3, eps=1e-9, momentum=0.01, affine=False)
    wanted = torch.sigmoid(reference(real))
    mask = torch.tensor([True, False] * 6)
    x = torch.full((12, 3), 1e3)
    x[mask] = real
    dice = Dice(3)
    found = dice(x, mask)[mask]
    torch.testing.assert_close(found, wanted * real)
    torch.testing.assert_close(dice.running_mean, reference.running_mean)
    torch.testing.assert_close(dice.running_var, reference.running_var)
    dice.eval()
    reference.eval()
    torch.testing.assert_close(
        dice(real, torch.ones(6).bool()), torch.sigmoid(reference(real)) * real
    )


@pytest.mark.parametrize("real", [0, 1])
def test_dice_learns_nothing_from_less_than_two_rows(real):
    dice = Dice(2)
    found = dice(torch.ones(3, 2), torch.arange(3) < real)
    assert found.isfinite().all()
    assert np.array_equal(dice.running_mean, [0, 0])
    assert np.array_equal(dice.running_var, [1, 1])


def test_linears_keep_the_scale_of_embeddings():
    torch.manual_seed(0)
    x = 0.1 * torch.randn(200, 9, 64)
    features = Convolution(64, 64, 3)(x).relu()[:, 1:-1]
    assert features.square().mean().sqrt().item() == pytest.approx(0.1, rel=0.1)
    assert PlainLinear(64, 64)(x).square().mean().sqrt().item() == pytest.approx(0.1, rel=0.1)


def test_layers_normalise_as_torch_does_and_take_a_batch_of_one():
    torch.manual_seed(0)
    ours = Layers(4, (6, 5), 0.0, batch_norm=True)
    first, second = (linear.weight for linear in ours.linears)
    norms = nn.BatchNorm1d(6), nn.BatchNorm1d(5)
    x = torch.randn(9, 4) + 2
    wanted = norms[1](norms[0](x @ first.T).relu() @ second.T).relu()
    torch.testing.assert_close(ours(x), wanted)
    for norm, reference in zip(ours.norms, norms, strict=True):
        torch.testing.assert_close(norm.running_mean, reference.running_mean)
        torch.testing.assert_close(norm.running_var, reference.running_var)
    assert all(linear.bias is None for linear in ours.linears)
    before = ours.norms[0].running_mean.clone()
    alone = ours(x[:1])
    torch.testing.assert_close(alone, ours.eval()(x[:1]))
    assert torch.equal(ours.norms[0].running_mean, before)


def test_a_query_that_may_see_nothing_gets_zeros_and_others_are_torchs():
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 2, 5, 4).unbind(0)
    allowed = torch.rand(2, 1, 5, 5) > 0.4
    allowed[0, :, 2] = False
    allowed[1] = False
    found = attend(query, key, value, allowed, torch.nn.Identity())
    wanted = functional.scaled_dot_product_attention(query, key, value, allowed)
    some = allowed.any(-1).expand(2, 2, 5)
    assert 0 < some.sum() < some.numel()
    torch.testing.assert_close(found[some], wanted[some])
    assert not found[~some].any()
