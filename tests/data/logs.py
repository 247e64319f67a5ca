"""Second opinions for data without impressions: plain loops over (user, item, label, time)."""

import gzip
import json
from collections import defaultdict

from legoc.data.indexing.tables import convert
from legoc.language.ir.spec import Call


RECBENCH = Call(
    op="recbench", args={"test": 4, "train": 1000, "valid": 0.5, "rows": None, "seed": 1}
)
TIME = Call(op="time", args={"valid": 0.2, "test": 0.2})


def read_with(source, cache, split=TIME, history=100):
    return convert(source, split, cache, history=history)


def write_lines(path, rows, *, literal=False):
    """One object per line, as JSON or as a Python literal; compressed where the name says so."""
    text = "".join((repr(row) if literal else json.dumps(row)) + "\n" for row in rows)
    write_text(path, text)
    return path


def write_text(path, text, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def moments(log, keep=100):
    """{(user, time): (history, [(item, label)])} of [(user, item, label, time)] in file order."""
    found, clicks = {}, defaultdict(list)
    for user, item, label, time in sorted(log, key=lambda row: (row[0], row[3])):
        before = [i for i, t in clicks[user] if t < time]
        found.setdefault((user, time), (before[-keep:], []))[1].append((item, label))
        if label:
            clicks[user].append((item, time))
    return found


def table_moments(tables):
    """The same of converted tables, drawn rows included."""
    told = {h: (u, list(c)) for h, u, c in tables.histories().itertuples(index=False, name=None)}
    found = {}
    for row in tables.interactions().itertuples(index=False):
        user, clicks = told[row.history_id]
        key = (user, row.time.to_pydatetime().timestamp())
        found.setdefault(key, (clicks, []))[1].append((row.item_id, int(row.label)))
    return found


def protocol_users(log, last=2):
    """Histories, last clicks and non-clicks of the users RecBench keeps."""
    by_user = defaultdict(lambda: ([], []))
    for user, item, label, _ in sorted(log, key=lambda row: row[3]):
        by_user[user][label].append(item)
    return {
        user: (clicks[:-last][-100:], clicks[-last:], low)
        for user, (low, clicks) in by_user.items()
        if low and len(clicks) > last
    }


def drops(tables):
    return {d.reason: d.count for d in tables.report.drops}


def places(tables):
    return {d.reason: d.examples for d in tables.report.drops if d.examples}
