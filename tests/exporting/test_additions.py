"""Items added one by one, all at once, and stored at export have one vector, in every precision."""

import numpy as np
import pytest

import legoc_runtime
from legoc.exporting import write_bundle
from legoc.language.ir.spec import Export
from tests.exporting.tiny import call, make, make_spec, records


@pytest.fixture(scope="module", params=["fp32", "fp16", "int8"])
def bundle(request, tmp_path_factory):
    spec = make_spec(
        call("content", "CNN"), call("behavior", "Additive"), call("predict", "DNN"),
        export=Export(precision=request.param),
    )  # fmt: skip
    tiny = make(spec, tmp_path_factory.mktemp("data"))
    place = tmp_path_factory.mktemp("runs") / "bundle"
    return write_bundle(tiny.recommender, spec, tiny.plan, tiny.prepared, place)


def added(bundle, blocks):
    """The vectors of all items after they were added anew in such blocks."""
    model = legoc_runtime.load(bundle.path)
    for block in blocks:
        model.items.add(block)
    return model.items.vectors


def test_an_item_does_not_depend_on_those_it_is_added_with(bundle):
    # A neighbour whose title is longer, so that the block is padded.
    loud = {"id": "loud", "title": "storm bread rain graph " * 2, "category": "news"}
    stored = legoc_runtime.load(bundle.path).items.vectors
    size = np.abs(stored).max()
    for blocks in ([records()], [[r] for r in records()], [[r, loud] for r in records()]):
        found = added(bundle, blocks)[: len(stored)]
        assert np.abs(found - stored).max() <= 1e-6 * size


def test_the_best_items_of_everyone_are_the_same(bundle):
    whole = legoc_runtime.load(bundle.path)
    anew = legoc_runtime.load(bundle.path)
    for record in records():
        anew.items.add([record])
    for history in (["N1"], ["N3", "N9"], ["N4"], ["N11", "N2", "N5", "N7"]):
        found = [m.recommend(m.encode_user(history), k=5) for m in (whole, anew)]
        assert found[0][0] == found[1][0]
        np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-5, atol=1e-5)
