"""Opening a pre-trained language model: its weights from a folder, or its bare shape.

`trust_remote_code` is never on: a model is what the library has code for.
"""

import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.checkpoints import Named


def open_model(named: Named, dtype: torch.dtype) -> nn.Module:
    """The model with its weights in `dtype`, in evaluation mode. On the meta device nothing but its
    shape, which a published model has without its files.

    Errors: E0650 where its folder is unknown, E0651 and E0655 where the files do not make it.
    """
    return open_as(named, dtype, choose_class)


def open_as(
    named: Named, dtype: torch.dtype, choose: Callable[[Any], tuple[Any, dict[str, Any]]]
) -> nn.Module:
    """The model in the form that `choose` finds for its configuration."""
    import transformers

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    ghost = torch.empty(0).device.type == "meta"
    if named.folder is None and not (ghost and named.family):
        raise fail(
            "E0650",
            f"the language model `{named.shown}` is not on this machine",
            'name a folder that holds it, `path="FOLDER"`',
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            config = read_config(named)
            family, given = choose(config)
            if ghost:
                return family.from_config(config, dtype=torch.float32, **given).eval()
            model, found = family.from_pretrained(
                named.folder, config=config, dtype=dtype, use_safetensors=True,
                local_files_only=True, output_loading_info=True, **given,
            )  # fmt: skip
        # A configuration that the library cannot follow fails in as many ways as it is written.
        except Exception as error:
            raise broken(named, error) from None
    lacking = sorted(found["missing_keys"]) + sorted(str(key) for key in found["mismatched_keys"])
    if lacking:
        raise fail(
            "E0655",
            f"the weights in `{named.shown}` lack {len(lacking)} of the model that its config.json "
            f"describes, such as `{lacking[0]}`",
            "use the files of one model, as they were published",
        )
    return model.eval()


def open_causal(named: Named, dtype: torch.dtype) -> nn.Module:
    """A model that tells the next token, head and all, in evaluation mode; its bare shape on the
    meta device. Errors as `open_model`, and E0639 for a model that tells none."""
    from transformers import AutoModelForCausalLM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = read_config(named) if is_there(named) else None
        if config is not None and type(config) not in AutoModelForCausalLM._model_mapping:
            raise fail(
                "E0639",
                f"`{named.shown}` is no causal model: a `{config.model_type}` does not tell the "
                "next token",
                "name a causal model, such as Llama, Qwen, Mistral, OPT or GPT-2",
            )
    return open_as(named, dtype, lambda config: (AutoModelForCausalLM, {}))


def is_there(named: Named) -> bool:
    """Whether a model has files here that tell what it is."""
    return named.folder is not None and Path(named.folder, "config.json").is_file()


def read_config(named: Named) -> Any:
    from transformers import AutoConfig

    if named.folder is not None:
        return AutoConfig.from_pretrained(named.folder, trust_remote_code=False)
    return AutoConfig.for_model(named.family, **named.shape)


def choose_class(config: Any) -> tuple[Any, dict[str, Any]]:
    """What builds the model of a configuration, without a pooling layer, and of a model that also
    decodes the encoder alone."""
    from transformers import AutoModel, AutoModelForTextEncoding

    if getattr(config, "is_encoder_decoder", False):
        return AutoModelForTextEncoding, {}
    known = AutoModel._model_mapping  # the one table of what AutoModel builds
    family = known[type(config)]
    family = family[0] if isinstance(family, tuple) else family
    pools = "add_pooling_layer" in inspect.signature(family.__init__).parameters
    return AutoModel, {"add_pooling_layer": False} if pools else {}


def broken(named: Named, error: Exception) -> Exception:
    """The library's reason in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return fail(
        "E0655",
        f"the files in `{named.shown}` do not make a language model: "
        f"{(lines or [type(error).__name__])[0][:300]}",
        "use the files of one model, as they were published",
    )
