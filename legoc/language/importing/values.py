"""Values of an imported configuration as templates, remembering the placeholders they came from."""

from dataclasses import dataclass
from typing import Any

from legoc.language.declaring.declare import Declaration
from legoc.language.diagnosing.document import Span
from legoc.language.importing.source import Setting
from legoc.language.resolving.points import Given
from legoc.language.resolving.template import Called, Leaf, Listed, Template


@dataclass(frozen=True, eq=False)
class Held(Leaf):
    """A literal that is the value of a placeholder; `open` where it has none of its own."""

    param: str
    open: bool


def leaf(setting: Setting, value: Any) -> Leaf:
    given = Given(value, setting.span)
    if setting.param is None:
        return Leaf(given)
    return Held(given, setting.param, setting.open)


def plain(declaration: Declaration, name: str, value: Any, span: Span) -> Template:
    """A value as a template; a word where the parameter takes one of several."""
    declared = declaration.param(name)
    if isinstance(value, tuple):
        return Listed(tuple(Leaf(Given(each, span)) for each in value), span)
    if isinstance(value, str) and declared is not None and declared.kind.name == "enum":
        return Called(value, span, span)
    return Leaf(Given(value, span))
