"""Runs of other names that train the same: one trains, the others take over what it has."""

import shutil
from pathlib import Path

from legoc.language.diagnosing.diagnostics import LegoError
from legoc.model.run import CALIBRATION, Run
from legoc.training.checkpoint import state_path
from legoc.training.cost import BUDGET
from legoc.training.folder import locked
from legoc.writing import replacing


# In this order: a run counts as trained once it has weights.
TRAINED = (
    "environment.json", "cost.json", BUDGET, "log.jsonl", CALIBRATION,
    "resume/best.safetensors", "resume/state.safetensors",
)  # fmt: skip
WEIGHTS = "best.safetensors"


def take_over(run: Run) -> Path | None:
    """Copy what a run of another name has trained into this one, which has nothing yet, and give
    its folder; None where no other has finished. The end of a folder's name is the digest of spec
    and data, so equal ends are equal trainings."""
    if run.weights.exists() or state_path(run.folder).exists():
        return None
    for folder in sorted(run.folder.parent.glob(f"*-{run.id}")):
        if folder == run.folder or not Run(folder).finished:
            continue
        try:
            # Whoever trains it again would empty it meanwhile.
            with locked(folder):
                if Run(folder).finished:
                    copy_training(folder, run.folder)
                    return folder
        except LegoError:
            continue
    return None


def copy_training(source: Path, target: Path) -> None:
    for name in (*TRAINED, WEIGHTS):
        if not (source / name).is_file():
            continue
        (target / name).parent.mkdir(exist_ok=True)
        with replacing(target / name) as sibling:
            shutil.copyfile(source / name, sibling)
