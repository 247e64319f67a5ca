"""Tiny random language models of every family, saved as their publishers save theirs."""

from pathlib import Path
from typing import Any

import torch


WORDS = 60
LENGTHS = (7, 4, 1, 0)

HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2}
OUTER = {"hidden_size": 16, "num_hidden_layers": 3, "intermediate_size": 24}
BERT = {**OUTER, "num_attention_heads": 2, "max_position_embeddings": 160}
NARROW = {**OUTER, "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 4}
ENDS = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}

# The operator of each family, its model type and a configuration that keeps what is peculiar to it.
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "BERT": ("bert", BERT),
    "RoBERTa": ("roberta", {**BERT, "max_position_embeddings": 162, "type_vocab_size": 1}),
    "DistilBERT": (
        "distilbert",
        {"dim": 16, "n_layers": 3, "n_heads": 2, "hidden_dim": 24, "max_position_embeddings": 160},
    ),
    "ModernBERT": (
        "modernbert",
        {
            **BERT, **ENDS, "cls_token_id": 2, "sep_token_id": 3,
            "global_attn_every_n_layers": 2, "local_attention": 4,
        },
    ),
    "E5": ("bert", BERT),
    "MiniLM": ("bert", BERT),
    "OPT": (
        "opt",
        {
            "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "ffn_dim": 24,
            "max_position_embeddings": 160, "word_embed_proj_dim": 8,
        },
    ),
    "GPT2": ("gpt2", {"n_embd": 16, "n_layer": 3, "n_head": 2, "n_positions": 160}),
    "Llama": ("llama", {**OUTER, **HEADS}),
    "Qwen": ("qwen2", {**OUTER, **HEADS}),
    "Mistral": ("mistral", {**OUTER, **HEADS, "sliding_window": 3}),
    "Phi": ("phi", {**OUTER, "num_attention_heads": 2}),
    "Gemma": ("gemma", NARROW),
    "GLM": ("glm", {**NARROW, "num_key_value_heads": 2, "pad_token_id": 0}),
    "T5": ("t5", {"d_model": 16, "num_layers": 3, "num_heads": 2, "d_kv": 8, "d_ff": 24}),
}  # fmt: skip


def make_model(family: str, *, words: int = WORDS, seed: int = 0, **more: Any) -> Any:
    """A random model whose weights are large enough for every part of it to matter."""
    from transformers import AutoConfig, AutoModel

    kind, shape = FAMILIES[family]
    config = AutoConfig.for_model(kind, vocab_size=words, **{**shape, **more})
    torch.manual_seed(seed)
    model = AutoModel.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    return model


def save_model(folder: Path, family: str, **more: Any) -> Path:
    """A folder with the model's configuration and weights, without a tokenizer."""
    make_model(family, **more).save_pretrained(folder)
    return folder


def tokens(lengths: tuple[int, ...] = LENGTHS, words: int = WORDS) -> tuple[Any, Any]:
    """Token ids int64[I, L] of rows of these lengths, and their mask."""
    generator = torch.Generator().manual_seed(1)
    longest = max(*lengths, 1)
    ids = torch.randint(4, words, (len(lengths), longest), generator=generator)
    mask = torch.arange(longest) < torch.tensor(lengths)[:, None]
    return ids * mask, mask


def operator(family: str) -> Any:
    """The content operator of a family."""
    from legoc.operators.content import decoders, encoders

    return getattr(encoders, family, None) or getattr(decoders, family)


def build(family: str, folder: Path, seed: int = 3, **args: Any) -> Any:
    """A content operator over the model in a folder, in evaluation mode, without dropout."""
    from legoc.language.ir.checkpoints import Named
    from legoc.operators.sizes import Sizes

    kind = operator(family)
    given = {"hidden": 8, "dim": 5, "dropout": 0.0, "dtype": "float32", "path": str(folder), **args}
    config = kind.Config(**given)
    named = Named(op=family, folder=str(folder), hub=None)
    torch.manual_seed(seed)
    return kind(config, Sizes(width=config.hidden, model=named)).eval()


def lora(**args: Any) -> Any:
    """`LoRA(...)` as it stands in a spec, without dropout."""
    from legoc.language.ir.spec import Call

    return Call(op="LoRA", args={"r": 2, "alpha": 6, "dropout": 0.0, "targets": None, **args})


def side(**args: Any) -> Any:
    """`IISAN(...)` as it stands in a spec."""
    from legoc.language.ir.spec import Call

    return Call(op="IISAN", args={"step": 1, "proj": None, "shared": False, **args})


def stir(module: Any) -> None:
    """Make adapters do something: their second matrix starts as zero."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if "lora_B" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
