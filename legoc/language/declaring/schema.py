"""The declarations as JSON Schema (Draft 2020-12): `emit` writes what `catalog_of` reads back.

The document describes the IR, so other tools can judge a spec with it; per role, `op` is an enum
and `if op = N then args: schema(N)`. What JSON Schema has no word for is carried under `x-lego-`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from legoc.language.declaring.declare import Attribute, Declaration
from legoc.language.declaring.kinds import LARGEST, REQUIRED, ROLES, STAGES, Kind, Param
from legoc.language.declaring.records import RECORDS
from legoc.language.declaring.tolerances import TOLERANCE, all_tolerated


DIALECT = "https://json-schema.org/draft/2020-12/schema"
PLAIN = {"int": "integer", "float": "number", "bool": "boolean", "str": "string"}
WHOLE_UNITS = ("count", "bytes")


def emit(declarations: Iterable[Declaration]) -> dict[str, Any]:
    """The schema of the IR over these declarations, which keep their order.

    Raises ValueError for two declarations of one role and name, or a default no schema can hold.
    """
    by_role: dict[str, dict[str, Declaration]] = {role: {} for role in ROLES}
    for declaration in declarations:
        known = by_role[declaration.role]
        if declaration.name in known:
            raise ValueError(f"two declarations of {declaration.role} {declaration.name}")
        known[declaration.name] = declaration
    definitions: dict[str, Any] = {
        role: emit_role(list(known.values())) for role, known in by_role.items()
    }
    definitions[TOLERANCE] = emit_role(list(all_tolerated(by_role["metric"].values()).values()))
    definitions["attribute"] = ATTRIBUTE
    definitions["content-part"] = PART
    for kind, record in RECORDS.items():
        definitions[f"{kind}-record"] = emit_object(record, strict=True)
    return {
        "$schema": DIALECT,
        "title": "legoc spec",
        "description": "The typed IR of one .lego point. Generated from the declarations.",
        **DOCUMENT,
        "$defs": definitions,
    }


ATTRIBUTE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "attr": {"type": "string"},
        "max": {"type": "integer", "minimum": 1, "maximum": LARGEST},
        "bins": {"type": "integer", "minimum": 2, "maximum": LARGEST},
        "values": {"type": "integer", "minimum": 1, "maximum": LARGEST},
    },
    "required": ["attr"],
    "not": {
        "anyOf": [
            {"required": ["max", "bins"]},
            {"required": ["max", "values"]},
            {"required": ["bins", "values"]},
        ]
    },
    "additionalProperties": False,
}
PART: dict[str, Any] = {
    "if": {"type": "object", "required": ["text"]},
    "then": {
        "properties": {"text": {"type": "string"}},
        "additionalProperties": False,
    },
    "else": {"$ref": "#/$defs/attribute"},
}
KEY: dict[str, Any] = {"type": "string", "pattern": "^([0-9a-f]{64})?$"}
SEARCH: dict[str, Any] = {
    "type": "object",
    "properties": {
        "from": {"type": "number"},
        "to": {"type": "number"},
        "log": {"type": "boolean"},
        "at": {"type": "array", "items": {"type": "string"}, "minItems": 1},
    },
    "required": ["from", "to", "log", "at"],
    "additionalProperties": False,
}
DOCUMENT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "legoc": {"const": 1},
        "name": {"type": "string"},
        "model": {
            "type": "object",
            "properties": {role: {"$ref": f"#/$defs/{role}"} for role in STAGES},
            "required": ["predict"],
            "additionalProperties": False,
        },
        "data": {"$ref": "#/$defs/data-record"},
        "train": {
            "if": {"not": {"type": "null"}},
            "then": {"$ref": "#/$defs/train-record"},
        },
        "export": {"$ref": "#/$defs/export-record"},
        "search": {"type": "object", "additionalProperties": SEARCH},
        "types": {
            "type": "object",
            "properties": {"item": {"type": "string"}, "user": {"type": "string"}},
            "required": ["item", "user"],
            "additionalProperties": False,
        },
        "keys": {
            "type": "object",
            "properties": {"item": KEY, "user": KEY, "prefix": KEY, "spec": KEY},
            "required": ["item", "user", "prefix", "spec"],
            "additionalProperties": False,
        },
    },
    "required": ["legoc", "name", "model", "data", "train", "export", "types", "keys"],
    "additionalProperties": False,
}


def emit_role(declarations: list[Declaration]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"op": {"enum": [d.name for d in declarations]}, "args": {"type": "object"}},
        "required": ["op", "args"],
        "additionalProperties": False,
        "allOf": [
            {
                "if": {"properties": {"op": {"const": d.name}}, "required": ["op"]},
                "then": {"properties": {"args": emit_object(d)}},
            }
            for d in declarations
        ],
    }


def emit_object(declaration: Declaration, *, strict: bool = False) -> dict[str, Any]:
    """The schema of a declaration's arguments, with the rest of the declaration beside it.

    strict: every parameter must stand there, as the IR of a record writes each, but for those that
    came later.
    """
    d = declaration
    lego: dict[str, Any] = {
        "signature": d.signature,
        "rules": [{"rule": rule.rule, "args": list(rule.args)} for rule in d.rules],
        "tasks": list(d.tasks),
        "layout": d.layout,
        "primary": d.primary,
        "shorthand": d.shorthand,
        "pretrained": d.pretrained,
        "paper": d.paper,
        "example": d.example,
        "module": d.module,
        "attributes": [emit_attribute(a) for a in d.attributes],
        "users": [emit_attribute(a) for a in d.users],
        "group": d.group,
        "splits": list(d.splits),
        "content": d.content,
        "facts": dict(d.facts),
    }
    return {
        "description": d.doc,
        "type": "object",
        "properties": {p.name: emit_param(p) for p in d.params},
        "required": [p.name for p in d.params if p.required or (strict and not p.since)],
        "additionalProperties": False,
        "x-lego-version": d.version,
        **{f"x-lego-{name}": value for name, value in lego.items() if value},
    }


def emit_attribute(attribute: Attribute) -> dict[str, Any]:
    return {"name": attribute.name, "kind": attribute.kind, "length": attribute.length}


def emit_param(p: Param) -> dict[str, Any]:
    bounds = {"minimum": p.min, "exclusiveMinimum": p.above, "maximum": p.max}
    found = emit_kind(p.kind, {key: value for key, value in bounds.items() if value is not None})
    if p.optional:
        found = allow_null(found)
    if p.default is not REQUIRED:
        found["default"] = list(p.default) if isinstance(p.default, tuple) else p.default
    if p.doc:
        found["description"] = p.doc
    for name in ("inherit", "runtime", "since", "before"):
        if value := getattr(p, name):
            found[f"x-lego-{name}"] = value
    return found


def emit_kind(kind: Kind, bounds: Mapping[str, float]) -> dict[str, Any]:
    """The schema of one kind; a range on a list is a range on each element."""
    whole = kind.name == "int" or (kind.name == "quantity" and kind.unit in WHOLE_UNITS)
    if whole and "maximum" not in bounds:
        bounds = {**bounds, "maximum": LARGEST}
    match kind.name:
        case "int" | "float" | "bool" | "str":
            return {"type": PLAIN[kind.name], **bounds}
        case "file" | "folder" | "model" | "vectors" | "column" | "data":
            return {"type": "string", "x-lego-kind": kind.name}
        case "enum":
            return {"enum": list(kind.values)}
        case "quantity":
            return {"type": "integer" if whole else "number", "x-lego-unit": kind.unit, **bounds}
        case "operator":
            return {"$ref": f"#/$defs/{kind.role}"}
        case "attribute":
            return {"$ref": "#/$defs/attribute"}
        case "content":
            return {"$ref": "#/$defs/content-part"}
        case "list":
            if kind.element is None:
                raise ValueError("a list without the kind of its elements")
            return {"type": "array", "items": emit_kind(kind.element, bounds)}
        case other:
            raise ValueError(f"no schema for the kind {other!r}")


def allow_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema, or null; by discrimination, so that a judge names the real mismatch."""
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    if "type" in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"if": {"not": {"type": "null"}}, "then": schema}
