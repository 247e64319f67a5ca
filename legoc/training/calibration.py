"""Calibration of a trained model on the validation part, kept beside its weights."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from legoc.language.diagnosing.diagnostics import Diagnostic, Label, LegoError
from legoc.language.ir.spec import Call, Spec
from legoc.model.run import CALIBRATION, Run, load_recommender
from legoc.model.states import frozen_inputs
from legoc.model.weights import own_tensors
from legoc.progress import Progress
from legoc.training.files import write_json, write_tensors
from legoc.training.platt import fit


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared
    from legoc.model.recommender import Recommender

PART = "valid"
LOSS = Call(op="LogLoss")


def verify_labels(spec: Spec, prepared: "Prepared") -> None:
    """E0556 where the recipe calibrates and the validation part cannot say on what: labels alone
    decide that, so it is said before anything trains."""
    if spec.train is None or not spec.train.calibrate:
        return
    if PART not in prepared.logs:
        raise no_labels(spec, "the data has no validation part")
    label = np.asarray(prepared.logs[PART].label)
    clicks, others = int((label > 0.5).sum()), int((label <= 0.5).sum())
    if not clicks + others:
        raise no_labels(spec, "no row of the validation part has a label")
    if not clicks or not others:
        raise no_labels(
            spec, f"the validation part has {'clicks' if clicks else 'non-clicks'} alone"
        )


def no_labels(spec: Spec, why: str) -> LegoError:
    place = spec.origin.get("train.calibrate")
    return LegoError(
        Diagnostic(
            code="E0556",
            message=f"there is nothing to calibrate on: {why}",
            labels=()
            if place is None
            else (Label(span=place, text="needs clicks and non-clicks", primary=True),),
            help=(
                "choose a `split` whose validation part has clicks and non-clicks, or drop "
                "`calibrate`",
            ),
        )
    )


def obtain_calibration(
    run: Run, prepared: "Prepared", device: torch.device, root: Path, progress: Progress
) -> None:
    """Fit the two numbers of a trained run that asks for them and has none, put them into its best
    weights, and write down what they bought."""
    from legoc.evaluation.report import write_calibration

    recipe = run.spec.train
    if recipe is None or not recipe.calibrate or run.calibration is not None:
        return
    recommender = load_recommender(run, prepared.rows, raw=True).to(device)
    module = recommender.calibration
    assert module is not None
    # A process that was killed between the weights and the record has left its own behind.
    module.put(1.0, 0.0)
    scores, labels = score_part(recommender, run.spec, prepared, root, progress)
    before = log_loss(scores, labels)
    found = fit(scores, labels)
    module.put(found.temperature, found.bias)
    temperature, bias = np.float32(found.temperature), np.float32(found.bias)
    record = {
        "temperature": float(temperature),
        "bias": float(bias),
        "split": PART,
        "rows": len(labels),
        "LogLoss": {
            "before": before,
            "after": log_loss(scores / temperature + bias, labels),
        },
    }
    write_tensors(run.weights, own_tensors(recommender))
    write_json(run.folder / CALIBRATION, record)
    progress.say(f"{run.spec.name}: {write_calibration(record)}")
    if found.idle:
        progress.say(
            f"warning: {run.spec.name}: clicks of {PART} have no higher scores than non-clicks; "
            "calibrated scores say little more than the share of clicks"
        )


def score_part(
    recommender: "Recommender", spec: Spec, prepared: "Prepared", root: Path, progress: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """Scores and labels of the validation rows that have one."""
    from legoc.evaluation import score_log
    from legoc.evaluation.referred import narrow
    from legoc.evaluation.torch_engine import TorchEngine

    inputs = frozen_inputs(recommender, spec, prepared, root, progress=progress)
    inputs, log = narrow(inputs, prepared.logs[PART])
    scores = score_log(TorchEngine(recommender), inputs, log, progress=progress)
    labels = np.asarray(log.label)
    known = ~np.isnan(labels)
    return scores[known], labels[known]


def log_loss(scores: np.ndarray, labels: np.ndarray) -> float:
    from legoc.evaluation import compute

    return compute([LOSS], scores, labels, np.zeros(len(labels), dtype=np.int64))["LogLoss"].value
