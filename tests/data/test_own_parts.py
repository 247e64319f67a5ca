"""Parts of one's own that do not follow each other in time: what training knows of the test clicks
of its users is counted and said."""

import random
import re

from legoc.data.sources.tables import Tables
from legoc.language.ir.spec import Call
from tests.data.histories import arranged, random_log, slow_future
from tests.data.logs import read_with
from tests.data.test_tables import ITEMS, clicks, write_folder


PUBLISHER = Call(op="publisher", args={})
COUNTS = re.compile(r"([\d,]+) of ([\d,]+) (\w+) rows have .* and ([\d,]+) are later")


def told(notes):
    """{part: [rows, held, after]} of the notes that say it."""
    found = {}
    for note in notes:
        if match := COUNTS.search(note):
            held, rows, name, after = match.groups()
            part = {"training": "train", "validation": "valid"}[name]
            found[part] = [int(n.replace(",", "")) for n in (rows, held, after)]
    return found


def test_random_parts_are_counted_as_by_plain_loops():
    seen = 0
    for seed in range(20):
        log = random_log(seed, parts=("train", "valid", "test"), users=5)
        keep = 100 if seed % 2 else 2
        _, (notes, _) = arranged(log, PUBLISHER, keep=keep, parts=["train", "valid", "test"])
        units = {(u, t if s is None else s, p): p for p, u, _, _, t, s in log}
        slow = slow_future(log, units, keep=keep)
        expected = {part: slow[part] for part in ("train", "valid") if slow[part][2]}
        assert told(notes) == expected, seed
        seen += any(held < after for _, held, after in expected.values())
    assert seen  # histories that were cut before the click


def test_a_random_column_split_is_said(tmp_path):
    rng = random.Random(1)
    rows = [
        {"user_id": u, "item_id": i, "time": t,
         "split": rng.choices(("train", "valid", "test"), (8, 1, 1))[0]}
        for u, i, t in clicks(rows=400)
    ]  # fmt: skip
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=rows)
    source = Tables(Tables.Config(path=str(root), negatives=0))
    tables = read_with(source, tmp_path / "cache", PUBLISHER)
    log = [(r["split"], r["user_id"], r["item_id"], 1, r["time"], None) for r in rows]
    units = {(u, t, p): p for p, u, _, _, t, _ in log}
    slow = slow_future(log, units)
    assert told(tables.report.notes) == {part: slow[part] for part in ("train", "valid")}
    assert slow["train"][1] > 100


def test_parts_that_follow_each_other_leak_nothing(tmp_path):
    rows = [
        {"user_id": u, "item_id": i, "time": t,
         "split": "train" if t < 10**9 + 100 else "test"}
        for u, i, t in clicks(rows=400)
    ]  # fmt: skip
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=rows)
    source = Tables(Tables.Config(path=str(root), negatives=0))
    assert not told(read_with(source, tmp_path / "cache", PUBLISHER).report.notes)


def test_no_other_split_leaks_to_its_own_user():
    """What `publisher` counts, counted for the splits that must never need it."""
    for seed in range(20):
        log = random_log(seed, users=6)
        for split in (
            Call(op="time", args={"valid": 0.2, "test": 0.2}),
            Call(op="user", args={"valid": 0.2, "test": 0.2}),
            Call(op="leave_one_out", args={}),
        ):
            connection, _ = arranged(log, split)
            (found,) = connection.execute(
                """
                WITH own AS (SELECT acts.*, moment, split FROM acts
                             JOIN moments USING (user_id, part, unit)
                             JOIN assigned ON moment = assigned.position)
                SELECT count(*) FROM own AS early JOIN own AS late USING (user_id)
                JOIN moments ON moments.moment = early.moment
                WHERE early.split <> late.split AND late.label > 0 AND late.time < moments.time
                  AND (early.split = 'train' OR late.split = 'test')
                """
            ).fetchone()
            assert found == 0, (split.op, seed)
