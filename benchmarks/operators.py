"""Each operator against plain torch of the same multiply-adds: training step, memory, graph.

Ratios are of one run, taken in turns, in CPU seconds of one thread. A training step is forward,
backward and Adam. Memory is what autograd keeps for the backward pass, each storage once, without
parameters and inputs. Graphs are exported at the sizes of the batch and run by onnxruntime. What is
beyond `LIMIT` is flagged. `python -m benchmarks.operators --json FILE NAME ...` keeps the figures,
of the operators named or of all.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.counterparts import (
    CLICKS,
    FLAT_CLICKS,
    FLAT_TOKENS,
    FLAT_USERS,
    ITEMS,
    PAIRS,
    TOKENS,
    USERS,
    Counterpart,
    D,
)
from benchmarks.plain_predictors import by_name
from legoc.exporting.graphs import quiet
from legoc.language.declaring.catalog import catalog
from legoc.language.declaring.declare import Attribute, Declaration
from legoc.operators.sizes import Sizes


LIMIT = 1.5
TURNS = 7
# A turn runs the work as often as this takes, so that a clock tick does not count.
SECONDS = 0.03
# A ratio to less than this many bytes says nothing.
LITTLE = 2**16
# How far the operations of a counterpart may be from those of the operator.
ALIKE = 0.05


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """Turn by turn: the median, the least and the largest."""

    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.middle:6.2f} ({self.low:.2f}-{self.high:.2f})"


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One operator. step, graph: of its time to that of plain torch, in training and in
    onnxruntime. engine: how many times faster onnxruntime is than torch. bytes, memory: what a
    batch keeps for the backward pass, and its ratio to that of plain torch."""

    role: str
    name: str
    flops: int
    alike: float
    step: Ratio
    bytes: int
    memory: float | None
    graph: Ratio
    engine: Ratio

    @property
    def flags(self) -> list[str]:
        found = {"step": self.step.middle, "graph": self.graph.middle, "memory": self.memory or 0.0}
        return [name for name, ratio in found.items() if ratio > LIMIT]


def run(names: Sequence[str] = (), file: Path | None = None) -> None:
    """Print every figure."""
    torch.set_num_threads(1)
    print("\noperators against plain torch of the same multiply-adds")
    print(f"  {'':<24}{'MFLOP':>8}  {'training step':<20}{'kept':>10} {'ratio':>6}  "
          f"{'graph':<20}{'onnxruntime over torch'}")  # fmt: skip
    found: list[Figures] = []
    for (role, name), plain in by_name().items():
        if names and name not in names and f"{role}.{name}" not in names:
            continue
        found.append(measure(role, name, plain))
        show(found[-1])
    if file is not None:
        file.write_text(json.dumps([asdict(one) for one in found], indent=1), encoding="utf-8")


def show(one: Figures) -> None:
    memory = "-" if one.memory is None else f"{one.memory:.2f}"
    flags = f"   beyond {LIMIT}: {', '.join(one.flags)}" if one.flags else ""
    print(
        f"  {one.role + ' ' + one.name:<24}{one.flops / 1e6:>8,.0f}  {one.step!s:<20}"
        f"{one.bytes / 2**20:>6.1f} MiB {memory:>6}  {one.graph!s:<20}{one.engine!s}{flags}",
        flush=True,
    )


def measure(role: str, name: str, plain: Counterpart) -> Figures:
    """All figures of one operator."""
    torch.manual_seed(0)
    ours, given = build(role, name)
    theirs, other = plain.make(), [torch.randn(shape) for shape in plain.shapes]
    ours_flops, theirs_flops = counted(ours, given), counted(theirs, other)
    if ours_flops != plain.flops:
        raise AssertionError(f"{role} {name}: counted {ours_flops:,}, written {plain.flops:,}")
    if abs(theirs_flops - ours_flops) > ALIKE * ours_flops:
        raise AssertionError(f"{role} {name}: {ours_flops:,}, its counterpart {theirs_flops:,}")
    step = ratio(training(ours, given), training(theirs, other))
    kept = [saved(ours, given), saved(theirs, other)]
    graphs = [session(ours, given), session(theirs, other)]
    engines = [inference(ours, given), graphs[0]]
    return Figures(
        role=role, name=name, flops=ours_flops, alike=theirs_flops / max(ours_flops, 1), step=step,
        bytes=kept[0], memory=kept[0] / kept[1] if kept[1] >= LITTLE else None,
        graph=ratio(*graphs), engine=ratio(*engines),
    )  # fmt: skip


def build(role: str, name: str) -> tuple[nn.Module, list[Any]]:
    """An operator at its defaults and what it reads, every position real."""
    declaration = catalog().get(role, name)
    assert declaration is not None
    sequence = declaration.layout == "sequence"
    length = {"content": TOKENS, "flatten": FLAT_TOKENS}.get(role, TOKENS)
    sizes = Sizes(
        width=D, item=D, attributes=(Attribute(name="title", kind="text", length=length),),
        items=2, users=USERS + 1, tokens=2, codes=32, tokens_each=length, clicks=CLICKS,
    )  # fmt: skip
    module, _, symbol = declaration.module.partition(":")
    operator: Any = getattr(import_module(module), symbol)
    settings = {
        p.name: D if p.inherit is not None or p.name == "hidden" else p.default
        for p in declaration.params
    }
    return operator(operator.Config(**settings), sizes), inputs(role, declaration, sequence)


def inputs(role: str, declaration: Declaration, sequence: bool) -> list[Any]:
    """Random vectors and full masks, as `forward` takes them."""
    shape = {
        "content": (ITEMS, TOKENS),
        "behavior": (USERS, CLICKS),
        "flatten": (FLAT_USERS, FLAT_CLICKS, FLAT_TOKENS),
    }.get(role)
    if shape is not None:
        x, mask = torch.randn(*shape, D), torch.ones(shape, dtype=torch.bool)
        if role == "content" and not sequence:
            return [[x], [mask]]
        users = [torch.arange(USERS) + 1] if ", Id)" in declaration.signature else []
        return [x, mask, *users]
    item = torch.randn(PAIRS, D)
    if declaration.signature.startswith("(Seq"):
        return [torch.randn(PAIRS, CLICKS, D), torch.ones(PAIRS, CLICKS, dtype=torch.bool), item]
    if declaration.signature.startswith("(Many"):
        return [torch.randn(PAIRS, 32, D), item]
    return [torch.randn(PAIRS, D), item]


def floats(given: Sequence[Any]) -> list[Tensor]:
    """The tensors of the inputs that take a gradient: they are the outputs of earlier stages."""
    flat = [x for one in given for x in (one if isinstance(one, list) else [one])]
    return [x for x in flat if x.is_floating_point()]


def counted(module: nn.Module, given: Sequence[Any]) -> int:
    """Operations of the forward pass. A fused attention is taken apart to be counted."""
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        module.train()(*given)
    return counter.get_total_flops()


def training(module: nn.Module, given: Sequence[Any]) -> Callable[[], object]:
    """Forward, backward, Adam."""
    module.train()
    for x in floats(given):
        x.requires_grad_()
    parameters = [p for p in module.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(parameters, 1e-4) if parameters else None

    def step() -> None:
        module(*given).sum().backward()
        if optimiser is not None:
            optimiser.step()
            optimiser.zero_grad()
        for x in floats(given):
            x.grad = None

    return step


def saved(module: nn.Module, given: Sequence[Any]) -> int:
    """Bytes of the storages that autograd keeps, each once, without parameters and inputs."""
    module.train()
    known = {x.untyped_storage().data_ptr() for x in [*module.parameters(), *floats(given)]}
    # The storages are held, or one that is freed would give its address to another.
    storages: dict[int, Any] = {}

    def pack(x: Tensor) -> Tensor:
        storage = x.untyped_storage()
        if storage.data_ptr() not in known:
            storages[storage.data_ptr()] = storage
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        made = module(*given).sum()
    made.detach()
    return sum(storage.nbytes() for storage in storages.values())


def inference(module: nn.Module, given: Sequence[Any]) -> Callable[[], object]:
    def call() -> None:
        module.eval()
        with torch.no_grad():
            module(*given)

    return call


def session(module: nn.Module, given: Sequence[Any]) -> Callable[[], object]:
    """The exported graph in onnxruntime, one thread."""
    import onnxruntime

    for x in floats(given):
        x.requires_grad_(False)
    module.eval()
    # The fused inference path of nn.TransformerEncoder has no ONNX form.
    torch.backends.mha.set_fastpath_enabled(False)
    with torch.no_grad(), quiet():
        program = torch.onnx.export(module, tuple(given), dynamo=True, verbose=False)
    torch.backends.mha.set_fastpath_enabled(True)
    assert program is not None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    made = onnxruntime.InferenceSession(program.model_proto.SerializeToString(), options)
    flat = [x for one in given for x in (one if isinstance(one, list) else [one])]
    feed = {port.name: x.numpy() for port, x in zip(made.get_inputs(), flat, strict=True)}
    return lambda: made.run(None, feed)


def ratio(ours: Callable[[], object], theirs: Callable[[], object], turns: int = TURNS) -> Ratio:
    """Time of the first to time of the second, turn by turn."""
    each = [repeats(call) for call in (ours, theirs)]
    found = []
    for _ in range(turns):
        a, b = (timed(call, n) for call, n in zip((ours, theirs), each, strict=True))
        found.append(a / b)
    return Ratio(middle=statistics.median(found), low=min(found), high=max(found))


def repeats(call: Callable[[], object]) -> int:
    """How often the work fits into a turn, after a first call that warms up."""
    call()
    return max(1, round(SECONDS / max(timed(call, 1), 1e-6)))


def timed(call: Callable[[], object], times: int) -> float:
    """CPU seconds of one call."""
    began = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - began) / times


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    run(chosen.names, chosen.json)
