"""The files and folders a spec names: where they lie differs between machines, their names do not.

A bundle carries names; whoever evaluates it elsewhere says in which folder they are found.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from legoc.language.catalog import Catalog, catalog
from legoc.language.declare import Kind, Param
from legoc.language.spec import Call, Spec


# From the kind of a parameter (`file`, `folder`, `model`) and a value to another value.
Change = Callable[[str, str], str]


def name_places(spec: Spec, *, known: Catalog | None = None) -> Spec:
    """The spec with the last part of each path in the place of the path."""
    return change_places(
        spec, lambda _, path: os.path.basename(path) if os.path.isabs(path) else path, known
    )


def find_places(spec: Spec, folder: str, *, known: Catalog | None = None) -> Spec:
    """The spec with each file and folder looked for, by the last part of its path, in `folder`."""

    def find(kind: str, path: str) -> str:
        found = os.path.join(os.path.abspath(folder), os.path.basename(path))
        # A model that lies nowhere is a name of a hub, which is the same everywhere.
        return path if kind == "model" and not os.path.isdir(found) else found

    return change_places(spec, find, known)


def list_places(spec: Spec, *, known: Catalog | None = None) -> tuple[str, ...]:
    """The files and folders a spec names, in the order of its parts."""
    found: list[str] = []

    def note(kind: str, path: str) -> str:
        if kind != "model" or os.path.isabs(path):
            found.append(path)
        return path

    change_places(spec, note, known)
    return tuple(dict.fromkeys(found))


def change_places(spec: Spec, change: Change, known: Catalog | None) -> Spec:
    known = known if known is not None else catalog()
    data = spec.data
    return replace(
        spec,
        model={role: change_call(role, call, change, known) for role, call in spec.model.items()},
        data=replace(
            data,
            source=change_call("source", data.source, change, known),
            tokenizer=data.tokenizer and change_call("tokenizer", data.tokenizer, change, known),
            vectors=None if data.vectors is None else change("file", data.vectors),
            augment=tuple(change("file", path) for path in data.augment),
        ),
    )


def change_call(role: str, call: Call, change: Change, known: Catalog) -> Call:
    declaration = known.get(role, call.op)
    if declaration is None:
        raise LookupError(f"no {role} operator {call.op!r} is declared")
    kinds: Mapping[str, Param] = {p.name: p for p in declaration.params}
    args = {
        name: change_value(kinds[name].kind, value, change, known)
        for name, value in call.args.items()
    }
    return replace(call, args=args)


def change_value(kind: Kind, value: Any, change: Change, known: Catalog) -> Any:
    if value is None:
        return None
    if kind.name == "operator":
        return change_call(kind.role or "", value, change, known)
    if kind.name == "list" and kind.element is not None:
        element = kind.element
        return tuple(change_value(element, each, change, known) for each in value)
    return change(kind.name, value) if kind.name in ("file", "folder", "model") else value
