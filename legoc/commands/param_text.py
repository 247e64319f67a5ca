"""Parameters in a few words: the values one takes, its default, a call with all of them, a rule."""

from legoc.language.declaring.catalog import catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import Param
from legoc.language.declaring.tolerances import TOLERANCE
from legoc.language.ir.notation import write_value
from legoc.language.typing.rules import default_value


def write_kind(p: Param) -> str:
    """The values a parameter takes, in a few words."""
    kind = p.kind
    names = {"int": "int", "float": "number", "bool": "true or false", "str": "text"}
    text = names.get(kind.name, kind.name)
    if kind.name == "enum":
        text = " | ".join(kind.values)
    elif kind.name == "quantity":
        text = kind.unit or ""
    elif kind.name == "operator":
        text = "metric with its loss" if kind.role == TOLERANCE else f"{kind.role} operator"
    elif kind.name == "list" and kind.element is not None:
        element = kind.element
        plural = {"content": "attributes and texts", "attribute": "attributes", "file": "files"}
        text = f"list of {names.get(element.name, element.role or element.name)}"
        text = f"list of {plural[element.name]}" if element.name in plural else text
    if p.min is not None and p.max is not None:
        text += f" from {p.min:g} to {p.max:g}"
    elif p.min is not None:
        text += f" of at least {p.min:g}"
    elif p.above is not None:
        text += f" above {p.above:g}"
    return f"{text} or none" if p.optional else text


def write_default(p: Param, d: Declaration) -> str:
    if p.inherit is not None:
        return f" = {p.inherit}"
    if p.required:
        return ", required"
    return f" = {write_value(p.kind, default_value(p.kind, p.default, catalog()))}"


def write_rule(rule: str, args: tuple[str, ...]) -> str:
    """A rule as a sentence."""
    first, *rest = args
    empty = f", or `{' + '.join(rest[1:])}` where that is empty" if len(rest) > 1 else ""
    return {
        "divides": f"`{first}` divides `{rest[0] if rest else ''}`{empty}",
        "needs": f"`{first}` needs `{rest[0] if rest else ''}`",
        "excludes": f"`{first}` and `{rest[0] if rest else ''}` are not given together",
        "odd": f"`{first}` is odd",
    }[rule]


def write_form(d: Declaration) -> str:
    """How an operator is called, with its defaults: `NDCG(k=10)`."""
    args = [
        p.name if p.required or p.inherit is not None
        else f"{p.name}={write_value(p.kind, p.default)}"
        for p in d.params
    ]  # fmt: skip
    return f"{d.name}({', '.join(args)})" if args else d.name
