"""Models that read a history as one text, from torch through the bundle to the runtime."""

import numpy as np
import pytest
import torch

import legoc_runtime
from legoc.evaluation.evaluator import score_log
from legoc.evaluation.torch_engine import TorchEngine
from legoc.evaluation.uncached import Uncached
from legoc.exporting.bundle import write_bundle
from legoc.exporting.verify import verify_bundle
from legoc_runtime.engine import Engine
from legoc_runtime.errors import BundleError, RequestError
from tests.exporting.tiny import call, make, make_log, make_spec, records


PIPELINES = {
    "tied": {"flatten": call("flatten", "Transformer", layers=1)},
    "fields": {"content": call("content", "CNN"), "flatten": call("flatten", "Fastformer")},
    "sequence": {
        "content": call("content", "Additive"),
        "flatten": call("flatten", "Longformer", layers=2, window=4),
    },
    "ids": {"content": call("content", "Null"), "flatten": call("flatten", "Transformer")},
}


@pytest.fixture(scope="module", params=PIPELINES)
def made(request, tmp_path_factory):
    spec = make_spec(**PIPELINES[request.param], predict=call("predict", "DNN"))
    folder = tmp_path_factory.mktemp(request.param)
    tiny = make(spec, folder / "data")
    bundle = write_bundle(tiny.recommender, spec, tiny.plan, tiny.prepared, folder / "bundle")
    tiny.recommender.eval()
    return request.param, tiny, bundle


def read(tiny, rows):
    """The user of some rows of the item table, from torch: their tokens, one click each."""
    reads = tiny.prepared.inputs
    tokens = [reads.rows(np.array([row], dtype=np.int32)) for row in rows]
    longest = max([1, *(found["tokens"].shape[1] for found in tokens)])
    ids = torch.zeros(1, max(len(rows), 1), longest, dtype=torch.int64)
    mask = torch.zeros(ids.shape, dtype=torch.bool)
    for place, found in enumerate(tokens):
        wide = found["tokens"].shape[1]
        ids[0, place, :wide] = torch.from_numpy(np.array(found["tokens"][0]))
        mask[0, place, :wide] = torch.from_numpy(found["tokens_mask"][0])
    with torch.no_grad():
        return tiny.recommender.encode_users(ids, mask)[0].numpy()


def test_bundle_verifies_and_names_its_graphs(made):
    name, _, bundle = made
    report = verify_bundle(bundle.path)
    assert report.difference < 1e-5
    assert bundle.certificate["difference"] < 1e-5
    wanted = {"user_encoder", "predictor"}
    wanted |= {"item_encoder"} if name in ("fields", "sequence") else set()
    assert set(bundle.manifest["graphs"]) == wanted
    assert bundle.manifest["tokens"] == {"file": "cache/tokens.safetensors"}


def test_every_engine_gives_the_same_scores(made):
    _, tiny, bundle = made
    inputs, log = tiny.prepared.inputs, make_log()
    ids = tiny.prepared.items.ids
    torch_scores = score_log(TorchEngine(tiny.recommender), inputs, log)
    assert np.ptp(torch_scores) > 1e-3
    for engine in (
        Engine(bundle.path, ids=ids),
        Uncached(TorchEngine(tiny.recommender)),
        Uncached(Engine(bundle.path, ids=ids), "impression"),
    ):
        np.testing.assert_allclose(score_log(engine, inputs, log), torch_scores, atol=1e-5)


def test_runtime_reads_histories_by_id(made):
    _, tiny, bundle = made
    model = legoc_runtime.load(bundle.path)
    for rows in ([3], [1, 5, 2], [4, 11, 4], []):
        user = model.encode_user([f"N{row}" for row in rows])
        np.testing.assert_allclose(user.vectors, read(tiny, rows), atol=1e-5)
    several = model.encode_users([["N1"], [], ["N9", "nobody", "N3"]])
    np.testing.assert_allclose(several[2].vectors, read(tiny, [9, 3]), atol=1e-5)
    assert several[2].unknown == ("nobody",)
    assert not several[1].vectors.any()


def test_order_matters(made):
    _, _, bundle = made
    model = legoc_runtime.load(bundle.path)
    one, other = (model.encode_user(ids).vectors for ids in (["N1", "N3"], ["N3", "N1"]))
    assert np.abs(one - other).max() > 1e-4


def test_new_items_are_read_in_histories_too(made):
    name, _, bundle = made
    model = legoc_runtime.load(bundle.path)
    twin = {**records()[8], "id": "X1"}
    if name == "ids":
        with pytest.raises(RequestError):
            model.items.add([twin])
        return
    known = model.encode_user(["N2", "N9"]).vectors
    added = model.items.add([twin, {**records()[1], "id": "N4"}])
    assert (added.added, added.replaced) == (("X1",), ("N4",))
    np.testing.assert_allclose(model.encode_user(["N2", "X1"]).vectors, known, atol=1e-6)
    np.testing.assert_allclose(model.encode_user(["N4", "N9"]).vectors, known, atol=1e-6)
    vectors = model.items.vectors
    np.testing.assert_allclose(
        vectors[model.items.index("X1")], vectors[model.items.index("N9")], atol=1e-6
    )


def test_damaged_tokens_are_refused(made, tmp_path, monkeypatch):
    from legoc_runtime import table

    _, _, bundle = made
    real = table.parse_tensors

    def read_damaged(content, name):
        found = real(content, name)
        return {k: v[:-1] for k, v in found.items()} if "tokens" in name else found

    monkeypatch.setattr(table, "parse_tensors", read_damaged)
    with pytest.raises(BundleError, match="does not hold the tokens"):
        legoc_runtime.load(bundle.path)
