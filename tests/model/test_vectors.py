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
        other(ids)[0].detach(), expected + linear.bias.detach().numpy(), atol=1e-6
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
