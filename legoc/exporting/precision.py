"""Half precision and int8: conversions of a float32 graph that has passed its gates.

EXPORT section 7. A converted graph is judged by its shapes, by finite numbers and by how much it
changes the ranking, which the certificate records.
"""

import logging
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from legoc.exporting.labels import LARGE, save, strip
from legoc.exporting.naming import name_ports, plain_graph
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.plan import Graph


if TYPE_CHECKING:
    import onnx


QUANTIZED = ("MatMul", "Gemm")
"""What int8 covers: products with weights. Convolutions become slower, not faster."""


def convert(path: Path, precision: str, graph: Graph) -> int:
    """Rewrites the graph at `path` in `fp16` or `int8`; its inputs and outputs stay float32.

    Returns the number of nodes or weights that changed; 0 means that the graph has nothing to
    convert (an inner product has no weights) and stays as it is. Errors: E0828.
    """
    import onnx
    import onnx_ir

    model = onnx.load(str(path))
    converters: dict[str, Callable[[onnx.ModelProto], onnx.ModelProto]] = {
        "fp16": to_half,
        "int8": to_int8,
    }
    labels = {prop.key: prop.value for prop in model.metadata_props}
    before = fingerprint(model)
    try:
        with warnings.catch_warnings():
            # Both tools warn about values they clip and steps they recommend, on every graph.
            warnings.simplefilter("ignore")
            model = with_ports(model, plain_graph(graph))
            made = converters[precision](model)
    except Exception as error:
        raise fail(
            "E0828",
            f"`{graph.name}` cannot be converted to {precision}: {str(error).strip()[:200]}",
            "use `precision = fp32`",
        ) from error
    changed = len(fingerprint(made) ^ before)
    if not changed:
        return 0
    for part in (path, path.with_name(f"{path.name}.data")):
        part.unlink(missing_ok=True)
    stripped = onnx_ir.from_proto(made)
    strip(stripped)
    name_ports(stripped, graph)
    save(stripped, path, {**labels, "legoc.precision": precision})
    return changed


def with_ports(model: "onnx.ModelProto", graph: Graph) -> "onnx.ModelProto":
    """The same model with the names of another graph outside, for the tools make up names inside,
    and without the shapes of inner values, which they do not keep up."""
    import onnx_ir

    named = onnx_ir.from_proto(model)
    name_ports(named, graph)
    made = onnx_ir.to_proto(named)
    del made.graph.value_info[:]
    return made


def fingerprint(model: "onnx.ModelProto") -> set[tuple[str, int]]:
    """Operations and weights with their types, to count what a conversion changed."""
    return {(w.name, w.data_type) for w in model.graph.initializer}


def raw_bytes(model: "onnx.ModelProto") -> int:
    """The size of the weights; that of the message cannot be asked for above 2 GiB."""
    return sum(len(weight.raw_data) for weight in model.graph.initializer)


def to_half(model: "onnx.ModelProto") -> "onnx.ModelProto":
    """onnxruntime's float16 tool, with float32 inputs and outputs."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    if not model.graph.initializer:
        return model
    if raw_bytes(model) <= LARGE:
        return sort_nodes(convert_float_to_float16(model, keep_io_types=True))
    with tempfile.TemporaryDirectory(prefix="legoc-") as folder:
        # Of a file the tool infers shapes beside it, which has no limit of 2 GiB.
        given = Path(folder) / "given.onnx"
        onnx.save_model(model, str(given), save_as_external_data=True, location="given.data")
        return sort_nodes(convert_float_to_float16(str(given), keep_io_types=True))


def sort_nodes(model: "onnx.ModelProto") -> "onnx.ModelProto":
    """The tool appends the casts of the inputs behind the nodes that read them."""
    import onnx_ir
    from onnx_ir.passes.common import TopologicalSortPass

    return onnx_ir.to_proto(TopologicalSortPass()(onnx_ir.from_proto(model)).model)


def to_int8(model: "onnx.ModelProto") -> "onnx.ModelProto":
    """Dynamic quantisation: weights per channel, activations at run time."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with tempfile.TemporaryDirectory(prefix="legoc-") as folder:
            given, target = Path(folder) / "given.onnx", Path(folder) / "graph.onnx"
            large = raw_bytes(model) > LARGE
            # As a message of its own a graph may have 2 GiB, its weights included.
            onnx.save_model(model, str(given), save_as_external_data=large, location="given.data")
            del model
            quantize_dynamic(
                given, target, op_types_to_quantize=list(QUANTIZED), per_channel=True,
                weight_type=QuantType.QInt8, use_external_data_format=large,
            )  # fmt: skip
            return onnx.load(str(target))
    finally:
        logger.setLevel(level)
