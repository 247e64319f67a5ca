"""What belongs at a place: an operator of which role, a value of which parameter, a name of which
kind. Told by the brackets around the place and the declarations of the operators."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import Kind, Param
from legoc.language.declaring.records import RECORDS
from legoc.language.diagnosing.document import Document
from legoc.language.editing.cursor import Cursor, Frame, pieces_and_params, read_cursor
from legoc.language.editing.fields import read_fields
from legoc.language.resolving.scope import Scope, Target
from legoc.language.syntax import tree
from legoc.language.syntax.scan import STAGES


CLAUSES: Mapping[str, str] = {"run": "model", "on": "data", "with": "train", "as": "export"}


@dataclass(frozen=True, kw_only=True)
class Slot:
    """What may stand at a place.

    kind: the values that fit; param: the parameter they are for, of `owner`. names: the kind of
    declaration a name here refers to. keys: the owner's parameters may stand here as keys, besides
    `given` ones; positional: an argument without a key. copied: the declaration whose parts are
    replaced here. stages: stage words are keys here. pattern: this is a pattern of `except`.
    """

    owner: Declaration | None = None
    param: Param | None = None
    kind: Kind | None = None
    names: str = ""
    keys: bool = False
    positional: bool = False
    given: frozenset[str] = frozenset()
    copied: Target | None = None
    pattern: bool = False
    use: bool = False


def target_of(scope: Scope, path: str) -> Target | None:
    """What a name or `prefix.name` refers to."""
    first, _, rest = path.partition(".")
    target = scope.names.get(first)
    if target is None or not rest:
        return target if not rest else None
    return target.scope.names.get(rest) if target.item is None else None


def find_slot(cursor: Cursor, scope: Scope, catalog: Catalog) -> Slot:
    """What belongs at a cursor, as far as it can be told."""
    if cursor.kind == "param" and cursor.frames[0].key:
        slot = used_slot(cursor.name, cursor.document, scope, catalog)
    else:
        slot = outermost(cursor.kind, cursor.frames[0], cursor)
    for around, frame in pairwise(cursor.frames):
        slot = enter(slot, frame, around.axis, cursor, scope, catalog)
    return slot


def used_slot(name: str, document: Document, scope: Scope, catalog: Catalog) -> Slot:
    """Where a param is used for the first time: what it may be is what fits there."""
    for piece in pieces_and_params(document.text, 0):
        if piece.text != f"${name}":
            continue
        cursor = read_cursor(document, piece.start)
        # A param that is made of others would lead back to where one came from.
        if cursor.kind == "param":
            continue
        slot = find_slot(cursor, scope, catalog)
        if slot.kind is not None:
            return Slot(owner=slot.owner, param=slot.param, kind=slot.kind)
    return Slot()


def outermost(kind: str, frame: Frame, cursor: Cursor) -> Slot:
    """Of a declaration outside all brackets."""
    if kind in ("model", "bare") and frame.clause in STAGES:
        return Slot(kind=Kind("operator", role=frame.clause))
    if kind == "run":
        return Slot(names=CLAUSES.get(frame.clause, ""), pattern=frame.clause == "except")
    if kind in ("model", "data", "generate", "train", "export") and frame.key:
        return Slot(names=kind)
    return Slot(use=kind == "use")


def enter(
    slot: Slot, frame: Frame, axis: bool, cursor: Cursor, scope: Scope, catalog: Catalog
) -> Slot:
    """Of a bracket that stands where `slot` says; the list of an axis holds whole values."""
    if frame.sign == "{":
        inside = Slot(owner=RECORDS.get(cursor.kind))
    elif frame.sign == "[":
        kind = slot.kind
        if kind is not None and kind.name == "list" and not axis:
            kind = kind.element
        return replace(slot, kind=kind)
    elif slot.pattern:
        inside = slot
    elif slot.use:
        return slot
    elif slot.names:
        target = target_of(scope, frame.callee)
        fits = target is not None and target.kind == slot.names
        inside = Slot(owner=RECORDS.get(slot.names), copied=target if fits else None)
        if slot.names == "model" and not fits:
            return Slot()
    else:
        role = slot.kind.role if slot.kind is not None else None
        inside = Slot(owner=catalog.get(role or "", frame.callee))
    return bind(inside, frame, cursor, scope, catalog)


def bind(slot: Slot, frame: Frame, cursor: Cursor, scope: Scope, catalog: Catalog) -> Slot:
    """Behind a key of a bracket, or before one."""
    inner = frame is not cursor.frames[-1]
    here = not inner and cursor.at_key
    given = frozenset(read_fields(cursor.document.text, frame.start).fields)
    if slot.pattern:
        return pattern(slot, frame, here)
    if here or not frame.key:
        first = frame.sign == "(" and frame.index == 0
        primary = slot.owner.primary if slot.owner is not None else None
        param = slot.owner.param(primary) if slot.owner and primary and first else None
        return replace(
            slot,
            keys=here,
            positional=frame.sign == "(",
            param=param,
            kind=param.kind if param is not None else None,
            given=given - ({cursor.word.text} if here else set()),
        )
    owner, param = find_param(slot, frame.key, scope, catalog)
    if owner is None and slot.copied is not None and frame.key in STAGES:
        return Slot(kind=Kind("operator", role=frame.key))
    if owner is None or param is None:
        return Slot(copied=slot.copied)
    if param.kind.name == "data":
        return Slot(names="data")
    return Slot(owner=owner, param=param, kind=param.kind, copied=slot.copied)


def pattern(slot: Slot, frame: Frame, here: bool) -> Slot:
    """Inside `except (...)`."""
    if here or not frame.key:
        return replace(slot, keys=here)
    if frame.key in STAGES:
        return Slot(kind=Kind("operator", role=frame.key))
    names = frame.key if frame.key in ("model", "data", "train", "export") else ""
    return Slot(names=names)


def find_param(
    slot: Slot, key: str, scope: Scope, catalog: Catalog
) -> tuple[Declaration | None, Param | None]:
    """The parameter a key names, through dots: `content.hidden`, `source.path`."""
    first, _, rest = key.partition(".")
    if not rest:
        return slot.owner, slot.owner.param(first) if slot.owner is not None else None
    owner = operator_at(slot, first, scope, catalog)
    for word in rest.split(".")[:-1]:
        param = owner.param(word) if owner is not None else None
        if param is None or param.kind.name != "operator" or not isinstance(param.default, dict):
            return None, None
        owner = catalog.get(param.kind.role or "", param.default.get("op", ""))
    return owner, owner.param(key.rpartition(".")[2]) if owner is not None else None


def operator_at(slot: Slot, key: str, scope: Scope, catalog: Catalog) -> Declaration | None:
    """The operator that a copied declaration has at a stage or a field."""
    target = slot.copied
    for _ in range(60):
        if target is None or not isinstance(target.item, tree.Declared):
            return None
        body = target.item.body
        if isinstance(body, tree.Chain):
            stages = [stage for stage in body.stages if stage.kind == key]
            value = stages[0].operator if stages else None
            return catalog.get(key, name_of(value))
        record = RECORDS.get(target.item.kind)
        param = record.param(key) if record is not None else None
        role = param.kind.role if param is not None else key
        fields = body.fields if isinstance(body, tree.Block) else arguments_of(body)
        value = next((f.binding for f in fields if f.key.text == key), None)
        if value is not None:
            return catalog.get(role or "", name_of(value))
        if isinstance(body, tree.Block):
            return None
        target = target_of(target.scope, body.path.text)
    return None


def arguments_of(body: tree.Invocation) -> tuple[tree.Field, ...]:
    values = body.args.values if body.args is not None else ()
    return tuple(value for value in values if isinstance(value, tree.Field))


def name_of(value: object) -> str:
    """The operator a value names; of an axis the first."""
    if isinstance(value, tree.Bind):
        value = value.value
    if isinstance(value, tree.Axis):
        value = value.written[0] if value.written else None
    return value.path.text if isinstance(value, tree.Invocation) else ""
