"""The training pass gives what the exported graphs give, sample by sample."""

import numpy as np
import pytest
import torch

from legoc.model import compile, to_tensors
from legoc.model.tensors import to_inputs
from tests.model.pipelines import CANDIDATES, HISTORIES, PIPELINES, ROWS, Items, batch, spec
from tests.operators import oracles
from tests.operators.cases import weights


EVERY = pytest.mark.parametrize("name", PIPELINES)


def build(name):
    torch.manual_seed(0)
    compiled = compile(spec(name))
    return compiled.build(ROWS).eval(), Items(compiled.plan.layout)


@EVERY
@torch.no_grad()
def test_forward_equals_scoring_each_sample_alone(name):
    model, items = build(name)
    found = model(batch(items)).scores
    assert found.shape == (len(HISTORIES), 3)
    for row, (history, candidates) in enumerate(zip(HISTORIES, CANDIDATES, strict=True)):
        clicks = torch.zeros(1, 1, model.width)
        if history:
            clicks = model.encode_items(to_inputs(items.rows(np.array(history))))[None]
        mask = torch.full((1, clicks.shape[1]), bool(history))
        users = model.encode_users(clicks, mask)
        for column, candidate in enumerate(candidates):
            item = model.encode_items(to_inputs(items.rows(np.array([candidate]))))
            score = model.score(users, item, torch.zeros(1, dtype=torch.int64), mask)
            torch.testing.assert_close(score, found[row, column : column + 1])


@EVERY
@torch.no_grad()
def test_the_number_of_buckets_changes_nothing(name):
    model, items = build(name)
    one, five = (model(batch(items, buckets=n)).scores for n in (1, 5))
    torch.testing.assert_close(one, five)


@EVERY
def test_gradient_reaches_every_parameter_but_the_padding(name):
    model, items = build(name)
    model.train()
    scores = model(batch(items)).scores
    (scores * torch.randn_like(scores)).sum().backward()
    for path, value in model.named_parameters():
        assert value.grad is not None, path
        assert value.grad.any(), path
        assert value.grad.isfinite().all(), path
        if path.endswith("table.weight"):
            assert not value[0].any()
            assert not value.grad[0].any()


@EVERY
@torch.no_grad()
def test_pairs_of_any_order_score_as_their_owners(name):
    model, items = build(name)
    made = to_tensors(batch(items))
    vectors = model.encode_distinct(made.buckets)
    users = model.encode_users(vectors[made.clicks.long()], made.mask)
    owner = torch.tensor([3, 0, 0, 2, 3, 1, 1])
    candidate = vectors[torch.tensor([1, 2, 2, 5, 1, 3, 9])]
    found = model.score(users, candidate, owner, made.mask)
    assert found.shape == (7,)
    torch.testing.assert_close(found[[1, 0]], found[[2, 4]])
    alone = model.score(
        users[2:3], candidate[3:4], torch.zeros(1, dtype=torch.int64), made.mask[2:3]
    )
    torch.testing.assert_close(alone, found[3:4])


@torch.no_grad()
def test_naml_equals_the_equations_from_tokens_to_scores():
    model, items = build("naml")
    w = weights(model)
    chosen = {"kernel": 3, "fuse": "additive"}

    def encode(item):
        table = w["tokens.table.weight"]
        texts = [table[items.ids[n][item, : items.lengths[n][item]]] for n in items.ids]
        own = oracles.within(w, "content.")
        return oracles.content_cnn(own, chosen, ("text", "category", "number"), texts)

    found = model(batch(items)).scores.numpy()
    for row, (history, candidates) in enumerate(zip(HISTORIES, CANDIDATES, strict=True)):
        clicks = np.array([encode(item) for item in history]).reshape(-1, model.width)
        user = oracles.additive_rows(oracles.within(w, "behavior."), {}, clicks)
        wanted = [user @ encode(item) for item in candidates]
        np.testing.assert_allclose(found[row], wanted, rtol=1e-5, atol=1e-6)


def test_a_batch_of_read_only_arrays_is_copied():
    items = Items("fields")
    given = batch(items)
    frozen = given.clicks
    frozen.flags.writeable = False
    made = to_tensors(given)
    made.clicks[0, 0] = 99
    assert frozen[0, 0] != 99
    assert made.mask.dtype == torch.bool
    assert made.labels.dtype == torch.float32


def test_users_that_are_clicks_need_their_mask():
    model, _ = build("din_id")
    with pytest.raises(TypeError, match="mask"):
        model.score(torch.zeros(1, 2, 16), torch.zeros(1, 16), torch.zeros(1, dtype=torch.int64))


@torch.no_grad()
def test_position_zero_of_the_distinct_items_is_a_row_of_zeros():
    model, items = build("naml")
    made = to_tensors(batch(items))
    vectors = model.encode_distinct(made.buckets)
    assert vectors.shape == (1 + len(made.items), model.width)
    assert not vectors[0].any()
    assert model.encode_distinct(()).tolist() == [[0.0] * model.width]


def test_padding_token_is_zero_and_never_trained():
    model, _ = build("naml")
    model.tokens(torch.tensor([[0, 1, 0]], dtype=torch.int32)).sum().backward()
    gradient = model.tokens.table.weight.grad
    assert not gradient[0].any()
    assert gradient[1].all()
