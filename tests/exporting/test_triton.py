"""A model repository is read by Triton's own protobuf, and says of each graph what onnxruntime
finds in it. No Triton runs here."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from safetensors.numpy import load_file

from legoc.exporting.triton import CONFIG, verify_repository, write_config, write_triton
from legoc.language.diagnosing.diagnostics import LegoError
from tests.runtime.bundles import KINDS, rewrite, write_bundle


TYPES = {"TYPE_INT64": "tensor(int64)", "TYPE_BOOL": "tensor(bool)", "TYPE_FP32": "tensor(float)"}


@pytest.fixture(scope="module")
def read():
    """The message of a configuration."""
    client = importlib.util.find_spec("tritonclient")
    if client is None or client.origin is None:
        pytest.skip("no protobuf of Triton here: pip install tritonclient")
    from google.protobuf import text_format

    # The package around it needs grpc, this module does not.
    place = Path(client.origin).parent / "grpc" / "model_config_pb2.py"
    spec = importlib.util.spec_from_file_location("model_config_pb2", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda text: text_format.Parse(text, module.ModelConfig()), module


@pytest.mark.parametrize("name", KINDS)
def test_a_repository_says_what_the_graphs_are(tmp_path, read, name):
    parse, module = read
    bundle = write_bundle(tmp_path / "bundle", KINDS[name])
    rewrite(bundle, lambda manifest: manifest["spec"].update(name="my model/2"))
    made = write_triton(bundle, tmp_path / "triton")
    graphs = json.loads((bundle / "manifest.json").read_text())["graphs"]
    assert made == [f"my_model_2_{graph}" for graph in graphs]
    golden = load_file(bundle / "golden.safetensors")
    for graph, folder in zip(graphs, made, strict=True):
        config = parse((tmp_path / "triton" / folder / CONFIG).read_text())
        assert (config.name, config.backend, config.max_batch_size) == (folder, "onnxruntime", 0)
        session = onnxruntime.InferenceSession(tmp_path / "triton" / folder / "1" / "model.onnx")
        for ports, found in (
            (config.input, session.get_inputs()), (config.output, session.get_outputs()),
        ):  # fmt: skip
            told = {
                port.name: (TYPES[module.DataType.Name(port.data_type)], list(port.dims))
                for port in ports
            }
            assert told == {
                each.name: (each.type, [d if isinstance(d, int) else -1 for d in each.shape])
                for each in found
            }
        feeds = {port.name: golden[f"{graph}/probe/{port.name}"] for port in config.input}
        (output,) = session.run(None, feeds)
        assert output == pytest.approx(golden[f"{graph}/probe/{config.output[0].name}"], abs=1e-5)


def test_names_of_ports_are_quoted(read):
    ports = [{"name": 'a "b"\\ü', "dtype": "bool", "dims": ["item", 3]}]
    config = read[0](write_config("m", {"inputs": ports, "outputs": ports}))
    assert config.input[0].name == 'a "b"\\ü'
    assert list(config.output[0].dims) == [-1, 3]


def test_weights_beside_a_graph_come_along(tmp_path):
    bundle = write_bundle(tmp_path / "bundle", KINDS["dnn"])
    file = bundle / "onnx/item_encoder.onnx"
    model = onnx.load(file)
    onnx.save(
        model, file, save_as_external_data=True, location="item_encoder.onnx.data",
        size_threshold=0,
    )  # fmt: skip
    rewrite(bundle, lambda manifest: None)
    (name, *_) = write_triton(bundle, tmp_path / "triton")
    place = tmp_path / "triton" / name / "1"
    assert sorted(path.name for path in place.iterdir()) == ["item_encoder.onnx.data", "model.onnx"]
    session = onnxruntime.InferenceSession(place / "model.onnx")
    ids = np.array([[3, 4]])
    feeds = {"title": ids, "title_mask": ids > 0, "category": ids[:, :1] * 0,
             "category_mask": ids[:, :1] < 0}  # fmt: skip
    (vectors,) = session.run(None, feeds)
    assert vectors[0] == pytest.approx(KINDS["dnn"].arrays["table"][[3, 4]].mean(axis=0), abs=1e-6)


def test_other_files_are_not_replaced(tmp_path):
    folder = tmp_path / "triton"
    folder.mkdir()
    verify_repository(folder)
    (folder / "notes.txt").write_text("mine")
    bundle = write_bundle(tmp_path / "bundle", KINDS["dot"])
    with pytest.raises(LegoError) as caught:
        write_triton(bundle, folder)
    assert caught.value.diagnostics[0].code == "E0830"
    assert (folder / "notes.txt").read_text() == "mine"
    (folder / "notes.txt").unlink()
    assert write_triton(bundle, folder) == write_triton(bundle, folder)
