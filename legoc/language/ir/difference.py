"""Two files compared by what they mean: resolved specs, point by point, never their text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from legoc.language.ir.form import to_json
from legoc.language.ir.spec import Spec


# They follow from the rest.
DERIVED = ("types", "keys", "legoc", "name")
ABSENT = object()


@dataclass(frozen=True, kw_only=True)
class Change:
    """One place of the IR that differs, by its dotted path. A side that lacks it is `ABSENT`."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How two points differ; one of the names is None where the other file lacks the point."""

    before: str | None
    after: str | None
    changes: tuple[Change, ...] = ()


def compare(before: Sequence[Spec], after: Sequence[Spec]) -> list[Difference]:
    """What differs between the points of two files, empty where they mean the same.

    Points are paired by name, then what is left by being equal, then in order if one is left on
    each side: a file with one run is compared with another whatever their names.
    """
    old = {spec.name: spec for spec in before}
    new = {spec.name: spec for spec in after}
    pairs = [(old.pop(name), new.pop(name)) for name in list(old) if name in new]
    for name, spec in list(old.items()):
        same = next((other for other in new if not changes(spec, new[other])), None)
        if same is not None:
            pairs.append((old.pop(name), new.pop(same)))
    if len(old) == len(new) == 1:
        pairs.append((old.popitem()[1], new.popitem()[1]))
    order = {id(spec): place for place, spec in enumerate(before)}
    pairs.sort(key=lambda pair: order[id(pair[0])])
    found = [
        Difference(before=one.name, after=other.name, changes=tuple(different))
        for one, other in pairs
        if (different := list(changes(one, other)))
    ]
    found += [Difference(before=name, after=None) for name in old]
    found += [Difference(before=None, after=name) for name in new]
    return found


def changes(before: Spec, after: Spec) -> list[Change]:
    """The places in which two specs differ, names and derived values left out."""
    left, right = to_json(before), to_json(after)
    return [
        change for key in left if key not in DERIVED for change in walk(key, left[key], right[key])
    ]


def walk(path: str, before: Any, after: Any) -> Iterator[Change]:
    """The differences below one place. An operator that is another one is told whole: its settings
    have nothing to do with those of the first."""
    both = isinstance(before, Mapping) and isinstance(after, Mapping)
    if both and before.get("op") == after.get("op"):
        for key in dict.fromkeys((*before, *after)):
            inner = path if key == "args" else f"{path}.{key}"
            yield from walk(inner, before.get(key, ABSENT), after.get(key, ABSENT))
        return
    if type(before) is not type(after) or before != after:
        yield Change(path=path, before=before, after=after)


def write(value: Any) -> str:
    """A value of the IR as one would write it, for reading only."""
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(map(write, value))}]"
        case {"op": str(op), "args": dict(args)}:
            inner = ", ".join(f"{name}={write(each)}" for name, each in args.items())
            return f"{op}({inner})" if inner else op
        case {"attr": str(name), **rest}:
            return f"{name}({next(iter(rest.values()))})" if rest else name
        case {"text": str(text)}:
            return repr(text)
        case _:
            return str(value)
