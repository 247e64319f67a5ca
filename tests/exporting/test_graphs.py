"""Graphs as files: shapes, parity, labels, and that nothing of the machine is in them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from legoc.exporting.engine import onnx_run
from legoc.exporting.gates import TARGET, compare_probes, torch_run, verify_file, worst
from legoc.exporting.graphs import (
    GraphCall,
    emit_graph,
    example_sizes,
    export_copy,
    merge_adapters,
    reference_copy,
)
from legoc.exporting.labels import save, strip
from legoc.exporting.probes import make_probes
from legoc.language.diagnosing.diagnostics import LegoError
from tests.exporting.small_models import (
    GRAPHS,
    ROWS,
    SPEC,
    Small,
    item_graph,
    predictor_graph,
    user_graph,
    write,
)


@pytest.mark.parametrize("graph", GRAPHS, ids=lambda graph: graph.name)
def test_every_gate_passes_on_a_sound_graph(folder, graph):
    path = folder / f"{graph.name}.onnx"
    verify_file(path, graph)
    reference = torch_run(GraphCall(reference_copy(Small()), graph), graph)
    figures = compare_probes(
        graph, make_probes(graph, SPEC, ROWS), reference, onnx_run(path, graph), tolerance=TARGET
    )
    assert worst(figures).difference < 5e-6
    assert max(figure.largest for figure in figures) > 0.01


def test_a_second_recurrent_export_in_a_process_has_free_dimensions(folder, tmp_path):
    """The dispatch cache would keep the sizes of the first one."""
    again = tmp_path / "again.onnx"
    write(reference_copy(Small()), user_graph(), again)
    verify_file(again, user_graph())
    assert again.read_bytes() == (folder / "user_encoder.onnx").read_bytes()


def test_an_empty_history_gives_zeros_and_one_click_does_not(folder):
    run = onnx_run(folder / "user_encoder.onnx", user_graph())
    clicks = np.ones((2, 3, 8), dtype=np.float32)
    users = run({"clicks": clicks, "clicks_mask": np.array([[False] * 3, [True, False, False]])})
    assert not users[0].any()
    assert users[1].any()


def test_the_predictor_gathers_owners(folder):
    run = onnx_run(folder / "predictor.onnx", predictor_graph())
    random = np.random.default_rng(0)
    users = random.normal(size=(3, 8)).astype(np.float32)
    items = random.normal(size=(4, 8)).astype(np.float32)
    owner = np.array([2, 0, 2, 2])
    together = run({"users": users, "items": items, "owner": owner})
    alone = [
        run({"users": users[o : o + 1], "items": items[i : i + 1], "owner": np.array([0])})[0]
        for i, o in enumerate(owner)
    ]
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-6)


def test_no_text_of_this_machine_and_our_labels_in_order(folder):
    path = folder / "item_encoder.onnx"
    data = path.read_bytes()
    assert str(Path(__file__).parents[2]).encode() not in data
    assert b".py" not in data
    labels = [p.key for p in onnx.load(str(path)).metadata_props]
    assert labels == sorted(labels)
    assert "legoc.role" in labels


def test_inner_shapes_are_inferred_again(folder):
    model = onnx.load(str(folder / "item_encoder.onnx"))
    assert {v.name for v in model.graph.value_info} >= {model.graph.node[0].output[0]}


REMOTE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from legoc.exporting.graphs import reference_copy
from tests.exporting.small_models import Small, item_graph, write
write(reference_copy(Small()), item_graph(), Path("graph.onnx"))
"""


def test_another_process_and_folder_give_the_same_bytes(folder, tmp_path):
    root = str(Path(__file__).parents[2])
    subprocess.run([sys.executable, "-c", REMOTE, root], cwd=tmp_path, check=True)
    assert (tmp_path / "graph.onnx").read_bytes() == (folder / "item_encoder.onnx").read_bytes()


def test_example_sizes_differ_from_each_other_and_from_every_width():
    sizes = example_sizes(item_graph(), {3, 7})
    assert sizes == {"item": 5, "title_tokens": 9, "category_tokens": 11}


class Adapter(nn.Module):
    """A Linear with a low-rank update, merged on request as adapter libraries do."""

    def __init__(self, inner, update):
        super().__init__()
        self.inner, self.update = inner, nn.Parameter(update)

    def forward(self, x):
        return self.inner(x) + x @ self.update.T

    def merge_and_unload(self):
        merged = nn.Linear(self.inner.in_features, self.inner.out_features)
        with torch.no_grad():
            merged.weight.copy_(self.inner.weight + self.update)
            merged.bias.copy_(self.inner.bias)
        return merged


def test_adapters_are_merged_on_a_copy_and_the_numbers_stay():
    model = Small()
    model.mix = Adapter(model.mix, torch.full((8, 8), 0.01))
    reference = reference_copy(model)
    merged = export_copy(reference)
    assert isinstance(merged.mix, nn.Linear)
    assert isinstance(reference.mix, Adapter)
    assert isinstance(model.mix, Adapter)
    x = torch.randn(3, 8)
    torch.testing.assert_close(merged.mix(x), reference.mix(x))
    assert merge_adapters(nn.Linear(2, 2)).weight.shape == (2, 2)


def test_the_reference_is_a_float32_copy_without_dropout():
    model = Small().half().train()
    reference = reference_copy(model)
    assert not any(part.training for part in reference.modules())
    assert {p.dtype for p in reference.parameters()} == {torch.float32}
    assert model.training
    assert model.mix.weight.dtype == torch.float16


def test_the_copies_take_no_second_memory():
    model = Small()
    reference = reference_copy(model)
    exported = export_copy(reference)
    ours = [p.data_ptr() for p in model.parameters()]
    assert [p.data_ptr() for p in reference.parameters()] == ours
    assert [p.data_ptr() for p in exported.parameters()] == ours
    assert all(p.requires_grad for p in model.parameters())
    assert not any(p.requires_grad for p in reference.parameters())


class Branching(Small):
    def encode_items(self, inputs):
        vectors = super().encode_items(inputs)
        return vectors if vectors.sum() > 0 else -vectors


def test_control_flow_over_data_is_a_located_error():
    with pytest.raises(LegoError) as caught:
        emit_graph(reference_copy(Branching()), item_graph(), opset=20)
    assert caught.value.diagnostics[0].code == "E0820"
    assert "item_encoder" in str(caught.value)


class Frozen(Small):
    def encode_items(self, inputs):
        rows = int(inputs["title"].shape[0])
        torch._check(rows == 3)
        return super().encode_items(inputs)


def test_a_size_taken_from_the_example_does_not_get_through(tmp_path):
    with pytest.raises(LegoError) as caught:
        write(reference_copy(Frozen()), item_graph(), tmp_path / "graph.onnx")
    assert caught.value.diagnostics[0].code == "E0820"


def test_an_operator_set_that_torch_does_not_know_is_refused():
    """Torch itself writes 18 in its place."""
    with pytest.raises(LegoError, match="operator set 18, not in 99") as caught:
        emit_graph(reference_copy(Small()), predictor_graph(), opset=99)
    assert caught.value.diagnostics[0].code == "E0801"


def test_stripping_is_what_removes_the_traces(tmp_path):
    """The gate is red on a graph as torch gives it."""
    model = emit_graph(reference_copy(Small()), predictor_graph(), opset=20)
    save(model, tmp_path / "raw.onnx", {})
    with pytest.raises(LegoError) as caught:
        verify_file(tmp_path / "raw.onnx", predictor_graph())
    assert caught.value.diagnostics[0].code == "E0825"
    strip(model)
    save(model, tmp_path / "clean.onnx", {})
    verify_file(tmp_path / "clean.onnx", predictor_graph())
