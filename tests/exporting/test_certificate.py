"""The certificate's figures against brute force, with engines of a few lines of numpy."""

import numpy as np
import pytest

from legoc.evaluation.compute import compute
from legoc.exporting import certificate, engine
from legoc.exporting.certificate import certify, choose_split, ranked_items
from legoc.exporting.engine import Side
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.plan import Graph, Plan, Port
from legoc.language.ir.spec import Call
from tests.exporting.small_models import GRAPHS, WIDTH, predictor_graph
from tests.exporting.tiny import make_log


METRICS = (Call(op="GAUC"), Call(op="NDCG", args={"k": 5}))
ITEMS = 40


class Inputs:
    """Items whose token is their row."""

    ports = ()
    lengths = np.arange(ITEMS, dtype=np.int32) % 7

    def rows(self, items):
        return {"item": items}


def table():
    vectors = np.random.default_rng(0).normal(size=(ITEMS, WIDTH)).astype(np.float32)
    vectors[0] = 0.0
    return vectors


def mean(inputs):
    real = np.where(inputs["clicks_mask"][..., None], inputs["clicks"], 0)
    return real.sum(1) / np.maximum(inputs["clicks_mask"].sum(1), 1)[:, None].astype(np.float32)


def dot(inputs):
    return (inputs["users"][inputs["owner"]] * inputs["items"]).sum(1)


def make_plan(graphs=GRAPHS, user="vector"):
    return Plan(
        stages=(), layout="fields", graphs=graphs, caches=(), width=WIDTH, user=user,
        reads_user=False,
    )  # fmt: skip


def side(**changed):
    runs = {
        "item_encoder": lambda inputs: table()[inputs["item"]],
        "user_encoder": mean,
        "predictor": dot,
    }
    return Side(plan=make_plan(), runs=runs | changed)


def run(ours, theirs, *, tolerance=1e-4, log=None, vectors=None):
    return certify(
        ours, theirs, None, table() if vectors is None else vectors, Inputs(),
        log or make_log(), "valid", METRICS, seed=3, tolerance=tolerance,
    )  # fmt: skip


def brute_scores(log, vectors):
    found = []
    for h, i in zip(log.history, log.item, strict=True):
        clicks = log.clicks[log.starts[h] : log.starts[h + 1]]
        user = vectors[clicks].mean(0) if len(clicks) else np.zeros(WIDTH)
        found.append(user @ vectors[i])
    return np.array(found)


def test_equal_engines_agree_and_the_metrics_are_those_of_the_log():
    whole, figures = run(side(), side())
    assert whole.difference == 0
    assert whole.agreement == 1
    assert {f.difference for f in figures.values()} == {0.0}
    log = make_log()
    expected = compute(METRICS, brute_scores(log, table()), log.label, log.group)
    for name, (ours, theirs) in whole.metrics.items():
        assert ours == pytest.approx(expected[name].value)
        assert theirs == ours


def test_scores_of_a_log_are_those_of_one_pair_at_a_time():
    log = make_log()
    found = engine.score_log(side(), table(), log)
    np.testing.assert_allclose(found, brute_scores(log, table()), rtol=1e-5, atol=1e-6)


def test_clicks_as_users_are_gathered_pair_by_pair():
    graph = Graph(
        name="predictor",
        inputs=(
            Port(name="users", dtype="float32", dims=("user", "clicks", WIDTH)),
            Port(name="users_mask", dtype="bool", dims=("user", "clicks")),
            *predictor_graph().inputs[1:],
        ),
        outputs=predictor_graph().outputs,
    )

    def predict(inputs):
        clicks, mask = inputs["users"][inputs["owner"]], inputs["users_mask"][inputs["owner"]]
        users = mean({"clicks": clicks, "clicks_mask": mask})
        return (users * inputs["items"]).sum(1)

    plan = make_plan((GRAPHS[0], graph), "clicks")
    found = engine.score_log(Side(plan=plan, runs={"predictor": predict}), table(), make_log())
    np.testing.assert_allclose(found, brute_scores(make_log(), table()), rtol=1e-5, atol=1e-6)


def test_top_k_agreement_is_the_share_of_common_items(monkeypatch):
    """The other engine prefers other items; counted by hand."""
    monkeypatch.setattr(certificate, "TOP", 4)
    other = np.random.default_rng(1).normal(size=WIDTH).astype(np.float32)

    def skewed(inputs):
        return dot(inputs) + inputs["items"] @ other

    whole, _ = run(side(), side(predictor=skewed), tolerance=None)
    log, vectors = make_log(), table()
    candidates, shares = ranked_items(ITEMS, 3), []
    for h in range(log.histories):
        clicks = log.clicks[log.starts[h] : log.starts[h + 1]]
        if len(clicks):
            scores = vectors[candidates] @ vectors[clicks].mean(0)
            best = set(candidates[np.argsort(-scores)[:4]])
            theirs = set(candidates[np.argsort(-(scores + vectors[candidates] @ other))[:4]])
            shares.append(len(best & theirs) / 4)
    assert whole.agreement == pytest.approx(np.mean(shares))
    assert 0 < whole.agreement < 1
    assert whole.users == len(shares)
    assert whole.metrics["GAUC"][0] != whole.metrics["GAUC"][1]
    assert whole.difference > 0.1


@pytest.mark.parametrize(
    ("graph", "changed"),
    [
        ("user_encoder", {"user_encoder": lambda i: mean(i) + np.float32(0.01)}),
        ("predictor", {"predictor": lambda i: dot(i) * np.float32(1.01)}),
    ],
)
def test_a_difference_on_real_rows_is_refused(graph, changed):
    with pytest.raises(LegoError, match=f"`{graph}` .* `real rows`") as caught:
        run(side(), side(**changed))
    assert caught.value.diagnostics[0].code == "E0823"


def test_an_item_matrix_that_is_not_the_encoders_is_refused():
    vectors = table()
    vectors[int(make_log().item[0])] += 0.01
    with pytest.raises(LegoError, match="`item_encoder`"):
        run(side(), side(), vectors=vectors)


def test_nan_on_real_rows_is_refused():
    def broken(inputs):
        scores = dot(inputs)
        scores[-1] = np.nan
        return scores

    with pytest.raises(LegoError) as caught:
        run(side(), side(predictor=broken))
    assert caught.value.diagnostics[0].code == "E0824"


def test_a_split_that_was_not_trained_on_comes_first():
    log = make_log()
    assert choose_split({"train": log, "test": log, "valid": log}) == "valid"
    assert choose_split({"train": log, "test": log}) == "test"
    assert choose_split({"predict": log}) is None
    assert choose_split({}) is None


def test_candidates_are_distinct_real_items():
    found = ranked_items(ITEMS, 1)
    assert sorted(found) == list(range(1, ITEMS))
    assert len(ranked_items(1, 1)) == 0
