"""Cuts by time where many impressions share a moment: no part that was asked for is empty."""

import random
from collections import Counter

import pytest

from legoc.data.sources.tables import Tables
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call
from tests.data.histories import arranged, derived, expected
from tests.data.logs import read_with
from tests.data.test_tables import ITEMS, write_folder


DAY = 86400
DEFAULT = Call(op="time", args={"valid": 0.1, "test": 0.1})


def daily(days, rows=400, seed=2, weights=None):
    """A log of whole days, each user at most once a day so that a row is an impression."""
    rng = random.Random(seed)
    chosen = rng.choices(range(days), weights, k=rows)
    return [("log", f"u{n}", f"i{n % 7}", 1.0, day * DAY, None) for n, day in enumerate(chosen)]


def splits(connection):
    """{user: split}; a user is one impression."""
    return dict(
        connection.execute(
            "SELECT user_id, split FROM impressions JOIN histories USING (history) "
            "JOIN assigned USING (position)"
        ).fetchall()
    )


def test_five_days_have_all_three_parts():
    log = daily(5, weights=[1, 1, 1, 1, 2])
    connection, (notes, _) = arranged(log, DEFAULT)
    found = splits(connection)
    days = Counter((found[user], time // DAY) for _, user, _, _, time, _ in log)
    last = sum(n for (_, day), n in days.items() if day == 4)
    # The last tenth is test; what else is of the last day is valid, and training ends before it.
    assert Counter(found.values()) == {"train": 400 - last, "valid": last - 40, "test": 40}
    assert days["train", 4] == 0
    assert f"{last:,} impressions have the time 2024-03-05" in notes[0]
    # Inside the day the order of the log decides.
    order = [found[user] for _, user, _, _, time, _ in log if time == 4 * DAY]
    assert order == sorted(order, reverse=True)


@pytest.mark.parametrize("days", [2, 3, 5, 8, 30])
@pytest.mark.parametrize("rows", [3, 10, 41, 300])
def test_no_part_is_empty(days, rows):
    for seed in range(6):
        rng = random.Random(seed)
        log = daily(days, rows, seed, [rng.random() ** 3 for _ in range(days)])
        if len({row[4] for row in log}) < 2:
            continue
        connection, _ = arranged(log, DEFAULT)
        found = splits(connection)
        times = {row[1]: row[4] for row in log}
        parts = {
            part: [times[user] for user, split in found.items() if split == part]
            for part in ("train", "valid", "test")
        }
        assert all(parts.values()), (days, rows, seed)
        assert max(parts["train"]) <= min(parts["valid"]) <= max(parts["valid"])
        assert max(parts["valid"]) <= min(parts["test"])
        assert derived(connection) == expected(log)


def test_whole_moments_stay_together_where_nobody_is_left_empty():
    log = daily(30, 600)
    connection, (notes, _) = arranged(log, DEFAULT)
    found, times = splits(connection), {row[1]: row[4] for row in log}
    parts = {}
    for user, split in found.items():
        parts.setdefault(times[user], set()).add(split)
    assert all(len(one) == 1 for one in parts.values())
    assert not notes


def test_the_publishers_first_part_of_two_days_is_divided(tmp_path):
    rows = [
        {"user_id": f"u{n}", "item_id": "001", "time": 10**9 + DAY * (n >= 4),
         "split": "train" if n < 40 else "test"}
        for n in range(50)
    ]  # fmt: skip
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=rows)
    source = Tables(Tables.Config(path=str(root), negatives=0))
    parts = read_with(source, tmp_path / "cache", Call(op="publisher", args={})).report.parts
    assert {name: part.rows for name, part in parts.items()} == {
        "train": 4, "valid": 36, "test": 10
    }  # fmt: skip


def test_one_single_moment_is_no_log_to_divide(tmp_path):
    rows = [{"user_id": f"u{n}", "item_id": "001", "time": 10**9} for n in range(50)]
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=rows)
    source = Tables(Tables.Config(path=str(root), negatives=0))
    with pytest.raises(LegoError, match="have the time 2001-09-09 01:46:40") as error:
        read_with(source, tmp_path / "cache", DEFAULT)
    assert error.value.diagnostics[0].code == "E0623"


@pytest.mark.parametrize("users", [3, 4, 5, 9, 40])
def test_few_users_fill_every_part_too(users):
    log = [("log", f"u{n}", "i1", 1.0, n, None) for n in range(users)]
    connection, _ = arranged(log, Call(op="user", args={"valid": 0.1, "test": 0.1}))
    assert {*splits(connection).values()} == {"train", "valid", "test"}
