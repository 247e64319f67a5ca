"""`legoc.evaluate`: a run or a bundle on its own data."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from legoc.data.indexing.row_names import name_rows
from legoc.evaluation.baselines import measure_baselines
from legoc.evaluation.beyond import look_beyond, vectors_of
from legoc.evaluation.cold import mark_cold
from legoc.evaluation.contract import Candidates
from legoc.evaluation.engine import EncodedOnce, Engine
from legoc.evaluation.evaluator import Mask, evaluate_log, score_log
from legoc.evaluation.kept import keep
from legoc.evaluation.lists import evaluate_lists
from legoc.evaluation.marks import find_marks
from legoc.evaluation.predicted import Predicted, verify_ending, verify_rows
from legoc.evaluation.report import Report
from legoc.evaluation.uncached import Uncached
from legoc.language.declaring.records import RECORDS
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.ir.counted import is_asked_spec
from legoc.language.ir.places import find_places, list_places
from legoc.language.ir.spec import Call, Spec, is_alone
from legoc.progress import SILENT, Progress


if TYPE_CHECKING:
    from legoc.data.indexing.log import Log
    from legoc.data.prepare import Prepared
    from legoc_runtime.bundle import Bundle

EngineName = Literal["onnxruntime", "torch"]


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


def locate(run_or_bundle: Any) -> Path:
    """The folder of a run or a bundle, or E0592."""
    given = getattr(run_or_bundle, "folder", None) or getattr(run_or_bundle, "path", run_or_bundle)
    folder = Path(given)
    if not (folder / "manifest.json").is_file() and not (folder / "spec.json").is_file():
        raise fail(
            "E0592",
            f"`{folder}` is neither a run nor a bundle",
            "name a folder that `legoc train` wrote, such as one below `runs/`, or its `bundle`",
        )
    return folder


def open_bundle_of(folder: Path, engine: EngineName) -> "Bundle | None":
    """The verified bundle that is to be run; None where torch runs the weights of a run, and where
    its model is asked."""
    from legoc_runtime.bundle import open_bundle

    is_bundle = (folder / "manifest.json").is_file()
    if engine == "torch":
        if is_bundle:
            raise fail(
                "E0592",
                f"`{folder}` is a bundle, and torch evaluates the weights of a run",
                "name the run folder, or evaluate the bundle through onnxruntime",
            )
        return None
    place = folder if is_bundle else folder / "bundle"
    if not place.is_dir():
        if is_asked_run(folder):
            return None
        raise fail(
            "E0592",
            f"the run `{folder}` has no bundle yet",
            f"write it with `legoc export {folder}`",
        )
    return open_bundle(place)


def read_spec(folder: Path, bundle: "Bundle | None", data: str | Path | None = None) -> Spec:
    """The spec of a run or a bundle, its files and folders where they can be found."""
    from legoc.model.run import Run
    from legoc.model.run import read_spec as read_stored

    if bundle is None or not (folder / "manifest.json").is_file():
        spec = Run(folder).spec
    else:
        spec = read_stored(bundle.manifest["spec"], folder / "manifest.json", "E0592")
        run = folder.resolve().parent
        if data is None and (run / "spec.json").is_file():
            trained = Run(run).spec
            spec = trained if trained.keys == spec.keys else spec
    if data is not None:
        return find_places(spec, str(data))
    for place in list_places(spec):
        # A bundle carries names: a path is whole where it was not exported.
        if not os.path.isabs(place) and not os.path.exists(place):
            raise fail(
                "E0593",
                f"the data of this bundle, `{place}`, is not in the working directory",
                "name the folder that holds it with `--data FOLDER`",
            )
    return spec


def read_calibration(folder: Path, bundle: "Bundle | None") -> Mapping[str, Any] | None:
    """The two numbers of a calibrated model."""
    from legoc.model.run import Run

    return Run(folder).calibration if bundle is None else bundle.manifest.get("calibration")


def build_engine(
    folder: Path,
    bundle: "Bundle | None",
    prepared: "Prepared",
    *,
    cached: bool,
    device: str = "cpu",
    spec: Spec | None = None,
    progress: Progress = SILENT,
) -> Engine:
    """The engine of a bundle, of a run on a device, or of a run whose model is asked. A bundle
    whose vectors are of this very data encodes no item again, which with a language model takes
    longer than all the rest."""
    if bundle is not None:
        from legoc_runtime.engine import Engine as BundleEngine

        stored = cached and bundle.manifest["provenance"]["data"] == prepared.digest
        if not stored or bundle.parts.flattens:
            verify_reading(bundle, prepared)
        return BundleEngine(bundle, ids=prepared.items.ids, stored=stored)
    if spec is not None and is_asked_spec(spec):
        from legoc.generating.asking import JOURNAL, Asked

        return Asked(spec, prepared, folder / JOURNAL, progress)
    from legoc.evaluation.torch_engine import TorchEngine
    from legoc.model.run import Run, load_recommender

    return TorchEngine(load_recommender(Run(folder), prepared.rows), device)


def is_asked_run(folder: Path) -> bool:
    """Whether a run has no bundle because its model is asked."""
    from legoc.model.run import Run

    try:
        return is_asked_spec(Run(folder).spec)
    except LegoError:
        return False


def tell(engine: Any, progress: Progress) -> None:
    """Say what a model behind an interface was asked; nothing of others."""
    tally = getattr(engine, "tally", None)
    for line in [] if tally is None else tally.lines():
        progress.say(line)


def verify_here(spec: Spec, what: str) -> None:
    """E0875 for a model behind an interface, which is measured on what was shown alone."""
    if is_asked_spec(spec):
        raise fail(
            "E0875",
            f"the model of `{spec.name}` is behind an interface and {what}",
            "measure it on what was shown: `legoc eval FILE`, with `--scores` for all scores",
        )


def verify_reading(bundle: "Bundle", prepared: "Prepared") -> None:
    """E0593 where the data give a text other ids than those the bundle was trained with: words that
    are learned from other items, or cut by another version."""
    reading, folder = bundle.manifest.get("reading"), prepared.reading_folder
    if reading is None or prepared.reading is None or folder is None:
        return
    ours = unfold_reading(prepared.reading, lambda name: (folder / name).read_bytes())
    if unfold_reading(reading, bundle.read) == ours:
        return
    raise fail(
        "E0593",
        "the words of the data have other numbers than those the bundle was trained with",
        "evaluate it on the data of its training, or train again with this version",
    )


def unfold_reading(reading: Mapping[str, Any], read: Callable[[str], bytes]) -> dict[str, Any]:
    """A reading with what its files say of ids in the place of their names."""
    known: dict[str, Any] = {}
    parts: list[dict[str, Any]] = []
    for part in reading["parts"]:
        unfolded = dict(part)
        for key in {"tokenizer", "vocabulary"} & part.keys():
            if part[key] not in known:
                content = json.loads(read(part[key]))
                known[part[key]] = content["model"]["vocab"] if "model" in content else content
            unfolded[key] = known[part[key]]
        parts.append(unfolded)
    return {**reading, "parts": parts}


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
