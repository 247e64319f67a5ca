"""Blocks that nothing reads any more leave memory once their states are kept."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from legoc.data import prepare
from legoc.model import compile
from legoc.model.states import frozen_inputs
from legoc.model.tensors import to_inputs
from legoc.operators.content.language_model import LanguageModel
from legoc.training import train


WAYS = {
    "BERT": "split=-2, lora=4", "T5": "split=-2", "Llama": "split=-2, lora=4", "OPT": "split=-1",
    "MiniLM": "side=IISAN(step=2, proj=8)",
}  # fmt: skip


def held(module):
    """The bytes of weights that are in memory."""
    return sum(p.numel() * p.element_size() for p in module.parameters() if not p.is_meta)


@pytest.mark.parametrize("family", WAYS)
def test_what_follows_is_the_same_to_the_bit(whole, cache, make_spec, family):
    spec = make_spec(f'{family}(path="{whole(family)}", {WAYS[family]}, hidden=8)')
    prepared = prepare(spec, cache=cache)
    torch.manual_seed(0)
    model = compile(spec).build(prepared.rows).eval()
    inputs = frozen_inputs(model, spec, prepared, cache)
    given = to_inputs(inputs.rows(torch.arange(1, 9).numpy()))
    before, bytes_before = model.encode_items(given), held(model.content.backbone)
    model.content.release()
    assert torch.equal(model.encode_items(given), before)
    model.encode_items(given).sum().backward()
    assert model.device.type == "cpu"
    blocks = model.content.backbone.blocks
    kept = model.content.kept
    gone = blocks if not kept.by_token else blocks[: kept.first]
    assert not held(gone) or family == "T5"
    assert held(gone) < 600
    assert held(model.content.backbone) < bytes_before


def test_a_training_lets_go_of_them_and_ends_in_the_same_bytes(
    whole, cache, make_spec, tmp_path, monkeypatch
):
    spec = make_spec(f'BERT(path="{whole("BERT")}", split=-2, lora=4, hidden=8)')
    given: dict[str, Path] = {"cache": cache}
    let_go = []
    release = LanguageModel.release

    def watched(content):
        release(content)
        let_go.append(held(content.backbone))

    with monkeypatch.context() as patch:
        patch.setattr(LanguageModel, "release", watched)
        one = train(spec, runs=tmp_path / "one", until="train", device="cpu", **given)
    with monkeypatch.context() as patch:
        patch.setattr(LanguageModel, "release", lambda content: None)
        other = train(spec, runs=tmp_path / "other", until="train", device="cpu", **given)
    assert one.weights.read_bytes() == other.weights.read_bytes()
    # Nothing of what is frozen is saved, and blocks 0 and 1 of 3 were let go of.
    assert not [name for name in load_file(one.weights) if ".layer.0." in name]
    assert len(let_go) == 1
