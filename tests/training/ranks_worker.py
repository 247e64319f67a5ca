"""One of several processes that train together, for `test_ranks.py`: works through cases and writes
down what became of each."""

import errno
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from legoc.language import check
from legoc.language.diagnosing.document import Document
from legoc.model.recommender import Scored
from legoc.operators.blocks.dice import Dice
from legoc.operators.blocks.mlp import BatchNorm
from legoc.progress import SILENT
from legoc.training import record
from legoc.training.checkpoint import save_state
from legoc.training.job import Job, Monitor
from legoc.training.loop import fit
from legoc.training.public import train_with
from legoc.training.ranks.joining import joined
from legoc.training.ranks.world import ALONE, Lost, World
from legoc.training.settings import Settings
from tests.training.conftest import Slices, Ticking, Toy, mean_of, recipe


BCE = nn.functional.binary_cross_entropy_with_logits
DATA = "data d { source = Demo(items=200, users=60, impressions=200) content = [title(8)] }\n"
TRAIN = "epochs = 2 samples = 70 batch = 32 lr = 0.01 seed = 3 average = 3"
# Models that differ in what processes have to share: rows of tables, drawn negatives with their
# offsets, losses beside the scores, statistics of pairs and of clicks, numbers of the moment.
MODELS = {
    "text": "content CNN(hidden=8, dropout=0) -> behavior Additive(dim=8) -> predict Dot",
    "items": "content Null(hidden=8) -> behavior Pooling -> predict Dot",
    "many": "content Pooling(hidden=8) -> behavior PolyAttention(codes=3, dim=8) -> "
    "predict MINER(disagreement=0.5)",
    "norm": "content Null(hidden=8) -> behavior Pooling -> "
    "predict DCN(cross=1, units=[8], dropout=0, batch_norm=true)",
    "clicks": "content Null(hidden=8) -> behavior Null -> "
    "predict DIN(units=[8], dropout=0, batch_norm=true)",
}
RECIPES = {
    "text": f"{TRAIN} word_dropout = 0 accumulate = 2 clip = 1.0 schedule = cosine warmup = 10% "
    "task = matching(negatives=3, pool=batch)",
    "items": f"{TRAIN} task = matching(negatives=2, pool=uniform)",
    "many": f"{TRAIN} word_dropout = 0 task = matching(negatives=3) optimizer = sgd",
    "norm": f"{TRAIN} task = ranking(negatives=2) optimizer = adamw weight_decay = 0.01",
    "clicks": f"{TRAIN} task = ranking",
}


def spec_of(name: str) -> Any:
    text = f"{DATA}model m = {MODELS[name]}\ntrain t {{ {RECIPES[name]} }}\nrun m on d with t\n"
    checked = check(Document("given.lego", text))
    assert not checked.errors, checked.errors
    return checked.specs[0]


def settings_of(folder: Path, name: str) -> Settings:
    return Settings(runs=str(folder / name), cache=str(folder / "cache"), until="train",
                    threads=1, device="cpu")  # fmt: skip


class Normed(nn.Module):
    """Both kinds of statistics over the rows of a batch, of which some are padding."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(50, 8)
        self.norm, self.dice, self.out = BatchNorm(8), Dice(8), nn.Linear(8, 1)

    def forward(self, batch: Any) -> Scored:
        ids = torch.as_tensor(batch.candidates[:, 0].astype(np.int64))
        x = self.norm(self.table(ids))
        return Scored(self.out(self.dice(x, ids % 3 != 0)), {})


def toy_job(folder: Path, world: World, module: nn.Module | None = None, **changes: Any) -> Job:
    """A job on 41 rows: the last batch of an epoch has one."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    made = Toy(dropout=0.0, norm=False) if module is None else module
    fields = {
        name: changes.pop(name) for name in ("loss", "clock", "save_every") if name in changes
    }
    return Job(
        module=made, sampler=Slices(rows=41), train=recipe(**changes), folder=folder, world=world,
        monitor=Monitor(name="AUC"), validate=lambda: {"AUC": mean_of(made)},
        **{"loss": BCE, **fields},
    )  # fmt: skip


def normed_job(folder: Path, world: World, **changes: Any) -> Job:
    torch.manual_seed(0)
    return toy_job(folder, world, Normed(), **changes)


def weights(module: nn.Module) -> str:
    """All bits of the weights."""
    return b"".join(v.numpy().tobytes() for v in module.state_dict().values()).hex()


def told(error: BaseException) -> list[str]:
    return [
        type(error).__name__,
        *(f"{d.code} {d.message}" for d in getattr(error, "diagnostics", ())),
    ]


def run(job: Job) -> list[Any]:
    """The weights, or why there are none."""
    try:
        fit(job)
    except (Exception, KeyboardInterrupt) as error:
        return told(error)
    return ["done", weights(job.module)]


def fails_in_one(folder: Path, world: World) -> list[Any]:
    """A batch that does not go through the second process alone."""
    job = toy_job(folder, world)
    calls = []

    def loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if world.rank == 1 and len(calls) == 4:
            raise MemoryError("no room in the second")
        return BCE(scores, labels)

    return run(replace(job, loss=loss))


def explodes(folder: Path, world: World) -> list[Any]:
    """A loss that is not finite in the second process alone."""
    job = toy_job(folder, world)
    calls = []

    def loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return BCE(scores, labels) * (float("inf") if world.rank == 1 and len(calls) == 4 else 1)

    return run(replace(job, loss=loss))


def ends_by_limit(folder: Path, world: World) -> list[Any]:
    """The clock of the second process stands still."""
    time = Ticking()
    return run(toy_job(folder, world, loss=time.loss, limit=4.0, epochs=9,
                       clock=time.clock if world.first else lambda: 0.0))  # fmt: skip


def full_disk(folder: Path, world: World) -> list[Any]:
    """The first process alone cannot save its fourth state."""
    calls = []

    def save(*given: Any) -> None:
        calls.append(1)
        if len(calls) == 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(given[0]))
        save_state(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "save_state", save)
        return run(toy_job(folder, world, save_every=0.0))


def stops(folder: Path, world: World, **changes: Any) -> list[Any]:
    """A signal that one process alone is sent, in the midst of an update."""
    job = toy_job(folder, world, **changes)
    calls = []

    def loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if world.rank == 1 and len(calls) == 8:
            os.kill(os.getpid(), signal.SIGTERM)
        return BCE(scores, labels)

    return run(replace(job, loss=loss))


def goes_on(folder: Path, world: World, **changes: Any) -> list[Any]:
    return run(toy_job(folder, world, **changes))


def trains(folder: Path, world: World, name: str) -> list[Any]:
    found = train_with(spec_of(name), settings_of(folder, name), SILENT, None, world)
    return [str(found.folder)]


def cases(folder: Path, world: World) -> dict[str, Any]:
    """What became of each case, in order."""
    with_dropout = {"clip": 1.0, "schedule": "cosine"}

    def dropping(place: str) -> Job:
        torch.manual_seed(0)
        return toy_job(folder / place, world, Toy(dropout=0.3, norm=False), **with_dropout)

    found = {
        "plain": run(toy_job(folder / "plain", world, accumulate=2, clip=1.0)),
        "normed": run(normed_job(folder / "normed", world)),
        "one": fails_in_one(folder / "one", world),
        "inf": explodes(folder / "inf", world),
        "limit": ends_by_limit(folder / "limit", world),
        "full": full_disk(folder / "full", world),
        "straight": run(toy_job(folder / "straight", world, epochs=4)),
        "stopped": stops(folder / "stopped", world, epochs=4),
        "resumed": goes_on(folder / "stopped", world, epochs=4),
        "dropping": run(dropping("dropping")),
        "again": run(dropping("again")),
    }
    for name in MODELS:
        found[name] = trains(folder, world, name)
    return found


def die(folder: Path, world: World) -> dict[str, Any]:
    """The second process is killed in the midst of an update."""
    job = toy_job(folder / "killed", world, save_every=0.0)
    calls = []

    def loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if world.rank == 1 and len(calls) == 8:
            os.kill(os.getpid(), signal.SIGKILL)
        return BCE(scores, labels)

    try:
        fit(replace(job, loss=loss))
    except Lost as error:
        return {"killed": told(error)}
    return {"killed": ["done"]}


def restart(folder: Path, world: World) -> dict[str, Any]:
    """The second process is killed in its first attempt; torchrun starts both once more."""
    if os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
        return die(folder, world)
    return {"killed": run(toy_job(folder / "killed", world))}


if __name__ == "__main__":
    torch.set_num_threads(1)
    place = Path(sys.argv[2])
    with joined() as world:
        assert world is not ALONE
        made = {"cases": cases, "die": die, "restart": restart}[sys.argv[1]](place, world)
    (place / f"{sys.argv[1]}{world.rank}.json").write_text(json.dumps(made))
