"""What users are answered of whom a bundle knows nothing, and that they are told so."""

import numpy as np
import pytest
from safetensors.numpy import save_file

import legoc_runtime
from legoc_runtime import BundleError, RequestError
from legoc_runtime.table import make_table
from tests.runtime.bundles import ITEMS, KINDS, WIDTH, rewrite, write_bundle


IDS = [item["id"] for item in ITEMS]
CLICKS = np.array([0, 3, 0, 7, 3, 1])
FILE = "cache/cold.safetensors"


def open_cold(folder, name, answer, tensors=None):
    bundle = write_bundle(folder / "bundle", KINDS[name])
    entry = {"answer": answer, "file": None if tensors is None else FILE}
    if tensors is not None:
        save_file(tensors, bundle / FILE)
    rewrite(bundle, lambda m: m.update(cold=entry))
    return legoc_runtime.load(bundle)


@pytest.mark.parametrize("name", KINDS)
def test_popularity_ranks_by_clicks_and_breaks_ties_by_row(tmp_path, name):
    model = open_cold(tmp_path, name, "popularity", {"clicks": CLICKS})
    user = model.encode_user(["nobody"], user="nobody")
    assert (user.cold, user.unknown, user.known) == ("popularity", ("nobody",), False)
    ids, scores = model.recommend(user, k=4)
    assert ids == ["N3", "N1", "Ü4", "N5"]
    assert scores == pytest.approx(np.log([8, 4, 4, 2]))
    assert model.score(user, ["N2", "N3"]) == pytest.approx([0, np.log(8)])
    assert model.score(user, ["N3"]).dtype == np.float32
    warm = model.encode_user(["N1"])
    assert warm.cold is None
    mixed = model.score_users([user, warm, user], [["N3"], IDS, ["N1", "N2"]])
    assert mixed[0] == pytest.approx([np.log(8)])
    assert mixed[1] == pytest.approx(model.score(warm, IDS), abs=1e-6)
    assert mixed[2] == pytest.approx([np.log(4), 0])
    both = model.recommend_users([warm, user], k=2, exclude=[[], ["N3"]])
    assert both[0][0] == model.recommend(warm, k=2)[0]
    assert both[1][0] == ["N1", "Ü4"]


def test_a_new_item_was_clicked_by_nobody(tmp_path):
    model = open_cold(tmp_path, "dot", "popularity", {"clicks": CLICKS})
    model.items.add([{"id": "X", "title": "goal"}])
    user = model.encode_user([])
    assert model.score(user, ["X", "N5"]) == pytest.approx([0, np.log(2)])
    assert model.encode_user(["X"]).cold is None


@pytest.mark.parametrize(("name", "shape"), [("dot", (WIDTH,)), ("many", (2, WIDTH))])
def test_the_mean_user_answers(tmp_path, name, shape):
    mean = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    model = open_cold(tmp_path, name, "mean", {"user": mean})
    user = model.encode_user([])
    assert user.cold == "mean"
    vectors = np.stack([KINDS[name].item(item) for item in ITEMS])
    expected = vectors @ mean.T if name == "dot" else (vectors @ mean.T).max(1)
    assert model.score(user, IDS) == pytest.approx(expected, abs=1e-5)
    best = [IDS[place] for place in np.argsort(-expected, kind="stable")]
    assert model.recommend(user, k=9)[0] == best


def test_users_of_whom_nothing_is_known_can_be_refused(tmp_path):
    model = open_cold(tmp_path, "users", "error")
    for history in ([], ["nobody"]):
        with pytest.raises(RequestError, match="nothing is known of the user"):
            model.encode_user(history)
    assert model.encode_user([], user="U1").known
    assert model.encode_user(["N1", "nobody"]).unknown == ("nobody",)


def test_a_known_user_without_clicks_is_not_cold(tmp_path):
    model = open_cold(tmp_path, "users", "popularity", {"clicks": CLICKS})
    user = model.encode_user([], user="U1")
    assert (user.cold, user.row) == (None, 1)
    assert model.score(user, ["N1"]) == pytest.approx(
        [KINDS["users"].score([], KINDS["users"].item(ITEMS[0]), user=1)], abs=1e-5
    )


def test_bundles_that_do_not_say_let_the_model_answer(tmp_path):
    model = legoc_runtime.load(write_bundle(tmp_path / "bundle", KINDS["din"]))
    assert model.encode_user([]).cold == "model"


@pytest.mark.parametrize(
    ("answer", "tensors"),
    [
        ("popularity", {"clicks": CLICKS[:3]}), ("popularity", {"clicks": CLICKS - 1}),
        ("popularity", {"clicks": CLICKS.astype(np.float32)}), ("popularity", {"user": CLICKS}),
        ("popularity", None), ("mean", {"user": np.zeros(4, np.float32)}), ("mean", None),
        ("mean", {"user": np.full(WIDTH, np.nan, np.float32)}), ("model", {"clicks": CLICKS}),
        ("guess", None),
    ],
)  # fmt: skip
def test_an_answer_without_what_it_takes(tmp_path, answer, tensors):
    with pytest.raises(BundleError):
        open_cold(tmp_path, "dot", answer, tensors)


def test_no_mean_of_clicks(tmp_path):
    with pytest.raises(BundleError, match="a user is no vector"):
        open_cold(tmp_path, "din", "mean", {"user": np.zeros(WIDTH, np.float32)})


def test_a_catalogue_in_another_order_keeps_the_clicks_of_its_items(tmp_path):
    model = open_cold(tmp_path, "dot", "popularity", {"clicks": CLICKS})
    model.items.add([{"id": "X", "title": "goal"}])
    model.items.save(tmp_path / "items")
    user = model.encode_user([])
    before = dict(zip(*model.recommend(user, k=9), strict=True))
    model.items.load(tmp_path / "items")
    assert dict(zip(*model.recommend(user, k=9), strict=True)) == before
    table = model.items.table
    order = [0, *range(table.count - 1, 0, -1)]
    names = [table.names[row] for row in order]
    model.items.table = make_table(names, table.vectors[np.array(order)])
    assert dict(zip(*model.recommend(user, k=9), strict=True)) == before


def test_popularity_can_be_filtered_and_boosted(tmp_path):
    model = open_cold(tmp_path, "dot", "popularity", {"clicks": CLICKS})
    user = model.encode_user([])
    assert model.recommend(user, candidates=["N2", "N5", "N1"])[0] == ["N1", "N5", "N2"]
    ids, scores = model.recommend(user, k=1, boost={"N2": 9})
    assert (ids, scores.tolist()) == (["N2"], [9])
