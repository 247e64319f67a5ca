"""What is said of tables before anybody trains on them: labels that say nothing, empty parts,
repeated rows, rows without a history, negatives of another kind than the test's candidates."""

import random
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest

from legoc.data.indexing.tables import Tables as Converted
from legoc.data.sources.tables import Tables
from legoc.data.survey.candidates import compare_candidates
from legoc.data.survey.suspicions import suspect
from legoc.language.ir.spec import Call, Train
from tests.data.logs import TIME, read_with
from tests.data.test_prepare import make_spec
from tests.data.test_tables import ITEMS, clicks, write_folder


LEAVE = Call(op="leave_one_out", args={})
PUBLISHER = Call(op="publisher", args={})


def convert(root, rows, split=TIME, **settings):
    root = write_folder(root / "own", items=ITEMS, interactions=rows)
    return read_with(
        Tables(Tables.Config(path=str(root), **settings)), root.parent / "cache", split
    )


def warnings(tables: Converted):
    with tables.connect() as connection:
        return suspect(connection, tables.report)


def saying(tables, words):
    (found,) = [text for text in warnings(tables) if words in text]
    return found


def rated(ratings, seed=1):
    rng = random.Random(seed)
    return [
        {"user_id": u, "item_id": i, "time": t, "rating": rng.choice(ratings)}
        for u, i, t in clicks(rows=300)
    ]


@pytest.mark.parametrize(
    ("ratings", "neutral", "said"),
    [
        ([5], 3.0, "(all ratings are 5): take the column `rating` out, and non-clicks are drawn"),
        ([4, 5], 3.0, "(ratings are 4 to 5): write `neutral=4.5`, or what divides them"),
        ([4, 7, 10], 3.0, "(ratings are 4 to 10): write `neutral=7`, or what divides them"),
        ([0, 1], 3.0, "nothing is a click (ratings are 0 to 1): write `neutral=0.5`, or what"),
        ([1, 2], 4.0, "nothing is a click (ratings are 1 to 2): write `neutral=1.5`, or what"),
    ],
)
def test_ratings_of_one_side_name_the_setting(tmp_path, ratings, neutral, said):
    tables = convert(tmp_path, rated(ratings), neutral=neutral)
    assert said in saying(tables, f"`neutral={neutral:g}`")


def test_ratings_of_both_sides_are_in_order(tmp_path):
    assert not any("neutral" in text for text in warnings(convert(tmp_path, rated([1, 3, 5]))))


@pytest.mark.parametrize("low", [0, -1])
def test_ratings_that_may_mean_none_are_asked_about(tmp_path, low):
    rows = rated([low, 1, 2, 4, 5])
    amount = sum(row["rating"] == low for row in rows)
    found = saying(convert(tmp_path, rows), "not rated")
    assert f"{amount} of 300 ratings are 0 or less beside ratings of 1 to 5" in found


@pytest.mark.parametrize("scale", [[0, 1], [-1, 1], [0.0, 0.25, 0.5, 4.5]])
def test_scales_that_hold_zero_are_not_asked_about(tmp_path, scale):
    tables = convert(tmp_path, rated(scale), neutral=0.4)
    assert not any("not rated" in text for text in warnings(tables))


@pytest.mark.parametrize(("label", "said"), [(1, "every labelled row"), (0, "no row of train")])
def test_labels_that_all_say_the_same(tmp_path, label, said):
    rows = [{"user_id": u, "item_id": i, "time": t, "label": label} for u, i, t in clicks()]
    saying(convert(tmp_path, rows), said)


def test_groups_without_both_labels_are_counted_among_groups(tmp_path):
    """Users with many moments: the share is of users, not of moments."""
    tables = convert(tmp_path, rated([4, 5]))
    users = tables.report.parts["test"].users
    assert tables.report.parts["test"].groups == users
    assert saying(tables, "of test lack").startswith("100.0% of the users of test lack a click")


def test_the_share_of_rows_without_clicks_is_said(tmp_path):
    rows = [{"user_id": f"u{n}", "item_id": "001", "time": 10**9 + n} for n in range(90)]
    rows += [{"user_id": f"u{n}", "item_id": "002", "time": 2 * 10**9 + n} for n in range(60, 90)]
    tables = convert(tmp_path, rows, negatives=0)
    frame = tables.interactions().merge(tables.histories(), on="history_id")
    share = {part: (rows["clicks"].map(len) == 0).mean() for part, rows in frame.groupby("split")}
    found = saying(tables, "rows without a click before them")
    for part in ("train", "valid", "test"):
        assert (f"{share[part]:.1%} of {part}" in found) == (share[part] > 0.05)
        assert tables.report.parts[part].cold_rows == round(
            share[part] * tables.report.parts[part].rows
        )


def test_what_tells_users_without_clicks_apart_is_named_where_there_are_times(tmp_path):
    rows = [{"user_id": f"u{n}", "item_id": f"{1 + n % 9:03d}", "time": 10**9 + n}
            for n in range(90)]  # fmt: skip
    tables = convert(tmp_path, rows)
    hint = "`context = [popularity]` in `data` tells it what everybody clicks"
    assert saying(tables, "rows without a click before them").endswith(hint)
    with tables.connect() as connection:
        assert not any(hint in text for text in suspect(connection, tables.report, moment=True))
    bare = convert(tmp_path / "bare", [{k: v for k, v in r.items() if k != "time"} for r in rows])
    assert hint not in saying(bare, "rows without a click before them")


def test_a_part_that_stays_empty_is_said(tmp_path):
    rows = [{"user_id": f"u{n % 40}", "item_id": f"{1 + n % 9:03d}", "time": 10**9 + n}
            for n in range(80)]  # fmt: skip
    tables = convert(tmp_path, rows, LEAVE, negatives=0)
    assert [*tables.report.parts] == ["train"]
    saying(tables, "the part valid is empty under `split = leave_one_out`")
    saying(tables, "the part test is empty")


@pytest.mark.parametrize("parts", [("train", "valid"), ("train", "test")])
def test_two_parts_of_ones_own_are_all_there_is(tmp_path, parts):
    rows = [
        {"user_id": u, "item_id": i, "time": t, "split": parts[t > 10**9 + 100]}
        for u, i, t in clicks()
    ]
    assert not any("the part" in text for text in warnings(convert(tmp_path, rows, PUBLISHER)))


def repeated(rows, key):
    """Rows that come again, by plain counting: with one label, and with both."""
    seen = Counter((*key(row), row["label"]) for row in rows)
    again = sum(n - 1 for n in seen.values())
    pairs = {(*key(row),) for row in rows if row["label"]}
    return again, {(*key(row),) for row in rows if not row["label"]} & pairs


def test_candidates_with_both_labels_and_repeats_are_counted(tmp_path):
    rng = random.Random(8)
    rows = []
    for number in range(60):
        for _ in range(rng.randrange(2, 9)):
            rows.append(
                {"user_id": f"u{number % 9}", "item_id": f"{rng.randrange(1, 6):03d}",
                 "label": int(rng.random() < 0.4), "time": 10**9 + 100 * number + rng.randrange(9),
                 "impression_id": f"s{number}"}
            )  # fmt: skip
    tables = convert(tmp_path, rows)
    both = repeated(rows, lambda row: (row["impression_id"], row["item_id"]))[1]
    left = [r for r in rows if r["label"] or (r["impression_id"], r["item_id"]) not in both]
    again, none = repeated(left, lambda row: (row["impression_id"], row["item_id"]))
    assert both
    assert not none
    dropped = Counter()
    for drop in tables.report.drops:
        dropped[drop.reason, drop.policy] += drop.count
    assert dropped == {
        ("non-click on an item clicked in the same impression", "row dropped, the click counts"):
            len(rows) - len(left),
        ("candidate again in its impression", "kept"): again,
    }  # fmt: skip
    assert len(tables.interactions()) == len(left)


def test_an_interaction_repeated_to_the_letter_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("legoc.data.indexing.repeats.BLOCK", 13)
    log = [{"user_id": u, "item_id": i, "time": t} for u, i, t in clicks(rows=120)]
    rows = log + log[:7]
    again = len(rows) - len({(r["user_id"], r["item_id"], r["time"]) for r in rows})
    assert again >= 7
    tables = convert(tmp_path, rows, negatives=0)
    found = [d for d in tables.report.drops if d.reason.startswith("interaction again")]
    assert sum(d.count for d in found) == again
    assert {d.policy for d in found} == {"kept"}
    assert len(tables.interactions()) == len(rows)


def test_published_candidates_with_both_labels_are_counted_and_kept(write_mind, read_mind):
    row = "{}\tU{}\t11/{}/2019 9:00:00 AM\tN1\t{}\n"
    text = "".join(row.format(n, n, n + 1, "N3-1 N4-0 N3-0 N4-0") for n in range(10))
    tables = read_mind(write_mind(train_behaviors=text))
    counts = Counter()
    for drop in tables.report.drops:
        counts[drop.reason] += drop.count
    assert counts["candidate again in its impression"] >= 10
    assert counts["candidate with a click and without one in one impression"] >= 10
    # Where they stand, so that somebody can look; the second row of each is the first that is odd.
    places = [
        place
        for drop in tables.report.drops
        if drop.reason.startswith("candidate with a click and without")
        for place in drop.examples
    ]
    lines = [f"train/behaviors.tsv:{line}: N3" for line in range(1, 11)]
    assert places
    assert set(places) <= set(lines)
    assert {
        drop.part: drop.examples[0] for drop in tables.report.drops if "a click and" in drop.reason
    }["train"] == lines[0]


TRAIN = {
    "epochs": 1, "batch": 1, "lr": 0.1, "patience": 1, "seed": 0, "metrics": (),
    "monitor": Call(op="GAUC", args={}),
}  # fmt: skip


def compared(tables, op, **args):
    task = Call(op=op, args={"negatives": None, **args})
    spec = replace(make_spec(group="user"), train=Train(task=task, **TRAIN))
    return compare_candidates(spec, SimpleNamespace(tables=tables, report=tables.report))


def test_negatives_of_another_kind_than_the_candidates(tmp_path):
    log = [{"user_id": u, "item_id": i, "time": t} for u, i, t in clicks()]
    drawn = convert(tmp_path / "drawn", log, negatives=5)
    assert drawn.report.candidates == "drawn"
    assert not compared(drawn, "matching", negatives=4, pool="uniform")
    assert not compared(drawn, "matching", negatives=4, pool="impression")
    assert not compared(drawn, "ranking", negatives=4)
    (found,) = compared(drawn, "ranking", negatives=4, pool="popularity")
    assert "by the clicks of items" in found
    assert "`pool=uniform` is of the same kind" in found
    few = convert(tmp_path / "rated", rated([1] + [5] * 9))
    assert few.report.candidates == "rated"
    assert not compared(few, "ranking")
    (found,) = compared(few, "matching", negatives=4, pool="uniform")
    assert "`pool=impression` is of the same kind" in found
    frame = few.interactions().merge(few.histories(), on="history_id").query("split == 'train'")
    low = frame[frame["label"] == 0].groupby("user_id").size()
    wanted = short = 0
    for user in frame[frame["label"] == 1]["user_id"]:
        wanted += 9
        short += 9 - min(9, int(low.get(user, 0)))
    assert short / wanted > 0.2
    (found,) = compared(few, "ranking", negatives=9)
    assert found.startswith(f"{short / wanted:.1%} of training's negatives are filled up")
    many = convert(tmp_path / "many", rated([1, 5]))
    assert not compared(many, "ranking", negatives=1)
