"""An export against the model and the data of its point."""

from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.typing.exports import check_budget, check_cold, check_kept
from legoc.language.typing.inference import Model
from legoc.language.typing.lower_data import LoweredData
from legoc.language.typing.lower_train import LoweredExport


def check_exported(
    model: Model, export: LoweredExport, data: LoweredData
) -> tuple[Diagnostic, ...]:
    """A budget that no predictor of this kind keeps, attributes that are not there, and an answer
    to newcomers that the model cannot give."""
    made, predictor = export.export, model.predictor
    if made is None:
        return ()
    found = list(check_kept(made, data.columns, export.spans))
    if predictor is None:
        return tuple(found)
    if made.budget is not None and model.calls is not None:
        found += check_budget(
            model.calls["predict"],
            predictor.declaration.facts.get("dense", ()),
            made,
            export.spans.get("budget"),
            predictor.span,
            predictor.spans,
        )
    user = "Seq[]" if model.alone else "" if model.types is None else model.types.user
    found += check_cold(
        user, predictor.declaration.name, made, predictor.span, export.spans.get("cold")
    )
    return tuple(found)
