"""The front end: from the text of a .lego file to typed specs, with lark and the standard library.

The public names are imported on first use. What has a module of its own name is reached there:
`legoc.language.ir.plan.plan`, `legoc.language.declaring.catalog.catalog`, `legoc.language.ir.form`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from legoc.language.checking import Checked, check, load
    from legoc.language.declaring.catalog import describe
    from legoc.language.diagnosing.diagnostics import Diagnostic, LegoError, SpecError
    from legoc.language.ir.spec import Spec

__all__ = [
    "Checked",
    "Diagnostic",
    "LegoError",
    "Spec",
    "SpecError",
    "check",
    "describe",
    "load",
]

HOME = {
    "Checked": "checking",
    "Diagnostic": "diagnosing.diagnostics",
    "LegoError": "diagnosing.diagnostics",
    "Spec": "ir.spec",
    "SpecError": "diagnosing.diagnostics",
    "check": "checking",
    "describe": "declaring.catalog",
    "load": "checking",
}


def __getattr__(name: str) -> Any:
    home = HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'legoc.language' has no attribute {name!r}")
    value = getattr(import_module(f"legoc.language.{home}"), name)
    globals()[name] = value
    return value
