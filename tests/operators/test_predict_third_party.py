"""Parts of the predictors against other libraries, on four fields where they take any number.

The libraries are an extra of the tests. Each test is skipped where its library is not installed;
their weights are copied into ours, or ours into theirs.
"""

import importlib
import logging
import sys
import types
import warnings

import pytest
import torch

from legoc.operators.blocks.dice import Dice
from legoc.operators.blocks.fields import FieldPairs, factorised
from legoc.operators.predict.autoint import Interacting
from legoc.operators.predict.dcn import DCN
from legoc.operators.predict.dcnmix import MixtureCross
from legoc.operators.predict.dcnv2 import MatrixCross
from legoc.operators.predict.din import DIN
from legoc.operators.predict.fibinet import Bilinear, Excitation
from legoc.operators.predict.xdeepfm import CompressedInteraction
from legoc.operators.sizes import Sizes


ROWS, FIELDS, WIDTH = 5, 4, 6


@pytest.fixture
def library(monkeypatch):
    """`library("package.module")`, or the test is skipped. What importing one warns of is not ours,
    and one of them asks the network for its version: it finds none."""
    monkeypatch.setitem(sys.modules, "requests", types.ModuleType("requests"))
    monkeypatch.setattr(logging, "warning", lambda *given: None)

    def load(name):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return importlib.import_module(name)
            except ImportError as missing:
                pytest.skip(f"{name.partition('.')[0]} is not installed ({missing})")

    return load


# torch-rechub is no oracle for DCNv2: it adds the bias outside the product with x_0.


def draw(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(len(shape)))


def fill(module):
    """Every weight away from its initial value."""
    torch.manual_seed(4)
    with torch.no_grad():
        for value in module.parameters():
            if value.dtype.is_floating_point:
                value.copy_(torch.randn_like(value) * 0.3)
    return module.eval()


def equal(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_crosses_of_dcn_equal_fuxictr(library):
    theirs = fill(library("fuxictr.pytorch.layers.interactions.cross_net").CrossNet(2 * WIDTH, 3))
    ours = DCN(DCN.Config(units=()), Sizes(width=WIDTH, item=WIDTH))
    for cross, bias, their in zip(ours.crosses, ours.biases, theirs.cross_net, strict=True):
        cross.weight.copy_(their.weight.weight)
        bias.copy_(their.bias)
    user, item = draw(ROWS, WIDTH), draw(ROWS, WIDTH).flip(0)
    x = torch.cat([user, item], -1)
    crossed = theirs(x)
    wanted = ours.output(torch.cat([crossed, x], -1)).squeeze(-1)
    equal(ours(user, item), wanted)


@torch.no_grad()
def test_crosses_of_dcnv2_equal_fuxictr(library):
    theirs = fill(library("fuxictr.pytorch.layers.interactions.cross_net").CrossNetV2(WIDTH, 3))
    ours = MatrixCross(WIDTH, 3)
    for cross, their in zip(ours.crosses, theirs.cross_layers, strict=True):
        cross.load_state_dict(their.state_dict())
    equal(ours(draw(ROWS, WIDTH)), theirs(draw(ROWS, WIDTH)))


@torch.no_grad()
def test_mixtures_of_dcnmix_equal_fuxictr(library):
    cross_net = library("fuxictr.pytorch.layers.interactions.cross_net")
    theirs = fill(cross_net.CrossNetMix(WIDTH, layer_num=2, low_rank=3, num_experts=4))
    ours = MixtureCross(WIDTH, 2, rank=3, experts=4)
    ours.gate.weight.copy_(torch.cat([gate.weight for gate in theirs.gating]))
    for number, layer in enumerate(ours.layers):
        layer.narrow.copy_(theirs.V_list[number])
        layer.inner.copy_(theirs.C_list[number].transpose(1, 2))
        layer.widen.copy_(theirs.U_list[number].transpose(1, 2))
        layer.bias.copy_(theirs.bias[number].squeeze(1))
    equal(ours(draw(ROWS, WIDTH)), theirs(draw(ROWS, WIDTH)))


@torch.no_grad()
def test_interaction_network_equals_fuxictr(library):
    package = library("fuxictr.pytorch.layers.interactions.compressed_interaction_net")
    theirs = fill(package.CompressedInteractionNet(FIELDS, [5, 3]))
    ours = CompressedInteraction(FIELDS, [5, 3])
    for layer, their in zip(ours.layers, theirs.cin_layer.values(), strict=True):
        layer.weight.copy_(their.weight.flatten(1))
        layer.bias.copy_(their.bias)
    x = draw(ROWS, FIELDS, WIDTH)
    equal(theirs.fc(ours(x)), theirs(x))


@torch.no_grad()
@pytest.mark.parametrize("share", ["all", "each", "interaction"])
def test_bilinear_products_equal_fuxictr(library, share):
    package = library("fuxictr.pytorch.layers.interactions.bilinear_interaction")
    theirs = fill(package.BilinearInteractionV2(FIELDS, WIDTH, f"field_{share}"))
    ours = Bilinear(FIELDS, WIDTH, share)
    weight = theirs.bilinear_W
    ours.weight.copy_(weight.reshape(-1, WIDTH, WIDTH)[: len(ours.weight)])
    equal(ours(draw(ROWS, FIELDS, WIDTH)), theirs(draw(ROWS, FIELDS, WIDTH)))


@torch.no_grad()
def test_excitation_equals_fuxictr(library):
    package = library("fuxictr.pytorch.layers.attentions.squeeze_excitation")
    theirs = fill(package.SqueezeExcitation(6, reduction_ratio=3))
    ours = Excitation(6, 2)
    ours.squeeze.weight.copy_(theirs.excitation[0].weight)
    ours.excite.weight.copy_(theirs.excitation[2].weight)
    equal(ours(draw(ROWS, 6, WIDTH)), theirs(draw(ROWS, 6, WIDTH)))


@torch.no_grad()
def test_products_of_fields_equal_fuxictr(library):
    package = library("fuxictr.pytorch.layers.interactions.inner_product")
    x = draw(ROWS, FIELDS, WIDTH)
    left, right = FieldPairs(FIELDS)(x)
    equal((left * right).sum(-1), package.InnerProductInteraction(FIELDS, "inner_product")(x))
    wanted = package.InnerProductInteraction(FIELDS, "product_sum")(x).squeeze(-1)
    equal(factorised(x), wanted)


@torch.no_grad()
def test_dice_equals_fuxictr(library):
    theirs = library("fuxictr.pytorch.layers.activations").Dice(WIDTH)
    ours = Dice(WIDTH)
    theirs.alpha.normal_()
    ours.alpha.copy_(theirs.alpha)
    x, every = draw(ROWS, WIDTH), torch.ones(ROWS, dtype=torch.bool)
    equal(ours(x, every), theirs(x))
    equal(ours.running_var, theirs.bn.running_var)
    equal(ours.eval()(x, every), theirs.eval()(x))


@torch.no_grad()
@pytest.mark.parametrize("softmax", [False, True])
def test_interest_of_din_equals_fuxictr(library, softmax):
    package = library("fuxictr.pytorch.layers.attentions.target_attention")
    theirs = fill(package.DIN_Attention(WIDTH, [7], hidden_activations="Dice", use_softmax=softmax))
    config = DIN.Config(units=(), attention=(7,), softmax=softmax)
    ours = DIN(config, Sizes(width=WIDTH, item=WIDTH)).eval()
    linear, dice, weigh = theirs.attention_layer.mlp
    ours.linears[0].load_state_dict(linear.state_dict())
    ours.activations[0].alpha.copy_(dice.alpha)
    ours.weigh.weight.copy_(weigh.weight)
    if not softmax:
        ours.weigh.bias.copy_(weigh.bias)
    clicks, item = draw(ROWS, 4, WIDTH), draw(ROWS, WIDTH)
    mask = torch.arange(4) < torch.tensor([4, 1, 2, 3, 4])[:, None]
    interest = theirs(item, clicks, mask)
    equal(ours(clicks, mask, item), ours.mlp(torch.cat([interest, item], -1)))


@torch.no_grad()
@pytest.mark.parametrize("scale", [False, True])
def test_attention_of_fields_equals_deepctr(library, scale):
    package = library("deepctr_torch.layers.interaction")
    theirs = fill(package.InteractingLayer(WIDTH, head_num=2, scaling=scale))
    ours = Interacting(WIDTH, WIDTH, heads=2, scale=scale, dropout=0.0)
    pairs = zip(
        (ours.query, ours.key, ours.value, ours.keep),
        (theirs.W_Query, theirs.W_key, theirs.W_Value, theirs.W_Res),
        strict=True,
    )
    for linear, their in pairs:
        linear.weight.copy_(their.T)
    equal(ours(draw(ROWS, FIELDS, WIDTH)), theirs(draw(ROWS, FIELDS, WIDTH)))
