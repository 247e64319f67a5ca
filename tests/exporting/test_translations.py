"""The exporter's table of operators is made once, and a graph is the same with it."""

import torch
from torch import nn
from torch.onnx._internal.exporter._registration import ONNXRegistry

from legoc.exporting import translations
from legoc.exporting.graphs import quiet
from legoc.exporting.translations import made_once


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x):
        return self.linear(x).softmax(-1)


def export(module):
    with quiet():
        program = torch.onnx.export(
            module, (torch.ones(5, 3),), dynamo=True, verbose=False, opset_version=20
        )
    graph = program.model_proto.graph
    nodes = [
        (node.op_type, list(node.input), list(node.output), [str(a) for a in node.attribute])
        for node in graph.node
    ]
    return nodes, [value.SerializeToString() for value in graph.initializer]


def test_a_graph_is_the_same_and_the_table_is_made_once(monkeypatch):
    translations.translations.cache_clear()
    made, whole = [], ONNXRegistry.__dict__["from_torchlib"]

    def counted(cls, opset_version):
        made.append(opset_version)
        return whole.__func__(cls, opset_version)

    monkeypatch.setattr(ONNXRegistry, "from_torchlib", classmethod(counted))
    module = Small().eval()
    plain = export(module)
    assert len(made) == 1
    assert plain[0]
    with made_once():
        assert [export(module) for _ in range(3)] == [plain] * 3
    assert len(made) == 2
    assert export(module) == plain
    assert len(made) == 3
    translations.translations.cache_clear()


def test_what_one_export_adds_to_its_table_is_not_in_the_next(monkeypatch):
    with made_once():
        one = ONNXRegistry().from_torchlib()
        name = next(iter(one.functions))
        one.functions[name].clear()
        one.functions["mine"] = []
        other = ONNXRegistry.from_torchlib()
    assert other.functions[name]
    assert "mine" not in other.functions
    assert other.opset_version == one.opset_version
