"""A graph of the plan, from a torch model: flat named inputs, named dimensions, no trace of here.

The recipe is EXPORT section 2.
"""

import copy
import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from legoc.exporting.axes import count_axes_forward
from legoc.exporting.emptiness import guard_emptiness
from legoc.exporting.lint import find_vanishing
from legoc.exporting.naming import name_ports, plain_graph
from legoc.exporting.translations import made_once
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.plan import PROFILE, Graph, Port


if TYPE_CHECKING:
    import onnx_ir


TORCH_TYPES = {"int64": torch.int64, "bool": torch.bool, "float32": torch.float32}


class GraphCall(nn.Module):
    """One graph of a recommender as a module: positional tensors in the order of the graph's ports
    go in, its one output comes out.

    The recommender has `encode_items(inputs)`, `encode_users(clicks, mask, users)`, which takes
    what is known of the users as well where the graph has such inputs, and `score(users, items,
    owner, mask)` (DESIGN section 13), which takes the context of the pairs and the mask of the
    items likewise; or, where each pair is one text, `score_whole(tokens, mask, context)`.
    """

    def __init__(self, recommender: nn.Module, graph: Graph) -> None:
        super().__init__()
        self.recommender = recommender
        self.role = graph.name
        self.names = tuple(port.name for port in graph.inputs)

    def forward(self, *inputs: Tensor) -> Tensor:
        given = dict(zip(self.names, inputs, strict=True))
        model: Any = self.recommender
        if self.role == "item_encoder":
            return model.encode_items(given)
        if self.role == "user_encoder":
            clicks, mask = (
                ("clicks", "clicks_mask") if "clicks" in given else ("tokens", "tokens_mask")
            )
            profile = [name for name in self.names if name.startswith(PROFILE)]
            known = [
                (given[ids], given[real])
                for ids, real in zip(profile[::2], profile[1::2], strict=True)
            ]
            more = {"values": known} if known else {}
            return model.encode_users(given[clicks], given[mask], given.get("user"), **more)
        if "tokens" in given:
            return model.score_whole(given["tokens"], given["tokens_mask"], given.get("context"))
        mask = given.get("users_mask")
        pairs = given["users"], given["items"], given["owner"], mask
        if "items_mask" in given:
            return model.score(*pairs, given.get("context"), given["items_mask"])
        return model.score(*pairs, *((given["context"],) if "context" in given else ()))


def reference_copy(recommender: nn.Module) -> nn.Module:
    """A float32 copy on the CPU in evaluation mode: what every graph is compared with. What is
    float32 on the CPU already it shares, so neither of the two may be trained while both live."""
    return copy_structure(recommender).cpu().float().eval().requires_grad_(False)


def export_copy(reference: nn.Module) -> nn.Module:
    """The copy that is exported: adapters are merged into the weights they adapt, after the change
    to float32, for a small update added to half-precision weights is rounded away. What no adapter
    changes it shares with the reference."""
    merged = merge_adapters(copy_structure(reference))
    return merged.eval().requires_grad_(False)


def copy_structure(module: nn.Module) -> nn.Module:
    """A copy whose parameters and buffers are others over the same memory: a language model fills
    the memory of a machine once, and not once per copy."""
    shared: dict[int, Any] = {
        id(parameter): nn.Parameter(parameter.detach(), requires_grad=False)
        for parameter in module.parameters()
    }
    shared |= {id(buffer): buffer.detach() for buffer in module.buffers()}
    return copy.deepcopy(module, shared)


def merge_adapters(module: nn.Module) -> nn.Module:
    """Replaces each part that offers `merge_and_unload` by its result."""
    merge = getattr(module, "merge_and_unload", None)
    if callable(merge):
        return merge()
    for name, child in list(module.named_children()):
        merged = merge_adapters(child)
        if merged is not child:
            setattr(module, name, merged)
    return module


def example_sizes(graph: Graph, taken: Iterable[int]) -> dict[str, int]:
    """A size for each dynamic dimension: odd, at least 3, pairwise different, and none of `taken`
    (the widths of the model), for a coincidence can freeze a dimension."""
    widths = set(taken) | {
        dim for port in (*graph.inputs, *graph.outputs) for dim in port.dims if isinstance(dim, int)
    }
    names = dict.fromkeys(dim for port in graph.inputs for dim in port.dims if isinstance(dim, str))
    free = (size for size in range(3, 1 << 20, 2) if size not in widths)
    return {name: next(free) for name in names}


def widths_of(module: nn.Module) -> set[int]:
    tensors = (*module.parameters(), *module.buffers())
    return {size for tensor in tensors for size in tensor.shape}


def example(port: Port, sizes: Mapping[str, int]) -> Tensor:
    shape = [sizes[dim] if isinstance(dim, str) else dim for dim in port.dims]
    dtype = TORCH_TYPES[port.dtype]
    # Every example id has to exist in the smallest table, which has the padding row alone.
    return (
        torch.zeros(shape, dtype=dtype) if dtype == torch.int64 else torch.ones(shape, dtype=dtype)
    )


def emit_graph(reference: nn.Module, graph: Graph, *, opset: int) -> "onnx_ir.Model":
    """The ONNX graph of one of the plan's graphs, not yet stripped.

    reference: from `reference_copy`. Errors: E0820 where torch cannot export the model, E0821 where
    the model adds a constant that the optimiser drops, E0801 where torch does not know the opset.
    """
    call = GraphCall(export_copy(reference), graph).eval()
    plain = plain_graph(graph)
    sizes = example_sizes(plain, widths_of(reference))
    arguments = tuple(example(port, sizes) for port in plain.inputs)
    shapes = tuple(
        {axis: dim for axis, dim in enumerate(port.dims) if isinstance(dim, str)}
        for port in plain.inputs
    )
    clear_dispatch()
    try:
        with torch.no_grad(), quiet(), made_once():
            program = torch.onnx.export(
                call, arguments,
                input_names=[port.name for port in plain.inputs],
                output_names=[port.name for port in plain.outputs],
                dynamic_shapes=(shapes,), dynamo=True, opset_version=opset, verbose=False,
            )  # fmt: skip
    except torch.onnx.OnnxExporterError as error:
        raise export_error(graph, error) from error
    assert program is not None
    assert program.exported_program is not None
    verify_opset(program.model, graph, opset)
    for found in find_vanishing(program.exported_program):
        raise fail(
            "E0821",
            f"`{graph.name}` has `{found.operation}` with the constant {found.constant:g}, "
            "which the exported graph drops",
            "clamp instead of adding: `clamp_min(eps)`, `torch.maximum`",
            notes=(found.place,),
        )
    count_axes_forward(program.model)
    guard_emptiness(program.model, plain)
    name_ports(program.model, graph)
    return program.model


def verify_opset(model: "onnx_ir.Model", graph: Graph, opset: int) -> None:
    """E0801 where the graph is of another operator set than asked for: the exporter converts to
    what it knows and says so in its log alone."""
    found = model.opset_imports[""]
    if found != opset:
        raise fail(
            "E0801",
            f"torch writes `{graph.name}` in the ONNX operator set {found}, not in {opset}",
            "write `opset = 20`, or leave `opset` out",
        )


def export_error(graph: Graph, error: Exception) -> Exception:
    cause = error.__cause__ or error
    first = next((line for line in str(cause).splitlines() if line.strip()), type(cause).__name__)
    return fail(
        "E0820",
        f"torch cannot export `{graph.name}`: {first.strip()[:300]}",
        "write the operator with the constructs of the export-safe subset",
    )


def clear_dispatch() -> None:
    """Forgets what recurrent operations remember of an earlier export, for they keep its sizes."""
    for packet in (torch.ops.aten.gru, torch.ops.aten.lstm):
        cache = getattr(packet.input, "_dispatch_cache", None)
        if cache is not None:
            cache.clear()


def remembers_dispatch() -> bool:
    """Whether this torch has the cache that `clear_dispatch` clears."""
    return all(
        hasattr(packet.input, "_dispatch_cache")
        for packet in (torch.ops.aten.gru, torch.ops.aten.lstm)
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Without the exporter's warnings and log lines about its own workings."""
    noisy = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "torch.export")]
    noisy.append(logging.getLogger("torch.onnx._internal.exporter._registration"))
    levels = [logger.level for logger in noisy]
    for logger in noisy:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(noisy, levels, strict=True):
            logger.setLevel(level)
