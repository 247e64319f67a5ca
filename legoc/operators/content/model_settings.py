"""The parameters that every language model has as content, and the rules between them."""

from typing import Any, Literal

import torch

from legoc.language.declaring.declare import Excludes, Model, Operator, param


Adapter, Side = Operator["adapter"], Operator["side"]

SIGNATURE = "Tokens -> Vec[hidden]"
RULES = (Excludes("side", "lora"), Excludes("side", "split"))

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
DTYPE = param(
    None,
    doc="number type of the frozen weights and of the computation in the model; unless given all "
    "is float32, but that training computes in bfloat16 on a CPU with instructions for it",
)


class Settings:
    """The parameters that every language model has."""

    hidden: int = param(64, min=1, doc="width of an item vector")
    path: Model | None = param(
        None, doc="folder of a model in the form of transformers, or its name on a hub"
    )
    split: int | None = param(
        None,
        doc="blocks below it are frozen, and what they make is computed once per item; negative: "
        "counted from the end, -2 keeps one tuned block; none: nothing is frozen or kept",
    )
    lora: Adapter | None = param(
        None, doc="adapters in the tuned blocks; everything else is frozen then"
    )
    side: Side | None = param(None, doc="a side network on the states of the frozen model")
    pooling: Literal["attention", "cls", "mean", "last"] = param(
        "attention", doc="how the states of an item's tokens become one vector"
    )
    dim: int = param(256, min=1, doc="inner width of the attention pooling")
    dropout: float = param(0.1, min=0, max=1, doc="share of zeroed values after the projection")
    special: bool = param(
        False, doc="begin and end an item with the model's own special tokens, as `cls` always does"
    )
    dtype: Literal["float32", "bfloat16"] | None = DTYPE
    states: Literal["float32", "float16", "bfloat16"] | None = param(
        None, doc="number type of the kept states; that of `dtype` unless given, or float32"
    )
    page: int = param(
        0, min=0, runtime=True,
        doc="items encoded at once in training, the others recomputed in the backward pass; 0: all",
    )  # fmt: skip
    checkpointing: bool = param(
        False, runtime=True, doc="recompute each tuned block in the backward pass instead of "
        "keeping its activations",
    )  # fmt: skip


def has_frozen(config: Any) -> bool:
    """Whether settings leave weights of the model as they are."""
    return any(given is not None for given in (config.split, config.lora, config.side))
