"""Checks between a recipe and what it trains: whether there is anything to tune slowly or to drop
words of, whether scores can be corrected for how negatives are drawn, whether those are like what
the evaluation tells clicks from, and whether there is a part to calibrate on."""

from collections.abc import Sequence

from legoc.language.declaring.catalog import Catalog
from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.ir.checkpoints import count_layers
from legoc.language.ir.negatives import SHARED, find_difference
from legoc.language.ir.scores import is_cosine
from legoc.language.ir.spec import Call
from legoc.language.typing import wording_models
from legoc.language.typing import wording_recipes as wording
from legoc.language.typing.arguments import Arguments
from legoc.language.typing.checks import is_table
from legoc.language.typing.inference import Typed
from legoc.language.typing.lower_data import LoweredData
from legoc.language.typing.lower_train import LoweredTrain


def check_recipes(
    train: LoweredTrain, stages: Sequence[Typed], predictor: Arguments | None, data: LoweredData
) -> tuple[Diagnostic, ...]:
    """What a recipe asks of the model that it trains and of its data."""
    vectors = data.data is not None and data.data.vectors is not None
    return (
        *check_pretrained(train, stages, vectors=vectors),
        *check_calibration(train, data),
        *(check_correction(train, predictor) if predictor is not None else ()),
        *check_word_dropout(train, stages),
    )


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


def check_pretrained(
    lowered: LoweredTrain, stages: Sequence[Typed], *, vectors: bool
) -> tuple[Diagnostic, ...]:
    """What a recipe asks of a model: `lr_pretrained` needs pre-trained weights to train. Word
    vectors of the data are such, and so are the rows of a table's file; those of a language model
    below a side network, beside adapters or below a split that leaves none are not."""
    if lowered.train is None or lowered.train.lr_pretrained is None or vectors:
        return ()
    place = lowered.spans["lr_pretrained"]
    known = [stage.arguments for stage in stages if has_pretrained(stage.arguments)]
    if not known:
        names = " -> ".join(f"{stage.role} {stage.arguments.declaration.name}" for stage in stages)
        return (wording_models.nothing_pretrained(place, f"`{names}`"),)
    by = frozen_by(known[0])
    if by is None:
        return ()
    name = known[0].declaration.name
    return (wording_models.nothing_thawed(place, name, known[0].place(by), by),)


def check_word_dropout(lowered: LoweredTrain, stages: Sequence[Typed]) -> tuple[Diagnostic, ...]:
    """`word_dropout` needs an operator that reads the words of items: a language model has a token
    table of its own, and an item table reads no words."""
    if lowered.train is None or not lowered.train.word_dropout:
        return ()
    readers = item_readers(stages)
    if reads_words(stages):
        return ()
    if not readers:
        # An operator that is not known, which is said by itself.
        return ()
    first = readers[0]
    operator = f"content {first.declaration.name}"
    place = lowered.spans["word_dropout"]
    return (wording_models.no_words_to_drop(operator, first.span, place),)


def reads_words(stages: Sequence[Typed]) -> bool:
    """Whether an operator reads the words of items by a table of the model's own."""
    return any(
        not read.declaration.pretrained and not is_table(read.declaration)
        for read in item_readers(stages)
    )


def item_readers(stages: Sequence[Typed]) -> list[Arguments]:
    return [stage.arguments for stage in stages if stage.role in ("content", "flatten")]


def has_pretrained(arguments: Arguments) -> bool:
    """Whether a stage has pre-trained weights: a language model, or a table that a file fills."""
    declaration = arguments.declaration
    filled = declaration.facts.get("pretrained", {}).get("by")
    return declaration.pretrained or arguments.values.get(filled) is not None


def frozen_by(arguments: Arguments) -> str | None:
    """The setting that leaves the pre-trained weights of a stage as they are; None where some of
    them train."""
    declaration, values = arguments.declaration, arguments.values
    if not declaration.pretrained:
        unless = declaration.facts["pretrained"]["unless"]
        return unless if values.get(unless) else None
    found = next((name for name in ("side", "lora") if values.get(name) is not None), None)
    whole = values.get("split") in (-1, count_layers(values, declaration) or -1)
    return found or ("split" if whole else None)
