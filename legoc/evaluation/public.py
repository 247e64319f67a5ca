"""`legoc.evaluate`: a run or a bundle on its own data."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from legoc.data.indexing.row_names import name_rows
from legoc.evaluation.baselines import measure_baselines
from legoc.evaluation.beyond import look_beyond, vectors_of
from legoc.evaluation.cold import mark_cold
from legoc.evaluation.contract import Candidates
from legoc.evaluation.engine import EncodedOnce
from legoc.evaluation.evaluator import Mask, evaluate_log, score_log
from legoc.evaluation.kept import keep
from legoc.evaluation.lists import evaluate_lists
from legoc.evaluation.marks import find_marks
from legoc.evaluation.opened import (
    EngineName,
    build_engine,
    locate,
    open_bundle_of,
    read_calibration,
    read_spec,
    tell,
    verify_here,
)
from legoc.evaluation.predicted import Predicted, verify_ending, verify_rows
from legoc.evaluation.report import Report
from legoc.evaluation.uncached import Uncached
from legoc.language.declaring.records import RECORDS
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Call, Spec, is_alone
from legoc.progress import SILENT, Progress


if TYPE_CHECKING:
    from legoc.data.indexing.log import Log
    from legoc.data.prepare import Prepared


def evaluate(
    run_or_bundle: Any,
    *,
    cached: bool = True,
    engine: EngineName = "onnxruntime",
    device: str = "cpu",
    split: str | None = None,
    cache: str | Path | None = None,
    cold: bool = False,
    data: str | Path | None = None,
    keep_scores: bool = False,
    baselines: bool = False,
    scores: bool = False,
    top: int | None = None,
    candidates: Candidates | None = None,
    progress: Progress = SILENT,
) -> Report:
    """Measure a trained model with the metrics of its recipe.

    run_or_bundle: a run or a bundle, or the path of its folder. cached: with every item and every
    distinct history encoded once; without, each pair encodes its candidate and its clicks anew.
    engine: `onnxruntime` runs the bundle (of a run, the bundle in its folder), `torch` the weights
    of a run on `device`. split: the part of the data; `test` unless given, else `valid` where there
    is no test part. The report also has the figures over candidates that training showed (`known`)
    and over the others (`new`); with `cold`, also those of users without training rows and of empty
    histories, as far as there are any (`cold.mark_cold`).

    baselines: what counting reaches on the same rows is in the report as well.

    scores: also write the score of every row and the values of every group beside the metrics of
    the run, or beside a bundle on its own (`kept.places`). top: also look at what the first so many
    recommendations of each group are like (`Report.beyond`).

    candidates: `shown` ranks the candidates of each group, `all` the whole catalogue for each group
    that clicks, of which groups are kept and no scores; else it is what the recipe says.

    data: the folder in which the files and folders the spec names are found, by their names; else
    they are where the run found them, or for a bundle on its own in the working directory.

    Raises LegoError for a folder that is neither (E0592), a part of the data that does not exist or
    is not labelled (E0591), and BundleError for a damaged bundle.
    """
    folder = locate(run_or_bundle)
    bundle = open_bundle_of(folder, engine)
    spec = read_spec(folder, bundle, data)
    from legoc.data import prepare

    prepared = prepare(spec, cache=cache, truncated=True, progress=progress)
    chosen = choose_split(prepared.logs, split)
    made = build_engine(
        folder, bundle, prepared, cached=cached, device=device, spec=spec, progress=progress
    )  # fmt: skip
    once = EncodedOnce(made)
    log = prepared.logs[chosen]
    further = mark_cold(log) if cold else {}
    slices = novelty(prepared, log) | further
    metrics = chosen_metrics(spec)
    if (candidates or chosen_candidates(spec)) == "all":
        verify_here(spec, "is not asked about the whole catalogue for every list")
        engine_used = once if cached else Uncached(made)
        return evaluate_lists(
            folder, engine_used, spec, prepared, chosen, metrics, further, top=top, scores=scores,
            baselines=baselines, cache=cache, calibration=read_calibration(folder, bundle),
            progress=progress,
        )  # fmt: skip
    report = evaluate_log(
        once if cached else Uncached(made),
        prepared.inputs,
        log,
        metrics,
        split=chosen,
        group=spec.data.group,
        slices=slices,
        keep_scores=keep_scores or scores or top is not None,
        marks=find_marks(spec, metrics),
        calibration=read_calibration(folder, bundle),
        progress=progress,
    )
    tell(made, progress)
    if scores:
        keep(folder, report, metrics, spec, prepared, log)
    if top is not None and report.scores is not None:
        # What stands for an item where a predictor is counted has no angle to another, nor have
        # the words of one.
        known = not is_alone(spec) and spec.types.item != "Tokens"
        vectors = vectors_of(once.encode_items(prepared.inputs)) if known else None
        report = replace(report, beyond=look_beyond(log, report.scores, prepared, vectors, top))
    if not baselines:
        return report
    found = measure_baselines(
        spec, prepared, chosen, metrics, slices, cache=cache, progress=progress
    )
    return replace(report, baselines=found)


def predict(
    run_or_bundle: Any,
    *,
    split: str = "predict",
    ending: str | None = None,
    cache: str | Path | None = None,
    data: str | Path | None = None,
    progress: Progress = SILENT,
) -> "Predicted":
    """The scores of a part of the data, labelled or not, through the bundle. Raises as `evaluate`,
    whose parameters the others are.

    ending: that of the file they are for; E0599 before anything is scored where these data have no
    such form.
    """
    folder = locate(run_or_bundle)
    bundle = open_bundle_of(folder, "onnxruntime")
    spec = read_spec(folder, bundle, data)
    verify_here(spec, "has no bundle that predicts")
    if ending is not None:
        verify_ending(ending, spec)
    from legoc.data import prepare

    prepared = prepare(spec, cache=cache, truncated=True, progress=progress)
    log = prepared.logs[choose_split(prepared.logs, split)]
    names = name_rows(prepared.tables, log, split, spec.data.group)
    if ending is not None:
        verify_rows(ending, prepared, names)
    engine = build_engine(folder, bundle, prepared, cached=True)
    scores = score_log(engine, prepared.inputs, log, progress=progress)
    assert bundle is not None
    return Predicted(
        spec=spec, prepared=prepared, bundle=Path(bundle.path), names=names, scores=scores
    )


def choose_split(logs: "Mapping[str, Log]", split: str | None) -> str:
    """The part asked for, else `test`, else `valid`; E0591 where there is none."""
    wanted = (split,) if split is not None else ("test", "valid")
    found = next((name for name in wanted if name in logs), None)
    if found is None:
        there = ", ".join(f"`{name}`" for name in logs)
        raise fail(
            "E0591",
            f"the data has no part `{wanted[0]}`",
            f"it has {there}; choose one of them with `--split`",
        )
    return found


def chosen_metrics(spec: Spec) -> Sequence[Call]:
    """The metrics of the recipe, or the default ones where there is none."""
    if spec.train is not None:
        return spec.train.metrics
    declared = next(p for p in RECORDS["train"].params if p.name == "metrics")
    return tuple(Call(op=entry["op"], args=entry["args"]) for entry in declared.default)


def chosen_candidates(spec: Spec) -> Candidates:
    """What the recipe has ranked."""
    return "shown" if spec.train is None else spec.train.candidates


def novelty(prepared: "Prepared", log: "Log") -> dict[str, Mask]:
    """Row masks: candidates that training showed, and the others."""
    known = np.asarray(prepared.training_items)[log.item]
    return {"known": known, "new": ~known} if not known.all() else {}
