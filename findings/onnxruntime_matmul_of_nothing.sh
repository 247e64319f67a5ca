#!/usr/bin/env bash
# onnx 1.23.2, onnxruntime 1.31.1 (CPU), Python 3.11.
# Expected: MatMul follows numpy.matmul, so an operand without rows gives a result without rows.
# Seen: [0, 8] times [8, 4] gives [0, 4] as numpy does; [0, 3, 1, 8] times a stack of matrices
#   [3, 8, 4] raises at run time, though numpy gives [0, 3, 1, 4].
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q numpy==2.4.6 onnx==1.23.2 onnxruntime==1.31.1
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

ort.set_default_logger_severity(4)


def product(shape, weights):
    w = onnx.numpy_helper.from_array(np.ones(weights, np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["z"])], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *shape[1:]])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)], [w],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = np.zeros(shape, np.float32)
    wanted = list(np.matmul(x, np.ones(weights, np.float32)).shape)
    try:
        found = list(session.run(None, {"x": x})[0].shape)
    except Exception as error:
        found = type(error).__name__
    print(f"{list(shape)} times {list(weights)}: numpy {wanted}, onnxruntime {found}")
    return found == wanted


print("onnxruntime", ort.__version__)
plain = product((0, 8), (8, 4))
stack = product((0, 3, 1, 8), (3, 8, 4))
raise SystemExit(0 if (plain, stack) == (True, False) else "no longer as seen")
PY
