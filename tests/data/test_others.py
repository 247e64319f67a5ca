"""Negatives out of the batch against plain loops, and what the correction makes of them."""

from types import SimpleNamespace

import numpy as np
import pytest

from legoc.data.batching.negatives import Clicked
from legoc.data.batching.others import MASKED, Others
from legoc.data.batching.sampling import matching_batches, ranking_batches
from legoc.data.indexing.log import Log
from legoc.data.indexing.rows import Rows
from legoc.data.reading.inputs import IdTable
from legoc.training.tasks import Matching


def clicks_alone(items, users=None):
    """A log of one click per row, each of a user and history of its own unless `users` says
    whose."""
    count = len(items)
    users = np.arange(1, count + 1) if users is None else np.asarray(users)
    size = int(max(items)) + 1
    log = Log(
        clicks=np.zeros(0, dtype=np.int32),
        starts=np.zeros(count + 1, dtype=np.int64),
        user=users.astype(np.int32),
        history=np.arange(count, dtype=np.int32),
        item=np.asarray(items, dtype=np.int32),
        label=np.ones(count, dtype=np.float32),
        group=np.arange(count, dtype=np.int32),
    )
    return SimpleNamespace(
        logs={"train": log}, rows=Rows(items=size, users=int(users.max()) + 1, tokens=0),
        training_items=np.arange(size) > 0, inputs=IdTable.of(size),
    )  # fmt: skip


def clicked_by(log):
    """What each user has clicked, by loops."""
    found = {}
    for own in range(log.histories):
        row = log.clicks[log.starts[own] : log.starts[own + 1]].tolist()
        found.setdefault(int(log.user[own]), set()).update(row)
    for history, item, label in zip(log.history.tolist(), log.item, log.label, strict=True):
        if label > 0:
            found[int(log.user[history])].add(int(item))
    return found


def counted(log):
    """Item -> its clicks in training rows, by a loop."""
    counts = {}
    for item, label in zip(log.item.tolist(), log.label.tolist(), strict=True):
        counts[item] = counts.get(item, 0) + (label > 0)
    return counts


@pytest.mark.parametrize("size", [160, 12])
@pytest.mark.parametrize(("pool", "near"), [("batch", 5), ("mixed", 3)])
def test_negatives_are_clicks_of_other_rows(demo_data, pool, near, size):
    """Few of the batch are drawn one by one; of a small batch all pairs are looked at."""
    log = demo_data.logs["train"]
    clicked, counts = clicked_by(log), counted(log)
    total, known = sum(counts.values()), int(demo_data.training_items.sum())
    sampler = matching_batches(demo_data, batch=size, seed=3, negatives=5, pool=pool)
    for step in range(0, sampler.steps, 7):
        samples = sampler.samples(2, step)
        rows = samples.candidates.tolist()
        owners = log.user[samples.history].tolist()
        for place, (positive, *negatives) in enumerate(rows):
            own = clicked[owners[place]]
            others = [row[0] for row in rows if row[0] not in own]
            for slot, item in enumerate(negatives):
                if samples.offsets[place, 1 + slot] == MASKED:
                    assert len(others) < near
                    continue
                assert item not in own
                assert slot >= near or item in others
                # No row serves twice; two rows may have clicked one item.
                taken = negatives[:near].count(item)
                assert slot >= near or taken <= others.count(item)
            for item, offset in zip((positive, *negatives), samples.offsets[place], strict=True):
                chance = near / 5 * counts.get(item, 0) / total + (5 - near) / 5 / known
                masked = offset == MASKED
                assert masked or offset == pytest.approx(np.log(known * chance), abs=1e-5)
        batch = sampler.batch(2, step)
        assert len(set(batch.items.tolist())) == len(batch.items)
        assert batch.offsets.tolist() == samples.offsets.tolist()
        assert batch.offsets.dtype == np.float32


@pytest.mark.parametrize(
    "pool", ["impression", "uniform", "popularity", "category", "batch", "mixed"]
)
def test_the_page_names_the_pools_that_give_an_item_twice(demo_data, pool):
    sampler = matching_batches(demo_data, batch=160, seed=3, negatives=8, pool=pool)
    rows = [row for step in range(sampler.steps) for row in sampler.samples(0, step).candidates]
    twice = any(len(set(row[1:].tolist())) < 8 for row in rows)
    (sentence,) = [part for part in Matching.__doc__.split(". ") if "twice" in part]
    assert twice == (f"`{pool}`" in sentence)


@pytest.mark.parametrize(("pool", "near"), [("batch", 3), ("mixed", 2)])
def test_of_ranking_every_click_and_its_negatives_come_once(demo_data, pool, near):
    log = demo_data.logs["train"]
    clicked, counts = clicked_by(log), counted(log)
    total, size = sum(counts.values()), int(demo_data.training_items.sum())
    sampler = ranking_batches(demo_data, batch=64, seed=3, negatives=3, pool=pool)
    found = []
    for step in range(sampler.steps):
        samples = sampler.samples(1, step)
        owners = log.user[samples.history].tolist()
        items, labels = samples.candidates[:, 0].tolist(), samples.labels[:, 0].tolist()
        for item, label, user, offset in zip(
            items, labels, owners, samples.offsets[:, 0].tolist(), strict=True
        ):
            found.append((user, item, label))
            assert (item in clicked[user]) == (label == 1)
            chance = near / 3 * counts.get(item, 0) / total + (3 - near) / 3 / size
            assert offset == pytest.approx(np.log(size * chance), abs=1e-5)
    hits = np.flatnonzero(log.label > 0)
    whose = zip(log.user[log.history[hits]].tolist(), log.item[hits].tolist(), strict=True)
    assert sorted((u, i) for u, i, y in found if y) == sorted(whose)
    assert sum(y == 0 for *_, y in found) == 3 * len(hits)


def test_a_place_that_no_other_row_can_serve_is_masked():
    # Users 1 and 2 have clicked what the other two rows hold; user 3 can be given item 1 alone.
    data = clicks_alone([1, 1, 2, 1], users=[1, 2, 3, 1])
    sampler = matching_batches(data, batch=4, seed=0, negatives=3, pool="batch")
    for epoch in range(20):
        samples = sampler.samples(epoch, 0)
        for row, offsets in zip(samples.candidates, samples.offsets, strict=True):
            masked = offsets == MASKED
            assert not masked[0]
            assert masked.sum() == (0 if row[0] == 2 else 2)
            assert sorted(row[~masked].tolist()) == ([1, 1, 1, 2] if row[0] == 2 else [1, 2])
            assert (row[masked] == row[0]).all()
    # The uniform half of `mixed` fills its own places.
    samples = matching_batches(data, batch=1, seed=0, negatives=2, pool="mixed").samples(0, 0)
    assert (samples.offsets == MASKED).tolist() == [[False, True, False]]
    # So does one row alone, in ranking.
    samples = ranking_batches(data, batch=1, seed=0, negatives=1, pool="batch")
    masked = [samples.samples(0, step).offsets[0, 0] == MASKED for step in range(samples.steps)]
    assert sum(masked) == 4


@pytest.mark.parametrize(("pool", "negatives"), [("batch", 3), ("mixed", 4)])
def test_corrected_scores_are_those_of_all_items(pool, negatives):
    """Where clicks follow a distribution p whoever clicks, the softmax over all items has its
    optimum at log p. Weighted by 1 / (N Q), what is drawn counts every item alike."""
    rng = np.random.default_rng(1)
    chance = 0.95 ** np.arange(60)
    items = 1 + rng.choice(60, 6000, p=chance / chance.sum())
    sampler = matching_batches(
        clicks_alone(items), batch=60, seed=0, negatives=negatives, pool=pool
    )
    weights, drawn, rows = np.zeros(61), np.zeros(61), np.zeros(61)
    for epoch in range(4):
        for step in range(sampler.steps):
            samples = sampler.samples(epoch, step)
            chosen, offsets = samples.candidates[:, 1:], samples.offsets[:, 1:]
            np.add.at(weights, chosen, np.exp(-offsets))
            np.add.at(drawn, chosen, 1)
            np.add.at(rows, samples.candidates[:, 0], 1)
    # A user's own item cannot be drawn for it: of the rows that can have an item, each has it as
    # often as a uniform draw would.
    able = rows.sum() - rows
    quarters = (weights[1:] / able[1:] * 60 / negatives).reshape(4, 15).mean(axis=1)
    assert quarters == pytest.approx(np.ones(4), rel=0.07)
    popular, rare = drawn[1:16].sum(), drawn[46:].sum()
    assert popular > 1.5 * rare, "as they are drawn they follow the clicks"


def test_what_is_learned_with_the_correction_is_the_distribution_of_clicks():
    """A score per item, trained by plain gradient steps in numpy on the drawn batches."""
    rng = np.random.default_rng(2)
    chance = 0.75 ** np.arange(10)
    items = 1 + rng.choice(10, 8000, p=chance / chance.sum())
    expected = np.log(np.bincount(items, minlength=11)[1:] / len(items))

    def learn(corrected):
        sampler = matching_batches(
            clicks_alone(items), batch=100, seed=0, negatives=20, pool="batch"
        )
        score = np.zeros(11)
        for epoch in range(12):
            for step in range(sampler.steps):
                samples = sampler.samples(epoch, step)
                logits = score[samples.candidates] - samples.offsets * corrected
                logits = np.exp(logits - logits.max(axis=1, keepdims=True))
                gradient = logits / logits.sum(axis=1, keepdims=True)
                gradient[:, 0] -= 1
                np.add.at(score, samples.candidates, -2.0 / 100 * gradient)
        return np.polyfit(expected, score[1:], 1)[0]

    assert learn(1.0) == pytest.approx(1.0, abs=0.15)
    assert learn(0.0) < 0.4


@pytest.mark.parametrize("make", [matching_batches, ranking_batches])
@pytest.mark.parametrize("pool", ["batch", "mixed"])
def test_any_step_can_be_made_at_any_time(demo_data, make, pool):
    settings = {"batch": 50, "seed": 9, "negatives": 4, "pool": pool}
    straight, resumed = make(demo_data, **settings), make(demo_data, **settings)
    kept = {(e, s): straight.batch(e, s) for e in (0, 1) for s in range(straight.steps)}
    for key in [(1, 4), (0, 2), (1, straight.steps - 1), (1, 0)]:
        found = resumed.batch(*key)
        assert found.offsets.tolist() == kept[key].offsets.tolist()
        assert found.candidates.tolist() == kept[key].candidates.tolist()
        assert found.items.tolist() == kept[key].items.tolist()


@pytest.mark.parametrize("pairs", [0, 10**6])
@pytest.mark.parametrize("amount", [2, 30])
def test_every_other_row_is_as_likely(amount, pairs, monkeypatch):
    """Both ways to draw give each row that can serve the same chance, and no row twice."""
    monkeypatch.setattr("legoc.data.batching.others.PAIRS", pairs)
    items = np.arange(1, 41, dtype=np.int32)
    users = np.where(items <= 4, 1, items).astype(np.int32)
    data = clicks_alone(items, users=users)
    others = Others.of(
        items, data.training_items, Clicked.of(data.logs["train"], 41), "batch", amount
    )
    counts = np.zeros((40, 41))
    for seed in range(800):
        found = others.choose(np.random.default_rng(seed), items, users, amount)
        assert (np.diff(np.sort(found, axis=1)) > 0).all()
        np.add.at(counts, (np.arange(40)[:, None], found), 1)
    for row in range(40):
        able = np.setdiff1d(items, np.flatnonzero(items <= 4) + 1 if row < 4 else [row + 1])
        assert counts[row].sum() == counts[row, able].sum() == 800 * amount
        expected = 800 * amount / len(able)
        assert counts[row, able] == pytest.approx(np.full(len(able), expected), rel=0.6)
