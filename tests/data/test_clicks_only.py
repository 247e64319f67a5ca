"""Training rows out of a log that has clicks and nothing else."""

import numpy as np
import pytest

from legoc.data.batching.sampling import matching_batches, ranking_batches
from legoc.data.sources.tables import Tables
from legoc.language.diagnosing.diagnostics import LegoError
from tests.data.conftest import assemble_prepared
from tests.data.logs import TIME, read_with
from tests.data.test_tables import ITEMS, LOG, clicks, write_folder


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    root = tmp_path_factory.mktemp("own")
    items = [{**row, "subcategory": row["kind"], "category": row["kind"]} for row in ITEMS]
    write_folder(root / "own", items=items, interactions=LOG)
    tables = read_with(Tables(Tables.Config(path=str(root / "own"))), root / "cache", TIME)
    return assemble_prepared(tables, root / "cache", group="user")


def names(prepared, batch):
    """Users, candidates and labels of a batch by name."""
    users = [prepared.users.ids[u] for u in batch.users]
    items = np.asarray(batch.items)[np.asarray(batch.candidates) - 1]
    return users, [[prepared.items.ids[i] for i in row] for row in items], batch.labels


@pytest.mark.parametrize("pool", ["impression", "uniform", "popularity", "category"])
def test_matching_draws_what_the_user_never_clicked(prepared, pool):
    sampler = matching_batches(prepared, batch=16, seed=1, negatives=3, pool=pool)
    known = training_clicks(prepared)
    for step in range(sampler.steps):
        users, items, _ = names(prepared, sampler.batch(0, step))
        for user, (positive, *negatives) in zip(users, items, strict=True):
            assert (user, positive) in known
            assert not known & {(user, item) for item in negatives}


def training_clicks(prepared):
    frame = prepared.tables.interactions().merge(prepared.tables.histories(), on="history_id")
    train = frame.query("split == 'train'")
    assert set(train["label"]) == {1}
    return set(zip(train["user_id"], train["item_id"], strict=True))


def test_ranking_gives_each_click_and_fresh_non_clicks(prepared):
    sampler = ranking_batches(prepared, batch=32, seed=1, negatives=2)
    known, epochs = training_clicks(prepared), []
    hits = int((prepared.logs["train"].label > 0).sum())
    for epoch in range(2):
        rows = []
        for step in range(sampler.steps):
            users, items, labels = names(prepared, sampler.batch(epoch, step))
            rows += [(u, i, int(y)) for u, (i,), (y,) in zip(users, items, labels, strict=True)]
        assert len(rows) == sampler.rows == 3 * hits
        assert sum(y for _, _, y in rows) == hits
        assert all(((u, i) in known) == bool(y) for u, i, y in rows)
        epochs.append(sorted((u, i) for u, i, y in rows if not y))
    assert epochs[0] != epochs[1]
    again = ranking_batches(prepared, batch=32, seed=1, negatives=2).batch(1, 2)
    assert np.array_equal(again.candidates, sampler.batch(1, 2).candidates)
    assert {user for user, _, _ in clicks()} >= {user for user, _ in epochs[0]}


def test_ranking_of_clicks_alone_says_what_to_write(prepared):
    with pytest.raises(LegoError) as error:
        ranking_batches(prepared, batch=8, seed=1)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "E0627"
    assert "ranking(negatives=4)" in diagnostic.help[0]
