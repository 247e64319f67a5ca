"""A small model, sampler and job that follow the contracts, for tests of the loop alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from legoc.data.batching.batch import Batch
from legoc.language.ir.spec import Call, Train
from legoc.model.recommender import Scored
from legoc.progress import SILENT
from legoc.training.job import Job, Monitor


class Toy(nn.Module):
    """Scores candidates by a table and a Linear behind dropout and running statistics, so that the
    generator's state and buffers matter."""

    def __init__(self, *, dropout: float = 0.2, norm: bool = True) -> None:
        super().__init__()
        self.table = nn.Embedding(50, 8)
        self.norm = nn.BatchNorm1d(8) if norm else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(8, 1)

    def forward(self, batch: Batch) -> Scored:
        x = self.table(torch.as_tensor(batch.candidates.astype(np.int64)))
        B, K, D = x.shape
        x = self.dropout(self.norm(x.reshape(B * K, D)))
        return Scored(self.out(x).reshape(B, K), {})


class Slices:
    """Rows 1 ... of 49 items shuffled per epoch; an odd item is a click."""

    def __init__(self, *, rows: int = 40, batch: int = 8, shuffle: bool = True) -> None:
        self.rows, self.size, self.shuffle = rows, batch, shuffle
        self.steps = -(-rows // batch)

    def batch(self, epoch: int, step: int, share: tuple[int, int] = (0, 1)) -> Batch:
        order = np.arange(self.rows)
        if self.shuffle:
            order = np.random.Generator(np.random.Philox(key=epoch)).permutation(self.rows)
        items = (order[step * self.size : (step + 1) * self.size] % 49 + 1).astype(np.int32)
        whole, (number, of) = len(items), share
        items = items[whole * number // of : whole * (number + 1) // of]
        idle = not len(items)
        items = np.ones(1, np.int32) if idle else items
        return Batch(
            buckets=(),
            items=np.zeros(0, np.int32),
            clicks=np.zeros((len(items), 1), np.int32),
            candidates=items[:, None],
            users=np.zeros(len(items), np.int32),
            labels=(items[:, None] % 2).astype(np.float32),
            whole=whole,
            idle=idle,
        )


def recipe(**changes: Any) -> Train:
    """A short recipe for ranking."""
    given: dict[str, Any] = {
        "task": Call(op="ranking", args={"loss": "bce", "negatives": None}),
        "epochs": 3, "batch": 8, "lr": 0.01, "patience": 5, "seed": 7,
        "metrics": (Call(op="AUC"),), "monitor": Call(op="AUC"),
    }  # fmt: skip
    return Train(**(given | changes))


class Ticking:
    """A loss that moves a clock by one second per call."""

    def __init__(self, start: float = 0.0) -> None:
        self.now = start

    def loss(self, scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        self.now += 1
        return nn.functional.binary_cross_entropy_with_logits(scores, labels)

    def clock(self) -> float:
        return self.now


@pytest.fixture
def make_ticking() -> Callable[..., Ticking]:
    return Ticking


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def make_recipe() -> Callable[..., Train]:
    return recipe


@pytest.fixture
def make_sampler() -> Callable[..., Slices]:
    return Slices


@pytest.fixture
def make_toy() -> Callable[..., Toy]:
    def make(**settings: Any) -> Toy:
        torch.manual_seed(0)
        return Toy(**settings)

    return make


@pytest.fixture
def make_job(tmp_path: Path, make_toy: Callable[..., Toy]) -> Callable[..., Job]:
    """`make_job("folder", module=..., epochs=2, ...)`: unknown names are fields of the recipe."""

    def make(folder: str = "run", **changes: Any) -> Job:
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        fields = {
            "module": None, "sampler": Slices(), "monitor": Monitor(name="AUC"),
            "loss": nn.functional.binary_cross_entropy_with_logits,
        }  # fmt: skip
        for name in ("module", "sampler", "loss", "monitor", "validate", "clock", "progress",
                     "save_every", "hopeless"):  # fmt: skip
            if name in changes:
                fields[name] = changes.pop(name)
        module = fields.pop("module") or make_toy()
        validate = fields.pop("validate", lambda: {"AUC": mean_of(module)})
        return Job(
            module=module, train=recipe(**changes), folder=place, validate=validate, **fields
        )

    return make


def mean_of(module: nn.Module) -> float:
    """A figure that follows from the weights, in evaluation mode."""
    module.eval()
    with torch.no_grad():
        scores, _ = module(Slices(rows=49, shuffle=False, batch=49).batch(1, 0))
    return float(scores.sigmoid().mean())


class Words:
    """Progress that remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def task(self, name: str, total: int, unit: str = "") -> Any:
        return SILENT.task(name, total, unit)


@pytest.fixture
def make_words() -> Callable[..., Words]:
    return Words
