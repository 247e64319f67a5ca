"""A history holds the clicks strictly before the moment of its own impression, and none besides:
against plain loops, and by trying to leak."""

import numpy as np
import pytest

from legoc.data.sources.tables import Tables
from legoc.language.ir.spec import Call
from tests.data.histories import arranged, derived, expected, random_log
from tests.data.logs import read_with
from tests.data.test_tables import write_folder


HOUR = 3600
TIME = Call(op="time", args={"valid": 0.2, "test": 0.2})
USER = Call(op="user", args={"valid": 0.2, "test": 0.2})
SPLITS = [TIME, USER, Call(op="leave_one_out", args={})]
PUBLISHER = Call(op="publisher", args={})


def test_two_impressions_that_interleave():
    log = [
        ("log", "u", "i1", 1.0, 0, "A"), ("log", "u", "i2", 1.0, 8 * HOUR, "A"),
        ("log", "u", "i3", 1.0, 2 * HOUR, "B"), ("log", "u", "i4", 1.0, 10 * HOUR, "C"),
    ]  # fmt: skip
    connection, _ = arranged(log, TIME)
    found = dict(
        connection.execute(
            "SELECT impression_id, clicks FROM impressions JOIN histories USING (history)"
        ).fetchall()
    )
    assert found == {"A": [], "B": ["i1"], "C": ["i1", "i3", "i2"]}


@pytest.mark.parametrize("split", SPLITS, ids=lambda call: call.op)
def test_random_logs_against_plain_loops(split):
    for seed in range(25):
        log = random_log(seed, users=6)
        keep = 100 if seed % 3 else 2
        connection, _ = arranged(log, split, keep=keep)
        assert derived(connection) == expected(log, keep=keep), seed


@pytest.mark.parametrize("parts", [("train", "valid", "test"), ("train", "test", "predict")])
def test_random_parts_of_ones_own(parts):
    for seed in range(25):
        log = random_log(seed, parts=parts)
        connection, _ = arranged(log, PUBLISHER, parts=list(parts))
        assert derived(connection) == expected(log), seed


@pytest.mark.parametrize(
    "views",
    [
        {"train": ("history",), "valid": ("history", "train"), "test": ("history", "train")},
        {"train": ("train",), "valid": ("train",), "test": ("train",)},
        {"train": ("train",), "valid": ("valid",), "test": ("train", "valid")},
    ],
)
def test_random_parts_of_a_publisher(views):
    """The parts do not follow each other in time, so a part's clicks are told by part alone."""
    for seed in range(25):
        log = random_log(seed, parts=("history", "train", "valid", "test"), shown=False)
        connection, _ = arranged(log, PUBLISHER, views=views, parts=["train", "valid", "test"])
        assert derived(connection) == expected(log, views=views), seed


def labelled_at_random(seed=5, users=120):
    """What shops log: what was shown at the time it was shown, clicks when they came. Labels are
    coins, so nothing can be known of them."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        begin = rng.integers(0, 10 * HOUR)
        for impression in range(12):
            shown = begin + impression * HOUR
            for item in rng.choice(60, 6, replace=False):
                label = int(rng.random() < 0.4)
                # A click comes up to five impressions later.
                time = shown + (rng.integers(1, 5 * HOUR) if label else 0)
                rows.append(
                    {"user_id": f"u{user}", "item_id": f"i{item}", "label": label,
                     "time": int(10**9 + time), "impression_id": f"{user}-{impression}"}
                )  # fmt: skip
    return rows


def gauc_of_own_history(tables):
    """GAUC of the score `is in its history`, ties halved, by loops over pairs."""
    told = dict(zip(tables.histories()["history_id"], tables.histories()["clicks"], strict=True))
    frame = tables.interactions()
    frame["score"] = [
        i in set(told[h]) for h, i in zip(frame["history_id"], frame["item_id"], strict=True)
    ]
    total = weight = 0.0
    for _, rows in frame.groupby("impression_id"):
        yes, no = (rows["score"][rows["label"] == label].to_numpy(float) for label in (1, 0))
        if len(yes) and len(no):
            better = yes[:, None] - no
            total += len(rows) * float(np.mean((better > 0) + 0.5 * (better == 0)))
            weight += len(rows)
    return total / weight


def test_coins_cannot_be_told_by_their_histories(tmp_path):
    rows = labelled_at_random()
    items = [{"item_id": f"i{n}", "title": f"t{n}"} for n in range(60)]
    root = write_folder(tmp_path / "own", items=items, interactions=rows)
    source = Tables(Tables.Config(path=str(root)))
    for split in SPLITS:
        tables = read_with(source, tmp_path / "cache", split)
        assert abs(gauc_of_own_history(tables) - 0.5) < 0.012, split.op


def test_names_of_impressions_are_unique_whatever_signs_they_hold():
    log = [
        ("log", "u", "i1", 1.0, 0, "a"), ("log", "v", "i2", 1.0, 1, "a"),
        ("log", "u", "i3", 1.0, 2, "a/1"), ("log", "v", "i4", 1.0, 3, "a/2"),
        ("log", "w", "i4", 1.0, 3, "b"),
    ]  # fmt: skip
    connection, _ = arranged(log, TIME)
    names = [n for (n,) in connection.execute("SELECT impression_id FROM impressions").fetchall()]
    assert len(set(names)) == 5
    assert "b" in names
