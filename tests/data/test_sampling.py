"""Training batches against plain loops: negatives by brute force, assembly id by id."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from legoc.data.batching.assembly import Samples, assemble
from legoc.data.batching.sampling import matching_batches, ranking_batches
from legoc.data.indexing.log import Log
from legoc.data.indexing.rows import Rows
from legoc.data.reading.inputs import IdTable
from legoc.language.diagnosing.diagnostics import LegoError


@pytest.fixture(scope="module")
def facts(demo_data):
    """Who clicked what and which non-clicks each group has, by loops."""
    log = demo_data.logs["train"]
    clicked, quiet = {}, {}
    for own in range(log.histories):
        row = log.clicks[log.starts[own] : log.starts[own + 1]].tolist()
        clicked.setdefault(int(log.user[own]), set()).update(row)
    hits = {}
    for history, item, label, group in zip(
        log.history.tolist(), log.item.tolist(), log.label.tolist(), log.group.tolist(), strict=True
    ):
        if label:
            clicked[int(log.user[history])].add(item)
            hits.setdefault(group, set()).add(item)
        else:
            quiet.setdefault(group, set()).add(item)
    for group, own in quiet.items():
        own -= hits.get(group, set())
    return SimpleNamespace(clicked=clicked, quiet=quiet)


def unpack(batch):
    """Candidates as item rows, [B, K]."""
    return np.concatenate([[0], batch.items])[batch.candidates]


def groups_of(log, histories, positives):
    """A (history, clicked item) -> the groups it may come from."""
    found = {}
    for history, item, label, group in zip(
        log.history.tolist(), log.item.tolist(), log.label.tolist(), log.group.tolist(), strict=True
    ):
        if label:
            found.setdefault((history, item), []).append(group)
    return found


@pytest.mark.parametrize("pool", ["impression", "uniform", "popularity", "category"])
def test_negatives_of_matching(demo_data, facts, pool):
    log = demo_data.logs["train"]
    sampler = matching_batches(demo_data, batch=64, seed=3, negatives=6, pool=pool)
    categories = demo_data.categories()
    origin = groups_of(log, None, None)
    positives, filled = [], 0
    for step in range(sampler.steps):
        batch = sampler.batch(1, step)
        rows = unpack(batch)
        assert batch.labels.tolist() == [[1.0] + [0.0] * 6] * len(rows)
        for user, (positive, *negatives) in zip(batch.users.tolist(), rows.tolist(), strict=True):
            assert positive in facts.clicked[user]
            assert len({positive, *negatives}) == 7
            assert demo_data.training_items[negatives].all()
            positives.append((user, positive))
            own = facts.clicked[user]
            if pool == "impression":
                groups = [
                    group
                    for (history, item), found in origin.items()
                    if item == positive and log.user[history] == user
                    for group in found
                ]
                fits = [
                    len(set(negatives) & facts.quiet.get(g, set()))
                    == min(6, len(facts.quiet.get(g, set())))
                    and not (set(negatives) - facts.quiet.get(g, set())) & own
                    for g in groups
                ]
                assert any(fits)
                filled += any(len(facts.quiet.get(g, set())) < 6 for g in groups)
            else:
                assert not own & set(negatives)
            if pool == "category":
                assert (categories[negatives] == categories[positive]).all()
    hits = np.flatnonzero(log.label > 0)
    expected = list(zip(log.user[log.history[hits]].tolist(), log.item[hits].tolist(), strict=True))
    assert sorted(positives) == sorted(expected)
    assert pool != "impression" or filled > 10


def slow_clicks(log, size):
    """Clicks of each item by plain loops: per user and item the most that one history shows with
    the clicked rows it belongs to, and no fewer than all clicked rows."""
    rows, shown = Counter(), Counter()
    for history in range(log.histories):
        user = int(log.user[history])
        here = Counter(log.clicks[log.starts[history] : log.starts[history + 1]].tolist())
        hits = (log.history == history) & (log.label > 0)
        clicked = Counter(log.item[hits].tolist())
        for item, amount in clicked.items():
            rows[user, item] += amount
        for item, amount in (here + clicked).items():
            shown[user, item] = max(shown[user, item], amount)
    counts = np.zeros(size, dtype=int)
    for (_, item), amount in (rows | shown).items():
        counts[item] += amount
    return counts


def test_popular_items_come_in_proportion_to_their_clicks(demo_data):
    log, size = demo_data.logs["train"], demo_data.rows.items
    clicks = slow_clicks(log, size)
    weight = np.where(demo_data.training_items, clicks + 1, 0)
    sampler = matching_batches(demo_data, batch=256, seed=3, negatives=2, pool="popularity")
    drawn = np.zeros(size)
    for epoch in range(6):
        for step in range(sampler.steps):
            np.add.at(drawn, unpack(sampler.batch(epoch, step))[:, 1:].ravel(), 1)
    popular = np.argsort(-weight)[: size // 4]
    share = drawn[popular].sum() / drawn.sum()
    # A user's own clicks are left out, and those are popular items: a little less than the weight.
    assert share == pytest.approx(weight[popular].sum() / weight.sum(), abs=0.06)
    assert share > 1.3 * popular.size / demo_data.training_items.sum()


def test_batches_are_assembled_as_a_loop_would(demo_data):
    log, inputs = demo_data.logs["train"], demo_data.inputs
    sampler = matching_batches(demo_data, batch=32, seed=5)
    for step in (0, 7, sampler.steps - 1):
        batch = sampler.batch(0, step)
        samples = sampler.samples(0, step)
        assert len(set(batch.items.tolist())) == len(batch.items)
        used = set(samples.candidates.ravel().tolist())
        table = np.concatenate([[0], batch.items])
        for place, history in enumerate(samples.history.tolist()):
            clicks = log.clicks[log.starts[history] : log.starts[history + 1]].tolist()
            used |= set(clicks)
            row = table[batch.clicks[place]].tolist()
            assert row == clicks + [0] * (len(row) - len(clicks))
            assert batch.mask[place].sum() == len(clicks)
            assert batch.users[place] == log.user[history]
        assert (table[batch.candidates] == samples.candidates).all()
        assert used == set(batch.items.tolist())
        first = 0
        for bucket in batch.buckets:
            size = len(bucket["title"])
            items = batch.items[first : first + size]
            expected = inputs.rows(items)
            assert set(bucket) == set(expected)
            assert all((bucket[name] == expected[name]).all() for name in bucket)
            assert bucket["title"].shape[1] == inputs.matrices["title"][1][items].max()
            first += size
        assert first == len(batch.items)
        assert 2 <= len(batch.buckets) <= 8
    assert len(matching_batches(demo_data, batch=32, seed=5, buckets=1).batch(0, 0).buckets) == 1


def same(one, other):
    assert (one.items == other.items).all()
    assert (one.clicks == other.clicks).all()
    assert (one.candidates == other.candidates).all()
    assert (one.labels == other.labels).all()


@pytest.mark.parametrize("make", [matching_batches, ranking_batches])
def test_any_step_can_be_made_at_any_time(demo_data, make):
    settings = {"batch": 50, "seed": 9, "negatives": 3}
    straight = make(demo_data, **settings)
    batches = {(e, s): straight.batch(e, s) for e in (0, 1) for s in range(straight.steps)}
    resumed = make(demo_data, **settings)
    for key in [(1, 4), (0, 2), (1, straight.steps - 1), (1, 0)]:
        same(resumed.batch(*key), batches[key])
    other = make(demo_data, **{**settings, "seed": 10})
    assert unpack(other.batch(0, 0)).tolist() != unpack(batches[0, 0]).tolist()
    assert unpack(batches[0, 0]).tolist() != unpack(batches[1, 0]).tolist()
    for outside in (-1, straight.steps):
        with pytest.raises(IndexError):
            straight.batch(0, outside)


def rows_of(sampler, epoch):
    found = []
    for step in range(sampler.steps):
        samples = sampler.samples(epoch, step)
        assert samples.candidates.shape[1] == 1
        found += zip(
            samples.history.tolist(), samples.candidates[:, 0].tolist(),
            samples.labels[:, 0].tolist(), strict=True,
        )  # fmt: skip
    return found


def test_ranking_takes_every_row_once(demo_data):
    log = demo_data.logs["train"]
    sampler = ranking_batches(demo_data, batch=100, seed=1)
    expected = list(zip(log.history.tolist(), log.item.tolist(), log.label.tolist(), strict=True))
    for epoch in (0, 1):
        found = rows_of(sampler, epoch)
        assert sorted(found) == sorted(expected)
        assert found != expected
    assert rows_of(sampler, 0) != rows_of(sampler, 1)


def test_ranking_with_negatives_takes_clicks_and_some_non_clicks(demo_data, facts):
    log = demo_data.logs["train"]
    sampler = ranking_batches(demo_data, batch=64, seed=1, negatives=2)
    epochs = [rows_of(sampler, epoch) for epoch in (0, 1)]
    hits = [(h, i, 1.0) for h, i, y in zip(log.history, log.item, log.label, strict=True) if y > 0]
    for found in epochs:
        assert sorted(row for row in found if row[2] == 1) == sorted(hits)
        pairs = {(h, i) for h, i, y in zip(log.history, log.item, log.label, strict=True) if not y}
        shown = Counter((h, i) in pairs for h, i, y in found if y == 0)
        short = sum(
            2 - min(2, len(facts.quiet.get(group, set())))
            for group, label in zip(log.group.tolist(), log.label.tolist(), strict=True)
            if label
        )
        # Where an impression has too few, a drawn item may be a non-click of the user's elsewhere.
        assert shown[True] >= 2 * len(hits) - short
        assert sum(y == 0 for *_, y in found) == 2 * len(hits)
        assert sampler.rows == len(found)
    assert sorted(epochs[0]) != sorted(epochs[1])


def test_samples_limits_the_rows_of_an_epoch(demo_data):
    sampler = matching_batches(demo_data, batch=32, seed=1, samples=70)
    assert sampler.steps == 3
    assert [len(sampler.batch(0, s).users) for s in range(3)] == [32, 32, 6]
    first = {tuple(sampler.samples(0, s).history.tolist()) for s in range(3)}
    assert first != {tuple(sampler.samples(1, s).history.tolist()) for s in range(3)}
    assert (
        matching_batches(demo_data, batch=32, seed=1, samples=10**9).rows
        == (demo_data.logs["train"].label > 0).sum()
    )


def tiny(label, history=(0, 0, 0), items=6, clicks=()):
    """One user, one group, three candidates 1, 2, 3; the item table has rows 0 ... items - 1."""
    log = Log(
        clicks=np.array(clicks, dtype=np.int32),
        starts=np.array([0, len(clicks)]),
        user=np.array([1], dtype=np.int32),
        history=np.array(history, dtype=np.int32),
        item=np.array([1, 2, 3], dtype=np.int32),
        label=np.array(label, dtype=np.float32),
        group=np.zeros(3, dtype=np.int32),
    )
    training = np.arange(items) > 0
    return SimpleNamespace(
        logs={"train": log}, rows=Rows(items=items, users=2, tokens=0), training_items=training,
        inputs=IdTable.of(items), categories=lambda: np.zeros(items, dtype=np.int32),
    )  # fmt: skip


def test_a_user_who_clicked_nearly_everything():
    data = tiny([1, 0, 0], items=8, clicks=(4, 5))
    for pool in ("impression", "uniform", "popularity", "category"):
        sampler = matching_batches(data, batch=4, seed=0, negatives=4, pool=pool)
        for epoch in range(20):
            ((positive, *negatives),) = unpack(sampler.batch(epoch, 0)).tolist()
            assert positive == 1
            # Rows 2, 3, 6 and 7 are all there is.
            assert sorted(negatives) == [2, 3, 6, 7]
    # One left: it is repeated. None left: clicked items, but never the positive.
    data = tiny([1, 0, 1], items=5, clicks=(4,))
    for step in range(2):
        sampler = matching_batches(data, batch=1, seed=0, negatives=3, pool="uniform")
        assert unpack(sampler.batch(0, step))[0, 1:].tolist() == [2, 2, 2]
    data = tiny([1, 1, 1], items=5, clicks=(4,))
    sampler = matching_batches(data, batch=3, seed=0, negatives=2, pool="uniform")
    for positive, *negatives in unpack(sampler.batch(0, 0)).tolist():
        assert positive not in negatives


def test_an_item_shown_twice_counts_once():
    data = tiny([1, 0, 0], items=9)
    data.logs["train"].item[:] = (1, 1, 2)  # shown again and not clicked the second time
    sampler = matching_batches(data, batch=1, seed=0, negatives=1)
    drawn = {unpack(sampler.batch(epoch, 0))[0, 1] for epoch in range(20)}
    assert drawn == {2}
    data.logs["train"].item[:] = (1, 2, 2)
    sampler = matching_batches(data, batch=1, seed=0, negatives=2)
    for epoch in range(20):
        negatives = unpack(sampler.batch(epoch, 0))[0, 1:].tolist()
        assert 2 in negatives
        assert len(set(negatives)) == 2


def test_items_of_later_splits_are_never_drawn():
    data = tiny([1, 0, 0], items=50)
    data.training_items[10:] = False
    for pool in ("impression", "uniform", "popularity", "category"):
        sampler = matching_batches(data, batch=1, seed=0, negatives=5, pool=pool)
        for epoch in range(30):
            assert unpack(sampler.batch(epoch, 0)).max() < 10


def test_nothing_to_train_on_is_an_error():
    for make, label in (
        (matching_batches, [0, 0, 0]),
        (ranking_batches, [np.nan] * 3),
    ):
        with pytest.raises(LegoError) as error:
            make(tiny(label), batch=2, seed=0)
        assert error.value.diagnostics[0].code == "E0627"


def test_models_of_ids_have_one_bucket():
    data = tiny([1, 0, 1], clicks=(4, 5, 4))
    samples = Samples(
        history=np.array([0, 0], dtype=np.int32),
        candidates=np.array([[1, 3], [2, 1]], dtype=np.int32),
        labels=np.zeros((2, 2), dtype=np.float32),
    )
    batch = assemble(data.logs["train"], data.inputs, samples)
    (bucket,) = batch.buckets
    assert bucket["item"].tolist() == batch.items.tolist() == [1, 2, 3, 4, 5]
    assert batch.clicks.tolist() == [[4, 5, 4]] * 2
