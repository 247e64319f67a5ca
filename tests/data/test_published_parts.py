"""Parts of the publisher's over single interactions: folds, days, held-out games.

Each is compared with a reader that goes through the log row by row.
"""

import json
import random

import pytest

from legoc.data.indexing.tables import convert
from legoc.data.sources.adressa import VALID_SHARE, Adressa, part_of
from legoc.data.sources.movielens import GENRES, MovieLens
from legoc.data.sources.steam import Steam
from legoc.language.checking import check
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call


def read(source, root, cache, split="publisher", **settings):
    made = source(source.Config(path=str(root), **settings))
    return convert(made, Call(op=split), cache)


def moments(tables):
    """(split, user, seconds, history) -> sorted (item, label)."""
    told = tables.histories().set_index("history_id")
    found = {}
    for row in tables.interactions().itertuples():
        user, clicks = told.loc[row.history_id, ["user_id", "clicks"]]
        key = (row.split, user, int(row.time.timestamp()), tuple(clicks))
        found.setdefault(key, []).append((row.item_id, int(row.label)))
    return {key: sorted(rows) for key, rows in found.items()}


def slow(log, views):
    """The same of rows (part, user, item, label, seconds): each moment knows the clicks before it
    in the parts it may know, in the order of time and then of the files."""
    found = {}
    for part, user, item, label, time in log:
        if part not in views:
            continue
        before = sorted(
            (t, place, i)
            for place, (p, u, i, liked, t) in enumerate(log)
            if u == user and liked and p in views[part] and t < time
        )
        key = (part, user, time, tuple(i for _, _, i in before))
        found.setdefault(key, []).append((item, label))
    return {key: sorted(rows) for key, rows in found.items()}


def refused(source, root, cache, **settings):
    with pytest.raises(LegoError) as caught:
        read(source, root, cache, **settings)
    (found,) = caught.value.diagnostics
    return found


@pytest.fixture
def hundred(tmp_path):
    """A folder of MovieLens 100K with the fold `ua`, and its ratings with their parts."""
    rng, root = random.Random(3), tmp_path / "ml-100k"
    root.mkdir()
    flags = "|".join("0" for _ in GENRES)
    (root / "u.item").write_text(
        "".join(f"{i}|F {i} (1995)|01-Jan-1995||x|{flags}\n" for i in range(1, 9))
    )
    rows = [
        ("test" if rng.random() < 0.4 else "train", str(user), str(film), rng.choice((1, 2, 4, 5)),
         10**9 + rng.randrange(12))
        for user in range(1, 5) for film in range(1, 9)
    ]  # fmt: skip
    for part, name in (("train", "ua.base"), ("test", "ua.test")):
        lines = (f"{u}\t{i}\t{s}\t{t}\n" for p, u, i, s, t in rows if p == part)
        (root / name).write_text("".join(lines))
    rows.sort(key=lambda row: row[0] == "test")
    return root, [(p, u, i, int(s > 3), t) for p, u, i, s, t in rows]


def test_a_fold_keeps_its_ratings_out_of_histories(hundred, tmp_path):
    root, log = hundred
    tables = read(MovieLens, root, tmp_path / "cache", fold="ua")
    found = moments(tables)
    # The last tenth of the first part, by time, is valid.
    valid = {key[1:] for key in found if key[0] == "valid"}
    assert valid
    joined = {("train" if k[0] == "valid" else k[0], *k[1:]): v for k, v in found.items()}
    expected = slow(log, {"train": ("train",), "test": ("train",)})
    assert joined == expected
    assert (
        {k[2] for k in found if k[0] == "valid"} > set() < {k[2] for k in found if k[0] == "train"}
    )
    assert max(k[2] for k in found if k[0] == "train") < min(k[1] for k in valid)


def test_a_fold_under_another_split_is_one_log(hundred, tmp_path):
    root, log = hundred
    found = moments(read(MovieLens, root, tmp_path / "cache", "time", fold="ua"))
    whole = slow([("log", *row[1:]) for row in log], {"log": ("log",)})
    assert {key[1:] for key in found} == {key[1:] for key in whole}


def test_a_fold_that_is_not_there(hundred, tmp_path):
    root, _ = hundred
    found = refused(MovieLens, root, tmp_path, fold="u1")
    assert (found.code, "u1.base` is missing" in found.message) == ("E0620", True)
    (root / "u.item").unlink()
    found = refused(MovieLens, root, tmp_path, fold="u1")
    assert "part of MovieLens 100K" in found.help[0]


@pytest.fixture
def week(tmp_path):
    """Seven days of Adressa, and their clicks with the part of each."""
    rng, root, log = random.Random(5), tmp_path / "one_week", []
    root.mkdir()
    for day in range(1, 8):
        start = 1483225200 + (day - 1) * 86400
        part = {6: "train", 7: "test"}.get(day, "history")
        rows = [
            (f"cx:{rng.randrange(12)}", f"a{rng.randrange(30)}", start + rng.randrange(40))
            for _ in range(40)
        ]
        log += [(part, user, item, 1, time) for user, item, time in rows]
        events = ({"userId": u, "id": i, "time": t, "title": f"T {i}"} for u, i, t in rows)
        (root / f"2017010{day}").write_text("".join(json.dumps(one) + "\n" for one in events))
    return root, log


def test_days_are_histories_training_and_test(week, tmp_path):
    root, log = week
    tables = read(Adressa, root, tmp_path / "cache", parts="days", negatives=3)
    clicks = {key: [row for row in rows if row[1]] for key, rows in moments(tables).items()}
    held = {key[1] for key in clicks if key[0] == "valid"}
    tested = {key[1] for key in clicks if key[0] == "test"}
    assert not held & tested
    assert len(held) == round(VALID_SHARE * len(held | tested)) > 1
    log = [("valid" if p == "test" and u in held else p, u, *rest) for p, u, *rest in log]
    views = {"train": ("history",), "valid": ("history", "train"), "test": ("history", "train")}
    assert clicks == slow(log, views)
    for key, rows in moments(tables).items():
        drawn = {item for item, label in rows if not label}
        assert len(drawn) == (0 if key[0] == "train" else 3 * len(clicks[key]))
        assert not drawn & {i for _, u, i, _, _ in log if u == key[1]}


def test_weeks_and_too_few_days(tmp_path, week):
    days = ["20170101", "20170102", "20170108", "20170109", "20170116"]
    # The first of January of 2017 is a Sunday, of the last week of 2016.
    sql = part_of(days, "weeks")
    assert "'20170116' THEN 'test'" in sql
    assert "'20170109' THEN 'train'" in sql
    root, _ = week
    for day in range(3, 8):
        (root / f"2017010{day}").unlink()
    found = refused(Adressa, root, tmp_path / "cache", parts="days")
    assert (found.code, "here are 2" in found.message) == ("E0623", True)


@pytest.mark.parametrize("apart", [False, True])
def test_the_held_out_games_of_scgrec(tmp_path, apart):
    root = tmp_path / "steam"
    root.mkdir()
    games = "".join(f"{n},Game {n},game,1.0,2000-11-01 00:00:00,-1,0,True\n" for n in range(1, 9))
    (root / "App_ID_Info.txt").write_text(games)
    files = {"train": "anna,1,2,3\nbert,4,99\n", "valid": "anna,5\nbert,6,7\n", "test": "anna,8\n"}
    for part, text in files.items():
        folder = root / f"{part}_data" if apart and part != "train" else root
        folder.mkdir(exist_ok=True)
        (folder / f"{part}_game.txt").write_text(text)
    tables = read(Steam, root, tmp_path / "cache", parts=True, negatives=0)
    assert {(k[0], k[1], k[3], v[0][0]) for k, v in moments(tables).items()} == {
        ("train", "anna", (), "1"), ("train", "anna", ("1",), "2"),
        ("train", "anna", ("1", "2"), "3"), ("train", "bert", (), "4"),
        ("valid", "anna", ("1", "2", "3"), "5"), ("valid", "bert", ("4",), "6"),
        ("valid", "bert", ("4",), "7"), ("test", "anna", ("1", "2", "3"), "8"),
    }  # fmt: skip
    alone = read(Steam, root, tmp_path / "cache", "leave_one_out", negatives=0)
    assert "8" not in set(alone.interactions()["item_id"])


def test_parts_of_another_release_of_steam(tmp_path):
    (tmp_path / "steam_games.json").write_text("{'id': '1'}\n")
    (tmp_path / "steam_reviews.json").write_text("{'username': 'a', 'product_id': '1'}\n")
    found = refused(Steam, tmp_path, tmp_path / "cache", parts=True)
    assert "SCGRec" in found.help[0]


@pytest.mark.parametrize(
    ("given", "none"),
    [('MovieLens("ml", fold=u1)', 'MovieLens("ml")'),
     ('Adressa("week", parts=days)', 'Adressa("week")'),
     ('Steam("steam", parts=true)', 'Steam("steam")')],
)  # fmt: skip
def test_the_publishers_split_is_offered_where_parts_are_chosen(tmp_path, given, none):
    helps = []

    def look(source, split=""):
        (tmp_path / "a.lego").write_text(
            f"data d {{ source = {source}\n content = [title(8)]\n {split} }}\n"
            "model m = content CNN(hidden=8) -> behavior Additive -> predict Dot\nrun m on d\n",
            "utf-8",
        )
        checked = check(tmp_path / "a.lego")
        # A folder that is not there is a warning.
        codes = {d.code for d in checked.diagnostics} - {"W104"}
        helps.extend(d.help[0] for d in checked.diagnostics if d.code == "E0603")
        return codes, [s.data.split.op for s in checked.specs]

    assert look(given) == (set(), ["publisher"])
    assert look(given, "split = time") == (set(), ["time"])
    assert look(none) == (set(), ["time"])
    assert look(none, "split = publisher")[0] == {"E0603"}
    # What has to be written is what was written above.
    setting = given.rpartition(", ")[2]
    assert helps == [f"`{given.partition('(')[0]}(..., {setting}` has it"]
