"""What training draws on a log whose histories are made of its own clicks, against plain loops."""

import random
from collections import Counter

import numpy as np
import pytest

from legoc.data.batching.clicks import count_clicks
from legoc.data.batching.sampling import ranking_batches
from legoc.data.indexing.index import build_logs
from legoc.data.sources.tables import Tables
from tests.data.conftest import assemble_prepared
from tests.data.logs import TIME, read_with
from tests.data.test_clicks_only import names
from tests.data.test_tables import ITEMS, write_folder


DAY = 86400


def convert(root, rows, split=TIME, items=ITEMS, **settings):
    write_folder(root / "own", items=items, interactions=rows)
    source = Tables(Tables.Config(path=str(root / "own"), **settings))
    return read_with(source, root / "cache", split)


def test_an_item_of_one_busy_user_weighs_less_than_one_of_thirty(tmp_path):
    """One user with 60 clicks, the first of them on an item that nobody else took."""
    items = [{"item_id": f"i{n}", "title": f"t{n}"} for n in range(100)]
    rows = [{"user_id": "busy", "item_id": "i0" if n == 0 else f"i{n + 2}", "time": 10**9 + n}
            for n in range(60)]  # fmt: skip
    rows += [{"user_id": f"u{n}", "item_id": "i1", "time": 10**9 + n} for n in range(30)]
    # What is valid and test, so that all of the above trains.
    rows += [{"user_id": f"v{n}", "item_id": "i2", "time": 2 * 10**9 + n} for n in range(60)]
    tables = convert(tmp_path, rows, items=items, negatives=0)
    log = build_logs(tables, history=50, group="user", root=tmp_path / "cache")["train"]
    counts = dict(zip(["", *tables.items()["item_id"]], count_clicks(log, 101), strict=True))
    assert counts["i0"] == 1
    assert counts["i1"] == 30


@pytest.mark.parametrize("history", [1, 3, 50])
@pytest.mark.parametrize("block", [1, 7, 1 << 22])
def test_every_click_counts_once(tmp_path, monkeypatch, history, block):
    monkeypatch.setattr("legoc.data.batching.clicks.BLOCK", block)
    for seed in range(3):
        rng = random.Random(seed)
        rows = [
            {"user_id": f"u{rng.randrange(7)}", "item_id": f"{rng.randrange(1, 12):03d}",
             "time": 10**9 + rng.randrange(90)}
            for _ in range(220)
        ]  # fmt: skip
        tables = convert(tmp_path / str(seed), rows, negatives=0)
        log = build_logs(tables, history=history, group="user", root=tmp_path / "cache")["train"]
        frame = tables.interactions().query("split == 'train'")
        clicks = Counter(frame["item_id"])
        expected = [0, *(clicks[item] for item in tables.items()["item_id"])]
        assert count_clicks(log, len(expected)).tolist() == expected


@pytest.fixture(scope="module")
def rated(tmp_path_factory):
    """Ratings of which few are low, as people rate."""
    rng = random.Random(4)
    rows = [
        {"user_id": f"u{rng.randrange(12)}", "item_id": f"{rng.randrange(1, 31):03d}",
         "time": 10**9 + n, "rating": 1 if rng.random() < 0.12 else 5}
        for n in range(260)
    ]  # fmt: skip
    items = [{**row, "subcategory": row["kind"], "category": row["kind"]} for row in ITEMS]
    root = tmp_path_factory.mktemp("rated")
    return assemble_prepared(convert(root, rows, items=items), root / "cache", group="user")


@pytest.mark.parametrize("pool", [None, "impression", "uniform", "popularity", "category"])
def test_ranking_draws_as_many_as_it_says(rated, pool):
    sampler = ranking_batches(rated, batch=32, seed=1, negatives=3, pool=pool)
    frame = rated.tables.interactions().merge(rated.tables.histories(), on="history_id")
    train = frame.query("split == 'train'")
    hits = train.query("label == 1")
    low = train.query("label == 0")
    liked = set(zip(hits["user_id"], hits["item_id"], strict=True))
    disliked = set(zip(low["user_id"], low["item_id"], strict=True)) - liked
    epochs = []
    for epoch in range(2):
        rows = []
        for step in range(sampler.steps):
            users, items, labels = names(rated, sampler.batch(epoch, step))
            rows += [(u, i, int(y)) for u, (i,), (y,) in zip(users, items, labels, strict=True)]
        assert len(rows) == sampler.rows == 4 * len(hits)
        drawn = [(u, i) for u, i, y in rows if not y]
        clicked = sorted((u, i) for u, i, y in rows if y)
        assert clicked == sorted(zip(hits["user_id"], hits["item_id"], strict=True))
        assert not liked & {*drawn}
        if pool in (None, "impression"):
            # Each click takes up to three of what its user rated low, and then fresh items.
            per_user = Counter(u for u, _ in {*disliked})
            least = sum(min(3, per_user[u]) for u in hits["user_id"])
            assert sum(pair in disliked for pair in drawn) >= least > 0
        epochs.append(sorted(drawn))
    assert epochs[0] != epochs[1]


def test_ranking_repeats_a_batch_to_the_letter(rated):
    one, two = (
        ranking_batches(rated, batch=16, seed=2, negatives=2, pool="popularity") for _ in range(2)
    )
    one.batch(0, 0)
    for name in ("candidates", "clicks", "labels", "items"):
        assert np.array_equal(getattr(one.batch(1, 3), name), getattr(two.batch(1, 3), name))
