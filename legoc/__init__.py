"""legoc compiles a recommender written in one line into a trained, certified ONNX bundle.

The public functions are imported on first use, so that checking a file costs no more than parsing
it: `legoc.check` loads lark, `legoc.train` loads torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from legoc.evaluation import evaluate
    from legoc.exporting import export
    from legoc.language import Diagnostic, LegoError, SpecError, check, describe, load
    from legoc.model import compile
    from legoc.training import train, train_all

__version__ = "0.1.0"

__all__ = [
    "Diagnostic",
    "LegoError",
    "SpecError",
    "check",
    "compile",
    "describe",
    "evaluate",
    "export",
    "load",
    "train",
    "train_all",
]

HOME = {
    "Diagnostic": "legoc.language",
    "LegoError": "legoc.language",
    "SpecError": "legoc.language",
    "check": "legoc.language",
    "describe": "legoc.language",
    "load": "legoc.language",
    "compile": "legoc.model",
    "train": "legoc.training",
    "train_all": "legoc.training",
    "export": "legoc.exporting",
    "evaluate": "legoc.evaluation",
}


if not TYPE_CHECKING:
    # A type checker would take any name for one of these.
    def __getattr__(name: str) -> Any:
        home = HOME.get(name)
        if home is None:
            raise AttributeError(f"module 'legoc' has no attribute {name!r}")
        value = getattr(import_module(home), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
