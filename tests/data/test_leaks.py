"""Tries to leak along every path that makes histories: no row may find its own click, or one of its
user that came later, among the clicks before it. Items are taken once per user, so that an item
names its click."""

import random
from collections import defaultdict

import pytest

from legoc.data.sources.pens import PENS
from legoc.data.sources.tables import Tables
from legoc.language.ir.spec import Call
from tests.data.histories import arranged
from tests.data.logs import read_with
from tests.data.test_tables import write_folder


TIME = Call(op="time", args={"valid": 0.2, "test": 0.2})
SPLITS = [
    TIME, Call(op="user", args={"valid": 0.2, "test": 0.2}), Call(op="leave_one_out", args={}),
]  # fmt: skip
BENCH = {"test": 12, "train": 1000, "valid": 0.3, "rows": None, "seed": 5}
PROTOCOLS = [
    Call(op="recbench", args=BENCH),
    Call(op="legommenders", args={**BENCH, "raw": False, "halves": None}),
]


def once(seed, *, parts=("log",), shown=True, users=9, rows=120):
    """A log in which a user takes an item at most once, with clicks long after what was shown."""
    rng = random.Random(seed)
    log, left = [], {f"u{n}": [f"i{k}" for k in rng.sample(range(60), 40)] for n in range(users)}
    while len(log) < rows:
        user, time, part = rng.choice([*left]), rng.randrange(50), rng.choice(parts)
        unit = f"s{len(log)}" if shown else None
        for _ in range(rng.randrange(1, 4) if shown else 1):
            if left[user]:
                label = float(rng.random() < 0.6)
                delay = rng.randrange(1, 30) if label and shown else 0
                log.append((part, user, left[user].pop(), label, time + delay, unit))
    rng.shuffle(log)
    return log


def leaks(connection, log, *, strict=True):
    """Rows whose history holds their own click, and clicks of histories that are not before."""
    clicked = {(user, item): time for _, user, item, label, time, _ in log if label}
    found = []
    rows = connection.execute(
        "SELECT user_id, epoch_us(time) // 1000000, item_id, clicks, position FROM rows "
        "JOIN impressions USING (position) JOIN histories USING (history)"
    ).fetchall()
    begin = 1709251200  # 2024-03-01
    for user, moment, item, clicks, _ in rows:
        times = [clicked[user, one] for one in clicks]
        late = [t for t in times if (t >= moment - begin if strict else t > moment - begin)]
        if item in clicks or late:
            found.append((user, item, clicks))
    return found


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("split", [*SPLITS, *PROTOCOLS], ids=lambda call: call.op)
def test_a_log_without_histories(split, shown):
    protocol = split in PROTOCOLS
    for seed in range(8):
        log = once(seed, shown=shown)
        connection, _ = arranged(log, split)
        # The last clicks of a protocol follow the others in order; ties in time are its rule.
        assert not leaks(connection, log, strict=not protocol), (split.op, seed)


@pytest.mark.parametrize(
    "views",
    [
        {"train": ("history",), "valid": ("history", "train"), "test": ("history", "train")},
        {"train": ("train",), "valid": ("train",), "test": ("train",)},
    ],
)
@pytest.mark.parametrize("split", [Call(op="publisher", args={}), *SPLITS], ids=lambda c: c.op)
def test_parts_of_a_publisher(split, views):
    parts = ("history", "train", "valid", "test")
    for seed in range(8):
        log = once(seed, parts=parts, shown=False)
        connection, _ = arranged(log, split, views=views, parts=["train", "valid", "test"])
        assert not leaks(connection, log), seed
        if split.op == "publisher":
            of = {(user, item): part for part, user, item, *_ in log}
            rows = connection.execute(
                "SELECT user_id, part, clicks FROM impressions JOIN histories USING (history)"
            ).fetchall()
            for user, part, clicks in rows:
                assert {of[user, item] for item in clicks} <= {*views[part]}


def test_impressions_keep_the_histories_they_were_told_with(tmp_path):
    """Tables with histories: nothing is added to what they say, under any split."""
    rng = random.Random(3)
    items = [{"item_id": f"i{n}", "title": "t"} for n in range(40)]
    told, rows = {}, []
    for number in range(60):
        name, user = f"h{number}", f"u{number % 8}"
        told[name] = [f"i{rng.randrange(40)}" for _ in range(rng.randrange(6))]
        for item in rng.sample(range(40), 3):
            rows.append({"history_id": name, "user_id": user, "item_id": f"i{item}",
                         "label": rng.randrange(2), "time": 10**9 + number})  # fmt: skip
    histories = [
        {"history_id": name, "user_id": f"u{n % 8}", "clicks": " ".join(clicks)}
        for n, (name, clicks) in enumerate(told.items())
    ]
    root = write_folder(tmp_path / "own", items=items, interactions=rows, histories=histories)
    source = Tables(Tables.Config(path=str(root)))
    for split in SPLITS:
        tables = read_with(source, tmp_path / "cache", split)
        frame = tables.interactions().merge(tables.histories(), on="history_id")
        found, expected = defaultdict(list), defaultdict(list)
        for row in frame.itertuples(index=False):
            key = (row.user_id, int(row.time.timestamp()))
            found[key].append((row.item_id, [*row.clicks]))
        for row in rows:
            key = (row["user_id"], row["time"])
            expected[key].append((row["item_id"], told[row["history_id"]]))
        assert {k: sorted(v) for k, v in found.items()} == {
            k: sorted(v) for k, v in expected.items()
        }


def test_a_protocol_that_joins_earlier_impressions_to_a_history_says_so(tmp_path):
    """The first line of u1 in the file is the later one, and its history holds the click of the
    other."""
    news = "News ID\tCategory\tTopic\tHeadline\tNews body\tTitle entity\tEntity content\n"
    news += "".join(f"N{n}\tc\tt\tTitle {n}\tbody\t{{}}\t{{}}\n" for n in range(1, 8))
    head = "UserID\tClicknewsID\tdwelltime\texposure_time\tpos\tneg\tstart\tend\tdwelltime_pos\n"
    log = "u1\tN1 N2 N3\t1\t1\tN4\tN5\t7/3/2019 6:43:49 AM\t7/3/2019 6:43:49 AM\t1\n"
    log += "u1\tN1\t1\t1\tN2\tN6\t7/1/2019 6:43:49 AM\t7/1/2019 6:43:49 AM\t1\n"
    log += "u2\tN1\t1\t1\tN7\tN5\t7/1/2019 6:43:49 AM\t7/1/2019 6:43:49 AM\t1\n"
    root = tmp_path / "pens"
    root.mkdir()
    (root / "news.tsv").write_text(news)
    (root / "train.tsv").write_text(head + log)
    (root / "valid.tsv").write_text(head)
    bench = {"test": 0, "train": 1000, "valid": 0, "rows": None, "seed": 1}
    tables = read_with(
        PENS(PENS.Config(path=str(root))), tmp_path / "cache", Call(op="recbench", args=bench)
    )
    assert "1 of 3 clicks are on items of the one history of their user" in tables.report.notes
