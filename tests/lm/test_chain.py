"""From raw files to a bundle that reads raw text, with a language model in the middle."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import legoc_runtime
from legoc.data import prepare
from legoc.evaluation.torch_engine import TorchEngine
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.model import states
from legoc.model.run import load_recommender
from legoc.model.tensors import to_inputs
from legoc.training import train


CHAINS = {
    "lora": 'BERT(path="{}", hidden=8, split=-2, lora=4)',
    "tuned": 'Llama(path="{}", hidden=8, split=-2, lora=LoRA(r=4, alpha=8), page=16)',
    "full": 'MiniLM(path="{}", hidden=8)',
    "side": 'BERT(path="{}", hidden=8, side=IISAN(step=2))',
}


@pytest.mark.parametrize("form", CHAINS)
def test_train_export_evaluate_and_read_new_items(form, whole, cache, make_spec, tmp_path):
    family = CHAINS[form].partition("(")[0]
    stage = CHAINS[form].format(whole(family))
    slow = "lr_pretrained = 1e-4\n" if form == "full" else ""
    spec = make_spec(stage, train=f"{slow}accumulate = 2")
    run = train(spec, runs=tmp_path / "runs", cache=cache)
    assert run.metrics["test"]["metrics"]["GAUC"] > 0
    prepared = prepare(spec, cache=cache)
    bundle = legoc_runtime.load(run.bundle)
    assert bundle.self_test().difference < 1e-5
    certificate = run.record("bundle/manifest.json")["certificate"]
    assert certificate["difference"] < 1e-4
    # What was trained is what was exported, on every item, and padding is nothing.
    recommender = load_recommender(run, prepared.rows).float()
    every = np.arange(1, len(prepared.items), dtype=np.int32)
    with torch.no_grad():
        expected = recommender.encode_items(to_inputs(prepared.inputs.rows(every))).numpy()
    found = bundle.items.vectors
    np.testing.assert_allclose(found, expected, atol=1e-5 * max(1, abs(expected).max()))
    # A new item from raw text is the item it copies.
    records = prepared.item_records([3, 4])
    for record, name in zip(records, ("X1", "X2"), strict=True):
        record["id"] = name
    bundle.items.add(records)
    known, new = bundle.items.vectors[2:4], bundle.items.vectors[-2:]
    np.testing.assert_allclose(new, known, atol=1e-6 * max(1, abs(known).max()))
    stored = load_file(run.weights)
    assert not any("embed" in name for name in stored) or form == "full"
    if form == "lora":
        assert all("lora_" in name for name in stored if "backbone" in name)


def test_training_reads_kept_states_and_validation_too(
    whole, cache, make_spec, tmp_path, monkeypatch
):
    """Nothing below the split runs once its values are kept, nor to calibrate."""
    spec = make_spec(CHAINS["lora"].format(whole("BERT")), train="calibrate = true")
    train(spec, runs=tmp_path / "first", until="train", cache=cache)

    def forbidden(*_given):
        raise AssertionError("the frozen part ran again")

    monkeypatch.setattr(states, "write_states", forbidden)
    from legoc.operators.content.language_model import LanguageModel

    monkeypatch.setattr(LanguageModel, "encode", forbidden)
    run = train(spec, runs=tmp_path / "second", until="train", cache=cache)
    assert run.finished


def test_kept_states_train_the_very_weights_that_whole_passes_do(
    whole, cache, make_spec, tmp_path, monkeypatch
):
    """Without dropout a training from kept states is the training from tokens. By plain gradient
    steps, for Adam would make whole steps of what is only rounding."""
    from legoc.training import public

    place = whole("BERT", name="still", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    lora = "lora=LoRA(r=4, dropout=0.0)"
    # In bfloat16 the two would round apart.
    stage = f'BERT(path="{place}", hidden=8, dropout=0.0, split=-2, {lora}, dtype=float32)'
    spec = make_spec(stage, train="optimizer = sgd")
    spec = replace(spec, train=replace(spec.train, lr=3.0))
    kept = train(spec, runs=tmp_path / "kept", until="train", cache=cache)
    monkeypatch.setattr(public, "frozen_inputs", lambda r, s, prepared, *a, **k: prepared.inputs)
    whole_pass = train(spec, runs=tmp_path / "whole", until="train", cache=cache)
    one, other = load_file(kept.weights), load_file(whole_pass.weights)
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-3, atol=2e-6)
    moved = [abs(value).max() for name, value in one.items() if "lora_B" in name]
    assert max(moved) > 1e-3, "adapters start as zero and must have learned something"


def test_another_model_in_the_folder_is_noticed(whole, cache, make_spec, tmp_path):
    from tests.lm.tiny import save_model
    from tests.lm_data.folders import ROWS, wordpiece

    place = tmp_path / "model"
    save_model(place, "BERT", words=ROWS)
    wordpiece(place / "tokenizer.json")
    spec = make_spec(f'BERT(path="{place}", hidden=8, split=-2)')
    run = train(spec, runs=tmp_path / "runs", until="train", cache=cache)
    save_model(place, "BERT", words=ROWS, seed=9)
    changed = prepare(spec, cache=cache)
    with pytest.raises(LegoError) as caught:
        load_recommender(run, changed.rows)
    assert caught.value.diagnostics[0].code == "E0657"
    other = train(spec, runs=tmp_path / "runs", until="data", cache=cache)
    assert other.folder != run.folder


def test_cached_is_uncached(whole, cache, make_spec, tmp_path):
    from legoc.evaluation import evaluate_log
    from legoc.evaluation.uncached import Uncached

    spec = make_spec(CHAINS["lora"].format(whole("BERT")))
    run = train(spec, runs=tmp_path, until="train", cache=cache)
    prepared = prepare(spec, cache=cache)
    engine = TorchEngine(load_recommender(run, prepared.rows))
    log, metrics = prepared.logs["valid"], spec.train.metrics
    plain = evaluate_log(engine, prepared.inputs, log, metrics, split="valid")
    direct = evaluate_log(Uncached(engine), prepared.inputs, log, metrics, split="valid")
    for name, figure in plain.metrics.items():
        assert direct.metrics[name].value == pytest.approx(figure.value, abs=1e-6)


def test_what_is_pretrained_learns_at_its_own_rate(whole, cache, make_spec):
    """The tuned block, and nothing of ours: adapters are fresh too."""
    from legoc.model import compile
    from legoc.training.optimise import build_optimiser

    for more in ("split=-2", "split=-2, lora=4", ""):
        stage = f'BERT(path="{whole("BERT")}", hidden=8{", " * bool(more)}{more})'
        spec = make_spec(stage)
        assert spec.train is not None
        spec = replace(spec, train=replace(spec.train, lr_pretrained=1e-5))
        recommender = compile(spec).build(prepare(spec, cache=cache).rows)
        optimiser = build_optimiser(recommender, spec.train)
        rates = {
            name: group.rate
            for group in optimiser.groups
            for name, parameter in recommender.named_parameters()
            if any(parameter is held.parameter for held in group.held)
        }
        trained = {name for name, p in recommender.named_parameters() if p.requires_grad}
        assert rates.keys() == trained
        for name, rate in rates.items():
            old = ".backbone." in name and "lora_" not in name
            share = 1 / 256 if name.endswith("attend.weigh.weight") else 1.0
            assert rate == (1e-5 if old else 1e-3) * share, name
        whole_rates = {rate for name, rate in rates.items() if "attend.weigh" not in name}
        assert whole_rates == ({1e-3} if "lora" in more else {1e-5, 1e-3})
