"""Predictors that stand alone: which pipelines they may be in, and whether the data have anything
for them to read."""

from collections.abc import Mapping
from dataclasses import replace

from legoc.language.declaring.catalog import Catalog
from legoc.language.declaring.declare import Attribute
from legoc.language.declaring.kinds import Role
from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.ir.counted import (
    infer_types,
    is_asked,
    read_data,
    reads_tokens,
    stands_alone,
)
from legoc.language.ir.spec import Call, Data, Types
from legoc.language.resolving.points import Pipeline
from legoc.language.typing import wording_data, wording_types
from legoc.language.typing.arguments import Arguments
from legoc.language.typing.inference import Model
from legoc.language.typing.lower_data import LoweredData
from legoc.language.typing.origins import model_origin


def stands_apart(pipeline: Pipeline, catalog: Catalog) -> Diagnostic | None:
    """E0208 where a predictor that is counted or asked has stages before it."""
    _, place, settings = pipeline.stages[-1]
    declaration = catalog.get("predict", settings.name)
    if declaration is None or not stands_alone(declaration) or len(pipeline.stages) == 1:
        return None
    return wording_types.stands_alone(
        settings.name, place, pipeline.stages[0][1], "asked" if is_asked(declaration) else "counted"
    )


def read_alone(predictor: Arguments, lowered: LoweredData) -> LoweredData:
    """The data as a counted predictor reads them; E0605 where they hold nothing of the kind."""
    data, declaration = lowered.data, predictor.declaration
    if data is None or predictor.broken:
        return lowered
    read = read_data(declaration, predictor.values, data)
    if reads_tokens(declaration) and not read.content:
        by = declaration.facts.get("one", "")
        wanted = predictor.values.get(by)
        problem = wording_data.nothing_of_kind(
            f"predict {declaration.name}", predictor.place(by), lowered.spans.get("content"),
            declaration.facts["reads"], wanted, [a.name for a in kinds(lowered, predictor)],
        )  # fmt: skip
        return replace(lowered, data=None, problems=(*lowered.problems, problem))
    return replace(lowered, data=read)


def kinds(lowered: LoweredData, predictor: Arguments) -> list[Attribute]:
    """The attributes of the kinds it reads, whichever it asks for."""
    wanted = predictor.declaration.facts["reads"]
    return [] if lowered.data is None else [a for a in lowered.data.attributes if a.kind in wanted]


def type_alone(pipeline: Pipeline, predictor: Arguments | Diagnostic) -> Model | None:
    """A pipeline of one predictor that stands alone; None where it is not of that kind."""
    if isinstance(predictor, Arguments) and not stands_alone(predictor.declaration):
        return None
    origin = model_origin(pipeline, (), predictor)
    if isinstance(predictor, Diagnostic):
        return Model(
            stages=(), predictor=None, calls=None, types=None, origin=origin,
            problems=(predictor,),
        )  # fmt: skip
    call = Call(op=predictor.declaration.name, args=predictor.values)
    return Model(
        stages=(),
        predictor=predictor,
        calls=None if predictor.broken else {"predict": call},
        types=None,
        origin=origin,
        problems=predictor.problems,
        alone=True,
    )


def types_alone(calls: Mapping[Role, Call], data: Data, catalog: Catalog) -> Types:
    """The types of a model that is one predictor: the data decide how wide an item is."""
    call = calls["predict"]
    declaration = catalog.get("predict", call.op)
    assert declaration is not None
    return infer_types(declaration, call.args, data.attributes)
