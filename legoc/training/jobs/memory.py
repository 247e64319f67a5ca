"""How much memory a training takes, before it begins, and how much there is.

The parts are counted, not tried: weights with gradients and moments of the optimiser, the arrays of
the data, and what a batch keeps for the way back, which is measured per item, user and pair on
torch's meta device, where tensors have shapes and no values.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from legoc.evaluation.evaluator import PAIRS_AT_ONCE, USERS_AT_ONCE
from legoc.language.ir import form
from legoc.language.ir.plan import Plan, plan
from legoc.language.ir.spec import Spec, Train, is_alone
from legoc.model import compile
from legoc.model.build import build
from legoc.model.cost import PROBE, Cost, longest, user_inputs
from legoc.training.samplers import build_sampler
from legoc_runtime.chunks import pairs_at_once
from legoc_runtime.prompting import Prompt


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared
    from legoc.model.recommender import Recommender

MIB = 1 << 20
# A process with torch, onnxruntime and the exporter loaded, without data: 410 to 620 MiB.
PROCESS = 512 * MIB
# The moments that an optimiser keeps for each trained weight.
MOMENTS: Mapping[str, int] = {"adam": 2, "adamw": 2, "lazyadam": 2, "sgd": 0}
# An id in Python's memory: text, place in a list, entry of a dictionary.
NAME = 200
# Beside what is kept for the way back there are results in between and gradients of them.
BACKWARD = 1.5
FLOAT = 4
NO_KEYS = {"item": "", "user": "", "prefix": "", "spec": ""}


def beside(train: Train) -> int:
    """Numbers that are kept beside each trained weight: its gradient, moments and mean, and what a
    table's rows take while they are held."""
    return 2 + MOMENTS[train.optimizer] + (train.average > 1)


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


def estimate(spec: Spec, prepared: "Prepared", batch: tuple[int, int, int]) -> Need:
    """The bytes that training a spec on its data takes. batch: its `batch_sizes`."""
    data = array_bytes(prepared) + NAME * (len(prepared.items) + len(prepared.users))
    if is_alone(spec) or spec.train is None:
        return Need(process=PROCESS, weights=0, data=data, batch=0)
    sizes = measure_sizes(essence(spec))
    cost = sizes.cost.sized(prepared.rows)
    every, trained = cost.total or 0, cost.total_trainable or 0
    kept = every + trained * beside(spec.train)
    vectors = cost.item_bytes * prepared.rows.items
    return Need(
        process=PROCESS,
        weights=FLOAT * kept + vectors,
        data=data,
        batch=max(
            int(BACKWARD * batch_bytes(sizes, *batch)),
            chunk_bytes(sizes, spec),
        ),
    )


def batch_bytes(sizes: "Sizes", rows: int, candidates: int, items: int) -> int:
    """What a batch keeps between the way forward and the way back."""
    return items * sizes.item + rows * (sizes.user + candidates * sizes.pair)


def chunk_bytes(sizes: "Sizes", spec: Spec) -> int:
    """What an evaluation works on at once: pairs or users."""
    made = plan(spec)
    if made.prompted:
        # Texts are read in parts that bound what they take.
        return max(sizes.pair, sizes.user, sizes.item)
    wide = spec.data.history if made.user == "clicks" else 1
    pairs = min(pairs_at_once(wide * made.width), PAIRS_AT_ONCE)
    return max(pairs * sizes.pair, USERS_AT_ONCE * sizes.user)


def batch_sizes(spec: Spec, prepared: "Prepared") -> tuple[int, int, int]:
    """Rows of a batch, candidates of a row, and the distinct items all of them name: those of the
    first batch. Zeros where nothing is drawn."""
    if is_alone(spec) or spec.train is None or "train" not in prepared.logs:
        return 0, 0, 0
    sampler = build_sampler(spec, prepared)
    if not sampler.steps:
        return 0, 0, 0
    batch = sampler.batch(1, 0)
    rows, candidates = batch.candidates.shape
    return rows, candidates, len(batch.items)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The cost of a model, and the bytes that autograd keeps of an item, a user and a pair."""

    cost: Cost
    item: int
    user: int
    pair: int


def essence(spec: Spec) -> str:
    """A spec as text, without what tells runs of one model apart: name and figures of the recipe.
    The sizes of a sweep over seeds or rates are measured once."""
    train = spec.train and replace(spec.train, seed=0, lr=1.0, lr_pretrained=None, epochs=1)
    return json.dumps(form.to_json(replace(spec, name="", train=train)) | {"keys": NO_KEYS})


@lru_cache(maxsize=64)
def measure_sizes(text: str) -> Sizes:
    """The sizes of the model of an `essence`."""
    spec = form.from_json(json.loads(text))
    item, user, pair = kept_bytes(spec, plan(spec))
    return Sizes(cost=compile(spec).cost, item=item, user=user, pair=pair)


def kept_bytes(spec: Spec, made: Plan) -> tuple[int, int, int]:
    """The bytes that autograd keeps of one item with all its tokens, of one user with a full
    history, and of one pair; weights, which are there anyway, are not counted."""
    with torch.device("meta"):
        model = build(spec, made, PROBE).eval()
    if model.prompt is not None:
        return text_bytes(model, made, model.prompt)
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


def text_bytes(model: "Recommender", made: Plan, prompt: Prompt) -> tuple[int, int, int]:
    """The same of texts that a language model reads, each as long as its prompt allows. Where a
    candidate ends the text of the clicks, training reads each pair whole."""

    def blank(length: int, dtype: torch.dtype) -> Tensor:
        return torch.empty(1, length, dtype=dtype, device="meta")

    def read(length: int, run: Callable[[Tensor, Tensor], Tensor]) -> int:
        ids, mask = blank(length, torch.int64), blank(length, torch.bool)
        return saved(model, lambda: run(ids, mask))

    if prompt.joined:
        context = torch.empty(1, made.context, device="meta") if made.context else None
        longest = min(prompt.most, prompt.limit)
        return 0, 0, read(longest, lambda ids, mask: model.score_whole(ids, mask, context))
    return read(prompt.tail, model.encode_users), read(prompt.longest, model.encode_users), 0


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
