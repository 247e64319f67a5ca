"""Models whose blocks hand on states in a form of their own, and models that cannot be cut."""

import pytest
import torch
from torch import nn

from legoc.language.diagnosing.diagnostics import LegoError
from legoc.operators.blocks.stand_ins import Unfollowed, observe
from tests.lm.tiny import BERT, ENDS, build, lora, side, stir, tokens


# Tuples of one; sequences first; lists. Eight blocks, and the two that went wrong in silence.
FORMS = {
    "mpnet": {**BERT, "num_hidden_layers": 8, "max_position_embeddings": 162},
    "xlnet": {"d_model": 16, "n_layer": 2, "n_head": 2, "d_inner": 24},
    "openai-gpt": {"n_embd": 16, "n_layer": 3, "n_head": 2, "n_positions": 160},
}
REFUSED = {
    "fnet": ("E0659", {**BERT, "use_tpu_fourier_optimizations": False}),
    "longformer": ("E0656", {**BERT, "attention_window": 8}),
    "squeezebert": (
        "E0656",
        {**BERT, "embedding_size": 16, "q_groups": 1, "k_groups": 1, "v_groups": 1,
         "post_attention_groups": 1, "intermediate_groups": 1, "output_groups": 1},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A function from a model type to the folder of a random model."""
    from transformers import AutoConfig, AutoModel

    root = tmp_path_factory.mktemp("forms")

    def find(kind, **shape):
        folder = root / kind
        if not folder.is_dir():
            known = AutoConfig.for_model(kind).to_dict()
            ends = {name: value for name, value in ENDS.items() if name in known}
            config = AutoConfig.for_model(kind, vocab_size=60, **{**ends, **shape})
            torch.manual_seed(0)
            model = AutoModel.from_config(config).eval()
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.add_(torch.randn_like(parameter) * 0.2)
            model.save_pretrained(folder)
        return folder

    return find


def alone(module, ids, mask):
    """The vectors of rows that are encoded one by one without padding, by the whole model."""
    return torch.cat([module(i[m][None], m[m][None]) for i, m in zip(ids, mask, strict=True)])


@pytest.mark.parametrize("kind", FORMS)
@torch.no_grad()
def test_a_cut_is_the_whole_model_at_every_block(kind, saved):
    folder = saved(kind, **FORMS[kind])
    ids, mask = tokens((7, 4, 1))
    whole = build("BERT", folder)
    wanted = alone(whole, ids, mask)
    torch.testing.assert_close(whole(ids, mask), wanted, rtol=1e-4, atol=1e-5)
    assert (wanted[0] - wanted[1]).abs().max() > 1e-3
    for split in range(-whole.backbone.count - 1, whole.backbone.count + 1):
        module = build("BERT", folder, split=split)
        kept = module.frozen(ids, mask)
        assert kept.shape == (3, 7, 16)
        torch.testing.assert_close(module.finish(kept, mask), wanted, rtol=1e-4, atol=1e-5)
        # Each item's states are its own, whatever lies beside it.
        single = module.frozen(ids[1:2, :4], mask[1:2, :4])
        torch.testing.assert_close(kept[1:2, :4], single, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["mpnet", "xlnet"])
@torch.no_grad()
def test_a_side_network_reads_states_by_item(kind, saved):
    module = build("BERT", saved(kind, **FORMS[kind]), side=side())
    ids, mask = tokens((7, 4, 1))
    kept = module.frozen(ids, mask)
    assert kept.shape == (3, module.backbone.count, 16)
    single = module.frozen(ids[1:2, :4], mask[1:2, :4])
    torch.testing.assert_close(kept[1:2], single, rtol=1e-4, atol=1e-5)


def test_gradients_pass_the_tuned_blocks_of_a_sequence_first_model(saved):
    args = {"split": -2, "lora": lora(targets=("layer_1",))}
    module = build("BERT", saved("xlnet", **FORMS["xlnet"]), **args).train()
    stir(module)
    ids, mask = tokens((7, 4, 2))
    module.finish(module.frozen(ids, mask), mask).square().sum().backward()
    grown = {n for n, p in module.named_parameters() if "lora_" in n and p.grad.any()}
    assert grown
    assert all(".layer.1." in name for name in grown)


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_cut_is_refused_by_name(kind, saved):
    code, shape = REFUSED[kind]
    folder = saved(kind, **shape)
    if code == "E0656":
        ids, mask = tokens((7, 4))
        with torch.no_grad():
            assert build("BERT", folder)(ids, mask).isfinite().all()
    with pytest.raises(LegoError) as caught:
        build("BERT", folder, split=1)
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert str(folder) in found.message


class Block(nn.Module):
    """A block that makes the next state as `make` says."""

    def __init__(self, make):
        super().__init__()
        self.make = make

    def forward(self, hidden, extra=None):
        return self.make(hidden)


X = torch.randn(2, 3, 5)


def passed(blocks, state=X):
    for block in blocks:
        made = block(state)
        state = made[0] if isinstance(made, tuple) else made


def test_the_form_of_a_pass_is_seen():
    plain = [Block(lambda x: x + 1) for _ in range(2)]
    found = observe(plain, 5, lambda: passed(plain))
    assert (found.given, found.made, found.sequence_first) == (0, None, False)
    turned = observe(plain, 5, lambda: passed(plain, X.transpose(0, 1)))
    assert turned.sequence_first
    wrapped = [Block(lambda x: (x, None, 3)) for _ in range(2)]
    found = observe(wrapped, 5, lambda: passed(wrapped))
    assert (found.made, found.values) == (0, 3)
    assert found.wrap(X, {1: "bias"}) == (X, "bias", None)
    named = observe(plain, 5, lambda: [block(hidden=X) for block in plain])
    assert named.given == "hidden"
    assert named.put(X + 1, (), {"hidden": X, "extra": 2})[1]["extra"] == 2


@pytest.mark.parametrize(
    "run",
    [
        lambda blocks: passed(blocks[:1]),
        lambda blocks: passed([blocks[1], blocks[0]]),
        lambda blocks: passed([*blocks, blocks[0]]),
        lambda blocks: passed(blocks, X[:, :2]),
        lambda blocks: passed(blocks, X[0]),
        lambda blocks: (blocks[0](X), blocks[1](X.transpose(0, 1))),
    ],
    ids=["skipped", "reversed", "twice", "shortened", "packed", "turned"],
)
def test_states_that_cannot_be_followed_are_not(run):
    blocks = [Block(lambda x: x + 1) for _ in range(2)]
    with pytest.raises(Unfollowed):
        observe(blocks, 5, lambda: run(blocks))
    assert not any(block._forward_hooks for block in blocks)
