"""The evaluator encodes each item and each distinct history once; every row is scored with them."""

from contextlib import contextmanager

import numpy as np
import pytest

from legoc.data.indexing.log import Log
from legoc.evaluation import Uncached, evaluate_log, score_log
from legoc.evaluation.histories import distinct_histories
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call


METRICS = (Call(op="GAUC"), Call(op="NDCG", args={"k": 5}), Call(op="AUC"))
ITEMS, WIDTH = 30, 4


def make_log(seed=0, histories=40, groups=60, longest=6):
    """A log whose histories repeat, some of them under another user."""
    random = np.random.default_rng(seed)
    contents = [random.integers(1, ITEMS, random.integers(0, longest)) for _ in range(12)]
    chosen = random.integers(0, 12, histories)
    clicks = [contents[place] for place in chosen]
    sizes = random.integers(1, 9, groups)
    rows = int(sizes.sum())
    return Log(
        clicks=np.concatenate(clicks).astype(np.int32),
        starts=np.cumsum([0, *map(len, clicks)]).astype(np.int64),
        user=random.integers(0, 3, histories).astype(np.int32),
        history=np.repeat(random.integers(0, histories, groups), sizes).astype(np.int32),
        item=random.integers(1, ITEMS, rows).astype(np.int32),
        label=(random.random(rows) < 0.4).astype(np.float32),
        group=np.repeat(np.arange(groups), sizes).astype(np.int32),
    )


class Inputs:
    """Items that are read as their row."""

    ports = ()
    lengths = np.arange(ITEMS, dtype=np.int32)

    def rows(self, items):
        return {"item": items}


class Engine:
    """Item vectors from a table, users their mean and a vector of the user; it counts what it is
    asked to encode."""

    name = "numpy"

    def __init__(self, reads_user=False):
        random = np.random.default_rng(1)
        self.table = random.normal(size=(ITEMS, WIDTH)).astype(np.float32)
        self.table[0] = 0
        self.names = random.normal(size=(3, WIDTH)).astype(np.float32)
        self.reads_user = reads_user
        self.items = self.users = 0

    def encode_items(self, inputs):
        rows = inputs.rows(np.arange(len(inputs.lengths), dtype=np.int32))["item"]
        self.items += len(rows) - 1
        return self.table[rows]

    def encode_users(self, items, clicks, users):
        encoded = []
        for block, names in zip(clicks, users, strict=True):
            self.users += len(block)
            count = np.maximum((block > 0).sum(axis=1, keepdims=True), 1)
            mean = items[block].sum(axis=1) / count
            encoded.append(mean + self.names[names] if self.reads_user else mean)
        return np.concatenate(encoded)

    def score(self, users, items, owner, candidates, context=None):
        return (users[owner] * items[candidates]).sum(axis=1)


def by_hand(engine, log):
    """The score of every row, one at a time."""
    scores = []
    for history, item in zip(log.history, log.item, strict=True):
        clicks = log.clicks[log.starts[history] : log.starts[history + 1]]
        user = engine.table[clicks].mean(axis=0) if len(clicks) else np.zeros(WIDTH)
        if engine.reads_user:
            user = user + engine.names[log.user[history]]
        scores.append(user @ engine.table[item])
    return np.array(scores)


@pytest.mark.parametrize("reads_user", [False, True])
def test_scores_and_what_is_encoded(reads_user):
    log, engine = make_log(), Engine(reads_user)
    report = evaluate_log(engine, Inputs(), log, METRICS, keep_scores=True)
    assert report.scores == pytest.approx(by_hand(engine, log), abs=1e-5)
    used = np.unique(log.history)
    contents = {
        (tuple(log.clicks[log.starts[h] : log.starts[h + 1]]), log.user[h] if reads_user else 0)
        for h in used
    }
    assert engine.items == ITEMS - 1
    assert engine.users == len(contents) == report.counts["users"]
    assert len(contents) < len(used)


@pytest.mark.parametrize("mode", ["pair", "impression"])
@pytest.mark.parametrize("reads_user", [False, True])
def test_cached_equals_uncached(mode, reads_user, monkeypatch):
    monkeypatch.setattr("legoc.evaluation.uncached.SLOTS_AT_ONCE", 37)
    log, engine = make_log(3), Engine(reads_user)
    cached = score_log(engine, Inputs(), log)
    spent = engine.items
    uncached = score_log(Uncached(engine, mode), Inputs(), log)
    assert uncached == pytest.approx(cached, abs=1e-6)
    sizes = np.diff(log.starts)[log.history]
    if mode == "pair":
        assert engine.items - spent == int(sizes.sum()) + log.rows
    else:
        assert log.rows < engine.items - spent < int(sizes.sum()) + log.rows


def test_slices_measure_their_rows_alone():
    log, engine = make_log(5), Engine()
    known = log.item % 3 > 0
    slices = {"known": known, "new": ~known}
    report = evaluate_log(engine, Inputs(), log, METRICS, slices=slices, keep_scores=True)
    for name, mask in slices.items():
        part = Log(
            clicks=log.clicks, starts=log.starts, user=log.user, history=log.history[mask],
            item=log.item[mask], label=log.label[mask], group=log.group[mask],
        )  # fmt: skip
        alone = evaluate_log(engine, Inputs(), part, METRICS)
        assert report.slices[name] == alone.metrics
    assert report.slices["known"] != report.metrics


def test_counts_and_what_is_printed():
    log = make_log(7)
    report = evaluate_log(Engine(), Inputs(), log, METRICS, split="test", group="user")
    lengths = np.diff(log.starts)[log.history]
    assert report.counts["cold rows"] == int((lengths == 0).sum()) > 0
    assert (report.counts["rows"], report.counts["groups"]) == (log.rows, 60)
    assert report.timings.keys() == {"items", "users", "pairs"}
    table = report.table()
    assert table[0] == ("GAUC", f"{report['GAUC']:.4f}")
    assert table[-1] == ("users", f"{report.metrics['GAUC'].count:,}")
    assert "left out of the grouped metrics" in report.summary()
    value = report.to_json()
    assert value["metrics"]["NDCG(5)"] == report["NDCG(5)"]
    assert value["groups"] == {"all": report.metrics["GAUC"].count}


class Recorded:
    """A progress that keeps what it is told."""

    def __init__(self):
        self.done = {}

    def say(self, text):
        raise AssertionError(text)

    @contextmanager
    def task(self, name, total, unit=""):
        self.done[name] = [0, total]
        yield Advance(self.done[name])


class Advance:
    def __init__(self, count):
        self.count = count

    def advance(self, count=1, figures=""):
        self.count[0] += count


def test_progress_counts_every_phase_to_its_end():
    recorded, log = Recorded(), make_log(11)
    engine = Engine()
    score_log(engine, Inputs(), log, progress=recorded)
    assert recorded.done["encoding users"] == [engine.users, engine.users]
    assert recorded.done["scoring"] == [log.rows, log.rows]
    # The engine of this test reads the padding item too.
    assert recorded.done["encoding items"] == [ITEMS, ITEMS - 1]
    score_log(Uncached(Engine()), Inputs(), log, progress=recorded)
    assert recorded.done["encoding items"] == [0, ITEMS - 1]


def test_logs_without_labels_and_rows_without_one():
    log = make_log(9)
    label = log.label.copy()
    label[:20] = np.nan
    some = Log(**{**vars(log), "label": label})
    kept = Log(**{**vars(log), **{n: getattr(log, n)[20:] for n in
                                  ("history", "item", "label", "group")}})  # fmt: skip
    reports = [evaluate_log(Engine(), Inputs(), one, METRICS) for one in (some, kept)]
    assert reports[0].metrics == reports[1].metrics
    none = Log(**{**vars(log), "label": np.full(log.rows, np.nan, dtype=np.float32)})
    with pytest.raises(LegoError, match="`predict` has a label"):
        evaluate_log(Engine(), Inputs(), none, METRICS, split="predict")


def test_histories_of_one_content_share_a_row_and_unused_ones_have_none():
    log = Log(
        clicks=np.array([1, 2, 1, 2, 2, 1, 5], dtype=np.int32),
        starts=np.array([0, 2, 4, 6, 6, 7], dtype=np.int64),
        user=np.array([1, 2, 1, 1, 1], dtype=np.int32),
        history=np.array([0, 1, 2, 3], dtype=np.int32),
        item=np.array([1, 1, 1, 1], dtype=np.int32),
        label=np.ones(4, dtype=np.float32),
        group=np.arange(4, dtype=np.int32),
    )
    found = distinct_histories(log, by_user=False)
    assert len(found) == 3
    assert found.row[0] == found.row[1] != found.row[2]
    assert found.row[4] == -1
    assert found.lengths.tolist() == [0, 2, 2]
    assert len(distinct_histories(log, by_user=True)) == 4
    blocks = [(clicks.tolist(), users.tolist()) for clicks, users in found.blocks(2)]
    assert blocks[0] == ([[0, 0], [1, 2]], [1, 1])
    assert blocks[1] == ([[2, 1]], [1])
