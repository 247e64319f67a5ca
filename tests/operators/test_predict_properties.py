"""What one predictor alone promises: order, emptiness, defaults, widths that do not fit."""

import numpy as np
import pytest
import torch

from legoc.language import check
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.operators.blocks.mlp import Layers
from legoc.operators.predict.bst import BST, places
from legoc.operators.predict.cosine import Cosine
from legoc.operators.predict.din import DIN
from legoc.operators.predict.fibinet import Bilinear, Excitation
from legoc.operators.predict.finalmlp import FinalMLP
from legoc.operators.predict.masknet import MaskNet
from legoc.operators.predict.miner import MINER
from legoc.operators.sizes import Sizes
from tests.operators.cases import build


WIDTH = 8
SIZES = Sizes(width=WIDTH, item=WIDTH)


def draw(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(len(shape)))


def close(one, other):
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_the_cosine_of_a_zero_vector_is_zero():
    user, item = draw(3, WIDTH), draw(3, WIDTH).flip(0)
    user[0], item[1] = 0.0, 0.0
    user.requires_grad_()
    for temperature in (None, 0.1):
        found = Cosine(Cosine.Config(temperature=temperature), SIZES)(user, item)
        assert found[:2].tolist() == [0.0, 0.0]
        assert found[2] != 0
    found.sum().backward()
    assert user.grad.isfinite().all()


def test_the_cosine_reads_directions_alone():
    user, item = draw(3, WIDTH), draw(3, WIDTH).flip(0)
    cosine = Cosine(Cosine.Config(), SIZES)
    close(cosine(user * 100, item * 0.01), cosine(user, item))
    close(cosine(user, user * 3), torch.ones(3))


@torch.no_grad()
def test_din_reads_a_set_of_clicks_and_bst_a_sequence():
    clicks, item = draw(2, 5, WIDTH), draw(2, WIDTH)
    mask = torch.ones(2, 5, dtype=torch.bool)
    din, bst = (build(operator, WIDTH, {}) for operator in (DIN, BST))
    # Fresh positions are small beside the clicks of a test.
    bst.positions.table.weight.mul_(20)
    close(din(clicks.flip(1), mask, item), din(clicks, mask, item))
    assert ((bst(clicks.flip(1), mask, item) - bst(clicks, mask, item)).abs() > 1e-3).all()


def test_positions_of_bst_count_back_from_the_candidate():
    mask = torch.tensor([[True, True, True], [True, False, False], [False, False, False]])
    assert places(mask).tolist() == [[0, 3, 2, 1], [0, 1, 0, 0], [0, 0, 0, 0]]


@torch.no_grad()
@pytest.mark.parametrize("operator", [DIN, BST])
def test_an_empty_history_leaves_the_candidate(operator):
    made = build(operator, WIDTH, {})
    clicks, mask = draw(3, 4, WIDTH), torch.zeros(3, 4, dtype=torch.bool)
    item = draw(3, WIDTH)
    found = made(clicks, mask, item)
    assert len(set(found.tolist())) == 3
    if operator is DIN:
        close(found, made.mlp(torch.cat([torch.zeros_like(item), item], -1)))


@torch.no_grad()
@pytest.mark.parametrize("length", [1, 1024, 1030])
def test_bst_takes_the_longest_history_there_can_be(length):
    config = BST.Config(inner=WIDTH, units=(4,))
    made = BST(config, Sizes(width=WIDTH, item=WIDTH, clicks=length)).eval()
    found = made(draw(1, length, WIDTH), torch.ones(1, length, dtype=torch.bool), draw(1, WIDTH))
    assert found.isfinite().all()


@torch.no_grad()
@pytest.mark.parametrize("score", ["weighted", "max", "mean"])
def test_the_vectors_of_a_user_have_no_order(score):
    made = build(MINER, WIDTH, {"score": score})
    user, item = draw(3, 5, WIDTH), draw(3, WIDTH)
    close(made(user.flip(1), item), made(user, item))
    # The weighted score lies between the extremes, one vector is its own score.
    products = torch.einsum("pcd,pd->pc", user, item)
    assert (made(user, item) <= products.amax(-1) + 1e-5).all()
    close(made(user[:, :1], item), products[:, 0])


@torch.no_grad()
def test_bilinear_products_share_matrices_as_they_say():
    fields, seen = draw(2, 4, WIDTH), {}
    for share, matrices in (("all", 1), ("each", 3), ("interaction", 6)):
        made = Bilinear(4, WIDTH, share)
        assert made.weight.shape == (matrices, WIDTH, WIDTH)
        pairs = [(i, j) for i in range(4) for j in range(i + 1, 4)]
        place = {"all": lambda q, i: 0, "each": lambda q, i: i, "interaction": lambda q, i: q}
        wanted = [
            (fields[:, i].numpy() @ made.weight[place[share](q, i)].numpy()) * fields[:, j].numpy()
            for q, (i, j) in enumerate(pairs)
        ]
        seen[share] = made(fields).numpy()
        np.testing.assert_allclose(seen[share], np.stack(wanted, 1), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_an_excitation_starts_with_no_field_switched_off_whatever_it_reads():
    for seed in range(20):
        torch.manual_seed(seed)
        made = Excitation(2, 2)
        for fields in (draw(50, 2, WIDTH), draw(50, 2, WIDTH).abs(), -draw(50, 2, WIDTH).abs()):
            assert (made(fields).abs().amax(-1) > 0).all()


@pytest.mark.parametrize(
    ("structure", "blocks", "end"), [("serial", [400] * 3, 400), ("parallel", [64] * 3, 192)]
)
def test_masknet_has_the_published_sizes(structure, blocks, end):
    made = MaskNet(MaskNet.Config(structure=structure), SIZES)
    assert [block.norm.normalized_shape[0] for block in made.blocks] == blocks
    layers = [linear.out_features for linear in made.mlp.layers.linears]
    assert layers == ([] if structure == "serial" else [1000] * 3)
    first = made.mlp.output if structure == "serial" else made.mlp.layers.linears[0]
    assert first.in_features == end


@torch.no_grad()
def test_finalmlp_starts_with_gates_near_one():
    torch.manual_seed(0)
    made = FinalMLP(FinalMLP.Config(), SIZES)
    for gate in made.gates:
        assert ((gate(0.1 * draw(5, WIDTH)) - 1).abs() < 0.3).all()


def test_heads_that_do_not_divide_a_stream_are_refused():
    for given in ({"first": (9,)}, {"second": (9,)}, {"heads": 3, "first": ()}):
        with pytest.raises(LegoError) as caught:
            FinalMLP(FinalMLP.Config(**given), SIZES)
        assert caught.value.diagnostics[0].code == "E0402"


@pytest.mark.parametrize("given", ["first=[9]", "second=[1000, 9]", "heads=3"])
def test_heads_that_do_not_divide_a_list_of_widths_are_found_by_the_check(given, tmp_path):
    path = tmp_path / "wrong.lego"
    path.write_text(f"content CNN -> behavior Additive -> predict FinalMLP({given})\n")
    assert {d.code for d in check(path).errors} == {"E0402"}
    path.write_text("content CNN -> behavior Additive -> predict FinalMLP(first=[9, 8])\n")
    assert not check(path).errors


@torch.no_grad()
def test_layers_keep_the_scale_of_what_they_read():
    torch.manual_seed(0)
    x = 0.1 * draw(200, 64)
    ratio = Layers(64, (256, 256, 256), 0.0)(x).square().mean().sqrt() / x.square().mean().sqrt()
    assert 0.5 < ratio < 2


@pytest.mark.parametrize("given", ["DNN(units=[], batch_norm=true)", "AutoInt(batch_norm=true)"])
def test_normalising_layers_that_are_not_there_is_found_by_the_check(given, tmp_path):
    path = tmp_path / "wrong.lego"
    path.write_text(f"content CNN -> behavior Additive -> predict {given}\n")
    (found,) = check(path).errors
    assert found.code == "E0505"
    assert "needs `units`" in found.message
