"""Numbers of a bundle that are not finite, wherever they lie: probes and samples see few of them.

One such number in an item or a weight makes every ranking that meets it empty or arbitrary.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from legoc.data.indexing.log import F32
from legoc.language.diagnosing.diagnostics import fail


if TYPE_CHECKING:
    import onnx


SHOWN = 3
HELP = "train again with a smaller `lr` or `clip`, or look at the vectors the model was given"


def verify_weights(recommender: nn.Module) -> None:
    """E0824 where a weight of a model is not finite."""
    for name, weight in recommender.named_parameters():
        broken = int((~torch.isfinite(weight)).sum())
        if broken:
            raise fail(
                "E0824",
                f"{broken:,} of {weight.numel():,} numbers of the weight `{name}` are not finite",
                HELP,
            )


def broken_rows(table: F32) -> list[int]:
    """The rows of an item matrix [N, D] with a number that is not finite."""
    return np.flatnonzero(~np.isfinite(table).all(axis=1)).tolist()


def describe_rows(rows: Sequence[int], ids: Sequence[str]) -> str:
    """Which items have such a row, the first of them by name."""
    named = ", ".join(f"`{ids[row]}`" for row in rows[:SHOWN])
    more = ", ..." if len(rows) > SHOWN else ""
    return (
        f"{len(rows):,} of {len(ids) - 1:,} items have a vector that is not finite: {named}{more}"
    )


def verify_table(table: F32, ids: Sequence[str]) -> None:
    """E0824 where the vector of some item is not finite."""
    rows = broken_rows(table)
    if rows:
        raise fail("E0824", describe_rows(rows, ids), HELP)


def find_nan(model: "onnx.ModelProto") -> str | None:
    """The name of a weight inside a graph's file that holds something that is no number. Those in a
    file beside it were looked at when they were exported, and have a hash since."""
    import onnx

    floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE)
    for weight in model.graph.initializer:
        if weight.data_location == onnx.TensorProto.EXTERNAL or weight.data_type not in floats:
            continue
        if np.isnan(onnx.numpy_helper.to_array(weight)).any():
            return weight.name
    return None
