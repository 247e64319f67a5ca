"""Logs of indices against the tables they came from; no log holds a click of the future."""

import numpy as np
import pytest

from legoc.language.ir.spec import Call


def slow_log(tables, split, history, group):
    """The rows of a split as (user id, clicks, item, label, unit), one by one."""
    histories = {
        h: (u, list(c)) for h, u, c in tables.histories().itertuples(index=False, name=None)
    }
    rows = []
    for _, impression, h, item, label, _, own in tables.interactions().itertuples(
        index=False, name=None
    ):
        if own == split:
            user, clicks = histories[h]
            unit = user if group == "user" else impression
            rows.append((user, clicks[max(len(clicks) - history, 0) :], item, label, unit))
    order = {}
    for *_, unit in rows:
        order.setdefault(unit, len(order))
    return sorted(rows, key=lambda row: order[row[-1]]), order


@pytest.mark.parametrize(("history", "group"), [(30, "impression"), (7, "user")])
def test_logs_agree_with_the_tables(demo_tables, prepare_tables, history, group):
    data = prepare_tables(demo_tables, history=history, group=group)
    trained = set(slow_users(demo_tables))
    for split, log in data.logs.items():
        rows, order = slow_log(demo_tables, split, history, group)
        assert log.rows == len(rows)
        assert log.group.tolist() == [order[unit] for *_, unit in rows]
        assert (np.diff(log.group) >= 0).all()
        assert [data.items.ids[item] for item in log.item] == [row[2] for row in rows]
        assert log.label.tolist() == [row[3] for row in rows]
        for place, (user, clicks, *_) in enumerate(rows):
            own = log.history[place]
            assert data.users.ids[log.user[own]] == (user if user in trained else "")
            found = log.clicks[log.starts[own] : log.starts[own + 1]]
            assert [data.items.ids[click] for click in found] == clicks
        assert len(np.unique(log.history)) == log.histories
        assert log.clicks.min(initial=1) >= 1


def slow_users(tables):
    frame = tables.interactions().merge(tables.histories(), on="history_id")
    return list(dict.fromkeys(frame[frame["split"] == "train"].sort_values("row")["user_id"]))


def test_users_that_train_are_numbered_in_order(demo_tables, demo_data):
    assert list(demo_data.users.ids) == ["", *slow_users(demo_tables)]
    assert (demo_data.logs["train"].user > 0).all()
    assert (demo_data.logs["test"].user == 0).any()
    assert demo_data.users.index("nobody") == 0
    assert demo_data.users.index("") == 0
    assert demo_data.users.index(demo_data.users.ids[3]) == 3


def test_unlabelled_rows_and_empty_histories(write_mind, read_mind, prepare_tables):
    data = prepare_tables(read_mind(write_mind(test=True)))
    log = data.logs["predict"]
    assert np.isnan(log.label).all()
    assert list(data.logs) == ["train", "valid", "test", "predict"]
    assert log.padded(log.history).shape[1] == 1
    empty = int(np.flatnonzero(np.diff(log.starts) == 0)[0])
    assert log.padded(np.array([empty])).tolist() == [[0]]
    with pytest.raises(KeyError):
        data.logs["nothing"]


def test_the_training_items_are_those_training_shows(demo_tables, demo_data):
    shown = set()
    frame = demo_tables.interactions()
    train = frame[frame["split"] == "train"]
    shown.update(train["item_id"])
    histories = demo_tables.histories().set_index("history_id")["clicks"]
    for own in train["history_id"].unique():
        shown.update(histories[own])
    expected = [name in shown for name in demo_data.items.ids]
    assert demo_data.training_items.tolist() == expected
    assert not demo_data.training_items[0]
    assert 0 < sum(expected) < len(expected) - 1


def test_no_history_holds_a_click_of_its_own_future(small_demo, demo_tables):
    """Each demo item is first shown on some day; nobody can have clicked it earlier."""
    frame = demo_tables.interactions()
    first = frame.groupby("item_id")["time"].min()
    merged = frame.drop_duplicates("impression_id").merge(demo_tables.histories(), on="history_id")
    checked = 0
    for clicks, moment in zip(merged["clicks"], merged["time"], strict=True):
        for click in clicks:
            if click in first.index and first[click].day > frame["time"].min().day:
                checked += first[click] > moment
                assert first[click] <= moment or first[click].date() == frame["time"].min().date()
    assert checked == 0


@pytest.mark.parametrize("length", [None, 1, 3, 100])
def test_padded_agrees_with_a_loop(demo_data, rng, length):
    log = demo_data.logs["test"]
    chosen = rng.integers(0, log.histories, 20).astype(np.int32)
    rows = []
    for own in chosen:
        clicks = log.clicks[log.starts[own] : log.starts[own + 1]].tolist()
        rows.append(clicks if length is None else clicks[max(len(clicks) - length, 0) :])
    width = max(1, *map(len, rows))
    expected = [row + [0] * (width - len(row)) for row in rows]
    assert log.padded(chosen, length).tolist() == expected


def test_categories_number_equal_values_alike(demo_data, demo_tables):
    numbers = demo_data.categories()
    values = ["", *demo_tables.items()["category"]]
    assert numbers.dtype == np.int32
    pairs = set(zip(values, numbers.tolist(), strict=True))
    assert len(pairs) == len(set(values))
    assert numbers[0] == 0


def test_the_report_counts_what_the_tables_hold(demo_tables):
    frame = demo_tables.interactions().merge(demo_tables.histories(), on="history_id")
    for split, part in demo_tables.report.parts.items():
        mine = frame[frame["split"] == split]
        each = mine.groupby("impression_id")["label"].agg(["sum", "size"])
        assert part.rows == len(mine)
        assert part.clicks == mine["label"].sum()
        assert part.impressions == len(each)
        assert part.one_class == ((each["sum"] == 0) | (each["sum"] == each["size"])).sum()
        assert part.users == mine["user_id"].nunique()
        assert part.histories == mine["history_id"].nunique()
        first = mine.drop_duplicates("impression_id")
        assert part.cold == (first["clicks"].str.len() == 0).sum()
    report = demo_tables.report
    assert type(report).from_json(report.to_json()) == report


def test_another_split_is_another_log(small_demo, demo_tables, demo_cache, prepare_tables):
    from legoc.data.indexing.tables import convert

    other = convert(small_demo, Call(op="leave_one_out"), demo_cache)
    assert other.digest != demo_tables.digest
    data = prepare_tables(other)
    assert data.logs["train"].rows != prepare_tables(demo_tables).logs["train"].rows
