"""Whether a run is what this version would train of its spec: the digest in the spec tells."""

from collections.abc import Iterator
from typing import Any

from legoc.language.declaring.catalog import catalog
from legoc.language.ir.digest import Digester
from legoc.language.ir.spec import Spec


def is_of_another_version(spec: Spec) -> bool:
    """Whether the digest of a stored spec is another one now. Files that have changed change it,
    too; where one is missing, nothing is known."""
    now = Digester(catalog()).keys(spec.model, spec.data, spec.train).spec
    return "" not in (now, spec.keys.spec) and now != spec.keys.spec


def find_revised(spec: Spec) -> list[str]:
    """The operators of a model that have not always computed what they do now."""
    digester = Digester(catalog())
    return sorted(
        {op for role, call in spec.model.items() for op in walk(digester.call(role, call))}
    )


def walk(value: Any) -> Iterator[str]:
    """The operators with an earlier version in a call, those in its arguments included."""
    if isinstance(value, dict):
        if value.get("version", 1) > 1:
            yield value["op"]
        for part in value.values():
            yield from walk(part)
    elif isinstance(value, list):
        for part in value:
            yield from walk(part)
