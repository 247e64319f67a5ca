"""Training: tasks, the loop, optimisers, checkpoints, resuming, the run folder."""

from importlib import import_module
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from legoc.training.points import train_all
    from legoc.training.public import train

__all__ = ["train", "train_all"]

HOME = {"train": "public", "train_all": "points"}


def __getattr__(name: str) -> Any:
    # Reading the declarations of tasks must not load evaluation and export.
    home = HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'legoc.training' has no attribute {name!r}")
    return getattr(import_module(f"legoc.training.{home}"), name)
