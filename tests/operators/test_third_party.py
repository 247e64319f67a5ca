"""The shared blocks against the libraries that publish them, on rows without padding and with."""

import numpy as np
import pytest
import torch
from torch import nn

from legoc.operators.behavior.gru import GRU
from legoc.operators.blocks.attention import SelfAttention
from legoc.operators.blocks.encoder import EncoderBlock
from legoc.operators.flatten.longformer import Longformer
from legoc.operators.sizes import Sizes
from tests.operators.cases import padded, ragged


WIDTH, HEADS = 8, 2


def copy_linear(ours, theirs):
    with torch.no_grad():
        ours.weight.copy_(theirs.weight)
        if ours.bias is not None:
            ours.bias.copy_(theirs.bias)


@torch.no_grad()
def test_self_attention_equals_multi_head_attention():
    torch.manual_seed(0)
    theirs = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True).eval()
    ours = SelfAttention(WIDTH, HEADS)
    weight, bias = theirs.in_proj_weight.chunk(3), theirs.in_proj_bias.normal_().chunk(3)
    for place, part in enumerate((ours.query, ours.key, ours.value)):
        part.weight.copy_(weight[place])
        if part.bias is not None:
            part.bias.copy_(bias[place])
    copy_linear(ours.output, theirs.out_proj)
    x, mask = padded(ragged(WIDTH, (5, 1, 3)), more=2, hold=0.5)
    wanted, _ = theirs(x, x, x, key_padding_mask=~mask, need_weights=False)
    torch.testing.assert_close(ours(x, mask)[mask], wanted[mask], rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_gru_equals_a_packed_sequence():
    torch.manual_seed(0)
    operator = GRU(GRU.Config(hidden=WIDTH), Sizes(width=WIDTH)).eval()
    x, mask = padded(ragged(WIDTH, (5, 1, 3)), more=2, hold=0.5)
    packed = nn.utils.rnn.pack_padded_sequence(
        x, mask.sum(1), batch_first=True, enforce_sorted=False
    )
    _, last = operator.run(packed)
    torch.testing.assert_close(operator(x, mask), last[0], rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_encoder_block_equals_bert():
    transformers = pytest.importorskip("transformers")
    from transformers.models.bert.modeling_bert import BertLayer

    torch.manual_seed(0)
    config = transformers.BertConfig(
        hidden_size=WIDTH, num_attention_heads=HEADS, intermediate_size=4 * WIDTH,
        layer_norm_eps=1e-5, attn_implementation="eager",
    )  # fmt: skip
    theirs, ours = BertLayer(config).eval(), EncoderBlock(WIDTH, HEADS, 0.1).eval()
    for parameter in theirs.parameters():
        parameter.normal_(std=0.5)
    own = theirs.attention.self
    for name in ("query", "key", "value"):
        copy_linear(getattr(ours.attend, name), getattr(own, name))
    copy_linear(ours.attend.output, theirs.attention.output.dense)
    copy_linear(ours.norm, theirs.attention.output.LayerNorm)
    copy_linear(ours.feed.inner, theirs.intermediate.dense)
    copy_linear(ours.feed.outer, theirs.output.dense)
    copy_linear(ours.feed.norm, theirs.output.LayerNorm)
    x, mask = padded(ragged(WIDTH, (5, 1, 3)), more=2, hold=0.5)
    hidden = (~mask)[:, None, None, :] * torch.finfo(torch.float32).min
    wanted = theirs(x, attention_mask=hidden)
    wanted = wanted[0] if isinstance(wanted, tuple) else wanted
    torch.testing.assert_close(ours(x, mask)[mask], wanted[mask], rtol=1e-5, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("window", [4, 8, 16])  # the library fails on 2
def test_longformer_equals_the_library(window):
    """Its windowed attention, given the embeddings of ours as they are."""
    transformers = pytest.importorskip("transformers")
    from transformers.models.longformer.modeling_longformer import LongformerModel

    torch.manual_seed(0)
    layers = 3
    ours = Longformer(
        Longformer.Config(hidden=WIDTH, layers=layers, heads=HEADS, window=window),
        Sizes(width=WIDTH, clicks=6, tokens_each=9),
    ).eval()
    config = transformers.LongformerConfig(
        hidden_size=WIDTH, num_attention_heads=HEADS, intermediate_size=4 * WIDTH,
        num_hidden_layers=layers, attention_window=[window] * layers, vocab_size=5,
        max_position_embeddings=80, layer_norm_eps=1e-5, pad_token_id=1,
    )  # fmt: skip
    theirs = LongformerModel(config, add_pooling_layer=False).eval()
    for parameter in theirs.parameters():
        parameter.normal_(std=0.5)
    for mine, layer in zip(ours.layers, theirs.encoder.layer, strict=True):
        own = layer.attention.self
        for name in ("query", "key", "value"):
            if mine.local is not None:
                copy_linear(getattr(mine.local, name), getattr(own, name))
            copy_linear(getattr(mine.whole, name), getattr(own, f"{name}_global"))
        copy_linear(mine.output, layer.attention.output.dense)
        copy_linear(mine.norm, layer.attention.output.LayerNorm)
        copy_linear(mine.feed.inner, layer.intermediate.dense)
        copy_linear(mine.feed.outer, layer.output.dense)
        copy_linear(mine.feed.norm, layer.output.LayerNorm)
    clicks = ragged(WIDTH, (4, 1, 5, 3))
    x = np.zeros((1, 4, 6, WIDTH), dtype=np.float32)
    mask = np.zeros((1, 4, 6), dtype=bool)
    for place, tokens in enumerate(clicks):
        x[0, place, : len(tokens)], mask[0, place, : len(tokens)] = tokens, True
    found = ours(torch.from_numpy(x), torch.from_numpy(mask))
    embedded = embed(ours, clicks)
    theirs.embeddings.forward = as_given
    first = torch.zeros(1, embedded.shape[1], dtype=torch.long)
    first[0, 0] = 1
    wanted = theirs(
        inputs_embeds=embedded, attention_mask=torch.ones_like(first), global_attention_mask=first
    ).last_hidden_state[:, 0]
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


def as_given(padding=None, inputs_embeds=None, **other):
    """The embeddings as they are; the library pads to whole windows."""
    return torch.zeros(*padding.shape, WIDTH) if inputs_embeds is None else inputs_embeds


def embed(operator, clicks):
    """[1, 1 + N, D]: the start and the tokens of the clicks, newest first, one after another."""
    rows = [
        operator.start
        + operator.kinds.weight[0]
        + operator.positions.table.weight[0]
        + operator.items.table.weight[0]
    ]
    for item, tokens in enumerate(reversed(clicks), 1):
        for token in torch.from_numpy(tokens):
            place = operator.positions.table.weight[len(rows)] + operator.items.table.weight[item]
            rows.append(token + operator.kinds.weight[1] + place)
    return operator.norm(torch.stack(rows)).unsqueeze(0)
