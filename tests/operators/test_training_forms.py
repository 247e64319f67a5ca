"""The forms that train on a CPU against the plain ones: values, gradients, and NaN at padding."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from legoc.operators.blocks import training_forms
from legoc.operators.blocks.additive import AdditiveAttention
from legoc.operators.blocks.attention import attend
from legoc.operators.blocks.convolution import Convolution
from legoc.operators.blocks.dropout import Dropout
from legoc.operators.blocks.masking import cleared, masked_softmax
from legoc.operators.sizes import Sizes


def drawn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator).requires_grad_()


def mask_of(rows, length):
    """Rows of every length, the empty one among them."""
    return torch.arange(length) < (torch.arange(rows) % (length + 1)).unsqueeze(1)


def with_gradients(run, *leaves):
    """A result, and the gradients of its sum of squares with weights of its own."""
    made = run()
    scale = torch.linspace(0.5, 1.5, made.numel()).view(made.shape)
    return [made.detach(), *torch.autograd.grad((made * scale).square().sum(), leaves)]


def assert_alike(run, leaves, monkeypatch, patched):
    """The form that trains and the plain one of the same call."""
    fast = with_gradients(run, *leaves)
    for module in patched:
        monkeypatch.setattr(module, "trains_on_cpu", lambda x: False)
    for one, other in zip(fast, with_gradients(run, *leaves), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rows", [3, training_forms.ROWS // 4 + 1])
@pytest.mark.parametrize("length", [4, 17])
def test_additive_attention(monkeypatch, rows, length):
    from legoc.operators.blocks import additive, masking

    torch.manual_seed(0)
    pool, x, mask = AdditiveAttention(6, 10), drawn(rows, length, 6), mask_of(rows, length)
    with torch.no_grad():
        pool.weigh.weight.mul_(50)
    leaves = (x, *pool.parameters())
    assert_alike(lambda: pool(cleared(x, mask), mask), leaves, monkeypatch, (additive, masking))


@pytest.mark.parametrize("length", [1, 5, 16, 20])
@pytest.mark.parametrize("own", [False, True])
def test_attention(monkeypatch, length, own):
    from legoc.operators.blocks import attention

    leaves = [drawn(5, 2, length, 4, seed=seed) for seed in range(3)]
    allowed = mask_of(5, length)[:, None, None, :]
    if own:
        allowed = allowed & torch.ones(length, length, dtype=torch.bool).tril()
    run = lambda: attend(*leaves, allowed, nn.Identity())  # noqa: E731
    assert_alike(run, leaves, monkeypatch, (attention,))
    # by the equation
    query, key, value = leaves
    scores = query @ key.transpose(-1, -2) / math.sqrt(4)
    weights = (scores.exp() * allowed) / (scores.exp() * allowed).sum(-1, keepdim=True)
    torch.testing.assert_close(run(), weights.nan_to_num() @ value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("length", [1, 2, 7])
def test_convolution(length, kernel):
    torch.manual_seed(0)
    ours, x = Convolution(4, 6, kernel), drawn(3, length, 4)
    weight = ours.linear.weight.view(6, kernel, 4).transpose(1, 2)

    def theirs():
        made = functional.conv1d(x.transpose(1, 2), weight, ours.linear.bias, padding=kernel // 2)
        return made.transpose(1, 2)

    leaves = (x, ours.linear.weight, ours.linear.bias)
    for one, other in zip(
        with_gradients(lambda: ours(x), *leaves), with_gradients(theirs, *leaves), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_codes_over_clicks(monkeypatch):
    from legoc.operators.behavior import polyattention

    torch.manual_seed(0)
    operator = polyattention.PolyAttention
    poly = operator(operator.Config(codes=3, dim=7, cold=None), Sizes(width=6, clicks=5))
    with torch.no_grad():
        poly.codes.mul_(10)
    x, mask = drawn(6, 5, 6), mask_of(6, 5)
    leaves = (x, poly.codes, poly.inner.weight)
    assert_alike(lambda: poly(x, mask), leaves, monkeypatch, (polyattention,))


def test_softmax_over_few_keys_and_over_many():
    for length in (1, 7, 15, 16, 40):
        scores, mask = drawn(length + 1, length), mask_of(length + 1, length)
        expected = scores.exp() * mask
        expected = expected / expected.sum(-1, keepdim=True).clamp_min(1e-30)
        torch.testing.assert_close(masked_softmax(scores, mask), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("padded", [True, False])
def test_what_stands_at_padding_never_counts(padded):
    x = torch.full((3, 4, 2), 1.0)
    mask = mask_of(3, 4) if padded else torch.ones(3, 4, dtype=torch.bool)
    x[~mask] = float("nan")
    x.requires_grad_()
    made = cleared(x, mask)
    assert torch.equal(made.detach(), mask.unsqueeze(-1).expand(3, 4, 2).float())
    made.square().sum().backward()
    assert torch.equal(x.grad, 2 * made.detach())


def test_exports_and_evaluations_keep_the_plain_forms():
    x = torch.zeros(2)
    assert training_forms.trains_on_cpu(x)
    assert not training_forms.trains_on_cpu(x.to("meta"))
    with torch.no_grad():
        assert not training_forms.trains_on_cpu(x)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.003, 0.0, 1.0])
def test_dropout_drops_its_share_and_keeps_the_mean(share):
    torch.manual_seed(0)
    x = torch.ones(2000, 501)
    made = Dropout(share)(x)
    count = x.numel()
    dropped = (made == 0).sum().item() / count
    # Four deviations of a binomial, and what 65,536ths round.
    assert abs(dropped - share) <= 4 * math.sqrt(share * (1 - share) / count) + 1 / 65536
    if share < 1:
        assert made.max().item() == pytest.approx(1 / (1 - share), rel=1e-4)
    # Columns and rows are independent of each other: no line is favoured.
    lines = torch.cat([(made == 0).float().mean(0), (made == 0).float().mean(1)])
    assert (lines - share).abs().max() <= 6 * math.sqrt(share * (1 - share) / 501) + 1e-4
    assert torch.equal(Dropout(share).eval()(x), x)


def test_masks_follow_from_the_seed_and_from_nothing_else():
    x = torch.ones(40, 33)
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        layer = Dropout(0.3)
        found.append((layer(x), layer(x)))
    assert all(torch.equal(*pair) for pair in zip(found[0], found[1], strict=True))
    assert not torch.equal(found[0][0], found[0][1])
    assert not torch.equal(found[0][0], found[2][0])


def test_the_gradient_of_dropout_is_its_mask():
    torch.manual_seed(0)
    x = drawn(7, 9)
    made = Dropout(0.4)(x)
    made.sum().backward()
    torch.testing.assert_close(x.grad * x.detach(), made.detach())
    assert Dropout(0.4)(x.detach().bfloat16()).dtype == torch.bfloat16
