"""Numbers of the moment: against plain loops over the raw rows, and by trying to leak."""

import math

import numpy as np
import pytest

from legoc.data.indexing.context import build_context, span_of
from legoc.data.indexing.index import build_logs, name_items
from legoc.data.sources.tables import Tables
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call
from tests.data import histories
from tests.data.logs import read_with
from tests.data.test_tables import write_folder


TIME = Call(op="time", args={"valid": 0.2, "test": 0.2})
USER = Call(op="user", args={"valid": 0.2, "test": 0.2})
PUBLISHER = Call(op="publisher", args={})
BEGIN = 1_700_000_000
AGE = Call(op="age", args={})


def popularity(hours=None, days=None):
    return Call(op="popularity", args={"hours": hours, "days": days})


# The log is a few seconds to two days long.
CALLS = (popularity(hours=0.01), popularity(days=1.0), popularity(), AGE)


def random_log(seed, **settings):
    """`histories.random_log` without the non-clicks that a click of their impression drops."""
    log = histories.random_log(seed, **settings)
    own = [(*row[:3], row[4] if row[5] is None else row[5]) for row in log]
    clicked = {key for key, row in zip(own, log, strict=True) if row[3] == 1}
    return [row for key, row in zip(own, log, strict=True) if row[3] or key not in clicked]


def raw_rows(log):
    """Rows of (part, user, item, label, seconds, unit) as a table of one's own."""
    units = any(unit is not None for *_, unit in log)
    found = []
    for part, user, item, label, time, unit in log:
        row = {"user_id": user, "item_id": item, "time": BEGIN + time, "split": part}
        row["label"] = "" if label is None else int(label)
        found.append(row | ({"impression_id": unit} if units else {}))
    if all(part == "log" for part, *_ in log):
        found = [{k: v for k, v in row.items() if k != "split"} for row in found]
    return found


def read(root, rows, calls=CALLS, split=TIME, **settings):
    """The logs by part, the names of the items, and the context of a folder of tables."""
    names = sorted({row["item_id"] for row in rows})
    items = [{"item_id": name, "title": name} for name in [*names, "unseen"]]
    folder = write_folder(root / "own", items=items, interactions=rows)
    source = Tables(Tables.Config(path=str(folder), **settings))
    tables = read_with(source, root / "cache", split)
    known = name_items(tables)
    context = build_context(tables, calls, len(known), root / "cache")
    logs = build_logs(tables, history=50, group="user", root=root / "cache", context=context)
    return logs, known, context


def numbers(logs, known):
    """[(part, item, label, moment in seconds, numbers)], sorted."""
    found = []
    for log in logs.values():
        made = log.numbers(slice(0, log.rows))
        for item, label, moment, row in zip(log.item, log.label, log.moment, made, strict=True):
            told = -1.0 if math.isnan(label) else float(label)
            found.append((known.ids[item], told, moment / 1e6 - BEGIN, row.tolist()))
    return sorted(found)


def expected(log, calls=CALLS):
    """The same by loops over the raw rows: a row's moment is that of the first of its unit."""
    first = {}
    for part, user, _, _, time, unit in log:
        key = (part, user, unit if unit is not None else time)
        first[key] = min(first.get(key, time), time)
    found = []
    for part, user, item, label, time, unit in log:
        moment = first[part, user, unit if unit is not None else time]
        clicks = [t for _, _, i, b, t, _ in log if i == item and b == 1 and t < moment]
        since = moment - min(t for _, _, i, _, t, _ in log if i == item)
        row = []
        for call in calls:
            span = span_of(call)
            weights = (math.exp(-(moment - t) / span) for t in clicks) if span else ()
            row.append(max(since, 0) / 3600 if span is None else sum(weights))
        found.append((item, -1.0 if label is None else float(label), float(moment), row))
    return sorted(found)


def assert_same(found, right):
    assert [row[:3] for row in found] == [row[:3] for row in right]
    for one, two in zip(found, right, strict=True):
        assert one[3] == pytest.approx(two[3], rel=1e-5, abs=1e-7), one


@pytest.mark.parametrize("split", [TIME, USER], ids=lambda call: call.op)
@pytest.mark.parametrize("seed", range(6))
def test_numbers_are_those_of_plain_loops(tmp_path, split, seed):
    log = random_log(seed, rows=120, items=7)
    logs, known, _ = read(tmp_path, raw_rows(log), split=split)
    assert_same(numbers(logs, known), expected(log))


@pytest.mark.parametrize("seed", range(4))
def test_parts_of_ones_own_count_together_and_predict_has_no_clicks(tmp_path, seed):
    log = random_log(seed, parts=("train", "test", "predict"), rows=120, items=7)
    logs, known, _ = read(tmp_path, raw_rows(log), split=PUBLISHER)
    assert_same(numbers(logs, known), expected(log))


def test_nothing_later_and_no_own_label_changes_a_number(tmp_path):
    """The labels of all rows from a moment on, those of that very moment included, are turned
    round; no number of a row up to that moment may differ."""
    log = random_log(11, rows=200, items=5, times=60, shown=False)
    at = sorted(row[4] for row in log)[100]
    turned = [
        (part, user, item, 1.0 - label if time >= at else label, time, unit)
        for part, user, item, label, time, unit in log
    ]
    before, after = (
        [row for row in numbers(*read(tmp_path / name, raw_rows(rows))[:2]) if row[2] <= at]
        for name, rows in (("one", log), ("two", turned))
    )
    key = lambda row: (row[0], row[2], row[3])  # noqa: E731 - labels of the moment differ
    assert len(before) > 90
    assert sorted(map(key, before)) == sorted(map(key, after))
    assert before != after, "the labels of the moment itself were turned"


def test_candidates_that_were_drawn_were_not_seen(tmp_path):
    """`rare` is clicked once, late in the test part, and drawn before for others."""
    rows = [
        {"user_id": f"u{n % 9}", "item_id": f"i{n % 11}", "time": BEGIN + n * 3600}
        for n in range(100)
    ]
    rows.append({"user_id": "u0", "item_id": "rare", "time": BEGIN + 10**6})
    logs, known, _ = read(tmp_path, rows, negatives=8)
    log = logs["test"]
    rare = known.ids.index("rare")
    drawn = np.flatnonzero((log.item == rare) & (log.label == 0))
    assert len(drawn)
    made = log.numbers(slice(0, log.rows))
    assert not made[log.item == rare].any(), "neither a click nor a first sight"
    assert made[log.item != rare].any()


def test_a_log_of_one_moment_and_one_of_a_day(tmp_path):
    log = [("log", f"u{n}", f"i{n % 3}", float(n % 2), 0, None) for n in range(30)]
    made = numbers(*read(tmp_path / "moment", raw_rows(log), split=USER)[:2])
    assert all(row[3] == [0, 0, 0, 0] for row in made)
    day = random_log(2, rows=80, shown=False, times=86_400)
    logs, known, _ = read(tmp_path / "day", raw_rows(day))
    assert_same(numbers(logs, known), expected(day))


@pytest.mark.parametrize("begin", [0, BEGIN])
def test_a_log_that_counts_from_its_own_beginning_has_the_unit_of_its_clock(tmp_path, begin):
    rows = [
        {"user_id": f"u{n % 4}", "item_id": f"i{n % 3}", "time": (begin + 60 * n) * 1000}
        for n in range(40)
    ]
    *_, context = read(tmp_path, rows, time_unit="milliseconds")
    assert context.last == (begin + 60 * 39) * 10**6
    assert context.clock == (None if begin else "milliseconds")


def test_a_log_without_times_is_refused_by_name(tmp_path):
    rows = [{"user_id": f"u{n % 9}", "item_id": f"i{n % 11}"} for n in range(100)]
    with pytest.raises(LegoError) as caught:
        read(tmp_path, rows)
    (found,) = caught.value.diagnostics
    assert found.code == "E0631"
    assert "`popularity(hours=0.01)`" in found.message
    assert "`age`" in found.message
    assert "a column `time`" in found.help[0]


def test_without_context_nothing_is_read(tmp_path):
    logs, _, context = read(tmp_path, raw_rows(random_log(1, shown=False)), calls=())
    assert context is None
    assert logs["train"].numbers(slice(0, 5)) is None


def test_numbers_come_from_the_cache_the_second_time(tmp_path):
    rows = raw_rows(random_log(4, rows=100))
    one = numbers(*read(tmp_path, rows)[:2])
    assert len(list((tmp_path / "cache" / "counters").iterdir())) == 1
    assert numbers(*read(tmp_path, rows)[:2]) == one


def test_the_columns_stand_in_the_order_of_the_spec(tmp_path):
    rows = raw_rows(random_log(4, rows=100))
    _, _, there = read(tmp_path, rows)
    _, _, back = read(tmp_path, rows, calls=CALLS[::-1])
    assert there.names == ("popularity(hours=0.01)", "popularity(days=1)", "popularity", "age")
    items = np.arange(5, dtype=np.int32)
    moments = np.full(5, (BEGIN + 30) * 10**6)
    assert np.array_equal(there.at(items, moments), back.at(items, moments)[:, ::-1])


@pytest.mark.parametrize("task", ["matching", "ranking", "drawn"])
def test_batches_carry_the_numbers_of_every_candidate(tmp_path, demo_data, task):
    """Drawn negatives too, at the moment of the row: the item and the click tell which that is."""
    from legoc.data.batching.sampling import matching_batches, ranking_batches

    tables = demo_data.tables
    context = build_context(tables, CALLS, demo_data.rows.items, tmp_path)
    logs = build_logs(tables, history=50, group="impression", root=tmp_path, context=context)
    prepared = replace_logs(demo_data, logs)
    make = {
        "matching": lambda: matching_batches(prepared, batch=16, seed=1, pool="uniform"),
        "ranking": lambda: ranking_batches(prepared, batch=16, seed=1),
        "drawn": lambda: ranking_batches(prepared, batch=16, seed=1, negatives=3),
    }[task]
    sampler, log = make(), logs["train"]
    plain = {"matching": 5}.get(task, 1)
    for step in range(3):
        batch, samples = sampler.batch(0, step), sampler.samples(0, step)
        assert batch.context.shape == (16, plain, 4)
        assert batch.context.dtype == np.float32
        for row in range(16):
            # The sample is of some row of its history: one of their moments gives its numbers.
            of = np.unique(log.moment[log.history == samples.history[row]])
            items = samples.candidates[row]
            assert any(
                np.array_equal(context.at(items, np.full(len(items), m)), batch.context[row])
                for m in of
            )


def replace_logs(prepared, logs):
    return type(prepared)(**{**vars(prepared), "logs": logs})


def test_items_of_ones_own_tables_have_a_moment_of_publication(tmp_path):
    """Where it is told and read; else an item is as old as its first row, and never younger."""
    rows = [
        {"user_id": f"u{n % 7}", "item_id": f"i{n % 5}", "time": BEGIN + n * 3600}
        for n in range(60)
    ]
    told = {"i0": "2023-11-14 20:13:20", "i1": "", "i2": "some day", "i3": "2031-01-01", "i4": ""}
    told |= {f"more{n}": "2023-11-10 10:00:00" for n in range(20)}
    items = [{"item_id": name, "title": name, "added": added} for name, added in told.items()]
    folder = write_folder(tmp_path / "own", items=items, interactions=rows)
    source = Tables(Tables.Config(path=str(folder), published="added"))
    tables = read_with(source, tmp_path / "cache", USER)
    lost = [d for d in tables.report.drops if d.reason == "time that cannot be read"]
    assert [drop.count for drop in lost] == [1]
    assert lost[0].examples[0] == "items.csv:4: added = some day"
    known = name_items(tables)
    context = build_context(tables, (AGE,), len(known), tmp_path / "cache")
    at = np.array([known.ids.index(f"i{n}") for n in range(5)], dtype=np.int32)
    # Ten hours after the log begins: i0 was there two hours before it, the others an hour each.
    found = context.at(at, np.full(5, (BEGIN + 36_000) * 10**6))[:, 0]
    assert found == pytest.approx([12, 9, 8, 7, 6], abs=1e-4)


def test_a_column_of_publication_that_is_not_there_is_an_error(tmp_path):
    items = [{"item_id": "i0", "title": "x", "added": "soon"}] * 3
    rows = [{"user_id": "u", "item_id": "i0", "time": BEGIN}]
    folder = write_folder(tmp_path / "own", items=items, interactions=rows)
    for column, code in (("when", "E0621"), ("added", "E0630")):
        source = Tables(Tables.Config(path=str(folder), published=column))
        with pytest.raises(LegoError) as caught:
            read_with(source, tmp_path / "cache", USER)
        assert caught.value.diagnostics[0].code == code
        assert f"`{column}`" in caught.value.diagnostics[0].message


def test_impressions_of_a_publisher_count_at_their_moment(write_mind, tmp_path):
    """Of a history without times nothing is known; a row of `predict` is seen and not clicked."""
    from datetime import UTC, datetime

    from legoc.data.sources.mind import MIND

    source = MIND(MIND.Config(path=str(write_mind(test=True))))
    tables = read_with(source, tmp_path / "cache", PUBLISHER)
    known = name_items(tables)
    context = build_context(tables, (popularity(), AGE), len(known), tmp_path / "cache")

    def at(name, *moment):
        when = int(datetime(*moment, tzinfo=UTC).timestamp() * 10**6)
        item = np.array([known.ids.index(name)], dtype=np.int32)
        return context.at(item, np.array([when]))[0].tolist()

    shown = tables.interactions()
    clicks = shown[(shown["item_id"] == "N8") & (shown["label"] > 0)]
    (moment,) = clicks["time"]
    assert moment == datetime(2019, 11, 15, 9, 5, 58)
    assert at("N8", 2019, 11, 15, 9, 5, 58) == [0, 0]
    assert at("N8", 2019, 11, 15, 10, 5, 58) == [1, 1]
    # Dev and test show it again; test does not tell who clicked.
    assert at("N8", 2020, 1, 1) == [1, pytest.approx(46 * 24 + 14 + 54 / 60 + 2 / 3600, rel=1e-4)]
