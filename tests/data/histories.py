"""A second opinion on derived histories: plain loops over (part, user, item, label, time, unit)."""

import random
from collections import defaultdict
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa

from legoc.data.splitting.feedback import arrange
from legoc.data.staging.source import Extracted, Feedback, Published


BEGIN = datetime(2024, 3, 1)


def slow_histories(log, *, keep=100, views=None):
    """{(user, unit, part): (history, sorted candidates)}: the clicks of a user whose time is before
    that of the first row of the impression, in the order of time and then of the log."""
    groups = defaultdict(list)
    for row in log:
        part, user, _, _, time, unit = row
        if views is None or part in views:
            groups[user, time if unit is None else unit, part].append(row)
    found = {}
    for (user, unit, part), rows in groups.items():
        moment = min(row[4] for row in rows)
        clicks = []
        for place, (other, owner, item, label, time, _) in enumerate(log):
            allowed = views is None or other in views[part]
            if owner == user and label == 1 and time < moment and allowed:
                clicks.append((time, place, item))
        history = [item for _, _, item in sorted(clicks)][-keep:]
        offered = sorted((item, label) for _, _, item, label, _, _ in rows)
        found[user, unit, part] = (history, offered)
    return found


def arranged(log, split, *, keep=100, views=None, graded=True, parts=None, negatives=0):
    """A connection with what `arrange` makes of a log, and its notes."""
    connection = duckdb.connect()
    columns = zip(*log, strict=True)
    part, user, item, label, time, unit = (list(column) for column in columns)
    given = pa.table(
        {
            "position": range(len(log)), "part": part, "user_id": user, "item_id": item,
            "label": pa.array(label, pa.float32()),
            "time": pa.array([BEGIN + timedelta(seconds=t) for t in time], pa.timestamp("us")),
            "impression": pa.array(unit, pa.string()),
        }
    )  # fmt: skip
    connection.register("given", given)
    connection.execute("CREATE TABLE feedback AS SELECT * FROM given")
    connection.execute(
        "CREATE TABLE items AS SELECT row_number() OVER () - 1 AS position, item_id, item_id AS "
        "title FROM (SELECT DISTINCT item_id FROM feedback ORDER BY item_id)"
    )
    names = parts or sorted({row[0] for row in log})
    extracted = Extracted(
        parts=tuple(Published(name=n, labelled=n != "predict", named=True) for n in names),
        drops=(),
        feedback=Feedback(
            graded=graded, impressions=any(row[5] is not None for row in log),
            views=views or {}, negatives=negatives,
        ),
    )  # fmt: skip
    told = arrange(connection, split, extracted, keep)
    return connection, told


def derived(connection):
    """{(user, time of the first row, sorted candidates): histories} of what was arranged: names of
    impressions are not looked at."""
    found = defaultdict(list)
    rows = connection.execute(
        """
        SELECT user_id, epoch(time), part, clicks, list((item_id, label)) FROM impressions
        JOIN histories USING (history) JOIN rows USING (position)
        GROUP BY position, user_id, time, part, clicks
        """
    ).fetchall()
    for user, time, part, clicks, offered in rows:
        key = (user, time - BEGIN.timestamp(), part, tuple(sorted(offered)))
        found[key].append(clicks)
    return {key: sorted(lists) for key, lists in found.items()}


def expected(log, *, keep=100, views=None):
    """The same of the slow histories."""
    first = defaultdict(list)
    for part, user, _, _, time, unit in log:
        first[user, time if unit is None else unit, part].append(time)
    found = defaultdict(list)
    for key, (history, offered) in slow_histories(log, keep=keep, views=views).items():
        user, _, part = key
        found[user, min(first[key]), part, tuple(offered)].append(history)
    return {key: sorted(lists) for key, lists in found.items()}


def random_log(seed, *, parts=("log",), shown=None, users=4, rows=60, times=40, items=9):
    """(part, user, item, label, time, unit). Impressions of a user interleave: their clicks come
    later than what was shown, and few times make ties."""
    rng = random.Random(seed)
    shown = rng.random() < 0.6 if shown is None else shown
    log = []
    while len(log) < rows:
        user, time, part = f"u{rng.randrange(users)}", rng.randrange(times), rng.choice(parts)
        if not shown:
            label = None if part == "predict" else float(rng.random() < 0.6)
            log.append((part, user, f"i{rng.randrange(items)}", label, time, None))
            continue
        unit = f"s{rng.randrange(rows)}"
        for _ in range(rng.randrange(1, 4)):
            label = None if part == "predict" else float(rng.random() < 0.5)
            delay = rng.randrange(1, 15) if label else 0
            log.append((part, user, f"i{rng.randrange(items)}", label, time + delay, unit))
    rng.shuffle(log)
    return log


def slow_future(log, assigned, *, keep=100):
    """For each part: rows, rows whose history holds a click of a later part of their user, rows
    after such a click. assigned: {(user, unit, part): split}."""
    rank = {"train": 0, "valid": 1, "test": 2}
    groups = defaultdict(list)
    for row in log:
        part, user, _, _, time, unit = row
        groups[user, time if unit is None else unit, part].append(row)
    counts = defaultdict(lambda: [0, 0, 0])
    for (user, unit, part), rows in groups.items():
        split = assigned[user, unit, part]
        moment = min(row[4] for row in rows)
        past = [
            (time, place, other)
            for place, (other, owner, _, label, time, _) in enumerate(log)
            if owner == user and label == 1 and time < moment
        ]
        later = [rank.get(other, -1) > rank[split] for _, _, other in sorted(past)]
        counts[split][0] += len(rows)
        counts[split][1] += len(rows) * any(later[-keep:])
        counts[split][2] += len(rows) * any(later)
    return counts
