"""What a score is made of, against sums worked out in Python and scores asked one by one."""

import dataclasses
from itertools import combinations

import numpy as np
import pytest

import legoc_runtime
from legoc_runtime import RequestError
from legoc_runtime.explaining import find_weights
from tests.runtime.bundles import CATEGORIES, ITEMS, KINDS, WORDS, rewrite, write_bundle


HISTORY = ["N5", "N1", "N2"]


def open_kind(folder, name, **changes):
    return legoc_runtime.load(
        write_bundle(folder / "bundle", dataclasses.replace(KINDS[name], **changes))
    )


def vector(name):
    return KINDS["dot"].item(next(item for item in ITEMS if item["id"] == name))


@pytest.mark.parametrize("calibrated", [False, True])
def test_clicks_of_a_mean_are_exact(tmp_path, calibrated):
    folder = write_bundle(tmp_path / "bundle", KINDS["dot"])
    temperature, bias = (2.0, 0.25) if calibrated else (1.0, 0.0)
    if calibrated:
        numbers = {"temperature": temperature, "bias": bias}
        rewrite(folder, lambda m: m.update(calibration=numbers))
    model = legoc_runtime.load(folder)
    found = model.explain(model.encode_user([*HISTORY, "nobody"]), "N3")
    assert found.click_method == "exact"
    assert [name for name, _ in found.clicks] == HISTORY
    expected = [vector(name) @ vector("N3") / 3 / temperature for name in HISTORY]
    assert [part for _, part in found.clicks] == pytest.approx(expected, abs=1e-5)
    assert found.rest == pytest.approx(bias, abs=1e-5)
    user = model.encode_user(HISTORY)
    assert found.score == pytest.approx(float(model.score(user, ["N3"])[0]), abs=1e-6)
    assert found.score == pytest.approx(sum(p for _, p in found.clicks) + found.rest, abs=1e-5)


@pytest.mark.parametrize("name", ["dnn", "many", "din", "table", "users"])
def test_other_clicks_are_what_the_score_loses(tmp_path, name):
    kind, model = KINDS[name], open_kind(tmp_path, name)
    user = model.encode_user(HISTORY, user="U2")
    found = model.explain(user, "N3")
    assert found.click_method == "leave-one-out"
    number = 2 if kind.reads_user else 0

    def score(history):
        return kind.score([vector(one) for one in history], vector("N3"), number)

    whole = score(HISTORY)
    lost = [whole - score([x for x in HISTORY if x != left]) for left in HISTORY]
    assert [part for _, part in found.clicks] == pytest.approx(lost, abs=1e-5)
    assert found.score == pytest.approx(whole, abs=1e-5)
    assert found.rest == pytest.approx(whole - sum(lost), abs=1e-5)


def test_tokens_of_a_record_are_what_the_score_loses(tmp_path):
    kind, model = KINDS["dnn"], open_kind(tmp_path, "dnn")
    record = {"title": "storm goal wins", "category": "sport"}
    found = model.explain(model.encode_user(HISTORY), record)
    assert found.token_method == "leave-one-out"
    told = [(token.attribute, token.text) for token in found.tokens]
    assert told == [("title", w) for w in record["title"].split()] + [("category", "sport")]

    def score(given):
        return kind.score([vector(one) for one in HISTORY], kind.item(given))

    without = [
        {**record, "title": "goal wins"}, {**record, "title": "storm wins"},
        {**record, "title": "storm goal"}, {**record, "category": None},
    ]  # fmt: skip
    lost = [score(record) - score(given) for given in without]
    assert [token.contribution for token in found.tokens] == pytest.approx(lost, abs=1e-5)


def test_tokens_of_a_mean_are_exact(tmp_path):
    model = open_kind(tmp_path, "dot")
    found = model.explain(model.encode_user(HISTORY), {"id": "new", "title": "storm goal storm"})
    assert found.token_method == "exact"
    user = np.mean([vector(name) for name in HISTORY], axis=0)
    table = KINDS["dot"].arrays["table"]
    expected = [table[WORDS.index(w)] @ user / 3 for w in ("storm", "goal", "storm")]
    assert [token.contribution for token in found.tokens] == pytest.approx(expected, abs=1e-5)
    # A mean of words plus a category is no mean of both.
    two = model.explain(model.encode_user(HISTORY), {"title": "storm goal", "category": "news"})
    assert two.token_method == "leave-one-out"
    assert two.tokens[-1].contribution == pytest.approx(table[CATEGORIES["news"]] @ user, abs=1e-5)


def test_an_item_and_a_user_of_whom_nothing_is_told(tmp_path):
    model = open_kind(tmp_path, "dot")
    found = model.explain(model.encode_user(["nobody"]), "N3")
    assert (found.clicks, found.cold) == ((), "model")
    assert found.rest == found.score
    empty = model.explain(model.encode_user(HISTORY), {"title": ""})
    assert empty.tokens == ()
    assert empty.score == 0


@pytest.mark.parametrize("kind", ["attention", "mean", "alike", "pairwise", "maximum"])
def test_weights_of_clicks_follow_from_pairs(kind):
    random = np.random.default_rng(5)
    parts = random.normal(size=(7, 6))
    if kind == "alike":
        parts[[2, 5]] = parts[0]
    logits = np.zeros(7) if kind == "mean" else np.tanh(parts @ random.normal(size=(6, 4))).sum(1)

    def encode(subsets):
        made = []
        for subset in subsets:
            part, weights = parts[subset], np.exp(logits[subset])
            if kind == "pairwise":
                weights = np.exp(part @ part.sum(0) / 3)
            made.append(weights / weights.sum() @ part if kind != "maximum" else part.max(0))
        return np.array(made, dtype=np.float32)

    found = find_weights(7, encode)
    if kind in ("pairwise", "maximum"):
        assert found is None
        return
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    for size in (1, 2, 3):
        for subset in combinations(range(7), size):
            weights = find_weights(
                size, lambda s, of=subset: encode([[of[i] for i in x] for x in s])
            )
            chosen = expected[list(subset)]
            np.testing.assert_allclose(weights, chosen / chosen.sum(), atol=1e-4)


def test_what_cannot_be_explained(tmp_path):
    model = open_kind(tmp_path, "dot")
    user = model.encode_user(HISTORY)
    with pytest.raises(RequestError, match="not among the items: `X`"):
        model.explain(user, "X")
    with pytest.raises(RequestError, match="none of the attributes"):
        model.explain(user, {"titel": "storm"})
    with pytest.raises(RequestError, match="the item is None"):
        model.explain(user, None)
    with pytest.raises(RequestError, match="the user is"):
        model.explain("U1", "N1")
    table = open_kind(tmp_path / "t", "table")
    with pytest.raises(RequestError, match="rows of a table"):
        table.explain(table.encode_user(HISTORY), {"title": "storm"})
