"""Constants that the optimiser of an exported graph deletes, found before they turn into NaN.

The exporter folds `x + eps` into `x` for an eps it takes for zero, and `x * (1 + e)` likewise; what
was guarded against a division by zero then is not. The cure is to clamp (EXPORT section 3).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import fx
from torch.export import ExportedProgram


ADDED = 1e-7
"""Addends below this vanish, in absolute value."""
SCALED = 1e-5
"""Factors nearer to one than this vanish."""

ADDITIONS = ("add", "sub", "rsub", "add_", "sub_")
PRODUCTS = ("mul", "div", "mul_", "div_")
CARRIERS = ("clone", "lift_fresh_copy", "detach", "detach_", "_to_copy", "to", "alias", "expand")


@dataclass(frozen=True, kw_only=True)
class Vanishing:
    """One operation with a constant the optimiser drops; `place` is where it was written, as far
    as torch recorded it."""

    operation: str
    constant: float
    place: str


def find_vanishing(program: ExportedProgram) -> list[Vanishing]:
    """The additions of constants below `ADDED` and the products with constants within `SCALED` of
    one in a `torch.export` graph. The eps of a normalisation module is an attribute of its
    operation, not an addition, and is not found."""
    return [found for node in program.graph.nodes for found in judge(node, program)]


def judge(node: fx.Node, program: ExportedProgram) -> Iterator[Vanishing]:
    if node.op != "call_function":
        return
    name = getattr(node.target, "__name__", str(node.target)).split(".")[0]
    if name not in ADDITIONS and name not in PRODUCTS:
        return
    for argument in (*node.args[:2], node.kwargs.get("other")):
        constant = read_constant(argument, program)
        if constant is None:
            continue
        lost = (
            0 < abs(constant) < ADDED
            if name in ADDITIONS
            else constant != 1 and abs(constant - 1) < SCALED
        )
        if lost:
            yield Vanishing(operation=name, constant=constant, place=place_of(node))


def read_constant(argument: object, program: ExportedProgram) -> float | None:
    """The number an argument stands for: a literal, or a constant tensor of one element."""
    if isinstance(argument, int | float) and not isinstance(argument, bool):
        return float(argument)
    while isinstance(argument, fx.Node):
        name = getattr(argument.target, "__name__", "").split(".")[0]
        if argument.op == "call_function" and name in CARRIERS:
            argument = argument.args[0]
            continue
        if argument.op == "call_function" and name in ("full", "scalar_tensor"):
            value = argument.args[1 if name == "full" else 0]
            return float(value) if isinstance(value, int | float) else None
        tensor = constant_tensor(argument, program)
        if tensor is None or tensor.numel() != 1 or tensor.dtype == torch.bool:
            return None
        return float(tensor)
    return None


def constant_tensor(node: fx.Node, program: ExportedProgram) -> torch.Tensor | None:
    signature = program.graph_signature
    lifted = {
        **signature.inputs_to_lifted_tensor_constants,
        **signature.inputs_to_buffers,
    }
    held = program.constants.get(lifted.get(node.name, ""))
    if held is None:
        held = program.state_dict.get(lifted.get(node.name, ""))
    return held if isinstance(held, torch.Tensor) else None


def place_of(node: fx.Node) -> str:
    trace = str(node.meta.get("stack_trace") or "").strip().splitlines()
    return trace[-1].strip() if trace else node.name
