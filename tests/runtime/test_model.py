"""A loaded bundle answers as NumPy does, whatever the form of its model."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest

import legoc_runtime
from legoc_runtime import BundleError, RequestError
from legoc_runtime.changes import insert
from legoc_runtime.chunks import pair_parts
from legoc_runtime.ranking import top
from legoc_runtime.sessions import all_providers
from legoc_runtime.table import make_table
from tests.runtime.bundles import ITEMS, KINDS, Kind, graphs, rewrite, write_bundle


IDS = [item["id"] for item in ITEMS]


def open_model(folder, name):
    return legoc_runtime.load(write_bundle(folder, KINDS[name]))


def expected(kind, history, candidates, user=0):
    vectors = {item["id"]: kind.item(item) for item in ITEMS}
    clicks = [vectors[name] for name in history]
    return [kind.score(clicks, vectors[name], user) for name in candidates]


@pytest.mark.parametrize("name", KINDS)
def test_scores(tmp_path, name):
    kind, model = KINDS[name], open_model(tmp_path, name)
    for history in ([], ["N1"], ["N2", "Ü4"], ["N5", "N1", "N2", "N3"], ["N1", "N1", "N1"]):
        user = model.encode_user(history, user="U2")
        assert user.known == kind.reads_user
        assert model.score(user, IDS) == pytest.approx(
            expected(kind, history, IDS, user=2), abs=1e-5
        )
    assert model.score(model.encode_user(["N1"], user="nobody"), ["N2"]) == pytest.approx(
        expected(kind, ["N1"], ["N2"]), abs=1e-5
    )


@pytest.mark.parametrize("name", KINDS)
def test_many_users_at_once_are_as_one_by_one(tmp_path, name):
    model = open_model(tmp_path, name)
    histories = [["N1", "N2", "N3"], [], ["N5"], ["X", "N2"], ["N5"]]
    users = ["U1", None, "U2", "U1", "U1"]
    together = model.encode_users(histories, users)
    for user, history, named in zip(together, histories, users, strict=True):
        alone = model.encode_user(history, user=named)
        assert user.vectors == pytest.approx(alone.vectors, abs=1e-6)
        assert (user.clicks, user.unknown, user.known) == (alone.clicks, alone.unknown, alone.known)
    with pytest.raises(RequestError, match="5 histories and 1 users"):
        model.encode_users(histories, ["U1"])


@pytest.mark.parametrize("name", KINDS)
def test_scores_of_many_users_are_those_of_each(tmp_path, name):
    kind, model = KINDS[name], open_model(tmp_path, name)
    histories = [["N1", "N2", "N3"], [], ["N5"], ["X", "N2"], ["N5"]]
    candidates = [["N2"], IDS, [], ["Ü4", "N1"], ["N5", "N5", "N3"]]
    users = model.encode_users(histories, ["U2"] * 5)
    found = model.score_users(users, candidates)
    for scores, history, ids in zip(found, histories, candidates, strict=True):
        known = [one for one in history if one != "X"]
        assert scores.shape == (len(ids),)
        assert scores == pytest.approx(expected(kind, known, ids, user=2), abs=1e-5)
    (alone,) = model.score_users([users[1]], [IDS])
    assert alone == pytest.approx(expected(kind, [], IDS, user=2), abs=1e-5)
    assert model.score_users([], []) == []
    assert [scores.shape for scores in model.score_users(users[:2], [[], []])] == [(0,), (0,)]
    with pytest.raises(RequestError, match="1 users and 2 lists"):
        model.score_users(users[:1], [["N1"], ["N1"]])
    with pytest.raises(RequestError, match="`X9`"):
        model.score_users(users[:2], [["N1"], ["X9"]])


def test_unknown_clicks_are_reported_and_the_newest_known_ones_count(tmp_path):
    model = open_model(tmp_path, "dot")
    user = model.encode_user(["N1", "N2", "X1", "N3", "N5", "X2"])
    assert user.clicks == ("N2", "N3", "N5")  # history = 3
    assert user.unknown == ("X1", "X2")


@pytest.mark.parametrize("name", KINDS)
def test_recommendations_are_the_best_of_all_scores(tmp_path, name):
    model = open_model(tmp_path, name)
    user = model.encode_user(["N1", "N5"], user="U1")
    scores = dict(zip(IDS, model.score(user, IDS).tolist(), strict=True))
    ids, values = model.recommend(user, k=3)
    assert ids == sorted(IDS, key=lambda i: -scores[i])[:3]
    assert values == pytest.approx([scores[i] for i in ids], abs=1e-6)
    ids, values = model.recommend(user, k=10, exclude=["N1", "N5", "X"])
    assert set(ids) == {"N2", "N3", "Ü4"}
    assert (np.diff(values) <= 0).all()


@pytest.mark.parametrize("name", KINDS)
def test_users_together_are_given_what_each_alone_is(tmp_path, monkeypatch, name):
    model = open_model(tmp_path, name)
    histories = [["N1", "N5"], [], ["N2"], ["X"], ["N3", "N1", "N2"], ["N5"], ["Ü4", "N1"]]
    users = model.encode_users(histories, ["U1", None, "U2", "U1", None, None, None])
    calls = []
    predict = model.graphs.predict
    monkeypatch.setattr(
        model.graphs, "predict", lambda *given: calls.append(len(given[2])) or predict(*given)
    )
    # Three users to a call.
    monkeypatch.setattr("legoc_runtime.scoring.pairs_at_once", lambda floats: 3 * (1 + len(IDS)))
    together = model.recommend_users(users, k=3, exclude=histories)
    assert len(calls) == (0 if model.scorer.inner_product else 3)
    for user, history, (ids, scores) in zip(users, histories, together, strict=True):
        every = dict(zip(IDS, model.score(user, IDS).tolist(), strict=True))
        left = sorted((i for i in IDS if i not in history), key=lambda i: -every[i])
        assert ids == left[:3]
        assert scores == pytest.approx([every[i] for i in ids], abs=1e-6)
    # Where each user needs a sum for every row of a table, two are all that fit.
    monkeypatch.setattr(model.scorer, "most", 2)
    calls.clear()
    again = model.recommend_users(users, k=3, exclude=histories)
    assert len(calls) == (0 if model.scorer.inner_product else 4)
    for (ids, scores), (same, values) in zip(together, again, strict=True):
        assert ids == same
        assert scores == pytest.approx(values, abs=1e-6)
    assert model.recommend_users([], k=3) == []
    with pytest.raises(RequestError, match="7 users and 1 lists"):
        model.recommend_users(users, exclude=[[]])


@pytest.mark.parametrize(("step", "most"), [(1, 1), (7, 3), (64, 1), (50, 1000), (1000, 5)])
def test_parts_of_pairs_have_few_pairs_and_few_users(step, most):
    random = np.random.default_rng(step)
    for owner in (random.integers(0, 40, 300), np.sort(random.integers(0, 40, 300)), np.zeros(0)):
        parts = list(pair_parts(owner.astype(np.int32), step, most))
        taken = [place for part in parts for place in range(part.start, part.stop)]
        assert taken == list(range(len(owner)))
        for part in parts:
            assert 0 < part.stop - part.start <= step
            assert len(set(owner[part].tolist())) <= most


@pytest.mark.parametrize("levels", [1, 3, 1000])
def test_top_k_is_a_stable_sort(levels):
    scores = np.random.default_rng(levels).integers(0, levels, 200).astype(np.float32)
    whole = np.argsort(-scores, kind="stable")
    for k in (0, 1, 7, 199, 200, 500):
        assert top(scores, k).tolist() == whole[:k].tolist()


def test_top_k_never_holds_what_is_not_a_number():
    random = np.random.default_rng(5)
    for _ in range(300):
        scores = random.integers(0, 5, random.integers(1, 12)).astype(np.float32)
        scores[random.random(len(scores)) < random.choice([0, 0.2, 0.8, 1])] = np.nan
        scores[random.random(len(scores)) < 0.1] = random.choice([np.inf, -np.inf])
        real = [place for place, score in enumerate(scores) if score == score]
        whole = sorted(real, key=lambda place: (-scores[place], place))
        for k in range(len(scores) + 2):
            assert top(scores, k).tolist() == whole[:k]


@pytest.mark.parametrize("name", ["dot", "dnn"])
def test_an_item_without_a_finite_vector_spoils_no_answer(tmp_path, name):
    model = open_model(tmp_path, name)
    user = model.encode_user(["N1", "N5"])
    whole = model.recommend(user, k=9)[0]
    vectors = model.items.table.vectors.whole()
    vectors[2] = np.nan
    model.items.table = make_table(model.items.table.ids, vectors)
    assert model.recommend(user, k=9)[0] == [item for item in whole if item != "N2"]
    lost = model.encode_user(["N2"])
    with pytest.raises(RequestError, match="vectors of the user are not finite"):
        model.recommend(lost)


def test_a_new_item_has_a_finite_vector(tmp_path, monkeypatch):
    model = open_model(tmp_path, "dot")
    real = model.graphs.encode_items

    def broken(inputs):
        found = real(inputs)
        found[0, 0] = np.inf
        return found

    monkeypatch.setattr(model.graphs, "encode_items", broken)
    with pytest.raises(RequestError, match="no finite vector of `X1`"):
        model.items.add([{"id": "X1", "title": "goal"}])
    assert len(model.items) == len(ITEMS)


@pytest.mark.parametrize("name", [name for name in KINDS if name != "table"])
def test_new_items_from_raw_text(tmp_path, name):
    kind, model = KINDS[name], open_model(tmp_path, name)
    records = [
        {"id": "X1", "title": "Goal over the coast coast", "category": "chess", "abstract": "-"},
        {"id": "N2", "title": "storm"},
        {"id": "X2", "title": None, "category": []},
    ]
    before = model.items.vectors
    user = model.encode_user(["N1"])
    added = model.items.add(records)
    assert (added.added, added.replaced, added.empty) == (("X1", "X2"), ("N2",), ("X2",))
    assert len(model.items) == len(ITEMS) + 2
    assert model.items.ids[model.items.index("X1")] == "X1"
    assert len(before) == len(ITEMS)
    vectors = [kind.item({"title": "", **record, "category": record.get("category")})
               for record in records]  # fmt: skip
    found = [model.items.vectors[model.items.index(record["id"])] for record in records]
    assert np.array(found) == pytest.approx(np.array(vectors), abs=1e-6)
    assert model.score(user, ["X1"]) == pytest.approx(
        [kind.score([kind.item(ITEMS[0])], vectors[0])], abs=1e-5
    )
    assert model.encode_user(["X1", "N2"]).clicks == ("X1", "N2")


def test_records_that_cannot_be_added_change_nothing(tmp_path):
    model = open_model(tmp_path, "dot")
    good = {"id": "X1", "title": "goal"}
    for bad, match in (
        ({"title": "goal"}, "no `id`"),
        ({"id": "X2", "titel": "goal"}, "none of the attributes"),
        ({"id": "X1", "title": "storm"}, "twice"),
        ({"id": "X2", "title": {"en": "goal"}}, "not a text"),
    ):
        with pytest.raises(RequestError, match=match):
            model.items.add([good, bad])
    assert len(model.items) == len(ITEMS)
    assert model.items.add([]).added == ()


def test_item_tables_refuse_new_items_and_say_why(tmp_path):
    model = open_model(tmp_path, "table")
    with pytest.raises(RequestError, match="rows of a table"):
        model.items.add([{"id": "X1", "title": "goal"}])


def test_requests_that_make_no_sense(tmp_path):
    model = open_model(tmp_path, "dot")
    user = model.encode_user([])
    with pytest.raises(RequestError, match="`X9`"):
        model.score(user, ["N1", "X9"])
    with pytest.raises(RequestError, match="one text"):
        model.encode_user("N1")
    with pytest.raises(RequestError, match="k is 0"):
        model.recommend(user, k=0)
    assert model.score(user, []).shape == (0,)


def test_threads_share_a_model_while_items_are_added(tmp_path):
    model = open_model(tmp_path, "dnn")
    kind = KINDS["dnn"]

    def ask(turn):
        if turn % 5 == 0:
            model.items.add([{"id": f"X{turn}", "title": "late goal", "category": "sport"}])
        user = model.encode_user(["N1", "N3"])
        return model.score(user, IDS).tolist(), model.recommend(user, k=2)[0]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(100)))
    for scores, ids in answers:
        assert scores == pytest.approx(expected(kind, ["N1", "N3"], IDS), abs=1e-5)
        assert len(ids) == 2
    assert len(model.items) == len(ITEMS) + 20


def test_items_added_at_once_by_several_threads_are_all_kept(tmp_path, monkeypatch):
    model = open_model(tmp_path, "dot")

    def slow(*arguments):
        made = insert(*arguments)
        time.sleep(0.002)
        return made

    monkeypatch.setattr("legoc_runtime.items.insert", slow)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: model.items.add([{"id": f"X{n}", "title": "goal"}]), range(12)))
    assert len(model.items) == len(ITEMS) + 12
    assert len({model.items.index(f"X{n}") for n in range(12)}) == 12


@pytest.mark.parametrize("name", KINDS)
def test_self_test_replays_every_graph(tmp_path, name):
    model = open_model(tmp_path, name)
    found = model.self_test()
    assert found.differences.keys() == model.manifest["graphs"].keys()
    assert found.outputs == len(found.differences)
    assert found.difference < 1e-6


def test_self_test_finds_a_changed_graph(tmp_path):
    folder = write_bundle(tmp_path, KINDS["dot"])
    changed = graphs(Kind(arrays={k: v * 1.001 for k, v in KINDS["dot"].arrays.items()}))
    (folder / "onnx/item_encoder.onnx").write_bytes(changed["item_encoder"].SerializeToString())
    rewrite(folder, lambda manifest: None)
    with pytest.raises(BundleError, match=r"item_encoder.onnx` differs by .*probe"):
        legoc_runtime.load(folder).self_test()


def test_settings(tmp_path):
    folder = write_bundle(tmp_path, KINDS["dot"])
    model = legoc_runtime.load(folder, threads=2, level="all", providers=["cpu"])
    assert set(model.providers.values()) == {("CPUExecutionProvider",)}
    with pytest.raises(RequestError, match="not a level"):
        legoc_runtime.load(folder, level="most")
    with pytest.raises(RequestError, match="not a provider"):
        legoc_runtime.load(folder, providers=["abacus"])
    with pytest.raises(RequestError, match="threads"):
        legoc_runtime.load(folder, threads=0)
    absent = next(p for p in all_providers() if p not in onnxruntime.get_available_providers())
    with pytest.warns(UserWarning, match=f"does not run on {absent}"):
        legoc_runtime.load(folder, providers=[absent])
    with pytest.raises(RequestError, match=f"does not run on {absent}"):
        legoc_runtime.load(folder, providers=[absent], strict=True)


def test_items_made_up_for_histories_are_not_recommended(tmp_path):
    import json

    plain = open_model(tmp_path, "dot")
    user = plain.encode_user(["N1", "N5"])
    folder = plain.bundle.path
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["items"]["generated"] = 2
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    model = legoc_runtime.load(folder)
    last = set(plain.items.ids[-2:])
    assert set(model.recommend(user, k=10)[0]) == {*plain.items.ids} - last
    # They are items nevertheless: a history may hold them.
    assert model.encode_user(sorted(last)).clicks
