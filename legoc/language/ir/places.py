"""The files and folders a spec names: where they lie differs between machines, their names do not.

A bundle carries names; whoever evaluates it elsewhere says in which folder they are found.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from legoc.language.declaring.catalog import Catalog, catalog
from legoc.language.declaring.kinds import Kind, Param
from legoc.language.ir.checkpoints import names_hub
from legoc.language.ir.spec import Call, Spec


# From the kind of a parameter (`file`, `folder`, `model`, `vectors`) and a value to another value.
Change = Callable[[str, str], str]


def name_places(spec: Spec, *, known: Catalog | None = None) -> Spec:
    """The spec with the name of each path (`name_paths`) in the place of the path."""
    names = name_paths(every_path(spec, known))
    return change_places(spec, lambda _, path: names[path] if os.path.isabs(path) else path, known)


def find_places(spec: Spec, folder: str, *, known: Catalog | None = None) -> Spec:
    """The spec with each file and folder looked for, by its name (`name_paths`), in `folder`."""
    names = name_paths(every_path(spec, known))

    def find(kind: str, path: str) -> str:
        found = os.path.join(os.path.abspath(folder), names[path])
        # A model that lies nowhere is a name of a hub, which is the same everywhere.
        return path if may_be_hub(kind, path) and not os.path.exists(found) else found

    return change_places(spec, find, known)


def list_places(spec: Spec, *, known: Catalog | None = None) -> tuple[str, ...]:
    """The files and folders a spec names, in the order of its parts."""
    found: list[str] = []

    def note(kind: str, path: str) -> str:
        if not may_be_hub(kind, path):
            found.append(path)
        return path

    change_places(spec, note, known)
    return tuple(dict.fromkeys(found))


def may_be_hub(kind: str, path: str) -> bool:
    """Whether a value may be a hub's name for a model."""
    if kind == "vectors":
        return names_hub(path)
    return kind == "model" and not os.path.isabs(path)


def every_path(spec: Spec, known: Catalog | None) -> tuple[str, ...]:
    """The files and folders a spec names, and its models of a hub."""
    found: list[str] = []

    def note(_: str, path: str) -> str:
        found.append(path)
        return path

    change_places(spec, note, known)
    return tuple(dict.fromkeys(found))


def name_paths(paths: Sequence[str]) -> dict[str, str]:
    """The name of each path: its last part, or as many of the last parts as tell it from the
    others (`one/titles.csv` and `two/titles.csv`)."""
    parts = {path: tuple(each for each in path.split(os.sep) if each) for path in paths}

    def name(path: str) -> str:
        own = parts[path]
        for size in range(1, len(own)):
            if sum(other[-size:] == own[-size:] for other in parts.values()) == 1:
                return os.path.join(*own[-size:])
        return os.path.join(*own) if own else path

    return {path: name(path) for path in paths}


def change_places(spec: Spec, change: Change, known: Catalog | None) -> Spec:
    known = known if known is not None else catalog()
    data = spec.data
    return replace(
        spec,
        model={role: change_call(role, call, change, known) for role, call in spec.model.items()},
        data=replace(
            data,
            source=change_call("source", data.source, change, known),
            split=change_call("split", data.split, change, known),
            tokenizer=data.tokenizer and change_call("tokenizer", data.tokenizer, change, known),
            vectors=None if data.vectors is None else change("vectors", data.vectors),
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
