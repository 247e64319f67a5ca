"""Whether a language model that is asked goes on from what it has read of a history, or reads each
pair's whole text anew.

The settings and the model's `config.json` tell; nothing else is read.
"""

from collections.abc import Mapping
from typing import Any

from legoc.language.ir.checkpoints import find_config
from legoc.language.ir.spec import Call


# Model types of transformers that read in both directions, so that a candidate changes what was
# read of the clicks before it.
BOTH_WAYS = frozenset({
    "albert", "bert", "big_bird", "camembert", "convbert", "data2vec-text", "deberta", "deberta-v2",
    "distilbert", "electra", "ernie", "eurobert", "flaubert", "fnet", "funnel", "ibert",
    "longformer", "luke", "megatron-bert", "mobilebert", "modernbert", "mpnet", "mra",
    "nomic_bert", "nystromformer", "rembert", "roberta", "roberta-prelayernorm", "roc_bert",
    "roformer", "squeezebert", "xlm", "xlm-roberta", "xlm-roberta-xl", "xmod", "yoso",
})  # fmt: skip


def candidate_leads(prompt: object) -> bool:
    """Whether a template has its candidate before the clicks."""
    if not isinstance(prompt, Call) or prompt.op != "template":
        return False
    text = prompt.args["text"]
    return -1 < text.find("{candidate}") < text.find("{clicks}")


def is_cut_anew(prompt: object) -> bool:
    """Whether a prompt is tokenised as one string."""
    return isinstance(prompt, Call) and prompt.args.get("tokenise") == "whole"


def reads_both_ways(config: Mapping[str, Any]) -> bool:
    """Whether the model of a configuration reads in both directions."""
    return config.get("model_type") in BOTH_WAYS and not config.get("is_decoder")


def decodes_apart(config: Mapping[str, Any]) -> bool:
    """Whether the model of a configuration writes its answer as a text of its own."""
    return bool(config.get("is_encoder_decoder"))


def why_whole(args: Mapping[str, Any]) -> str | None:
    """Why a model that is asked reads each pair whole, as a clause; None where it goes on from the
    clicks. args: of the stage that names it."""
    prompt = args.get("prompt")
    if candidate_leads(prompt):
        return "the candidate stands before the clicks"
    if is_cut_anew(prompt):
        return "one string is tokenised, so that no beginning is shared"
    config = find_config(args.get("path"))
    if reads_both_ways(config):
        return f"a `{config['model_type']}` reads in both directions"
    if decodes_apart(config):
        return f"a `{config['model_type']}` writes its answer as a text of its own"
    return None
