"""Resolved values written back in the language, as short as they can be read: what a person is
shown of a spec. Settings that hold their default are left out unless `full`."""

import json
from collections.abc import Mapping
from typing import Any

from legoc.language.catalog import catalog
from legoc.language.declare import Kind, Param
from legoc.language.spec import Call, Role


def write_pipeline(model: Mapping[Role, Call], *, full: bool = False) -> str:
    """`content CNN(hidden=64) -> behavior Additive -> predict Dot`."""
    return " -> ".join(
        f"{role} {write_call(role, call, full=full)}" for role, call in model.items()
    )


def write_call(role: str, call: Call, *, full: bool = False) -> str:
    """`CNN(hidden=64, kernel=5)`; the primary parameter stands without its name."""
    declaration = catalog().get(role, call.op)
    args: list[str] = []
    for name, value in call.args.items():
        declared = declaration.param(name) if declaration is not None else None
        if not full and declared is not None and holds_default(declared, value):
            continue
        text = write_value(value, declared.kind if declared is not None else None, full=full)
        primary = declaration is not None and declaration.primary == name and not args
        args.append(text if primary else f"{name}={text}")
    return f"{call.op}({', '.join(args)})" if args else call.op


def holds_default(declared: Param, value: Any) -> bool:
    """Whether leaving the setting out would give the same; an inherited width has no default of its
    own, and is worth showing."""
    if declared.required or declared.inherit is not None:
        return False
    default = declared.default
    return value == (tuple(default) if isinstance(default, list) else default)


def write_value(value: Any, kind: Kind | None = None, *, full: bool = False) -> str:
    """One value; `kind` says whether a text is a word or stands in quotes."""
    if isinstance(value, Call):
        return write_call(kind.role or "" if kind is not None else "", value, full=full)
    if isinstance(value, tuple):
        element = kind.element if kind is not None else None
        return "[" + ", ".join(write_value(part, element, full=full) for part in value) + "]"
    if isinstance(value, str) and kind is not None and kind.name == "enum":
        return value
    if value is None:
        return "none"
    return json.dumps(value, ensure_ascii=False)
