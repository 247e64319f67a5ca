"""Training: tasks, the loop, optimisers, checkpoints, resuming, the run folder."""

from importlib import import_module
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from legoc.training.public import train

__all__ = ["train"]


def __getattr__(name: str) -> Any:
    # Reading the declarations of tasks must not load evaluation and export.
    if name != "train":
        raise AttributeError(f"module 'legoc.training' has no attribute {name!r}")
    return import_module("legoc.training.public").train
