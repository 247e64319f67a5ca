"""The state an interrupted training goes on from: one safetensors file, hence one rename.

It holds the weights, their mean, the optimiser's tensors and, in its header, the position. Every
random draw follows from (seed, epoch, step), so no generator's state is needed.
"""

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

from torch import nn

from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.model.weights import load_own, own_tensors
from legoc.training.averaging import Average
from legoc.training.files import write_tensors
from legoc.training.optimise import Optimiser
from legoc.training.position import Position
from legoc.writing import replacing


BEST = "best.safetensors"


def state_path(folder: Path) -> Path:
    """Where a run folder keeps what a training resumes from."""
    return folder / "resume" / "state.safetensors"


def save_state(
    folder: Path,
    module: nn.Module,
    optimiser: Optimiser,
    average: Average,
    position: Position,
) -> None:
    """Replace the state of a run folder."""
    path = state_path(folder)
    path.parent.mkdir(exist_ok=True)
    weights = {f"weights/{name}": value for name, value in own_tensors(module).items()}
    moments = {f"optimiser/{name}": value for name, value in optimiser.tensors().items()}
    means = {f"average/{name}": value for name, value in average.tensors().items()}
    write_tensors(path, weights | moments | means, json.dumps(asdict(position)))


def load_state(
    folder: Path, module: nn.Module, optimiser: Optimiser, average: Average
) -> Position | None:
    """Bring model, optimiser and mean to the state of a run folder and return its position, or None
    where there is none. A state that does not fit is an error of the user (E0554)."""
    from safetensors import SafetensorError, safe_open

    path = state_path(folder)
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            position = Position(**json.loads(file.metadata()["note"]))
        parts = {"weights": {}, "optimiser": {}, "average": {}}
        for name, value in tensors.items():
            part, _, rest = name.partition("/")
            parts[part][rest] = value
        load_own(module, parts["weights"])
        optimiser.load(parts["optimiser"])
        average.load(parts["average"])
    except (SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise damaged(path, error) from None
    return position


def damaged(path: Path, error: Exception) -> LegoError:
    return fail(
        "E0554",
        f"the state in `{path}` does not fit this model: {str(error).splitlines()[0]}",
        "start over with `--again`",
    )


def read_position(folder: Path) -> Position | None:
    """How far the state of a run folder has come, None where there is none; E0554 where it cannot
    be read."""
    from safetensors import SafetensorError, safe_open

    path = state_path(folder)
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            return Position(**json.loads(file.metadata()["note"]))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise damaged(path, error) from None


def set_aside(folder: Path) -> None:
    """Keep the best weights beside the state: what a limit broke off is to take their place."""
    kept = folder / "resume" / BEST
    if not kept.exists():
        with replacing(kept) as sibling:
            shutil.copyfile(folder / BEST, sibling)


def put_back(folder: Path) -> None:
    """The best weights that were set aside, if any, are those of the run again."""
    kept = folder / "resume" / BEST
    if kept.exists():
        os.replace(kept, folder / BEST)


def drop_state(folder: Path) -> None:
    """Remove the state: the training has come to its end."""
    # The state goes first, so that what is left of the folder cannot be resumed from.
    state_path(folder).unlink(missing_ok=True)
    shutil.rmtree(folder / "resume", ignore_errors=True)
