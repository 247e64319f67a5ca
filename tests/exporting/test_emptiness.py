"""Axes counted from the front, and graphs that survive being given nothing."""

import numpy as np
import onnx
import onnx_ir
import onnxruntime
import pytest
import torch
from torch import nn

from legoc.exporting.axes import count_axes_forward
from legoc.exporting.engine import onnx_run
from legoc.exporting.graphs import quiet
from tests.exporting.small_models import GRAPHS, WIDTH, predictor_graph, user_graph


X = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))


class Many(nn.Module):
    """One operation of each kind that has axes, all of them negative."""

    def forward(self, x):
        parts = [
            x.sum(-1), x.mean(-1), x.amax(-1), x.amin(-1), x.norm(dim=-1), x.prod(-1),
            x.logsumexp(-1), x.argmax(-1).float(), x.softmax(-1).amax(-1),
            x.log_softmax(-1).amin(-1), x.cumsum(-1)[..., -1], x.topk(1, -1).values.squeeze(-1),
            torch.cat([x, x], -1).sum(-1), torch.stack([x, x], -1).sum((-1, -2)),
            x.unsqueeze(-1).squeeze(-1).sum(-1), x.gather(-1, x.argsort(-1))[..., 0],
            torch.cat(x.split([2, 3], -1)[::-1], -1)[..., 0], x.flatten(-2).sum(-1, keepdim=True),
            x.index_select(-1, torch.tensor([1])).squeeze(-1),
        ]  # fmt: skip
        return torch.stack([part.expand(-1, 4) for part in parts], -1)


def negative(model):
    """Operations of a graph that count an axis from the end, in what is written."""
    found = []
    constants = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    for node in model.graph.node:
        schema = onnx.defs.get_schema(node.op_type, 20)
        axes = [a.i for a in node.attribute if a.name == "axis"]
        axes += [axis for a in node.attribute if a.name == "axes" for axis in a.ints]
        for declared, name in zip(schema.inputs, node.input, strict=False):
            if declared.name in ("axis", "axes") and name:
                axes += constants[name].reshape(-1).tolist()
        found += [node.op_type] * (min(axes, default=0) < 0)
    return found


def test_every_operation_counts_its_axes_from_the_front_and_computes_the_same():
    with quiet():
        program = torch.onnx.export(
            Many().eval(), (X,), dynamic_shapes=({0: "row"},), dynamo=True,
            opset_version=20, verbose=False,
        )  # fmt: skip
    before = onnx_ir.to_proto(program.model)
    assert len(set(negative(before))) >= 5
    count_axes_forward(program.model)
    after = onnx_ir.to_proto(program.model)
    assert negative(after) == []
    results = [
        onnxruntime.InferenceSession(made.SerializeToString()).run(
            None, {made.graph.input[0].name: X.numpy()}
        )[0]
        for made in (before, after)
    ]
    np.testing.assert_array_equal(*results)
    np.testing.assert_allclose(results[1], Many()(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("graph", GRAPHS, ids=lambda graph: graph.name)
def test_no_exported_graph_counts_an_axis_from_the_end(folder, graph):
    assert negative(onnx.load(str(folder / f"{graph.name}.onnx"))) == []


def test_a_recurrent_graph_takes_no_users_and_no_clicks(folder):
    """onnxruntime's own GRU ends the process over either."""
    run = onnx_run(folder / "user_encoder.onnx", user_graph())
    for users, clicks in ((0, 4), (0, 0), (2, 0)):
        given = {
            "clicks": np.ones((users, clicks, WIDTH), dtype=np.float32),
            "clicks_mask": np.ones((users, clicks), dtype=bool),
        }
        found = run(given)
        assert found.shape == (users, WIDTH)
        assert not found.any()


def test_a_graph_of_sound_operations_has_no_guard(folder):
    """A perceptron over gathered vectors makes nothing of nothing as it is."""
    operations = [n.op_type for n in onnx.load(str(folder / "predictor.onnx")).graph.node]
    assert "Gemm" in operations
    assert not {"Pad", "Slice"} & set(operations)
    run = onnx_run(folder / "predictor.onnx", predictor_graph())
    users, owner = np.ones((3, WIDTH), dtype=np.float32), np.zeros(0, dtype=np.int64)
    assert run({"users": users, "items": users[:0], "owner": owner}).shape == (0,)
