"""A language model cut at any block is the whole model, for every family and every block."""

import pytest
import torch
from torch import nn

from legoc.language.ir.checkpoints import Named
from legoc.operators.blocks.backbone import Backbone, find_blocks
from legoc.operators.blocks.pretrained import open_model
from tests.lm.tiny import FAMILIES, make_model, save_model, tokens


EVERY = pytest.mark.parametrize("family", FAMILIES)


def open_backbone(family):
    from transformers import T5EncoderModel

    model = make_model(family)
    if family == "T5":
        encoder = T5EncoderModel(model.config).eval()
        encoder.load_state_dict(model.state_dict(), strict=False)
        model = encoder
    return Backbone(model)


@EVERY
@torch.no_grad()
def test_going_on_from_every_block_is_the_whole_model(family):
    backbone = open_backbone(family)
    ids, mask = tokens()
    whole = backbone(ids, mask)
    assert whole.isfinite().all()
    for at in range(backbone.count + 1):
        state = backbone.prefix(ids, mask, at)
        assert state.shape == (*ids.shape, backbone.width)
        again = backbone.suffix(state, mask, at)
        torch.testing.assert_close(again[mask], whole[mask], rtol=1e-6, atol=1e-6)


@EVERY
@torch.no_grad()
def test_states_are_the_librarys_own(family):
    """Against the hidden states the library itself hands out: before each block, and at the end."""
    backbone = open_backbone(family)
    ids, mask = tokens((7, 4, 1))
    theirs = backbone.model(input_ids=ids, attention_mask=mask.long(), output_hidden_states=True)
    for at in range(backbone.count):
        torch.testing.assert_close(backbone.prefix(ids, mask, at), theirs.hidden_states[at])
    torch.testing.assert_close(backbone(ids, mask), theirs.last_hidden_state)
    states = backbone.every_state(ids, mask)
    assert len(states) == backbone.count
    for ours, other in zip(states, theirs.hidden_states[1:], strict=True):
        # OPT may end narrower than its blocks are; the state before that is kept.
        if ours.shape == other.shape:
            torch.testing.assert_close(ours, other)


@EVERY
@torch.no_grad()
def test_padding_changes_nothing(family):
    backbone = open_backbone(family)
    ids, mask = tokens()
    plain = backbone(ids, mask)[mask]
    for hold in (5, 59):
        torch.testing.assert_close(backbone(ids.masked_fill(~mask, hold), mask)[mask], plain)
    more = torch.nn.functional.pad(ids, (0, 6), value=7)
    wide = torch.nn.functional.pad(mask, (0, 6))
    torch.testing.assert_close(backbone(more, wide)[wide], plain, rtol=1e-5, atol=1e-5)


@EVERY
def test_a_forward_pass_leaves_the_model_as_it_was(family):
    backbone = open_backbone(family)
    names = [name for name, _ in backbone.named_modules()]
    ids, mask = tokens()
    with torch.no_grad():
        backbone.suffix(backbone.prefix(ids, mask, 1), mask, 1)
        with pytest.raises(RuntimeError):
            backbone.suffix(torch.zeros(*mask.shape, 3), mask, 1)
    assert [name for name, _ in backbone.named_modules()] == names
    assert not any(len(part._forward_hooks) for part in backbone.modules())


@EVERY
def test_a_folder_gives_back_what_was_saved(family, tmp_path):
    folder = save_model(tmp_path / "model", family)
    named = Named(op=family, folder=str(folder), hub=None)
    backbone = Backbone(open_model(named, torch.float32))
    ids, mask = tokens()
    with torch.no_grad():
        torch.testing.assert_close(backbone(ids, mask), open_backbone(family)(ids, mask))
    assert not any("pooler" in name for name, _ in backbone.named_parameters())


def test_a_model_without_one_list_of_blocks_is_said_to_have_none():
    from transformers import AlbertConfig, AlbertModel

    config = AlbertConfig(
        vocab_size=60, hidden_size=16, embedding_size=8, num_hidden_layers=3,
        num_attention_heads=2, intermediate_size=24,
    )  # fmt: skip
    assert Backbone(AlbertModel(config)).place is None


def test_blocks_are_the_outer_list_and_only_where_there_is_one():
    def blocks(*inner):
        return nn.ModuleList(nn.ModuleDict({"experts": nn.ModuleList(inner)}) for _ in range(2))

    # As many experts as blocks: the experts' lists lie within the blocks.
    nested = nn.ModuleDict({"layers": blocks(nn.Linear(2, 2), nn.Linear(2, 2))})
    assert find_blocks(nested, 2) == "layers"
    assert find_blocks(nested, 3) is None
    assert find_blocks(nn.ModuleDict({"encoder": blocks(), "decoder": blocks()}), 2) is None
