"""Where each part of an IR is written: IR paths to places in the source."""

from collections.abc import Mapping, Sequence

from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Span
from legoc.language.resolving.points import Pipeline, Point
from legoc.language.typing.arguments import Arguments
from legoc.language.typing.inference import Typed


def model_origin(
    pipeline: Pipeline, typed: Sequence[Typed], predictor: Arguments | Diagnostic
) -> dict[str, Span]:
    """Places of the stages (`model.content`) and of their written arguments
    (`model.content.hidden`)."""
    origin = {f"model.{role}": settings.span for role, _, settings in pipeline.stages}
    known = [(stage.role, stage.arguments) for stage in typed]
    if isinstance(predictor, Arguments):
        known.append(("predict", predictor))
    for role, arguments in known:
        for name, span in arguments.spans.items():
            origin[f"model.{role}.{name}"] = span
    return origin


def point_origin(
    point: Point,
    model: Mapping[str, Span],
    data: Mapping[str, Span],
    train: Mapping[str, Span],
    export: Mapping[str, Span],
) -> dict[str, Span]:
    """Those of the model, with the fields of the records. A record nobody wrote is where the run
    is."""
    found = dict(model)
    for kind, record, spans in (
        ("data", point.data, data),
        ("train", point.train, train),
        ("export", point.export, export),
    ):
        found[kind] = record.span if record is not None else point.run
        for name, span in spans.items():
            found[f"{kind}.{name}"] = span
    return found
