"""The typed IR as JSON (LANGUAGE section 7): what is printed, saved beside a run, and read back."""

from collections.abc import Mapping
from typing import Any

from legoc.language.declaring.catalog import Catalog, catalog, whole_schema
from legoc.language.declaring.declare import Attribute, Declaration
from legoc.language.declaring.kinds import Kind
from legoc.language.declaring.records import RECORDS
from legoc.language.ir.spec import Call, Data, Export, Keys, Prompt, Search, Spec, Train, Types


VERSION = 1


def to_json(spec: Spec) -> dict[str, Any]:
    """The IR of a spec. `from_json(to_json(spec)) == spec`, but for places in the source."""
    return {
        "legoc": VERSION,
        "name": spec.name,
        "model": {role: write(call) for role, call in spec.model.items()},
        "data": write_data(spec.data),
        "train": None if spec.train is None else write_record("train", spec.train),
        "export": write_record("export", spec.export),
        **({"search": found} if (found := write_search(spec.search)) else {}),
        "types": {"item": spec.types.item, "user": spec.types.user},
        "keys": {
            "item": spec.keys.item,
            "user": spec.keys.user,
            "prefix": spec.keys.prefix,
            "spec": spec.keys.spec,
        },
    }


def write_search(found: Mapping[str, Search]) -> dict[str, Any]:
    """What a search is to find between two ends. A set has become points."""
    return {
        key: {"from": each.low, "to": each.high, "log": each.log, "at": list(each.at)}
        for key, each in found.items()
        if each.low is not None
    }


def read_search(document: Mapping[str, Any]) -> dict[str, Search]:
    return {
        key: Search(
            text=f"{each['from']}..{each['to']}{' log' if each['log'] else ''}",
            low=each["from"], high=each["to"], log=each["log"], at=tuple(each["at"]),
        )
        for key, each in document.items()
    }  # fmt: skip


def write(value: Any) -> Any:
    """A value of a spec in JSON's types."""
    match value:
        case Call():
            return {"op": value.op, "args": {name: write(arg) for name, arg in value.args.items()}}
        case tuple():
            return [write(element) for element in value]
        case _:
            return value


def write_record(kind: str, record: Train | Export) -> dict[str, Any]:
    return {p.name: write(getattr(record, p.name)) for p in RECORDS[kind].params}


def write_data(data: Data) -> dict[str, Any]:
    items, users = declared_lengths(catalog().get("source", data.source.op))
    return {
        "source": write(data.source),
        "content": [write_part(part, items) for part in data.content],
        "tokenizer": write(data.tokenizer),
        "vectors": data.vectors,
        "history": data.history,
        "split": write(data.split),
        "group": data.group,
        "augment": list(data.augment) or None,
        "user": [write_part(part, users) for part in data.user],
        **({"context": write(data.context)} if data.context else {}),
    }


def declared_lengths(source: Declaration | None) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """How many values or tokens the attributes of items and of users have unless it is written."""
    if source is None:
        return {}, {}
    return {a.name: a.length for a in source.attributes}, {a.name: a.length for a in source.users}


def write_part(part: Attribute | Prompt, declared: Mapping[str, int]) -> dict[str, Any]:
    """`max` implies text, `bins` a number, neither a category; that has `values` where it keeps
    other than as many as the source declares, or one."""
    if isinstance(part, Prompt):
        return {"text": part.text}
    if part.kind == "category" and part.length != declared.get(part.name, 1):
        return {"attr": part.name, "values": part.length}
    size = {"text": {"max": part.length}, "number": {"bins": part.length}, "category": {}}
    return {"attr": part.name, **size[part.kind]}


def validate(document: Mapping[str, Any], schema: Mapping[str, Any] | None = None) -> None:
    """Judge an IR by the schema of all declarations; jsonschema's ValidationError says what does
    not fit."""
    import jsonschema

    jsonschema.Draft202012Validator(whole_schema() if schema is None else schema).validate(document)


def from_json(document: Mapping[str, Any], *, known: Catalog | None = None) -> Spec:
    """The spec of an IR; `known` are other declarations than those that ship.

    Raises ValueError for another version of the IR or an operator that is not declared.
    """
    if document["legoc"] != VERSION:
        raise ValueError(f"an IR of version {document['legoc']}; this is version {VERSION}")
    known = known if known is not None else catalog()
    train = document["train"]
    return Spec(
        name=document["name"],
        model={role: read_call(role, call, known) for role, call in document["model"].items()},
        data=read_data(document["data"], known),
        train=None if train is None else Train(**read_record("train", train, known)),
        export=Export(**read_record("export", document["export"], known)),
        types=Types(**document["types"]),
        keys=Keys(**document["keys"]),
        search=read_search(document.get("search", {})),
    )


def read_stored(document: Any) -> Spec:
    """The spec of what a file holds, which may be anything. Raises ValueError, with what is wrong,
    for all that `from_json` cannot read."""
    try:
        return from_json(document)
    except KeyError as error:
        raise ValueError(f"it has no `{error.args[0]}`") from None
    except (TypeError, AttributeError):
        raise ValueError("it is not as legoc writes it") from None


def read_call(role: str, document: Mapping[str, Any], known: Catalog) -> Call:
    declaration = known.get(role, document["op"])
    if declaration is None:
        raise ValueError(f"no {role} operator {document['op']!r} is declared")
    return Call(op=declaration.name, args=read_arguments(declaration, document["args"], known))


def read_arguments(
    declaration: Declaration, document: Mapping[str, Any], known: Catalog
) -> dict[str, Any]:
    kinds = {p.name: p.kind for p in declaration.params}
    found = {name: read_value(kinds[name], value, known) for name, value in document.items()}
    # What was written before a parameter came computes what was computed then.
    return {
        p.name: p.earlier for p in declaration.params if p.since and p.name not in found
    } | found


def read_value(kind: Kind, value: Any, known: Catalog) -> Any:
    if value is None:
        return None
    if kind.name == "operator":
        return read_call(kind.role or "", value, known)
    if kind.name == "list" and kind.element is not None:
        return tuple(read_value(kind.element, element, known) for element in value)
    if kind.name == "float":
        return float(value)
    return value


def read_record(kind: str, document: Mapping[str, Any], known: Catalog) -> dict[str, Any]:
    return read_arguments(RECORDS[kind], document, known)


def read_data(document: Mapping[str, Any], known: Catalog) -> Data:
    parts = {name: document[name] for name in ("content", "user")}
    rest = read_record("data", {k: v for k, v in document.items() if k not in parts}, known)
    lengths, users = declared_lengths(known.get("source", rest["source"].op))
    augment = rest.pop("augment") or ()
    return Data(
        **rest,
        augment=augment,
        content=tuple(read_part(part, lengths) for part in parts["content"]),
        user=tuple(read_attribute(part, users) for part in parts["user"]),
    )


def read_part(document: Mapping[str, Any], lengths: Mapping[str, int]) -> Attribute | Prompt:
    if "text" in document:
        return Prompt(text=document["text"])
    return read_attribute(document, lengths)


def read_attribute(document: Mapping[str, Any], lengths: Mapping[str, int]) -> Attribute:
    name = document["attr"]
    if "max" in document:
        return Attribute(name=name, kind="text", length=document["max"])
    if "bins" in document:
        return Attribute(name=name, kind="number", length=document["bins"])
    length = document.get("values", lengths.get(name, 1))
    return Attribute(name=name, kind="category", length=length)
