"""The small model's graphs, exported once for all tests of this folder."""

import pytest

from legoc.exporting.graphs import reference_copy
from tests.exporting.small_models import GRAPHS, Small, write


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("graphs")
    reference = reference_copy(Small())
    for graph in GRAPHS:
        write(reference, graph, place / f"{graph.name}.onnx")
    return place
