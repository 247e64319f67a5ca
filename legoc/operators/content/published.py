"""What a declaration tells of published language models: names on the hub and shapes.

Shapes are what differs from the defaults of the model type in transformers, so that a model can be
counted without its files. They are facts from the models' own `config.json`.
"""

from collections.abc import Mapping
from typing import Any


def published(
    family: str,
    models: Mapping[str, tuple[str, int, Mapping[str, Any]]],
    *,
    by: str | None = "size",
    positions: int | None = None,
) -> dict[str, Any]:
    """The facts of a named operator.

    family: the model type of transformers. models: for each value of the parameter `by`, or for ""
    without one, the name on the hub, the number of blocks and the shape. positions: the most tokens
    of all these models, where their positions are a table.
    """
    known = {
        key: {"hub": hub, "layers": layers, "shape": dict(shape)}
        for key, (hub, layers, shape) in models.items()
    }
    facts: dict[str, Any] = {"family": family, "by": by, "checkpoints": known, **ABOVE}
    return facts if positions is None else facts | {"positions": positions}


# What lies above the frozen layers and so does not change them.
ABOVE: dict[str, Any] = {
    "above_split": ["hidden", "lora", "pooling", "dim", "dropout"],
}


def bert(layers: int, width: int) -> dict[str, int]:
    """The shape of BERT and its kin: heads of 64, an inner width of four times the outer."""
    return {
        "num_hidden_layers": layers, "hidden_size": width,
        "num_attention_heads": width // 64, "intermediate_size": 4 * width,
    }  # fmt: skip
