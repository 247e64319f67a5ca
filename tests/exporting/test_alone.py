"""Where recurrent operations keep the sizes of an earlier export, another process exports."""

import pytest

from legoc.data.indexing.rows import Rows
from legoc.exporting import graph_files, graphs
from legoc.exporting.graph_files import write_graph
from legoc.exporting.graphs import reference_copy
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.plan import plan
from legoc.model import compile
from tests.exporting.tiny import call, make_spec


ROWS = Rows(items=12, users=2, tokens=30)


@pytest.fixture(scope="module")
def gru():
    spec = make_spec(call("content", "Pooling"), call("behavior", "GRU"), call("predict", "Dot"))
    return spec, reference_copy(compile(spec).build(ROWS))


def write(gru, path):
    spec, reference = gru
    return write_graph(reference, plan(spec).graph("user_encoder"), spec, ROWS, path, {})


@pytest.fixture(scope="module")
def here(gru, tmp_path_factory):
    return write(gru, tmp_path_factory.mktemp("here") / "graph.onnx")


def test_without_the_cache_to_clear_a_fresh_process_gives_the_same_bytes(
    gru, here, tmp_path, monkeypatch
):
    """The second opinion on byte identity: another process, another working directory."""
    monkeypatch.setattr(graph_files, "remembers_dispatch", lambda: False)
    monkeypatch.chdir(tmp_path)
    there = write(gru, tmp_path / "there.onnx")
    assert here.path.read_bytes() == there.path.read_bytes()


def test_sizes_that_were_kept_send_the_export_to_a_fresh_process(gru, here, tmp_path, monkeypatch):
    sent = []

    def alone(reference, spec, rows, name):
        sent.append(name)
        raise LegoError

    monkeypatch.setattr(graphs, "clear_dispatch", lambda: None)
    monkeypatch.setattr(graph_files, "emit_alone", alone)
    with pytest.raises(LegoError):
        write(gru, tmp_path / "second.onnx")
    assert sent == ["user_encoder"]


def test_other_failures_of_an_export_do_not(gru, tmp_path, monkeypatch):
    def broken(*arguments, **settings):
        raise LegoError

    monkeypatch.setattr(graph_files, "emit_graph", broken)
    monkeypatch.setattr(graph_files, "emit_alone", lambda *a: pytest.fail("sent"))
    with pytest.raises(LegoError):
        write(gru, tmp_path / "graph.onnx")
