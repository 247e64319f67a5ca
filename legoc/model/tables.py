"""The tables of a model that train, for whoever updates them."""

from collections.abc import Mapping

from torch import nn

from legoc.operators.blocks.table import ReadRows, Table


__all__ = ["ReadRows", "Table", "find_tables"]


def find_tables(module: nn.Module) -> Mapping[str, Table]:
    """The tables that train, by the names of their parameters."""
    return {
        f"{path}.weight" if path else "weight": part
        for path, part in module.named_modules()
        if isinstance(part, Table) and part.weight.requires_grad
    }
