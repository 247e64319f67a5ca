"""Predictors that stand alone, counted or asked: what an item is to them, and what they read of it.

The declaration says so: `facts["counts"]` names what is counted, `facts["reads"]` the kinds of
attributes they read (none: items are rows of a table), `facts["width"]` how wide an item is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from legoc.language.declaring.catalog import Catalog, catalog
from legoc.language.declaring.declare import Attribute, Declaration
from legoc.language.declaring.kinds import Role
from legoc.language.ir.digest import Digester
from legoc.language.ir.spec import Call, Data, Spec, Train, Types, is_alone


def is_counted(declaration: Declaration) -> bool:
    """Whether a predictor is counted on the training part, with no stage before it."""
    return "counts" in declaration.facts


def is_asked(declaration: Declaration) -> bool:
    """Whether a predictor is a model behind an interface, asked about each pair: nothing of it is
    here to be trained, compiled or exported."""
    return "asks" in declaration.facts


def stands_alone(declaration: Declaration) -> bool:
    """Whether a predictor has no stage before it."""
    return is_counted(declaration) or is_asked(declaration)


def is_asked_spec(spec: Spec, *, known: Catalog | None = None) -> bool:
    """Whether the model of a spec is asked."""
    if not is_alone(spec):
        return False
    declarations = known if known is not None else catalog()
    declaration = declarations.get("predict", spec.model["predict"].op)
    return declaration is not None and is_asked(declaration)


def is_counted_spec(spec: Spec) -> bool:
    """Whether the model of a spec is counted."""
    return is_alone(spec) and not is_asked_spec(spec)


def reads_tokens(declaration: Declaration) -> bool:
    """Whether a counted predictor reads what items say."""
    return "reads" in declaration.facts


def read_attributes(
    declaration: Declaration, args: Mapping[str, Any], attributes: Sequence[Attribute]
) -> tuple[Attribute, ...]:
    """The attributes a counted predictor reads of those there are; all where it reads none, for
    they make no difference."""
    kinds = declaration.facts.get("reads")
    if kinds is None:
        return tuple(attributes)
    found = tuple(a for a in attributes if a.kind in kinds)
    by = declaration.facts.get("one")
    if by is None:
        return found
    name = args.get(by)
    return tuple(a for a in found if name in (None, a.name))[:1]


def read_data(declaration: Declaration, args: Mapping[str, Any], data: Data) -> Data:
    """The data as a predictor that stands alone reads them: neither what is known of users or of
    the moment nor the vectors of words mean anything to it, nor to one that is counted prompts."""
    if is_asked(declaration):
        return replace(data, user=(), vectors=None, context=())
    content = read_attributes(declaration, args, data.attributes)
    return replace(data, content=content, user=(), vectors=None, context=())


def read_recipe(train: Train) -> Train:
    """The recipe as a counted predictor reads it, which is its metrics: nothing of a recipe that
    changes a trained model may change what is counted."""
    return replace(train, calibrate=False, word_dropout=0.0, average=1, min_updates=0)


def infer_types(
    declaration: Declaration, args: Mapping[str, Any], attributes: Sequence[Attribute]
) -> Types:
    """A vector per item, of a width that a parameter or the tokens of an item decide, and the
    clicks themselves as the user. What is asked reads texts."""
    if is_asked(declaration):
        return Types(item="Tokens", user="Seq[Tokens]")
    told = declaration.facts["width"]
    per = told.get("per")
    each = sum(a.length for a in attributes) if per == "tokens" else args.get(per, 0)
    item = f"Vec[{told.get('plus', 0) + told.get('times', 0) * each}]"
    return Types(item=item, user=f"Seq[{item}]")


def counted_spec(spec: Spec, call: Call, *, known: Catalog | None = None) -> Spec | None:
    """A counted model on the data of a spec and with its metrics; None where the data have nothing
    for it to read. Raises LookupError for a predictor that is not declared."""
    declarations = known if known is not None else catalog()
    declaration = declarations.get("predict", call.op)
    if declaration is None:
        raise LookupError(f"no predict operator {call.op!r} is declared")
    data = read_data(declaration, call.args, spec.data)
    if reads_tokens(declaration) and not data.content:
        return None
    model: dict[Role, Call] = {"predict": call}
    return replace(
        spec,
        name=call.op,
        model=model,
        data=data,
        train=None if spec.train is None else read_recipe(spec.train),
        types=infer_types(declaration, call.args, data.attributes),
        keys=Digester(declarations).keys(model, data, None),
        source_text="",
        origin={},
    )
