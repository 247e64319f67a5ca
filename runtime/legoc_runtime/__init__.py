"""Serves a legoc bundle with numpy and onnxruntime alone.

    import legoc_runtime as lr

    model = lr.load("bundle/")
    user = model.encode_user(["N123", "N77"])
    ids, scores = model.recommend(user, k=10, exclude=["N123", "N77"])

onnxruntime is loaded by `load`; reading items into ids (`legoc_runtime.tokens`) needs numpy alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from legoc_runtime.adding import Added
    from legoc_runtime.bundle import Bundle, open_bundle
    from legoc_runtime.counting import Counted
    from legoc_runtime.engine import Engine
    from legoc_runtime.errors import BundleError, LegoRuntimeError, RequestError
    from legoc_runtime.explaining import Explanation, Token
    from legoc_runtime.items import Items
    from legoc_runtime.model import Model, load
    from legoc_runtime.selftest import SelfTest
    from legoc_runtime.sessions import Settings
    from legoc_runtime.tokens import Reader
    from legoc_runtime.users import User

__version__ = "0.1.0"

__all__ = [
    "Added",
    "Bundle",
    "BundleError",
    "Counted",
    "Engine",
    "Explanation",
    "Items",
    "LegoRuntimeError",
    "Model",
    "Reader",
    "RequestError",
    "SelfTest",
    "Settings",
    "Token",
    "User",
    "load",
    "open_bundle",
]

HOME = {
    "Added": "adding",
    "Bundle": "bundle",
    "BundleError": "errors",
    "Counted": "counting",
    "Engine": "engine",
    "Explanation": "explaining",
    "Items": "items",
    "LegoRuntimeError": "errors",
    "Model": "model",
    "Reader": "tokens",
    "RequestError": "errors",
    "SelfTest": "selftest",
    "Settings": "sessions",
    "Token": "explaining",
    "User": "users",
    "load": "model",
    "open_bundle": "bundle",
}


def __getattr__(name: str) -> Any:
    home = HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'legoc_runtime' has no attribute {name!r}")
    value = getattr(import_module(f"legoc_runtime.{home}"), name)
    globals()[name] = value
    return value
