"""Rules between parameters, and defaults written out: what a declaration says without a text."""

from collections.abc import Callable, Mapping
from typing import Any

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import Kind
from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Span
from legoc.language.ir.spec import Call
from legoc.language.typing import wording_params as wording


def default_value(kind: Kind, default: Any, catalog: Catalog) -> Any:
    """A declared default as a value: operators get their own defaults in turn. LookupError where it
    names an operator that is not declared."""
    if default is None:
        return None
    if kind.name == "operator":
        declaration = catalog.get(kind.role or "", default["op"])
        if declaration is None:
            raise LookupError(f"no {kind.role} {default['op']}, which a default names")
        own = {
            p.name: default_value(p.kind, default["args"].get(p.name, p.default), catalog)
            for p in declaration.params
        }
        return Call(op=declaration.name, args=own)
    if kind.name == "list" and kind.element is not None:
        return tuple(default_value(kind.element, each, catalog) for each in default)
    return float(default) if kind.name == "float" else default


def check_rules(
    declaration: Declaration, values: Mapping[str, Any], place: Callable[[str], Span]
) -> list[Diagnostic]:
    """The rules between parameters alone; those against a width wait for the types.

    place: where a parameter is written, else where its operator is.
    """
    found: list[Diagnostic] = []
    params = {p.name: p for p in declaration.params}
    for rule in declaration.rules:
        one = params.get(rule.args[0])
        if one is None or values.get(one.name) in (None, False):
            continue
        value = values[one.name]
        if rule.rule == "odd" and value % 2 == 0:
            found.append(wording.not_odd(one, declaration, place(one.name), value))
        other = params.get(rule.args[1]) if len(rule.args) > 1 else None
        if other is None or other.name not in values:
            continue
        if rule.rule == "needs" and values[other.name] in (None, ()):
            found.append(wording.needs_other(one, other, declaration, place(one.name)))
        if rule.rule == "excludes" and values[other.name] not in (None, False):
            found.append(
                wording.excluded(one, other, declaration, place(one.name), place(other.name))
            )
    return found
