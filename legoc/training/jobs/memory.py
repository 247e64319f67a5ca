"""How much memory a training takes, before it begins, and how much there is.

The parts are counted, not tried: weights with gradients and moments of the optimiser, the arrays of
the data, and what a batch keeps for the way back, which is measured per item, user and pair on
torch's meta device, where tensors have shapes and no values.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from legoc.language.ir.plan import Plan, plan
from legoc.language.ir.spec import Spec, is_alone
from legoc.model import compile
from legoc.model.build import build
from legoc.model.cost import PROBE, longest, user_inputs


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared

MIB = 1 << 20
# A process with torch, onnxruntime and the exporter loaded, without data: 410 to 620 MiB.
PROCESS = 512 * MIB
# The moments that an optimiser keeps for each trained weight.
MOMENTS: Mapping[str, int] = {"adam": 2, "adamw": 2, "sgd": 0}
# An id in Python's memory: text, place in a list, entry of a dictionary.
NAME = 200
# Beside what is kept for the way back there are results in between and gradients of them.
BACKWARD = 1.5
FLOAT = 4


@dataclass(frozen=True, kw_only=True)
class Need:
    """Bytes of a training: of the process itself, the weights with all that is kept beside them,
    the data, and a batch."""

    process: int
    weights: int
    data: int
    batch: int

    @property
    def total(self) -> int:
        return self.process + self.weights + self.data + self.batch


def estimate(spec: Spec, prepared: "Prepared") -> Need:
    """The bytes that training a spec on its data takes."""
    data = array_bytes(prepared) + NAME * (len(prepared.items) + len(prepared.users))
    if is_alone(spec) or spec.train is None:
        return Need(process=PROCESS, weights=0, data=data, batch=0)
    made = plan(spec)
    cost = compile(spec).cost.sized(prepared.rows)
    every, trained = cost.total or 0, cost.total_trainable or 0
    # Gradients, moments, and the sum of both sides of a table's gradient while it is made.
    kept = every + trained * (2 + MOMENTS[spec.train.optimizer])
    vectors = cost.item_bytes * prepared.rows.items
    return Need(
        process=PROCESS,
        weights=FLOAT * kept + vectors,
        data=data,
        batch=int(BACKWARD * batch_bytes(spec, made, prepared)),
    )


def batch_bytes(spec: Spec, made: Plan, prepared: "Prepared") -> int:
    """What a batch keeps between the way forward and the way back."""
    item, user, pair = kept_bytes(spec, made)
    rows, candidates, items = batch_sizes(spec, prepared)
    return int(items * item + rows * (user + candidates * pair))


def batch_sizes(spec: Spec, prepared: "Prepared") -> tuple[int, int, int]:
    """Rows of a batch, candidates of a row, and the most distinct items all of them name."""
    assert spec.train is not None
    task, log = spec.train.task, prepared.logs["train"]
    candidates = 1 + (task.args["negatives"] or 0) if task.op == "matching" else 1
    clicks = np.diff(log.starts)
    longest_history = float(np.quantile(clicks, 0.9)) if len(clicks) else 0.0
    rows = spec.train.batch
    named = int(rows * (longest_history + candidates))
    return rows, candidates, min(named, prepared.rows.items)


def kept_bytes(spec: Spec, made: Plan) -> tuple[int, int, int]:
    """The bytes that autograd keeps of one item with all its tokens, of one user with a full
    history, and of one pair; weights, which are there anyway, are not counted."""
    with torch.device("meta"):
        model = build(spec, made, PROBE).eval()
    clicks, mask, user = user_inputs(spec, made)
    if clicks.is_floating_point():
        clicks.requires_grad_()
    inputs = longest(spec, made)
    users = model.encode_users(clicks, mask, user)
    vector = torch.empty(1, made.width, device="meta", requires_grad=True)
    owner = torch.zeros(1, dtype=torch.int64, device="meta")
    context = torch.empty(1, made.context, device="meta") if made.context else None
    return (
        saved(model, lambda: model.encode_items(inputs)),
        saved(model, lambda: model.encode_users(clicks, mask, user)),
        saved(model, lambda: model.score(users, vector, owner, mask, context)),
    )


def saved(model: nn.Module, run: Callable[[], Tensor]) -> int:
    """The bytes that autograd keeps while `run` goes forward, each tensor once."""
    own = {value.untyped_storage()._cdata for value in model.parameters()}
    seen: dict[int, int] = {}
    alive: list[Any] = []

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            seen[storage._cdata] = storage.nbytes()
            # A storage that is freed may leave its address to another one.
            alive.append(storage)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        made = run()
    del made
    return sum(seen.values())


def array_bytes(value: Any, seen: set[int] | None = None) -> int:
    """The bytes of all arrays that a value of the data holds, each once."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return 0
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        return value.nbytes
    if is_dataclass(value) and not isinstance(value, type):
        parts: Any = (getattr(value, field.name) for field in fields(value))
    elif isinstance(value, Mapping):
        parts = value.values()
    elif isinstance(value, tuple):
        parts = value
    else:
        return 0
    return sum(array_bytes(part, seen) for part in parts)


def resident() -> int:
    """The bytes of memory that this process holds; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
