"""The exporter's table of operators, made once for all graphs of a process.

torch makes it anew in every export: all of onnxscript's functions, of which a graph uses twenty,
are read and translated, which takes as long as the export of a small graph.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any


@contextmanager
def made_once() -> Iterator[None]:
    """Within, torch's exporter is given a copy of the table that was made for its operator set."""
    from torch.onnx._internal.exporter import _registration

    registry = _registration.ONNXRegistry
    kept = registry.__dict__["from_torchlib"]

    def from_torchlib(opset_version: int = registry().opset_version) -> Any:
        found = copy.copy(translations(kept.__func__, registry, opset_version))
        # Whoever adds a function of its own adds it to one export.
        found.functions = {name: list(each) for name, each in found.functions.items()}
        return found

    registry.from_torchlib = staticmethod(from_torchlib)
    try:
        yield
    finally:
        registry.from_torchlib = kept


@lru_cache(maxsize=4)
def translations(make: Any, registry: Any, opset: int) -> Any:
    """What torch makes for an operator set."""
    return make(registry, opset)
