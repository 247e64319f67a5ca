"""Checks between a recipe, its predictor and its data: whether scores can be corrected for how
negatives are drawn, whether those are like what the evaluation tells clicks from, and whether there
is a part to calibrate on."""

from legoc.language.declaring.catalog import Catalog
from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.ir.negatives import find_difference
from legoc.language.ir.scores import is_cosine
from legoc.language.ir.spec import Call
from legoc.language.typing import wording_recipes as wording
from legoc.language.typing.arguments import Arguments
from legoc.language.typing.lower_data import LoweredData
from legoc.language.typing.lower_train import SHARED, LoweredTrain


def check_correction(train: LoweredTrain, predictor: Arguments) -> tuple[Diagnostic, ...]:
    """Scores between -1 and 1 cannot be corrected by logarithms."""
    task = train.task
    if task is None or task.args.get("pool") not in SHARED:
        return ()
    given = predictor.values
    if not is_cosine(Call(op=predictor.declaration.name, args=given)):
        return ()
    place = train.spans.get("task.pool") or train.spans.get("task") or predictor.span
    return (wording.no_logits(place, predictor.span, task.args["pool"]),)


def compare_kinds(
    train: LoweredTrain, data: LoweredData, catalog: Catalog
) -> tuple[Diagnostic, ...]:
    """Whether training's negatives are of the kind that the source's declaration tells of valid and
    test. Protocols choose candidates of their own, and own tables tell it in their values."""
    read, source = data.data, data.source
    if train.task is None or read is None or source is None:
        return ()
    if read.split.op in catalog.source_splits and read.split.op != "publisher":
        return ()
    candidates = find_candidates(source.facts.get("candidates"), read.source)
    found = find_difference(train.task, candidates)
    if found is None:
        return ()
    written = ("task.pool", "task.negatives", "task")
    place = next((train.spans[name] for name in written if name in train.spans), None)
    return (wording.other_kind(place, data.spans.get("source"), source, found),)


def check_calibration(train: LoweredTrain, data: LoweredData) -> tuple[Diagnostic, ...]:
    """A split that is asked for no validation part has none to calibrate on."""
    if train.train is None or not train.train.calibrate or data.data is None:
        return ()
    if data.data.split.args.get("valid") != 0:
        return ()
    return (wording.no_valid(train.spans.get("calibrate"), data.spans.get("split.valid")),)


def find_candidates(declared: object, source: Call) -> str:
    """What the non-clicks of valid and test are (`TESTED`): what a source has of its own, and with
    `negatives` items drawn besides; empty where that is not known."""
    drawn = bool(source.args.get("negatives"))
    if declared == "rated":
        return "rated and drawn" if drawn else "rated"
    if declared == "drawn" and not drawn:
        return ""
    return str(declared or "")
