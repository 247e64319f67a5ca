"""A bundle with a language model reads new items as the training read them."""

import json

import numpy as np
import pytest

import legoc_runtime
from legoc.commands.cli import main
from legoc.data import prepare
from legoc.model.run import Run
from legoc.training import train
from legoc_runtime.tokens import Reader
from tests.lm_data.conftest import DEMO
from tests.lm_data.folders import make_bert


SPEC = """
data small {
  source = %s
  content = ["News: ", title(12), " Category: ", subcategory]
  history = 10
}
train short {
  epochs = 1
  batch = 32
  metrics = [GAUC]
}
model tiny = content LM("%s", hidden=8, special=true) -> behavior Pooling -> predict Dot
run tiny = tiny on small with short
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory, cache):
    """A run with its bundle, its data, and the folder of its language model."""
    from legoc.language import load

    place = tmp_path_factory.mktemp("served")
    bert = make_bert(place / "bert")
    (place / "tiny.lego").write_text(SPEC % (DEMO, bert))
    (spec,) = load(place / "tiny.lego")
    run = train(spec, runs=place / "runs", cache=cache)
    return Run(run.folder), prepare(spec, cache=cache), bert


def test_every_item_anew(trained):
    """From raw text to the same ids and, through onnxruntime, the same vectors."""
    run, prepared, bert = trained
    place = "tokenizers/model/tokenizer.json"
    assert (run.bundle / place).read_bytes() == (bert / "tokenizer.json").read_bytes()
    model = legoc_runtime.load(run.bundle)
    model.self_test()
    reading = model.bundle.parts.reading
    assert reading["parts"][0] == {"ids": [2]}
    records = prepared.item_records(range(1, len(prepared.items)))
    ids, lengths = Reader.load(run.bundle, reading).read(records)["tokens"]
    rows = prepared.inputs.rows(np.arange(1, len(prepared.items), dtype=np.int32))
    width = rows["tokens"].shape[1]
    assert ids.shape[1] == width
    np.testing.assert_array_equal(lengths, rows["tokens_mask"].sum(axis=1))
    real = rows["tokens_mask"]
    np.testing.assert_array_equal(ids[real], rows["tokens"][real])
    before = model.items.vectors
    added = model.items.add([{**record, "id": f"new-{record['item_id']}"} for record in records])
    assert len(added.added) == len(records)
    np.testing.assert_allclose(model.items.vectors[len(before) :], before, atol=1e-5)


def test_new_items_that_are_odd(trained):
    run, _, _ = trained
    model = legoc_runtime.load(run.bundle)
    added = model.items.add(
        [
            {"id": "none", "title": "", "subcategory": None},
            {"id": "long", "title": "soup " * 5000, "subcategory": "golf"},
            {"id": "cut", "title": "soup " * 12, "subcategory": ["golf"]},
            {"id": "half", "title": "A title alone"},
        ]
    )
    assert added.empty == ("none",)
    vectors = {name: model.items.vectors[model.items.index(name)] for name in added.added}
    assert not vectors["none"].any()
    np.testing.assert_allclose(vectors["long"], vectors["cut"], atol=1e-6)
    assert vectors["half"].any()
    assert np.isfinite(model.items.vectors).all()


def test_score_and_recommend(trained, tmp_path, capsys):
    run, prepared, _ = trained
    clicked, asked = list(prepared.items.ids[1:4]), list(prepared.items.ids[5:9])
    lines = tmp_path / "users.jsonl"
    lines.write_text(json.dumps({"history": clicked, "candidates": asked}) + "\n")
    assert main(["score", str(run.bundle), str(lines)]) == 0
    scored = json.loads(capsys.readouterr().out)
    model = legoc_runtime.load(run.bundle)
    user = model.encode_user(clicked)
    np.testing.assert_allclose(scored["scores"], model.score(user, asked), atol=1e-6)
    assert main(["recommend", str(run.bundle), str(lines), "-k", "3"]) == 0
    assert len(json.loads(capsys.readouterr().out)["items"]) == 3
