"""The content operator over a language model: what it computes, freezes, trains and keeps."""

import copy

import numpy as np
import pytest
import torch

from legoc.exporting.graphs import export_copy
from legoc.language.diagnosing.diagnostics import LegoError
from tests.lm.oracles import iisan, pool_attention, pool_plain
from tests.lm.tiny import FAMILIES, build, lora, make_model, save_model, side, stir, tokens


EVERY = pytest.mark.parametrize("family", FAMILIES)
POOLINGS = pytest.mark.parametrize("how", ["cls", "mean", "last"])


def weights(module):
    return {name: value.double().numpy() for name, value in module.state_dict().items()}


def close(found, expected, tolerance=1e-5):
    torch.testing.assert_close(
        torch.as_tensor(found).double(), torch.as_tensor(expected).double(),
        rtol=tolerance, atol=tolerance,
    )  # fmt: skip


def library_states(module, ids, mask):
    """Hidden states of the library's model after each block, and what it ends with; each row by
    itself and without padding."""
    rows = []
    for row, real in zip(ids, mask, strict=True):
        given = row[real][None]
        if not given.shape[1]:
            rows.append(None)
            continue
        model = module.backbone.model
        rows.append(model(input_ids=given, output_hidden_states=True).hidden_states[1:])
    count, length = module.backbone.count, ids.shape[1]
    widths = [module.backbone.width] * (count - 1) + [module.backbone.made]
    layers = [np.zeros((len(ids), length, width)) for width in widths]
    for i, states in enumerate(rows):
        for k, state in enumerate(states or ()):
            layers[k][i, : state.shape[1]] = state[0].double().numpy()
    return layers


@EVERY
@torch.no_grad()
def test_attention_pooling_is_the_equation(family, folder):
    module = build(family, folder(family), pooling="attention")
    ids, mask = tokens()
    layers = library_states(module, ids, mask)
    close(module(ids, mask), pool_attention(layers[-1], mask.numpy(), weights(module)))


@POOLINGS
@pytest.mark.parametrize("hidden", [8, 16])
@torch.no_grad()
def test_the_other_poolings_are_the_equations(how, hidden, folder):
    module = build("BERT", folder("BERT"), pooling=how, hidden=hidden)
    assert hasattr(module, "project") == (hidden == 8)
    ids, mask = tokens()
    layers = library_states(module, ids, mask)
    close(module(ids, mask), pool_plain(how, layers[-1], mask.numpy(), weights(module)))
    close(module.pooled(ids, mask, how), pool_plain(how, layers[-1], mask.numpy(), {}))


@EVERY
@pytest.mark.parametrize("adapters", [False, True], ids=["plain", "lora"])
@torch.no_grad()
def test_going_on_from_kept_states_is_the_whole_operator(family, adapters, folder):
    for split in (0, 1, -2, -1):
        if adapters and split == -1:
            continue
        module = build(
            family, folder(family), split=split, lora=lora() if adapters else None,
            pooling="attention",
        )  # fmt: skip
        stir(module)
        ids, mask = tokens()
        kept = module.frozen(ids, mask)
        assert kept.shape == (*ids.shape, 16)
        close(module.finish(kept, mask), module(ids, mask), 1e-6)


@EVERY
@torch.no_grad()
def test_merged_adapters_are_the_unmerged_ones(family, folder):
    module = build(family, folder(family), split=1, lora=lora(), pooling="attention")
    ids, mask = tokens()
    before = module(ids, mask)
    stir(module)
    after = module(ids, mask)
    assert (after - before).abs().max() > 1e-3
    merged = export_copy(module)
    assert not any("lora" in name for name, _ in merged.named_parameters())
    close(merged(ids, mask), after)
    # They share what no adapter changes, and the model has its adapters beside it still.
    close(module(ids, mask), after, 0)
    ours = {p.data_ptr() for p in merged.backbone.parameters()}
    theirs = {p.data_ptr() for p in module.backbone.parameters()}
    changed = sum("lora_A" in name for name, _ in module.named_parameters())
    assert len(ours - theirs) == changed


@torch.no_grad()
def test_an_adapter_adds_alpha_over_r_of_its_product(folder):
    module = build("BERT", folder("BERT"), lora=lora(r=3, alpha=12))
    stir(module)
    query = module.backbone.blocks[1].attention.self.query
    first, second = query.lora_A.default.weight, query.lora_B.default.weight
    assert first.shape == (3, 16)
    expected = query.base_layer.weight + 12 / 3 * second @ first
    merged = export_copy(module).backbone.blocks[1].attention.self.query
    close(merged.weight, expected, 1e-6)


def trainable(module):
    return {name for name, p in module.backbone.model.named_parameters() if p.requires_grad}


@EVERY
def test_without_a_split_everything_trains(family, folder):
    module = build(family, folder(family))
    assert all(p.requires_grad for p in module.parameters())


@EVERY
def test_a_split_trains_what_follows_it(family, folder):
    module = build(family, folder(family), split=-2)
    place = module.backbone.place
    below = tuple(f"{place}.{block}." for block in range(2))
    found = trainable(module)
    last = {n for n, _ in module.backbone.model.named_parameters() if n.startswith(f"{place}.2.")}
    assert last <= found
    assert not any(name.startswith(below) for name in found)
    assert not any("embed" in name or "wte" in name or "shared" in name for name in found)
    nothing = build(family, folder(family), split=-1)
    assert trainable(nothing) == found - last


@EVERY
def test_lora_trains_nothing_else_of_the_model(family, folder):
    every = trainable(build(family, folder(family), lora=lora()))
    some = trainable(build(family, folder(family), lora=lora(), split=1))
    assert some
    assert all("lora_" in name for name in every)
    assert some < every
    place = build(family, folder(family)).backbone.place
    assert not any(name.startswith(f"{place}.0.") for name in some)


@pytest.mark.parametrize(
    "args",
    [{}, {"split": 1}, {"lora": lora()}, {"split": 1, "lora": lora()}, {"side": side()}],
    ids=["full", "split", "lora", "both", "side"],
)
@pytest.mark.parametrize("family", ["BERT", "Llama", "T5"])
def test_gradients_reach_what_trains_and_nothing_else(family, args, folder):
    module = build(family, folder(family), pooling="attention", **args).train()
    stir(module)
    ids, mask = tokens((7, 4, 2))
    if "split" in args or "side" in args:
        seen = mask if module.kept.by_token else mask.any(1, keepdim=True)
        made = module.finish(module.frozen(ids, mask), seen)
    else:
        made = module(ids, mask)
    made.square().sum().backward()
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            # A softmax cancels a bias of the keys, and the first block's queries of two types.
            assert parameter.grad.any() or "key.bias" in name, name
        else:
            assert parameter.grad is None, name


@pytest.mark.parametrize("args", [{}, {"step": 2}, {"proj": 6}, {"proj": 6, "shared": True}])
@pytest.mark.parametrize("family", ["BERT", "Llama", "GPT2"])
@torch.no_grad()
def test_iisan_is_the_equation(family, args, folder):
    module = build(family, folder(family), side=side(**args))
    ids, mask = tokens()
    layers = library_states(module, ids, mask)
    expected = iisan(layers, mask.numpy(), weights(module), step=args.get("step", 1))
    close(module(ids, mask), expected)
    kept = module.frozen(ids, mask)
    assert kept.shape == (4, len(module.side.layers), 16)
    close(module.finish(kept, mask.any(1, keepdim=True)), expected)


@EVERY
@torch.no_grad()
def test_an_item_without_a_token_is_zero(family, folder):
    for args in ({"pooling": "attention"}, {"pooling": "mean"}, {"side": side()}):
        module = build(family, folder(family), **args)
        ids, mask = tokens((0, 0))
        assert not module(ids, mask).any()


def backward(module, ids, mask):
    torch.manual_seed(0)
    made = module(ids, mask)
    made.square().sum().backward()
    return made.detach(), {
        name: p.grad.clone() for name, p in module.named_parameters() if p.grad is not None
    }


@pytest.mark.parametrize("family", ["BERT", "Llama"])
@pytest.mark.parametrize("args", [{}, {"split": 1, "lora": lora()}], ids=["full", "lora"])
@pytest.mark.parametrize("way", [{"page": 3}, {"checkpointing": True}], ids=["page", "blocks"])
def test_recomputing_changes_no_gradient_and_keeps_less(family, args, way, folder):
    ids, mask = tokens((7, 4, 1, 5, 7, 2, 6, 3))
    plain = build(family, folder(family), **args).train()
    thrifty = build(family, folder(family), **args, **way).train()
    kept = {}
    for name, module in (("plain", plain), ("thrifty", thrifty)):
        module.backbone.model.config.attention_dropout = 0.0
        switch_off_dropout(module)
        stored = 0

        def pack(value):
            nonlocal stored
            stored += value.nbytes
            return value

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
            made = module(ids, mask)
        kept[name] = stored
        made.square().sum().backward()
        kept[f"{name} made"] = made.detach()
    assert kept["thrifty"] < kept["plain"]
    close(kept["thrifty made"], kept["plain made"], 1e-6)
    for (name, one), (_, other) in zip(
        plain.named_parameters(), thrifty.named_parameters(), strict=True
    ):
        assert (one.grad is None) == (other.grad is None), name
        if one.grad is not None:
            close(other.grad, one.grad, 1e-5)


def switch_off_dropout(module):
    for part in module.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
        for name in ("dropout", "attention_dropout"):
            if isinstance(getattr(part, name, None), float):
                setattr(part, name, 0.0)


@pytest.mark.parametrize("family", ["BERT", "Llama", "T5"])
@torch.no_grad()
def test_narrow_weights_compute_narrowly_and_widen_for_the_export(family, folder):
    wide = build(family, folder(family), split=1)
    narrow = build(family, folder(family), split=1, dtype="bfloat16")
    ids, mask = tokens()
    frozen = [p for p in narrow.backbone.parameters() if not p.requires_grad]
    tuned = [p for p in narrow.parameters() if p.requires_grad]
    assert {p.dtype for p in frozen} == {torch.bfloat16}
    assert {p.dtype for p in tuned} == {torch.float32}
    assert narrow.frozen(ids, mask).dtype == torch.bfloat16
    made = narrow(ids, mask)
    assert made.dtype == torch.float32
    assert 1e-5 < (made - wide(ids, mask)).abs().max() < 0.5
    close(narrow.finish(narrow.frozen(ids, mask), mask), made, 1e-6)
    widened = copy.deepcopy(narrow).float()
    for parameter in wide.backbone.parameters():
        if not parameter.requires_grad:
            parameter.copy_(parameter.bfloat16().float())
    for one, other in zip(widened.backbone.parameters(), wide.backbone.parameters(), strict=True):
        if other.requires_grad:
            other.copy_(one)
    close(widened(ids, mask), wide(ids, mask), 1e-6)


@pytest.mark.parametrize("args", [{"split": 1}, {"side": side()}], ids=["split", "side"])
@pytest.mark.parametrize("family", ["BERT", "T5"])
@torch.no_grad()
def test_frozen_values_never_see_dropout(family, args, folder):
    module = build(family, folder(family), **args)
    ids, mask = tokens()
    still = module.frozen(ids, mask)
    module.train()
    close(module.frozen(ids, mask), still, 0)
    # And what follows them does, as before.
    assert module.backbone.training
    assert module.backbone.model.training


DROPPED = {
    "attention": {"pooling": "attention"},
    "mean": {"pooling": "mean"},
    "side": {"side": side()},
    "lora": {"lora": lora(dropout=0.5)},
}


@pytest.mark.parametrize("form", DROPPED)
@torch.no_grad()
def test_dropout_is_of_training_alone(form, folder):
    """Each share of zeroed values by itself: the model's own are off."""
    share = {} if form == "lora" else {"dropout": 0.5}
    module = build("Llama", folder("Llama"), **DROPPED[form], **share)
    stir(module)
    ids, mask = tokens((7, 4, 2))
    close(module(ids, mask), module(ids, mask), 0)
    still = module(ids, mask)
    module.train()
    assert (module(ids, mask) - still).abs().max() > 1e-3


@pytest.mark.parametrize("family", ["BERT", "Llama"])
def test_adapters_beside_narrow_weights_are_wide(family, folder):
    module = build(family, folder(family), lora=lora(), dtype="bfloat16")
    found = {(p.dtype, p.requires_grad) for p in module.backbone.parameters()}
    assert found == {(torch.bfloat16, False), (torch.float32, True)}


@torch.no_grad()
def test_a_side_network_starts_with_gates_of_a_half(folder):
    module = build("BERT", folder("BERT"), side=side())
    assert (module.side.gate == 0.5).all()
    assert module.side.gate.shape == (2,)


def test_what_cannot_be_split_says_so(tmp_path):
    from transformers import AlbertConfig, AlbertModel

    config = AlbertConfig(
        vocab_size=60, hidden_size=16, embedding_size=8, num_hidden_layers=3,
        num_attention_heads=2, intermediate_size=24,
    )  # fmt: skip
    AlbertModel(config, add_pooling_layer=False).save_pretrained(tmp_path)
    module = build("BERT", tmp_path)
    ids, mask = tokens()
    with torch.no_grad():
        assert module(ids, mask).isfinite().all()
    for args in ({"split": 1}, {"lora": lora()}, {"side": side()}):
        with pytest.raises(LegoError) as caught:
            build("BERT", tmp_path, **args)
        assert caught.value.diagnostics[0].code == "E0656"


def code_of(run):
    with pytest.raises(LegoError) as caught:
        run()
    (found,) = caught.value.diagnostics
    return found.code, f"{found.message} {' '.join(found.help)}"


def test_adapters_ask_for_linears_that_are_there(folder):
    code, text = code_of(lambda: build("BERT", folder("BERT"), lora=lora(targets=("q_proj",))))
    assert code == "E0656"
    assert "query" in text
    module = build("BERT", folder("BERT"), lora=lora(targets=("key", "dense")))
    assert any("key.lora_A" in name for name in trainable(module))


def test_a_split_outside_the_blocks_is_refused(folder):
    code, text = code_of(lambda: build("BERT", folder("BERT"), split=4))
    assert code == "E0656"
    assert "3 blocks" in text
    assert code_of(lambda: build("BERT", folder("BERT"), split=3, lora=lora()))[0] == "E0656"


def test_weights_of_another_model_are_refused(tmp_path):
    save_model(tmp_path / "small", "BERT", num_hidden_layers=2)
    config = make_model("BERT").config
    config.save_pretrained(tmp_path / "small")
    code, text = code_of(lambda: build("BERT", tmp_path / "small"))
    assert code == "E0655"
    assert "encoder.layer.2" in text


def test_a_folder_of_no_known_model_is_refused(tmp_path):
    save_model(tmp_path / "m", "BERT")
    config = tmp_path / "m" / "config.json"
    config.write_text(config.read_text().replace('"bert"', '"no-such-model"'))
    assert code_of(lambda: build("BERT", tmp_path / "m"))[0] == "E0655"
