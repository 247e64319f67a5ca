"""From a spec and its plan to a model; only the operators a spec names are imported."""

from importlib import import_module
from typing import Any

from torch import nn

from legoc.data.rows import Rows
from legoc.language.catalog import catalog
from legoc.language.diagnostics import Diagnostic, Label, LegoError
from legoc.language.plan import Plan
from legoc.language.spec import Call, Spec
from legoc.language.types import Many, Seq, Type, Vec, parse_type
from legoc.model.embedding import TokenEmbedding
from legoc.model.recommender import Recommender
from legoc.operators.sizes import Sizes


def build(spec: Spec, plan: Plan, rows: Rows) -> Recommender:
    """A model with fresh weights from torch's generator.

    rows: of the item, user and token tables, row 0 included. Errors: E0624 for settings of the data
    that change the model and are not supported yet.
    """
    verify_supported(spec)
    content, behavior, predict = (spec.model[r] for r in ("content", "behavior", "predict"))
    reads_tokens = plan.layout != "id"
    hidden = int(content["hidden"])
    user, codes = user_width(parse_type(spec.types.user))
    tables = {"items": rows.items, "users": rows.users, "tokens": rows.tokens}
    attributes = spec.data.attributes if reads_tokens else ()
    return Recommender(
        tokens=TokenEmbedding(rows.tokens, hidden) if reads_tokens else None,
        content=create("content", content, Sizes(width=hidden, attributes=attributes, **tables)),
        behavior=create("behavior", behavior, Sizes(width=plan.width, **tables)),
        predict=create(
            "predict", predict, Sizes(width=user, item=plan.width, codes=codes, **tables)
        ),
        layout=plan.layout,
        attributes=[attribute.name for attribute in attributes],
        width=plan.width,
        reads_clicks=plan.user == "clicks",
        reads_user=plan.reads_user,
    )


def verify_supported(spec: Spec) -> None:
    """Refuse what would have to be built and is not, instead of ignoring it."""
    for name, given in (("vectors", spec.data.vectors is not None), ("user", bool(spec.data.user))):
        if given:
            place = spec.origin.get(f"data.{name}")
            raise LegoError(
                Diagnostic(
                    code="E0624",
                    message=f"`{name}` is not supported by this version",
                    labels=(Label(span=place, text="given here", primary=True),) if place else (),
                    help=("leave it out, or use a later version",),
                )
            )


def create(role: str, call: Call, sizes: Sizes) -> nn.Module:
    """The operator a call names, from its module."""
    declaration = catalog().get(role, call.op)
    if declaration is None:
        raise LookupError(f"no {role} operator {call.op!r} in the catalog")
    module, _, name = declaration.module.partition(":")
    operator: Any = getattr(import_module(module), name)
    return operator(operator.Config(**call.args), sizes)


def user_width(user: Type) -> tuple[int, int]:
    """The width of a user's vectors and how many there are (0 for one vector or for clicks)."""
    if isinstance(user, Many):
        return user_width(user.element)[0], int(user.count)
    if isinstance(user, Seq):
        return user_width(user.element)
    if isinstance(user, Vec):
        return int(user.width), 0
    raise TypeError(f"{user}: not a type of users")
