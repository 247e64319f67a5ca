"""Models that read whole histories as bundles: two graphs, recommended from without torch."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

import legoc_runtime
from legoc.data.prepare import prepare
from legoc.evaluation.evaluator import score_log
from legoc.evaluation.torch_engine import TorchEngine
from legoc.exporting.bundle import write_bundle
from legoc.language import check
from legoc.model import compile
from legoc_runtime import RequestError
from tests.lm.answering import save_causal
from tests.lm.tiny import stir


PREDICT = {"YesNo": "GPT2", "Cosine": "Llama"}


@pytest.fixture(scope="module", params=PREDICT)
def exported(request, tmp_path_factory):
    """A model with adapters, its data and its bundle."""
    root = tmp_path_factory.mktemp("exported")
    folder = save_causal(root / "model", PREDICT[request.param])
    path = root / "asked.lego"
    path.write_text(
        "data small { source = Demo(items=200, users=50, impressions=80)\n"
        "  content = [title(10)]  history = 6 }\n"
        "train zero { epochs = 0  metrics = [GAUC]  task = ranking }\n"
        f'model asked = flatten LM("{folder}", prompt=recbench, lora=2) '
        f"-> predict {request.param}\nrun asked on small with zero\n",
        encoding="utf-8",
    )
    (spec,) = check(path).specs
    prepared = prepare(spec, cache=root / "cache")
    torch.manual_seed(1)
    compiled = compile(spec)
    model = compiled.build(prepared.rows)
    stir(model)
    bundle = write_bundle(model, spec, compiled.plan, prepared, root / "bundle")
    return request.param, model, prepared, bundle


def test_both_graphs_are_certified(exported):
    predict, _, _, bundle = exported
    assert set(bundle.certificate["graphs"]) == {"user_encoder", "predictor"}
    assert bundle.certificate["difference"] < 1e-5
    assert bundle.certificate["whole"]["top"]["agreement"] == 1.0
    plan = bundle.manifest["plan"]
    assert plan["user"] == ("prefix" if predict == "YesNo" else "vector")
    text = b"".join(path.read_bytes() for path in (bundle.path / "onnx").glob("*.onnx"))
    assert b"lora" not in text
    assert b"lm_head" not in text


def test_the_bundle_scores_as_torch_does(exported):
    _, model, prepared, bundle = exported
    log = prepared.logs["test"]
    ours = score_log(TorchEngine(model), prepared.inputs, log)
    engine = legoc_runtime.Engine(bundle.path, stored=True, ids=prepared.items.ids)
    np.testing.assert_allclose(score_log(engine, prepared.inputs, log), ours, atol=1e-5)
    fresh = legoc_runtime.Engine(bundle.path)
    np.testing.assert_allclose(score_log(fresh, prepared.inputs, log), ours, atol=1e-5)


def test_one_user_and_many_answer_alike(exported):
    _, model, prepared, bundle = exported
    served = legoc_runtime.load(bundle.path)
    assert served.self_test().difference < 1e-5
    log = prepared.logs["test"]
    rows = np.flatnonzero(np.diff(log.starts)[log.history] > 2)[:30]
    history = log.history[rows[0]]
    rows = rows[log.history[rows] == history]
    clicks = log.clicks[log.starts[history] : log.starts[history + 1]]
    names = prepared.items.ids
    user = served.encode_user([names[row] for row in clicks])
    candidates = [names[row] for row in log.item[rows]]
    expected = score_log(TorchEngine(model), prepared.inputs, log)[rows]
    np.testing.assert_allclose(served.score(user, candidates), expected, atol=1e-5)
    users = served.encode_users([[names[row] for row in clicks], [names[5]], []])
    several = served.score_users(users, [candidates, candidates[:1], candidates[:2]])
    np.testing.assert_allclose(several[0], expected, atol=1e-5)
    one, many = served.recommend(user, k=7), served.recommend(users, k=7)
    assert many[0][0] == one[0]
    every = served.score(user, list(served.items.ids))
    assert one[0][0] == served.items.ids[int(every.argmax())]


def test_new_items_come_from_raw_text(exported):
    *_, prepared, bundle = exported
    served = legoc_runtime.load(bundle.path)
    (record,) = prepared.item_records([7])
    served.items.add([{"id": "NEW", "title": record["title"]}])
    user = served.encode_user([prepared.items.ids[3], "NEW"])
    twin = served.encode_user([prepared.items.ids[3], record["item_id"]])
    scores = served.score(user, ["NEW", record["item_id"]])
    assert abs(scores[0] - scores[1]) < 1e-6
    np.testing.assert_allclose(user.vectors, twin.vectors, atol=1e-6)


def test_a_saved_catalogue_has_the_new_items(exported, tmp_path):
    *_, bundle = exported
    served = legoc_runtime.load(bundle.path)
    served.items.add([{"id": "NEW", "title": "market prices"}])
    served.items.save(tmp_path / "items")
    again = legoc_runtime.load(bundle.path)
    again.items.load(tmp_path / "items")
    user = again.encode_user(["NEW"])
    np.testing.assert_array_equal(again.score(user, ["NEW"]), served.score(user, ["NEW"]))


def test_items_without_a_vector_have_no_neighbours(exported):
    predict, _, prepared, bundle = exported
    served = legoc_runtime.load(bundle.path)
    name = prepared.items.ids[4]
    if predict == "Cosine":
        assert len(served.similar(name, 3)[0]) == 3
        return
    with pytest.raises(RequestError, match="no vector"):
        served.similar(name, 3)


def test_torch_is_not_needed(exported):
    *_, prepared, bundle = exported
    program = (
        "import json, sys, legoc_runtime\n"
        "served = legoc_runtime.load(sys.argv[1])\n"
        "user = served.encode_user(json.loads(sys.argv[2]))\n"
        "names, scores = served.recommend(user, k=3)\n"
        "print(json.dumps([len(names), 'torch' in sys.modules, 'legoc' in sys.modules]))\n"
    )
    clicks = json.dumps(list(prepared.items.ids[1:4]))
    made = subprocess.run(
        [sys.executable, "-c", program, str(bundle.path), clicks],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert json.loads(made.stdout) == [3, False, False]
