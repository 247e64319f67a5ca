"""JSON Schema, as much of it as the manifest's own schema uses, read by this small interpreter.

A host in another language reads the same file with the validator it has. A test compares this one
with a full validator, and refuses a keyword that is not known here.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, cast


ANNOTATIONS = {"$schema", "$defs", "title", "description"}


class SchemaError(ValueError):
    """A value that a schema does not allow. The text names its place in the document."""

    def __init__(self, place: str, text: str) -> None:
        super().__init__(f"`{place}` {text}" if place else f"it {text}")


@lru_cache(maxsize=1)
def manifest_schema() -> Mapping[str, Any]:
    """The schema of a bundle's manifest."""
    text = (files("legoc_runtime") / "manifest.schema.json").read_text(encoding="utf-8")
    return json.loads(text)


def verify(value: object, schema: Mapping[str, Any]) -> None:
    """Raise SchemaError for the first place where a value is not of a schema."""
    for error in find_errors(value, schema, schema, ""):
        raise error


def find_errors(
    value: object, schema: Mapping[str, Any], root: Mapping[str, Any], place: str
) -> Iterator[SchemaError]:
    """What is wrong, outer places first. root: the schema that `$ref` points into."""
    for keyword, rule in schema.items():
        if keyword not in ANNOTATIONS:
            yield from KEYWORDS[keyword](value, rule, schema, root, place)


def kind(value: object) -> str:
    """The type of a value as JSON names it; a number without a fraction is an integer."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 60 else f"{text[:57]}..."


def inside(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


Found = Iterator[SchemaError]
Schema = Mapping[str, Any]


def of_type(value: object, rule: Any, schema: Schema, root: Schema, place: str) -> Found:
    allowed = cast(Sequence[str], [rule] if isinstance(rule, str) else rule)
    found = kind(value)
    if found not in allowed and not (found == "integer" and "number" in allowed):
        yield SchemaError(place, f"is {shown(value)}, not {' or '.join(map(article, allowed))}")


def article(name: str) -> str:
    return name if name == "null" else f"{'an' if name[0] in 'aio' else 'a'} {name}"


def in_enum(value: object, rule: Any, schema: Schema, root: Schema, place: str) -> Found:
    if not isinstance(value, str) or value not in rule:
        yield SchemaError(place, f"is {shown(value)}, not one of {', '.join(rule)}")


def of_pattern(value: object, rule: Any, schema: Schema, root: Schema, place: str) -> Found:
    if isinstance(value, str) and re.search(rule, value) is None:
        yield SchemaError(place, f"is {shown(value)}, which is not of the form {rule}")


LIMITS = {
    "minimum": ("below {}", lambda value, limit: value >= limit),
    "maximum": ("above {}", lambda value, limit: value <= limit),
    "exclusiveMinimum": ("not above {}", lambda value, limit: value > limit),
    "exclusiveMaximum": ("not below {}", lambda value, limit: value < limit),
}


def limit(name: str) -> Any:
    text, holds = LIMITS[name]

    def check(value: object, rule: Any, schema: Schema, root: Schema, place: str) -> Found:
        if kind(value) in ("integer", "number") and not holds(value, rule):
            yield SchemaError(place, f"is {shown(value)}, {text.format(rule)}")

    return check


def least(kinds: str, text: str) -> Any:
    def check(value: object, rule: Any, schema: Schema, root: Schema, place: str) -> Found:
        if kind(value) == kinds and len(cast(Sequence[Any], value)) < rule:
            yield SchemaError(place, f"has fewer than {rule} {text}")

    return check


def at_most(value: object, rule: Any, schema: Schema, root: Schema, place: str) -> Found:
    if isinstance(value, list) and len(cast(list[Any], value)) > rule:
        yield SchemaError(place, f"has more than {rule} entries")


def with_required(value: object, rule: Any, schema: Schema, root: Schema, place: str) -> Found:
    if isinstance(value, dict):
        for name in rule:
            if name not in value:
                yield SchemaError(inside(place, name), "is missing")


def with_properties(value: object, rule: Any, schema: Schema, root: Schema, place: str) -> Found:
    if isinstance(value, dict):
        given = cast(dict[str, object], value)
        for name, inner in rule.items():
            if name in given:
                yield from find_errors(given[name], inner, root, inside(place, name))


def with_others(value: object, rule: Any, schema: Schema, root: Schema, place: str) -> Found:
    if isinstance(value, dict):
        for name, other in cast(dict[str, object], value).items():
            if name in schema.get("properties", {}):
                continue
            if rule is False:
                yield SchemaError(inside(place, name), "is not known")
            else:
                yield from find_errors(other, rule, root, inside(place, name))


def with_items(value: object, rule: Any, schema: Schema, root: Schema, place: str) -> Found:
    if isinstance(value, list):
        for number, item in enumerate(cast(list[object], value)):
            yield from find_errors(item, rule, root, f"{place}[{number}]")


def any_of(value: object, rule: Any, schema: Schema, root: Schema, place: str) -> Found:
    """What is wrong in the alternative that the value comes nearest to."""
    wrong = [list(find_errors(value, inner, root, place)) for inner in rule]
    if all(wrong):
        yield min(wrong, key=len)[0]


def at_reference(value: object, rule: Any, schema: Schema, root: Schema, place: str) -> Found:
    inner: Any = root
    for part in rule.removeprefix("#/").split("/"):
        inner = inner[part]
    yield from find_errors(value, inner, root, place)


KEYWORDS = {
    "type": of_type,
    "enum": in_enum,
    "pattern": of_pattern,
    **{name: limit(name) for name in LIMITS},
    "minLength": least("string", "letters"),
    "minItems": least("array", "entries"),
    "minProperties": least("object", "entries"),
    "maxItems": at_most,
    "required": with_required,
    "properties": with_properties,
    "additionalProperties": with_others,
    "items": with_items,
    "anyOf": any_of,
    "$ref": at_reference,
}
