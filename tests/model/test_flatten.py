"""Models that flatten: one batch against the same computed sample by sample."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from legoc.data.batching.assembly import Samples, assemble
from legoc.language.ir.spec import Types
from legoc.model.cost import measure
from tests.exporting.tiny import call, make, make_log, make_spec


def build(tmp_path, width=8, **stages):
    spec = make_spec(**stages, predict=call("predict", "DNN" if width != 8 else "Dot"))
    spec = replace(spec, types=Types(item="Vec[8]", user=f"Vec[{width}]"))
    tiny = make(spec, tmp_path)
    tiny.recommender.eval()
    return tiny


STAGES = {
    "tied": {"flatten": call("flatten", "Transformer")},
    "fields": {"content": call("content", "CNN"), "flatten": call("flatten", "Fastformer")},
    "sequence": {"content": call("content", "GRU"), "flatten": call("flatten", "Longformer")},
    "ids": {"content": call("content", "Null"), "flatten": call("flatten", "Transformer")},
}


@pytest.mark.parametrize("stages", STAGES.values(), ids=STAGES)
def test_a_batch_equals_its_samples_one_by_one(stages, tmp_path):
    tiny = build(tmp_path, **stages)
    model, inputs, log = tiny.recommender, tiny.prepared.inputs, make_log()
    samples = Samples(
        history=np.array([2, 1, 0, 3], dtype=np.int32),
        candidates=np.array([[4, 9], [4, 4], [7, 11], [1, 2]], dtype=np.int32),
        labels=np.zeros((4, 2), dtype=np.float32),
    )
    found = model(assemble(log, inputs, samples, buckets=1)).scores.detach()
    for place, history in enumerate(samples.history):
        clicks = log.clicks[log.starts[history] : log.starts[history + 1]]
        user = encode(model, inputs, clicks)
        for k, item in enumerate(samples.candidates[place]):
            given = {n: torch.from_numpy(np.array(v)) for n, v in inputs.rows(item[None]).items()}
            vector = model.encode_items(given)
            score = model.score(user, vector, torch.zeros(1, dtype=torch.int64))
            torch.testing.assert_close(found[place, k], score[0].detach(), rtol=1e-4, atol=1e-5)


def encode(model, inputs, clicks):
    """[1, D] of a history without any padding click; an empty one is one empty click."""
    rows = np.asarray(clicks if len(clicks) else [0], dtype=np.int32)
    given = inputs.rows(rows)
    tokens, mask = (torch.from_numpy(np.array(given[n]))[None] for n in ("tokens", "tokens_mask"))
    return model.encode_users(tokens, mask)


def test_without_a_content_stage_an_item_is_a_history_of_one_click(tmp_path):
    tiny = build(tmp_path, **STAGES["tied"])
    inputs = tiny.prepared.inputs
    for item in (1, 5, 11):
        given = inputs.rows(np.array([item], dtype=np.int32))
        vector = tiny.recommender.encode_items(
            {n: torch.from_numpy(np.array(v)) for n, v in given.items()}
        )
        torch.testing.assert_close(vector, encode(tiny.recommender, inputs, [item]))


def test_stages_of_one_width_share_the_token_table(tmp_path):
    tiny = build(tmp_path / "a", **STAGES["sequence"])
    assert tiny.recommender.words is None
    apart = build(
        tmp_path / "b", 16, content=call("content", "GRU"),
        flatten=call("flatten", "Transformer", hidden=16),
    )  # fmt: skip
    assert apart.recommender.tokens.table.weight.shape[1] == 8
    assert apart.recommender.words.table.weight.shape[1] == 16
    samples = Samples(
        history=np.array([2], dtype=np.int32), candidates=np.array([[4, 9]], dtype=np.int32),
        labels=np.zeros((1, 2), dtype=np.float32),
    )  # fmt: skip
    batch = assemble(make_log(), apart.prepared.inputs, samples, buckets=1)
    assert apart.recommender(batch).scores.shape == (1, 2)


@pytest.mark.parametrize("stages", STAGES.values(), ids=STAGES)
def test_every_parameter_of_a_flatten_model_trains(stages, tmp_path):
    tiny = build(tmp_path, **stages)
    model, log = tiny.recommender.train(), make_log()
    samples = Samples(
        history=np.array([2, 0, 3], dtype=np.int32),
        candidates=np.array([[4, 9], [7, 11], [1, 2]], dtype=np.int32),
        labels=np.zeros((3, 2), dtype=np.float32),
    )
    scores = model(assemble(log, tiny.prepared.inputs, samples, buckets=1)).scores
    (scores * torch.randn_like(scores)).sum().backward()
    for path, value in model.named_parameters():
        assert value.grad is not None, path
        assert value.grad.any(), path


def test_cost_of_a_user_grows_with_the_tokens_of_a_history(tmp_path):
    tiny = build(tmp_path, **STAGES["tied"])
    cost = measure(tiny.spec, tiny.plan)
    # A token passes the same Linears in a history of six clicks as alone; attention grows faster.
    assert cost.user > 6 * cost.item > 0
    assert cost.user_bytes == cost.item_bytes == 32
