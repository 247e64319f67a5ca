"""Inputs derived from a graph's types: the shapes and contents at which exports are known to break.

Drawn from a counter keyed by graph and probe, so the same spec gives the same probes everywhere.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from legoc.data.indexing.rows import Rows
from legoc.language.ir.plan import PROFILE, Graph, Port
from legoc.language.ir.spec import Spec, is_alone


Tensors = Mapping[str, NDArray[np.generic]]
SHAPES = ((3, 5), (9, 17), (1, 1), (1, 5), (3, 1))
PAIRS = ((3, 7), (1, 1), (1, 7), (3, 1))
LEADS = ("item", "user", "pair")
NOTHING: Mapping[bool, Mapping[str, Mapping[str, int]]] = {
    False: {"no_rows": {"": 0}},
    True: {"no_pairs": {"user": 3, "pair": 0}, "no_users": {"user": 0, "pair": 0}},
}
"""Probes without rows, of encoders and of predictors."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Named inputs of a graph. `twin` has other contents at padding and must give the same."""

    name: str
    inputs: Tensors
    twin: Tensors | None = None


def make_probes(graph: Graph, spec: Spec, rows: Rows) -> tuple[Probe, ...]:
    """The probes of EXPORT section 5 for one graph. What is counted reads whole numbers, of items
    and of tokens, some of which have to be equal."""
    probes = draw_probes(graph, spec, rows)
    if is_alone(spec):
        return tuple(map(whole_numbers, probes))
    shares = [column for column, call in enumerate(spec.data.context) if call.op == "share"]
    if graph.name == "predictor" and shares:
        return tuple(within(probe, shares) for probe in probes)
    return probes


def within(probe: Probe, shares: Sequence[int]) -> Probe:
    """The same with numbers from 0 to 1 in the columns of the context that are shares."""

    def change(inputs: Tensors) -> Tensors:
        context = np.array(inputs["context"])
        context[..., shares] /= 1 + context[..., shares]
        return {**inputs, "context": context}

    return Probe(
        name=probe.name,
        inputs=change(probe.inputs),
        twin=None if probe.twin is None else change(probe.twin),
    )


def whole_numbers(probe: Probe) -> Probe:
    """The same with small whole numbers in the place of normal ones; 0 stays."""

    def change(inputs: Tensors) -> Tensors:
        return {
            name: np.floor(np.abs(2 * value)) if value.dtype == np.float32 else value
            for name, value in inputs.items()
        }

    twin = None if probe.twin is None else change(probe.twin)
    return Probe(name=probe.name, inputs=change(probe.inputs), twin=twin)


def draw_probes(graph: Graph, spec: Spec, rows: Rows) -> tuple[Probe, ...]:
    """The probes with normal numbers."""
    longest = longest_sizes(spec, rows)
    if graph.name == "predictor":
        shapes = {f"{users}x{pairs}": {"user": users, "pair": pairs} for users, pairs in PAIRS}
    else:
        shapes = {f"{rows_}x{length}": {"": rows_, "length": length} for rows_, length in SHAPES}
    probes = [
        Probe(name=name, inputs=draw(graph, name, fill_sizes(graph, sizes, longest), rows))
        for name, sizes in shapes.items()
    ]
    lengths = length_names(graph)
    masks = [port.name for port in graph.inputs if port.dtype == "bool"]
    if lengths:
        sizes = {lead: 3 for lead in LEADS} | {name: longest[name] for name in lengths}
        full = draw(graph, "longest", sizes, rows)
        probes.append(
            Probe(name="longest", inputs={**full, **{m: np.ones_like(full[m]) for m in masks}})
        )
    if masks:
        base = draw(graph, "masked", fill_sizes(graph, {"": 4, "length": 6}, longest), rows)
        probes.append(Probe(name="empty_row", inputs=cut(graph, base, masks, first_only=True)))
        probes.append(Probe(name="all_empty", inputs=cut(graph, base, masks, first_only=False)))
        probes.append(Probe(name="other_padding", inputs=soil(graph, base, rows), twin=base))
    if any(port.dtype == "int64" and f"{port.name}_mask" in masks for port in graph.inputs):
        known = draw(graph, "unknown", fill_sizes(graph, {"": 3, "length": 5}, longest), rows)
        unknown = {
            port.name: min(1, last_id(port, rows))
            for port in graph.inputs
            if port.dtype == "int64" and f"{port.name}_mask" in masks
        }
        probes.append(
            Probe(
                name="unknown_token",
                inputs={
                    **known,
                    **{
                        name: np.where(known[f"{name}_mask"], place, 0).astype(np.int64)
                        for name, place in unknown.items()
                    },
                },
            )
        )
    if any(port.name == "owner" for port in graph.inputs):
        base = draw(graph, "owners", fill_sizes(graph, {"user": 4, "pair": 7}, longest), rows)
        owner = np.array([3, 0, 3, 2, 0, 3, 0], dtype=np.int64)
        probes.append(Probe(name="owners", inputs={**base, "owner": owner}))
    for name, leads in NOTHING[graph.name == "predictor"].items():
        sizes = fill_sizes(graph, {**leads, "length": 5}, longest)
        probes.append(Probe(name=name, inputs=draw(graph, name, sizes, rows)))
    return tuple(probes)


def longest_sizes(spec: Spec, rows: Rows) -> dict[str, int]:
    """The largest size of each length dimension: tokens of each attribute, of all laid end to end
    with a separator after each, and clicks. A number is one token, whatever its bins. What a
    language model reads is as long as its prompts and limits allow."""
    tokens = {a.name: 1 if a.kind == "number" else a.length for a in spec.data.attributes}
    return {
        **{f"{name}_tokens": length for name, length in tokens.items()},
        "tokens": rows.text or rows.longest or sum(tokens.values()) + len(tokens),
        **({"ending": rows.ending} if rows.ending else {}),
        "clicks": spec.data.history,
    }


def length_names(graph: Graph) -> tuple[str, ...]:
    dims = dict.fromkeys(dim for port in graph.inputs for dim in port.dims if isinstance(dim, str))
    return tuple(dim for dim in dims if dim not in LEADS)


def fill_sizes(
    graph: Graph, sizes: Mapping[str, int], longest: Mapping[str, int]
) -> dict[str, int]:
    """A size for every dimension. Lengths differ from each other, where they are more than 1: a
    graph that takes a title and a category to be equally long has to fail."""
    length = sizes.get("length", 1 if sizes.get("pair") == 1 else 5)
    found = {lead: sizes.get(lead, sizes.get("", 3)) for lead in LEADS}
    for place, name in enumerate(length_names(graph)):
        found[name] = length if length == 1 else length + place
    return found


def generator(graph: str, probe: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{graph}/{probe}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def draw(graph: Graph, probe: str, sizes: Mapping[str, int], rows: Rows) -> Tensors:
    """Ids from their tables, standard normal vectors, masks of right-padded rows of which the first
    is full, zeros at padding."""
    random = generator(graph.name, probe)
    drawn: dict[str, NDArray[np.generic]] = {}
    for port in graph.inputs:
        shape = tuple(sizes[dim] if isinstance(dim, str) else dim for dim in port.dims)
        if port.dtype == "bool":
            counts = random.integers(1, shape[-1] + 1, size=shape[:-1])
            counts.reshape(-1)[:1] = shape[-1]
            drawn[port.name] = np.arange(shape[-1]) < counts[..., None]
        elif port.name == "context" and graph.name == "predictor":
            # Counts and hours: never negative, many of them zero, some large.
            drawn[port.name] = np.expm1(3 * random.standard_normal(shape)).clip(0).astype("f4")
        elif port.dtype == "float32":
            drawn[port.name] = random.standard_normal(shape).astype(np.float32)
        else:
            drawn[port.name] = random.integers(*id_range(graph, port, sizes, rows), size=shape)
    for port in graph.inputs:
        mask = drawn.get(f"{port.name}_mask")
        if mask is not None:
            drawn[port.name] = zero_padding(drawn[port.name], mask)
    return drawn


def id_range(graph: Graph, port: Port, sizes: Mapping[str, int], rows: Rows) -> tuple[int, int]:
    """The first id of a port and the one after its last. Attributes may have any name, so `user`
    is a user in the user encoder alone."""
    if graph.name == "predictor" and port.name == "owner":
        return 0, max(sizes["user"], 1)
    if graph.name == "user_encoder" and port.name == "user":
        return 0, rows.users
    last = last_id(port, rows)
    return min(1, last), last + 1


def last_id(port: Port, rows: Rows) -> int:
    """The last id that a port of tokens or of values of users takes. What is known of a user is as
    long as a width, and tokens are not, whatever their attributes are called."""
    values = port.name.startswith(PROFILE) and isinstance(port.dims[-1], int)
    return max(rows.profile if values else rows.tokens, 1) - 1


def zero_padding(values: NDArray[np.generic], mask: NDArray[np.generic]) -> NDArray[np.generic]:
    spread = mask.reshape(mask.shape + (1,) * (values.ndim - mask.ndim))
    return np.where(spread, values, np.zeros((), dtype=values.dtype))


def cut(graph: Graph, inputs: Tensors, masks: list[str], *, first_only: bool) -> Tensors:
    """The inputs with the first row, or every row, without anything real."""
    changed = dict(inputs)
    for name in masks:
        mask = np.array(inputs[name])
        mask[: 1 if first_only else None] = False
        changed[name] = mask
        changed[name.removesuffix("_mask")] = zero_padding(inputs[name.removesuffix("_mask")], mask)
    return changed


def soil(graph: Graph, inputs: Tensors, rows: Rows) -> Tensors:
    """The inputs with other ids and large numbers at padding."""
    changed = dict(inputs)
    for port in graph.inputs:
        mask = inputs.get(f"{port.name}_mask")
        if mask is None:
            continue
        other = np.asarray(
            last_id(port, rows) if port.dtype == "int64" else 1e4, inputs[port.name].dtype
        )
        spread = mask.reshape(mask.shape + (1,) * (inputs[port.name].ndim - mask.ndim))
        changed[port.name] = np.where(spread, inputs[port.name], other)
    return changed
