"""What predictors that stand alone count, against brute force on the tables themselves."""

import dataclasses
import hashlib
import math

import numpy as np
import pytest
import torch

import legoc
from legoc.data import prepare
from legoc.data.indexing.log import Log
from legoc.evaluation.baselines import call_of
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.counted import counted_spec
from legoc.model import compile, neighbours
from legoc.model.counting import count_for, fill
from legoc.model.neighbours import find_neighbours
from legoc.model.tensors import to_inputs
from legoc.operators.predict.itemknn import ItemKNN


TEXT = """\
data small { source = Demo(items=200, users=50, impressions=120) content = [title(8), category]
             history = 5 }
model pop = predict Popularity
run pop on small
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A spec on a small Demo and its data."""
    folder = tmp_path_factory.mktemp("counting")
    path = folder / "small.lego"
    path.write_text(TEXT)
    spec = legoc.load(path)[0]
    return spec, prepare(spec, cache=folder / "cache"), folder / "cache"


def training(data):
    """The training rows as the tables have them: item row, label, seconds."""
    _, prepared, _ = data
    rows = prepared.tables.interactions()
    rows = rows[rows["split"] == "train"]
    places = {name: row for row, name in enumerate(prepared.items.ids)}
    seconds = (rows["time"] - rows["time"].max()).dt.total_seconds()
    return [*zip(rows["item_id"].map(places), rows["label"], seconds, strict=True)]


def test_popularity_is_the_logarithm_of_the_clicks(data):
    found = count_for(call_of("Popularity"), data[1])
    clicks = [0] * len(data[1].items)
    for item, label, _ in training(data):
        clicks[item] += label > 0.5
    assert max(clicks) > 2
    np.testing.assert_allclose(found[:, 0], [math.log1p(n) for n in clicks], rtol=1e-6)


@pytest.mark.parametrize(("given", "span"), [({"hours": 6.0}, 21_600), ({"days": 2.0}, 172_800)])
def test_with_a_span_clicks_fade(data, given, span):
    found = count_for(call_of("Popularity", **given), data[1])
    clicks = [0.0] * len(data[1].items)
    for item, label, seconds in training(data):
        clicks[item] += math.exp(seconds / span) if label > 0.5 else 0.0
    np.testing.assert_allclose(found[:, 0], np.log1p(clicks), rtol=1e-5, atol=1e-7)
    assert not np.allclose(found, count_for(call_of("Popularity"), data[1]))


def test_nothing_but_the_training_part_is_counted(data):
    _, prepared, _ = data
    logs = {"train": prepared.logs["train"]}
    alone = dataclasses.replace(prepared, logs=logs)
    for name in ("Popularity", "ItemMean", "ItemKNN"):
        np.testing.assert_array_equal(
            count_for(call_of(name), alone), count_for(call_of(name), prepared)
        )


def test_an_order_is_no_time(data):
    report = dataclasses.replace(data[1].report, order="list")
    prepared = dataclasses.replace(data[1], report=report)
    with pytest.raises(LegoError) as caught:
        count_for(call_of("Popularity", hours=24.0), prepared)
    assert caught.value.diagnostics[0].code == "E0634"
    assert "Demo" in caught.value.diagnostics[0].message
    assert count_for(call_of("Popularity"), prepared) is not None


@pytest.mark.parametrize("strength", [5.0, 0.5, 0.0])
def test_item_mean_is_drawn_to_the_mean_of_all(data, strength):
    found = count_for(call_of("ItemMean", strength=strength), data[1])
    rows = training(data)
    whole = sum(label for _, label, _ in rows) / len(rows)
    for item in range(len(data[1].items)):
        own = [label for place, label, _ in rows if place == item]
        mean = whole
        if own or strength:
            mean = (sum(own) + strength * whole) / (len(own) + strength)
        mean = min(max(mean, 1e-6), 1 - 1e-6)
        assert found[item, 0] == pytest.approx(math.log(mean / (1 - mean)), rel=1e-5)


def test_labels_that_are_no_probabilities_stay_what_they_are(data):
    log = data[1].logs["train"]
    graded = dataclasses.replace(log, label=1 + 4 * np.asarray(log.label))
    found = count_for(
        call_of("ItemMean", strength=0.0), dataclasses.replace(data[1], logs={"train": graded})
    )
    assert found.min() >= 1
    assert found.max() <= 5


def test_chance_is_a_hash_of_the_id(data):
    found = count_for(call_of("Random", seed=3), data[1])
    name = data[1].items.ids[7]
    hashed = hashlib.sha256(f"3/{name}".encode()).hexdigest()
    assert found[7, 0] == pytest.approx(int(hashed[:16], 16) / 2**64)
    assert 0.4 < found[1:].mean() < 0.6
    assert not np.allclose(found, count_for(call_of("Random"), data[1]))


def make_log(random, users, items):
    """Histories of some users, two each, one of the users unknown."""
    histories = 2 * users
    sizes = random.integers(0, 6, histories)
    rows = 40
    starts = np.concatenate([[0], np.cumsum(sizes)])
    return Log(
        clicks=random.integers(1, items, starts[-1]).astype(np.int32),
        starts=starts,
        user=np.repeat(np.arange(users), 2).astype(np.int32),
        history=random.integers(0, histories, rows).astype(np.int32),
        item=random.integers(1, items, rows).astype(np.int32),
        label=random.integers(0, 2, rows).astype(np.float32),
        group=np.arange(rows, dtype=np.int32),
    )


def clicked_by(log):
    """The items of each known user."""
    found = {int(user): set() for user in log.user if user}
    for place, user in enumerate(log.user):
        if user:
            found[int(user)] |= set(log.clicks[log.starts[place] : log.starts[place + 1]].tolist())
    for history, item, label in zip(log.history, log.item, log.label, strict=True):
        if label > 0.5 and log.user[history]:
            found[int(log.user[history])].add(int(item))
    return found


def gather(log, *, items, count):
    """All blocks of rows, each of which may come once."""
    rows = np.full((items, count), -1)
    similarity = np.full((items, count), np.nan, np.float32)
    for some, near, similar in find_neighbours(log, items=items, count=count):
        assert (rows[some] == -1).all()
        rows[some], similarity[some] = near, similar
    return rows, similarity


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("pairs", [1, 50, 1 << 20])
def test_neighbours_are_those_of_the_cosine(seed, pairs, monkeypatch):
    # However many pairs of clicks a block holds.
    monkeypatch.setattr(neighbours, "PAIRS", pairs)
    random = np.random.default_rng(seed)
    items = int(random.integers(3, 30))
    log = make_log(random, int(random.integers(2, 12)), items)
    users = [
        {user for user, held in clicked_by(log).items() if item in held} for item in range(items)
    ]
    rows, similarity = gather(log, items=items, count=4)
    for one in range(items):
        cosine = {
            other: len(users[one] & users[other]) / math.sqrt(len(users[one]) * len(users[other]))
            for other in range(items)
            if users[one] & users[other]
        }
        wanted = sorted(
            cosine, key=lambda other: (-round(cosine[other], 9), other != one, other)
        )[:4]  # fmt: skip
        real = similarity[one] > 0
        assert rows[one][real].tolist() == wanted
        np.testing.assert_allclose(
            similarity[one][real], [cosine[other] for other in wanted], rtol=1e-6
        )
        assert not rows[one][~real].any()


def test_among_items_of_the_same_users_each_is_its_own_nearest():
    """Eleven items that three users clicked, all of them: √3 · √3 is not quite 3."""
    users, items = 3, 12
    log = Log(
        clicks=np.tile(np.arange(1, items), users).astype(np.int32),
        starts=np.arange(users + 1) * (items - 1), user=np.arange(1, users + 1, dtype=np.int32),
        history=np.zeros(1, np.int32), item=np.ones(1, np.int32), label=np.zeros(1, np.float32),
        group=np.zeros(1, np.int32),
    )  # fmt: skip
    rows, similarity = gather(log, items=items, count=3)
    for item in range(1, items):
        others = [other for other in range(1, items) if other != item]
        assert rows[item].tolist() == [item, *others[:2]]
    assert (similarity[1:] == 1).all()
    # What nobody clicked has no neighbour, itself included.
    assert rows[0].tolist() == [0, 0, 0]
    assert not similarity[0].any()


def test_equal_cosines_are_equal_whatever_makes_them(monkeypatch):
    """As quotients of roots, 3 / √(3 · 9) came out smaller than 1 / √(3 · 1)."""
    monkeypatch.setattr(neighbours, "PAIRS", 1)
    held = {1: [1, 2, 3], 2: [1, 2, 3, *range(20, 26)], 3: [1], 4: [1, 2, 10, 11]}
    pairs = sorted((user, item) for item, users in held.items() for user in users)
    user, item = (np.array(each, np.int32) for each in zip(*pairs, strict=True))
    log = Log(
        clicks=np.zeros(0, np.int32), starts=np.zeros(len(user) + 1, int), user=user,
        history=np.arange(len(user), dtype=np.int32), item=item,
        label=np.ones(len(user), np.float32), group=np.arange(len(user), dtype=np.int32),
    )  # fmt: skip
    rows, similarity = gather(log, items=5, count=4)
    assert rows[1].tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(similarity[1], [1, 3**-0.5, 3**-0.5, 3**-0.5], rtol=1e-7)


def test_the_page_of_item_knn_says_where_pairs_end():
    assert f"{neighbours.STEPS // 10**6} million pairs" in " ".join(ItemKNN.__doc__.split())


def test_of_too_many_clicks_the_newest_count(monkeypatch):
    monkeypatch.setattr(neighbours, "STEPS", 9)
    log = Log(
        clicks=np.array([1, 2, 3, 4], np.int32), starts=np.array([0, 4, 4]),
        user=np.array([1, 1], np.int32), history=np.array([1, 1], np.int32),
        item=np.array([5, 1], np.int32), label=np.ones(2, np.float32), group=np.arange(2),
    )  # fmt: skip
    rows, similarity = gather(log, items=6, count=6)
    # Three items make nine pairs: the last row, the row before, the newest of the history.
    assert sorted(rows[1][similarity[1] > 0].tolist()) == [1, 4, 5]
    assert not similarity[2].any()


def test_a_catalogue_too_large_for_float32_is_refused(data, monkeypatch):
    monkeypatch.setattr("legoc.model.counting.LARGEST", 10)
    with pytest.raises(LegoError) as caught:
        count_for(call_of("ItemKNN"), data[1])
    assert caught.value.diagnostics[0].code == "E0635"


def test_words_weigh_as_in_scikit_learn(data):
    text = pytest.importorskip("sklearn.feature_extraction.text")
    spec, _, cache = data
    made = counted_spec(spec, call_of("TFIDF"))
    read = prepare(made, cache=cache)
    model = compile(made).build(read.rows).eval()
    fill(model.content, call_of("TFIDF"), read)
    table = read.inputs.rows(np.arange(len(read.items), dtype=np.int32))
    words = [
        [
            str(token)
            for name in ("title", "category")
            for token, real in zip(table[name][item], table[f"{name}_mask"][item], strict=True)
            if real and token > 2
        ]
        for item in range(len(read.items))
    ]
    shown = [words[item] for item in np.flatnonzero(read.training_items)]
    judge = text.TfidfVectorizer(analyzer=lambda held: held).fit(shown)
    wanted = judge.transform(words).toarray()
    with torch.no_grad():
        vectors = model.encode_items(to_inputs(table, torch.device("cpu")))
    half = vectors.shape[1] // 2
    for item in range(len(read.items)):
        own = np.zeros(wanted.shape[1])
        for token, weight in zip(vectors[item, :half], vectors[item, half:], strict=True):
            if weight:
                own[judge.vocabulary_[str(int(token))]] += float(weight)
        np.testing.assert_allclose(own, wanted[item], atol=1e-5)


def test_the_vector_of_an_item_is_the_same_beside_longer_texts(data):
    spec, _, cache = data
    read = prepare(counted_spec(spec, call_of("TFIDF")), cache=cache)
    model = compile(counted_spec(spec, call_of("TFIDF"))).build(read.rows).eval()
    fill(model.content, call_of("TFIDF"), read)
    every = np.arange(1, len(read.items), dtype=np.int32)

    def encode(rows):
        with torch.no_grad():
            return model.encode_items(to_inputs(read.inputs.rows(rows), torch.device("cpu")))

    together = encode(every)
    shortest = int(np.argmin(read.inputs.lengths[1:]))
    alone = encode(every[shortest : shortest + 1])
    torch.testing.assert_close(alone[0], together[shortest])
