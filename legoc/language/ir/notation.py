"""Resolved values written back in the language.

Brief, for people: settings that hold their default are left out. Full, for files: every setting
with its name.
"""

import json
from collections.abc import Mapping
from typing import Any

from legoc.language.declaring.catalog import Catalog, catalog
from legoc.language.declaring.kinds import Kind, Param, Role
from legoc.language.ir.spec import Call


def write_pipeline(model: Mapping[Role, Call]) -> str:
    """`content CNN(hidden=64) -> behavior Additive -> predict Dot`, in brief."""
    return " -> ".join(f"{role} {write_call(role, call)}" for role, call in model.items())


def write_call(role: str, call: Call, *, full: bool = False, known: Catalog | None = None) -> str:
    """`CNN(hidden=64, kernel=5)`; in brief the primary parameter stands without its name. Raises
    LookupError for an operator that is not declared."""
    declaration = (known if known is not None else catalog()).get(role, call.op)
    if declaration is None:
        raise LookupError(f"no {role} operator {call.op!r} is declared")
    args: list[str] = []
    for param in declaration.params:
        if param.name not in call.args:
            continue
        value = call.args[param.name]
        if not full and holds_default(param, value):
            continue
        text = write_value(param.kind, value, full=full, known=known)
        bare = not full and param.name == declaration.primary and not args
        args.append(text if bare else f"{param.name}={text}")
    return f"{call.op}({', '.join(args)})" if args else call.op


def holds_default(param: Param, value: Any) -> bool:
    """Whether leaving the setting out would give the same; an inherited width has no default of its
    own, and is worth showing."""
    if param.required or param.inherit is not None:
        return False
    default = param.default
    return value == (tuple(default) if isinstance(default, list) else default)


def write_value(kind: Kind, value: Any, *, full: bool = False, known: Catalog | None = None) -> str:
    """One value, by the kind of its parameter."""
    match kind.name:
        case _ if value is None:
            return "none"
        case "operator":
            return write_call(kind.role or "", value, full=full, known=known)
        case "list" if kind.element is not None:
            element = kind.element
            parts = (write_value(element, each, full=full, known=known) for each in value)
            return f"[{', '.join(parts)}]"
        case "bool":
            return "true" if value else "false"
        case "str" | "file" | "folder" | "model" | "vectors":
            return json.dumps(value)
        case "quantity" if kind.unit == "duration":
            return f"{value:g}s" if value == float(f"{value:g}") else f"{value!r}s"
        case "quantity" if kind.unit == "bytes":
            whole, rest = divmod(value, 1024)
            return f"{value / 1024!r}KiB" if rest else f"{whole}KiB"
        case _:
            return str(value)
