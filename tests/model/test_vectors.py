"""Pre-trained word vectors in the token table: widths, and what of it trains."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from legoc.data.indexing.rows import Rows
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.model import compile
from legoc.model.embedding import TokenEmbedding
from legoc.training.optimise import infer_pretrained
from tests.model.pipelines import ROWS, WIDTH, spec


def test_a_linear_follows_where_the_widths_differ():
    same, other = TokenEmbedding(7, 4, vectors=4), TokenEmbedding(7, 4, vectors=6)
    values = np.arange(12, dtype=np.float32).reshape(2, 6)
    other.fill(np.array([5, 3], dtype=np.int32), values)
    same.fill(np.array([6], dtype=np.int32), values[:1, :4])
    ids = torch.tensor([[3, 5, 0]])
    linear = other.project
    expected = other.table.weight.detach().numpy()[[3, 5, 0]] @ linear.weight.detach().numpy().T
    np.testing.assert_allclose(
        other(ids)[0].detach(), expected + linear.bias.detach().numpy(), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(other.table.weight[3].detach(), values[1])
    np.testing.assert_array_equal(same(torch.tensor([[6]]))[0, 0].detach(), values[0, :4])
    assert not any("project" in name for name, _ in same.named_parameters())


def test_the_table_is_pretrained_and_may_be_frozen():
    plain, open_, frozen = (
        TokenEmbedding(5, 3),
        TokenEmbedding(5, 3, vectors=2),
        TokenEmbedding(5, 3, vectors=2, frozen=True),
    )
    assert infer_pretrained(plain) == frozenset()
    assert infer_pretrained(open_) == {"table.weight"}
    for module, gradient in ((open_, True), (frozen, False)):
        module(torch.tensor([[1]])).sum().backward()
        assert (module.table.weight.grad is not None) == gradient
        assert module.project.weight.grad is not None


@pytest.mark.parametrize("width", [3, 2])
def test_what_has_no_vector_learns_beside_frozen_ones(width):
    """A category, or a word the vectors do not know, would otherwise keep random numbers."""
    module = TokenEmbedding(6, width, vectors=2, frozen=True)
    values = np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32)
    module.fill(np.array([2, 5], dtype=np.int32), values)
    assert infer_pretrained(module) == {"table.weight"}
    ids = torch.arange(6)[None]
    linear = module.project
    wanted = torch.tensor([[0, 0], [0, 0], [1, 2], [0, 0], [0, 0], [3, 4.0]])
    wanted = linear(wanted) if width != 2 else wanted
    before = module.own.weight.detach().clone()
    torch.testing.assert_close(module(ids)[0], wanted + before)
    assert before[[0, 2, 5]].abs().max() == 0 < before[[1, 3, 4]].abs().min()
    optimiser = torch.optim.Adam([p for p in module.parameters() if p.requires_grad], lr=0.1)
    for _ in range(3):
        optimiser.zero_grad()
        (module(ids) ** 2).sum().backward()
        optimiser.step()
    after = module.own.weight.detach()
    assert torch.equal(after[[0, 2, 5]], before[[0, 2, 5]])
    assert not torch.equal(after[[1, 3, 4]], before[[1, 3, 4]])
    np.testing.assert_array_equal(module.table.weight.detach()[[2, 5]], values)
    # Read back without the vectors, as an export does, it says the same.
    again = TokenEmbedding(6, width, vectors=2, frozen=True)
    again.load_state_dict(module.state_dict())
    torch.testing.assert_close(again.eval()(ids), module.eval()(ids))
    torch.testing.assert_close(module.train()(ids), module.eval()(ids))


def test_dropout_of_words_is_of_words_and_of_training():
    torch.manual_seed(0)
    module = TokenEmbedding(50, 4, dropout=0.25, unknown=7, separator=2)
    ids = torch.randint(8, 50, (400, 30))
    ids[:, 3], ids[:, 20:] = 2, 0
    left = module.drop(ids)
    assert torch.equal(left[:, 3], ids[:, 3])
    assert torch.equal(left[:, 20:], ids[:, 20:])
    hit = left != ids
    assert (left[hit] == 7).all()
    assert hit[:, :20].float().mean() == pytest.approx(0.25 * 19 / 20, abs=0.015)
    torch.testing.assert_close(module.eval()(ids), module.table(ids))
    torch.manual_seed(1)
    dropped = module.train()(ids)
    torch.manual_seed(1)
    assert torch.equal(dropped, module.table(module.drop(ids)))
    # A name is read whole, however long the other items are.
    names = torch.tensor([[9, 2, 8, 8, 11, 0, 0], [9, 8, 8, 11, 12, 0, 0]])
    every = TokenEmbedding(50, 4, dropout=1.0, unknown=7, separator=2).drop(names)
    assert torch.equal(every, torch.tensor([[9, 2, 8, 8, 11, 0, 0], [7, 7, 7, 7, 7, 0, 0]]))
    # Without a separator, only padding is left alone.
    assert (TokenEmbedding(50, 4, dropout=1.0, separator=None).drop(ids) == (ids > 0)).all()


def test_a_recipe_freezes_by_its_rate(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_text("word 1 2 3\n", "utf-8")
    plain = spec("naml")
    named = replace(plain, data=replace(plain.data, vectors=str(path)))
    rows = Rows(items=ROWS.items, users=ROWS.users, tokens=ROWS.tokens, vectors=3)
    model = compile(named).build(rows)
    assert model.tokens.table.weight.shape == (ROWS.tokens, 3)
    assert model.tokens.project.weight.shape == (WIDTH, 3)
    # Before the data is prepared, the file says how wide the table is.
    assert compile(named).build(ROWS).tokens.table.weight.shape == (ROWS.tokens, 3)
    (table,) = [t for t in compile(named).cost.tables if t.name == "tokens"]
    assert table.per_row == 3
    if named.train is not None:
        still = replace(named, train=replace(named.train, lr_pretrained=0.0))
        assert not compile(still).build(rows).tokens.table.weight.requires_grad
    path.unlink()
    assert compile(named).build(rows).tokens.table.weight.shape == (ROWS.tokens, 3)
    with pytest.raises(LegoError) as error:
        compile(named).build(ROWS)
    assert error.value.diagnostics[0].code == "E0641"
