"""Which text models of transformers can be cut at a block: every family, tried on a tiny one.

A family is a model type that the library lists for masked or causal language modelling, for
encoding text, or for turning one text into another. Each is made small and random and put through
what `content LM(...)` does with a folder: whole, cut at every block, with a side network, and with
adapters. `python -m benchmarks.model_families` prints a line for each, `--write` puts the table
into docs/language_models.md.
"""

import argparse
import re
import signal
import warnings
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from legoc.language.diagnosing.diagnostics import LegoError
from legoc.operators.adapters import find_targets
from legoc.operators.blocks.backbone import Backbone
from legoc.operators.blocks.pretrained import choose_class
from legoc.operators.blocks.stand_ins import Unfollowed
from legoc.operators.content.keeping import verify_cut, verify_layers, verify_reads


DOC = Path(__file__).parents[1] / "docs" / "language_models.md"
BEGIN, END = "<!-- families -->\n", "<!-- /families -->\n"
MOST = 30_000_000  # weights of a model that counts as tiny
SECONDS = 120

# What a configuration calls its sizes, and what they are here.
SIZES: dict[str, Any] = {
    **dict.fromkeys(("num_hidden_layers", "n_layer", "n_layers", "num_layers"), 4),
    **dict.fromkeys(("encoder_layers", "decoder_layers", "num_decoder_layers"), 4),
    **dict.fromkeys(("hidden_size", "d_model", "n_embd", "emb_dim", "dim", "embed_dim"), 32),
    **dict.fromkeys(("embedding_size", "word_embed_proj_dim"), 32),
    **dict.fromkeys(("num_attention_heads", "n_head", "n_heads", "num_heads"), 4),
    **dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 4),
    **dict.fromkeys(("intermediate_size", "d_ff", "d_inner", "ffn_dim", "hidden_dim"), 64),
    **dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim", "n_inner", "ffn_hidden_size"), 64),
    **dict.fromkeys(("moe_intermediate_size", "shared_expert_intermediate_size"), 16),
    **dict.fromkeys(("num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts"), 4),
    **dict.fromkeys(("num_experts_per_tok", "moe_k", "moe_topk", "num_selected_experts"), 2),
    **dict.fromkeys(("n_group", "topk_group", "n_groups", "mamba_n_groups"), 1),
    **dict.fromkeys(("q_lora_rank", "kv_lora_rank"), 16),
    **dict.fromkeys(("qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim", "d_kv"), 8),
    **dict.fromkeys(("head_dim", "kv_channels", "mamba_d_head", "mamba_head_dim"), 8),
    **dict.fromkeys(("mamba_d_state", "state_size", "ssm_state_size"), 8),
    **dict.fromkeys(("mamba_n_heads", "mamba_num_heads"), 8),
    **dict.fromkeys(("linear_key_head_dim", "linear_value_head_dim"), 8),
    **dict.fromkeys(("max_position_embeddings", "n_positions", "max_seq_len"), 128),
    "num_key_value_heads": 2, "linear_num_key_heads": 2, "linear_num_value_heads": 4,
    "vocab_size": 96, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
    "vocab_size_per_layer_input": 96, "hidden_size_per_layer_input": 8, "block_size": 16,
}  # fmt: skip
# Sizes that have to fit each other in one family alone. Latent attention has as many keys as
# queries; rotary positions turn a part of a head.
LATENT = {"num_key_value_heads": 4}
OWN: dict[str, dict[str, Any]] = {
    **dict.fromkeys(
        ("axk1", "axk2", "deepseek_v2", "deepseek_v3", "deepseek_v32", "glm4_moe_lite"), LATENT
    ),
    **dict.fromkeys(("glm_moe_dsa", "longcat_flash", "minicpm3", "youtu"), LATENT),
    "codegen": {"rotary_dim": 4},
    "gptj": {"rotary_dim": 4},
    "gpt_neo": {"attention_types": [[["global", "local"], 2]]},
    "reformer": {"axial_pos_embds_dim": (16, 16), "axial_pos_shape": (8, 16)},
    "dots1": {"n_shared_experts": 1},
    "mamba2": {"num_heads": 8, "head_dim": 8, "n_groups": 1},
    "luke": {"entity_vocab_size": 16},
    "perceiver": {"d_latents": 32, "num_latents": 8, "num_blocks": 1},
    "falcon_h1": {"mamba_d_ssm": 64, "mamba_n_heads": 8, "mamba_d_head": 8},
    "zamba2": {"num_hidden_layers": 6, "mamba_headdim": 8},
    **dict.fromkeys(("dots3_note_text", "esmc"), LATENT),
    "xmod": {"default_language": "en_XX"},
    "zaya": {"num_experts_per_tok": 1},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"] * 2},
    "funnel": {"block_sizes": [2, 2], "architectures": ["FunnelModel"]},
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A family, what came of it, and why where something did not work."""

    family: str
    outcome: str
    why: str = ""


# Outcomes in the order of the table, and what they mean for a spec.
OUTCOMES = {
    "cut": "`split`, `lora`, `side`",
    "targets": "the same; `lora` with `targets`",
    "whole": "no `split` and `side` (E0656)",
    "unread": "refused (E0659)",
    "no model": "refused (E0655)",
}
UNTRIED = "untried"


def families() -> list[str]:
    """The model types of the library that read text."""
    from transformers.models.auto import modeling_auto as auto

    found: set[str] = set()
    for table in ("MASKED_LM", "CAUSAL_LM", "TEXT_ENCODING", "SEQ_TO_SEQ_CAUSAL_LM"):
        found |= set(getattr(auto, f"MODEL_FOR_{table}_MAPPING_NAMES"))
    return sorted(found)


def run(names: Sequence[str] = ()) -> list[Tried]:
    """Try all families, or those named, and print a line for each."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    torch.set_num_threads(1)
    rows: list[Tried] = []
    for family in names or families():
        with warnings.catch_warnings(), Limited(SECONDS):
            warnings.simplefilter("ignore")
            try:
                row = attempt(family)
            except TimeoutError:
                row = Tried(family=family, outcome=UNTRIED, why=f"slower than {SECONDS} s")
        if row is not None:
            print(f"  {row.family:<28}{row.outcome:<10}{row.why}", flush=True)
            rows.append(row)
    return rows


def write(rows: Sequence[Tried]) -> None:
    """Put the table between its two marks in the page."""
    from transformers import __version__

    grouped: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        grouped[row.outcome, row.why].append(row.family)
    lines = [
        f"transformers {__version__}: {len(rows)} families that read text.",
        "",
        "| what works | families | why not more |",
        "| --- | --- | --- |",
    ]
    for outcome, means in OUTCOMES.items():
        for (found, why), names in sorted(grouped.items()):
            if found == outcome:
                lines.append(f"| {means} | {len(names)}: {', '.join(names)} | {why} |")
    # Each of these has a reason of its own.
    lacking = [f"{row.family} ({row.why})" for row in rows if row.outcome == UNTRIED]
    lines += ["", f"Not tried, for no tiny one could be made: {'; '.join(lacking) or 'none'}."]
    page = DOC.read_text(encoding="utf-8")
    head, rest = page.split(BEGIN)
    text = "\n".join(lines) + "\n"
    DOC.write_text(f"{head}{BEGIN}{text}{END}{rest.split(END)[1]}", encoding="utf-8")


class Limited:
    """A block that raises TimeoutError after so many seconds."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds

    def __enter__(self) -> None:
        def late(number: int, frame: Any) -> None:
            raise TimeoutError

        signal.signal(signal.SIGALRM, late)
        signal.alarm(self.seconds)

    def __exit__(self, *raised: object) -> None:
        signal.alarm(0)


def attempt(family: str) -> Tried | None:
    """Make a family small, read two items with it, and cut it at every block. None where it reads
    sounds or images beside text."""
    from transformers import AutoConfig

    try:
        kind = type(AutoConfig.for_model(family))
    except Exception as error:
        return Tried(family=family, outcome=UNTRIED, why=said(error))
    if any(re.search("audio|vision|image|speech|codec|vqgan", p) for p in kind.sub_configs):
        return None
    if not readable(kind()):
        return Tried(family=family, outcome="no model", why="a decoder belongs to it")
    try:
        backbone = Backbone(tiny(family))
    except Exception as error:
        return Tried(family=family, outcome=UNTRIED, why=said(error))
    try:
        verify_reads(backbone)
    except TimeoutError:
        raise
    except Exception as error:
        return Tried(family=family, outcome="unread", why=said(error))
    if backbone.place is None:
        return Tried(family=family, outcome="whole", why="no single list of its blocks")
    try:
        for at in range(backbone.count + 1):
            verify_cut(backbone, at)
        verify_layers(backbone)
    except TimeoutError:
        raise
    except Exception as error:
        return Tried(family=family, outcome="whole", why=said(error))
    try:
        find_targets(backbone, None, 0)
    except LegoError:
        return Tried(family=family, outcome="targets")
    return Tried(family=family, outcome="cut")


def readable(config: Any) -> bool:
    """Whether the library has a model of this configuration that reads text and does not write."""
    from transformers import AutoModel, AutoModelForTextEncoding

    table = AutoModelForTextEncoding if config.is_encoder_decoder else AutoModel
    return type(config) in table._model_mapping


def tiny(family: str) -> nn.Module:
    """A random model of a family, of few weights, each of which matters."""
    from transformers import AutoConfig

    sizes = {**shrunk(type(AutoConfig.for_model(family))), **OWN.get(family, {})}
    config = AutoConfig.for_model(family, **sizes)
    kind, given = choose_class(config)
    with torch.device("meta"):
        weights = sum(p.numel() for p in kind.from_config(config, **given).parameters())
    if weights > MOST:
        raise ValueError(f"{weights:,} weights at these sizes")
    torch.manual_seed(0)
    model = kind.from_config(config, **given).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.is_floating_point():
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def shrunk(kind: type) -> dict[str, Any]:
    """The sizes that a configuration knows by one of our names, those within it too."""
    whole = kind()
    known = set(whole.to_dict()) | set(getattr(kind, "attribute_map", {}))
    found = {name: size for name, size in SIZES.items() if name in known}
    for name, part in getattr(kind, "sub_configs", {}).items():
        inner = getattr(whole, name, None)
        if inner is not None and hasattr(part, "to_dict"):
            found[name] = shrunk(type(inner))
    return found


def said(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return (
        f"{type(error).__name__}: {lines[0][:110]}"
        if not isinstance(error, Unfollowed)
        else lines[0]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    found = run(chosen.names)
    if chosen.write:
        write(found)
