"""The share of showings that were clicked: against plain loops over the raw rows, and by trying to
leak."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from legoc.data.indexing.context import build_context, span_of
from legoc.data.indexing.counters import EventTimes
from legoc.data.indexing.index import build_logs, name_items
from legoc.data.indexing.shares import Showings
from legoc.data.sources.mind import MIND
from legoc.data.sources.movielens import MovieLens
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call
from tests.data.logs import read_with
from tests.data.test_context import (
    AGE,
    BEGIN,
    PUBLISHER,
    TIME,
    USER,
    assert_same,
    numbers,
    popularity,
    random_log,
    raw_rows,
    read,
)  # fmt: skip


HOUR = 3_600_000_000


def share(hours=None, days=None):
    return Call(op="share", args={"hours": hours, "days": days})


# The log is a few seconds to two days long; popularity and age are beside it.
CALLS = (share(hours=0.01), popularity(), share(days=1.0), AGE, share())


def overall(logs):
    """Of the rows of train those that are clicks, told by the log that training reads."""
    label = logs["train"].label
    assert not np.isnan(label).any()
    return float(label.mean())


def expected(log, mean, calls=CALLS):
    """The definition by loops over the raw rows: (C + 10 m) / (S + 10), each row weighed alone."""
    first = {}
    for part, user, _, _, time, unit in log:
        key = (part, user, unit if unit is not None else time)
        first[key] = min(first.get(key, time), time)
    found = []
    for part, user, item, label, time, unit in log:
        moment = first[part, user, unit if unit is not None else time]
        past = [(t, b) for _, _, i, b, t, _ in log if i == item and t < moment]
        row = []
        for call in calls:
            span = span_of(call)
            if span is None:
                since = moment - min(t for _, _, i, _, t, _ in log if i == item)
                row.append(max(since, 0) / 3600)
                continue
            weights = [(math.exp(-(moment - t) / span), b) for t, b in past if b is not None]
            clicks, shown = sum(w for w, b in weights if b == 1), sum(w for w, _ in weights)
            popular = call.op == "popularity"
            row.append(clicks if popular else (clicks + 10 * mean) / (shown + 10))
        found.append((item, -1.0 if label is None else float(label), float(moment), row))
    return sorted(found)


@pytest.mark.parametrize("split", [TIME, USER], ids=lambda call: call.op)
@pytest.mark.parametrize("seed", range(6))
def test_shares_are_those_of_plain_loops(tmp_path, split, seed):
    log = random_log(seed, rows=120, items=7)
    logs, known, _ = read(tmp_path, raw_rows(log), calls=CALLS, split=split)
    assert_same(numbers(logs, known), expected(log, overall(logs)))


@pytest.mark.parametrize("seed", range(4))
def test_rows_without_labels_are_no_showings(tmp_path, seed):
    """Parts of one's own count together, `predict` tells nothing, and train alone gives m."""
    log = random_log(seed, parts=("train", "test", "predict"), rows=120, items=7)
    assert any(label is None for *_, label, _, _ in log)
    logs, known, context = read(tmp_path, raw_rows(log), calls=CALLS, split=PUBLISHER)
    assert context.showings.overall == pytest.approx(overall(logs))
    assert_same(numbers(logs, known), expected(log, overall(logs)))


@pytest.mark.parametrize("seed", range(3))
def test_nothing_later_and_no_own_label_changes_a_share(tmp_path, seed):
    """The labels of all rows from a moment on, those of that very moment included, are others; no
    number of a row up to that moment differs. m is of train, whose labels change places."""
    parts = ("train", "valid", "test")
    log = random_log(seed, parts=parts, rows=300, items=5, times=60, shown=False)
    # A non-click gives way to a click of its impression, which other labels would change.
    log = list({row[:3] + row[4:]: row for row in log}.values())
    at = sorted(row[4] for row in log)[120]
    late = [place for place, row in enumerate(log) if row[4] >= at and row[0] == "train"]
    moved = np.roll([log[place][3] for place in late], 1)
    other = [(*row[:3], 1.0 - row[3], *row[4:]) if row[4] >= at else row for row in log]
    for place, label in zip(late, moved, strict=True):
        other[place] = (*log[place][:3], label, *log[place][4:])
    before, after = (
        [
            row
            for row in numbers(
                *read(tmp_path / name, raw_rows(rows), calls=CALLS, split=PUBLISHER)[:2]
            )
            if row[2] <= at
        ]
        for name, rows in (("one", log), ("two", other))
    )
    assert len(before) > 100
    key = lambda row: (row[0], row[2], row[3])  # noqa: E731 - labels of the moment differ
    assert sorted(map(key, before)) == sorted(map(key, after))
    assert before != after, "the labels of the moment itself are others"


def test_rows_that_come_later_change_no_share(tmp_path):
    """With the last rows of test left out, all others keep their numbers."""
    log = random_log(5, parts=("train", "test"), rows=240, items=5, times=60, shown=False)
    at = sorted(row[4] for row in log)[150]
    kept = [row for row in log if row[4] < at or row[0] == "train"]
    assert len(kept) < len(log) - 20
    every, fewer = (
        [
            row
            for row in numbers(
                *read(tmp_path / name, raw_rows(rows), calls=CALLS, split=PUBLISHER)[:2]
            )
            if row[2] < at
        ]
        for name, rows in (("one", log), ("two", kept))
    )
    assert len(every) > 100
    assert every == fewer


def films(folder, ratings):
    """Ratings (user, film, rating, seconds) as MovieLens publishes them."""
    folder.mkdir()
    names = sorted({film for _, film, *_ in ratings})
    (folder / "movies.csv").write_text(
        "movieId,title,genres\n" + "".join(f"{n},Film {n} (1999),Drama\n" for n in names)
    )
    (folder / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n"
        + "".join(f"{u},{m},{r},{BEGIN + t}\n" for u, m, r, t in ratings)
    )
    return folder


def read_films(folder, cache, calls, **settings):
    source = MovieLens(MovieLens.Config(path=str(folder), **settings))
    tables = read_with(source, cache, TIME)
    known = name_items(tables)
    context = build_context(tables, calls, len(known), cache)
    logs = build_logs(tables, history=9, group="user", root=cache, context=context)
    return logs, known, context


def test_drawn_candidates_were_not_shown(tmp_path):
    """More non-clicks are drawn for every click of valid and test: no share of any film at any
    moment differs from that of the same log without them."""
    draw = np.random.default_rng(0)
    ratings = [
        (int(draw.integers(1, 30)), int(draw.integers(1, 40)), float(draw.integers(1, 6)), n)
        for n in range(300)
    ]
    folder = films(tmp_path / "ml", ratings)
    plain, _, without = read_films(folder, tmp_path / "cache", CALLS)
    drawn, known, context = read_films(folder, tmp_path / "cache", CALLS, negatives=5)
    assert drawn["test"].rows > 3 * plain["test"].rows
    items = np.tile(np.arange(len(known), dtype=np.int32), 30)
    moments = (BEGIN + np.repeat(np.arange(10, 310, 10), len(known))) * 10**6
    assert np.array_equal(context.at(items, moments), without.at(items, moments))


def test_an_item_that_was_never_shown_has_the_overall_share(tmp_path):
    log = random_log(4, rows=100, items=5, shown=False)
    logs, known, context = read(tmp_path, raw_rows(log), calls=(share(hours=1.0),))
    never = np.array([known.ids.index("unseen")], dtype=np.int32)
    found = context.at(never, np.array([(BEGIN + 10**6) * 10**6]))
    assert found[0, 0] == pytest.approx(overall(logs))
    assert 0.1 < overall(logs) < 0.9


def test_a_day_of_impressions_and_equal_moments(tmp_path):
    log = random_log(2, rows=80, shown=False, times=86_400)
    logs, known, _ = read(tmp_path / "day", raw_rows(log), calls=CALLS)
    assert_same(numbers(logs, known), expected(log, overall(logs)))
    log = [("log", f"u{n}", f"i{n % 3}", float(n % 2), 0, None) for n in range(30)]
    logs, known, _ = read(tmp_path / "moment", raw_rows(log), calls=CALLS, split=USER)
    for _, _, _, row in numbers(logs, known):
        assert row == pytest.approx([overall(logs), 0, overall(logs), 0, overall(logs)])


def test_clicks_alone_are_refused_with_what_to_type(tmp_path):
    rows = [
        {"user_id": f"u{n % 9}", "item_id": f"i{n % 11}", "time": BEGIN + n} for n in range(100)
    ]
    for settings, said in (
        ({}, None),
        ({"negatives": 3}, "non-clicks of valid and test are drawn"),
    ):
        root = tmp_path / str(len(settings))
        with pytest.raises(LegoError) as caught:
            read(root, rows, calls=(AGE, share(hours=24.0), share()), **settings)
        (found,) = caught.value.diagnostics
        assert found.code == "E0632"
        assert "`share(hours=24)`, `share` need " in found.message
        assert "every row of Tables is a click" in found.message
        assert (said or "") in found.message
        assert "write `popularity(hours=24)`, `popularity`" in found.help[0]
        # What popularity reads of the same log is there.
        _, _, context = read(root / "more", rows, calls=(popularity(hours=24.0),), **settings)
        assert context.showings is None


def test_a_log_without_any_click_is_refused(tmp_path):
    rows = [
        {"user_id": f"u{n % 9}", "item_id": f"i{n % 11}", "time": BEGIN + n, "label": 0}
        for n in range(100)
    ]
    with pytest.raises(LegoError) as caught:
        read(tmp_path, rows, calls=(share(),))
    (found,) = caught.value.diagnostics
    assert found.code == "E0632"
    assert "no row of Tables is one" in found.message


def test_shares_come_from_the_cache_the_second_time(tmp_path):
    rows = raw_rows(random_log(4, rows=100))
    one = numbers(*read(tmp_path, rows, calls=CALLS)[:2])
    folders = sorted((tmp_path / "cache" / "counters").iterdir())
    assert len(folders) == 2
    assert numbers(*read(tmp_path, rows, calls=CALLS)[:2]) == one
    assert sorted((tmp_path / "cache" / "counters").iterdir()) == folders


def test_ratings_are_showings(tmp_path):
    """A rating of 3 is neither; those of others are."""
    given = [(1, 1, 5.0, 0), (2, 1, 2.0, 10), (3, 1, 3.0, 20), (4, 1, 4.5, 30), (5, 2, 1.0, 40)]
    given += [(user, 3, 1.0 + user % 5, 50 + user) for user in range(6, 40)]
    folder = films(tmp_path / "ml", given)
    logs, known, context = read_films(folder, tmp_path / "cache", (share(),))
    film = np.full(4, known.ids.index("1"), dtype=np.int32)
    moments = (BEGIN + np.array([0, 5, 15, 99])) * 10**6
    m = overall(logs)
    right = [m, (1 + 10 * m) / 11, (1 + 10 * m) / 12, (2 + 10 * m) / 13]
    assert context.at(film, moments)[:, 0] == pytest.approx(right, rel=1e-6)


def test_impressions_of_a_publisher_count_at_their_moment(write_mind, tmp_path):
    """Every row of every part against all rows of the table that tell who clicked."""
    source = MIND(MIND.Config(path=str(write_mind(test=True))))
    tables = read_with(source, tmp_path / "cache", PUBLISHER)
    known = name_items(tables)
    context = build_context(tables, (share(days=1.0), share()), len(known), tmp_path / "cache")
    shown = tables.interactions()
    train = shown[shown["split"] == "train"]
    m = train["label"].mean()
    told = shown[shown["label"].notna()]
    assert len(told) < len(shown)
    for _, row in shown.iterrows():
        past = told[(told["item_id"] == row["item_id"]) & (told["time"] < row["time"])]
        days = (row["time"] - past["time"]).dt.total_seconds() / 86_400
        right = [
            ((weight * past["label"]).sum() + 10 * m) / (weight.sum() + 10)
            for weight in (np.exp(-days), days * 0 + 1)
        ]
        item = np.array([known.ids.index(row["item_id"])], dtype=np.int32)
        moment = np.array([int(row["time"].value) // 1000])
        assert context.at(item, moment)[0] == pytest.approx(right, rel=1e-6)


def test_a_click_that_a_history_remembers_was_not_shown():
    """It is popular alone. A row without a label and a drawn candidate are no showings either."""
    import duckdb

    from legoc.data.indexing.sightings import MOMENTS, SHOWINGS, view_sightings
    from legoc.data.staging.source import Extracted

    connection = duckdb.connect()
    connection.execute("CREATE TABLE items AS SELECT 'a' AS item_id")
    connection.execute(
        "CREATE TABLE impressions AS SELECT 0 AS position, TIMESTAMP '2024-01-01 10:00:00' AS time"
    )
    connection.execute(
        "CREATE TABLE rows AS SELECT * FROM (VALUES (0, 1, 'a', 1::FLOAT), (0, 2, 'a', 0), "
        "(0, 3, 'a', NULL), (0, 1000000001, 'a', 0)) AS t(position, place, item_id, label)"
    )
    connection.execute(
        "CREATE TABLE remembered AS SELECT 'a' AS item_id, TIMESTAMP '2024-01-01 09:00:00' AS time"
    )
    view_sightings(connection, Extracted(parts=(), drops=(), remembered=True))
    nine, ten = (
        int(datetime(2024, 1, 1, hour, tzinfo=UTC).timestamp()) * 10**6 for hour in (9, 10)
    )
    assert connection.execute(SHOWINGS).fetchall() == [("a", ten, 2, 1)]
    clicks = connection.execute(MOMENTS).fetchall()
    assert [row for row in clicks if row[2]] == [("a", nine, 1), ("a", ten, 1)]


@pytest.mark.parametrize("seed", range(4))
def test_what_stands_at_the_end_is_faded_to_one_moment(seed):
    """Items that were clicked last, shown last, shown and never clicked, and neither."""
    from legoc.data.indexing.context import NEVER, Context
    from legoc.data.indexing.counters import Counter, first_moments

    draw = np.random.default_rng(seed)
    items = draw.integers(1, 6, 80).astype(np.int32)
    moments, label = draw.integers(0, 40, 80) * HOUR, (draw.random(80) < 0.3) & (items != 3)
    # Clicks nobody was shown, of item 4 after all showings.
    extra, late = np.array([1, 4], np.int32), np.array([5, 90]) * HOUR
    one = np.ones(80, np.int32)
    shown, clicked = (
        EventTimes.of(items, moments, events, 7) for events in (one, label.astype(np.int32))
    )
    clicks = EventTimes.of(
        np.append(items[label], extra), np.append(moments[label], late),
        np.ones(label.sum() + 2, np.int32), 7,
    )  # fmt: skip
    context = Context(
        names=("popularity(hours=5)", "share(hours=8)", "share"),
        kinds=("popularity", "share", "share"), spans=(18_000.0, 28_800.0, math.inf),
        times=clicks, counters={18_000.0: Counter.of(clicks, 18_000.0)},
        showings=Showings.of(shown, clicked, (28_800.0, math.inf), 0.25),
        first=first_moments(items, moments, 7), last=90 * HOUR,
    )  # fmt: skip
    standing = context.standing()
    for item in range(7):
        events = [*moments[items == item], *late[extra == item]]
        if not events:
            assert standing.moments[item] == NEVER
            assert not standing.values[item].any()
            assert not standing.showings[item].any()
            continue
        end = max(events)
        assert standing.moments[item] == end

        def faded(when, hours, end=end):
            return sum(math.exp(-(end - t) / HOUR / hours) for t in when)

        own = moments[items == item]
        hits = moments[(items == item) & label]
        popular = [*hits, *late[extra == item]]
        right = [faded(popular, 5), faded(hits, 8), len(hits)]
        assert standing.values[item] == pytest.approx(right, rel=1e-9)
        assert standing.showings[item] == pytest.approx([faded(own, 8), len(own)], rel=1e-9)
