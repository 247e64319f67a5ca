"""MovieLens in its three layouts: the same small log, written three times."""

import random
from datetime import UTC, datetime

import pytest

from legoc.data.prepare import announce
from legoc.data.sources.movielens import GENRES, MovieLens
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call
from legoc.progress import SILENT
from tests.data.logs import (
    RECBENCH,
    TIME,
    drops,
    moments,
    places,
    protocol_users,
    read_with,
    table_moments,
    write_text,
)


FILMS = [
    ("1", "Toy Story (1995)", "Animation|Comedy"),
    ("2", "Matrix, The (1999)", "Action|Sci-Fi"),
    ("3", "City of Lost Children, The (Cité des enfants perdus, La) (1995)", "Drama"),
    ("07", "Seven (a.k.a. Se7en) (1995)", ""),
    ("5", 'Called "Five"', "Comedy"),
    *((str(n), f"Film {n} (20{n:02d})", "Drama|War") for n in range(10, 30)),
]


@pytest.fixture(scope="module")
def log():
    """(user, film, stars, seconds), shuffled, with ties in time and repeated pairs."""
    rng = random.Random(4)
    rows = [
        (f"{user}", rng.choice(FILMS)[0], rng.choice((1, 2, 3, 4, 5)), 10**9 + rng.randrange(40))
        for user in range(1, 12)
        for _ in range(rng.randrange(1, 25))
    ]
    return rows


def labels(log):
    return [(u, i, int(s > 3), t) for u, i, s, t in log if s != 3]


def write_csv(root, log):
    films = "".join(
        f'{i},"{t.replace(chr(34), chr(34) * 2)}",{g or "(no genres listed)"}\r\n'
        for i, t, g in FILMS
    )
    write_text(root / "movies.csv", "movieId,title,genres\r\n" + films)
    rows = "".join(f"{u},{i},{float(s)},{t}\r\n" for u, i, s, t in log)
    write_text(root / "ratings.csv", "userId,movieId,rating,timestamp\r\n" + rows)
    return root


def write_million(root, log):
    films = "".join(f"{i}::{t}::{g}\n" for i, t, g in FILMS)
    write_text(root / "movies.dat", films, "iso-8859-1")
    write_text(root / "ratings.dat", "".join(f"{u}::{i}::{s}::{t}\n" for u, i, s, t in log))
    write_text(root / "users.dat", "1::F::1::10::48067\n2::M::56::16::70072\n")
    return root


def write_hundred(root, log):
    def flags(genres):
        return "|".join(str(int(g in genres.split("|"))) for g in GENRES)

    films = "".join(f"{i}|{t}|01-Jan-1995||http://x|{flags(g)}\n" for i, t, g in FILMS)
    write_text(root / "u.item", films + f"267|unknown||||{flags('unknown')}\n", "iso-8859-1")
    write_text(root / "u.data", "".join(f"{u}\t{i}\t{s}\t{t}\n" for u, i, s, t in log))
    write_text(root / "u.user", "1|24|M|technician|85711\n2|53|F|other|94043\n")
    return root


WRITERS = {"csv": write_csv, "1M": write_million, "100K": write_hundred}


def source(root, **settings):
    return MovieLens(MovieLens.Config(path=str(root), **settings))


@pytest.mark.parametrize("layout", WRITERS)
def test_every_layout_gives_the_same_log(tmp_path, log, layout):
    tables = read_with(source(WRITERS[layout](tmp_path / layout, log)), tmp_path / "cache")
    found = table_moments(tables)
    expected = {
        (u, datetime.fromtimestamp(t, UTC).replace(tzinfo=None).timestamp()): value
        for (u, t), value in moments(labels(log)).items()
    }
    assert found == expected
    items = tables.items().set_index("item_id")
    assert items.loc["3", "title"] == FILMS[2][1]
    assert items.loc["07", "year"] == 1995
    assert list(items.loc["2", "genres"]) == ["Action", "Sci-Fi"]
    assert list(items.loc["07", "genres"]) == []
    assert items.loc["10", "year"] == 2010
    told = [(user, item, s > 3, time) for user, item, s, time in log if s != 3]
    again = len(told) - len({*told})
    assert drops(tables) == {
        "rating of 3, neither liked nor disliked": sum(s == 3 for _, _, s, _ in log),
        "interaction again: the same user, item and time": again,
    }
    assert again
    assert tables.report.coverage["genres"] < 1
    # Ratings in the middle are left out by a rule and are no fault of the files.
    announce(tables.report.drops, True, SILENT)


def test_a_history_is_strictly_before_its_moment(tmp_path, log):
    tables = read_with(source(write_csv(tmp_path / "a", log)), tmp_path / "cache")
    first = {}
    for user, item, label, time in labels(log):
        if label:
            first[user, item] = min(first.get((user, item), time), time)
    told = tables.histories().set_index("history_id")
    for row in tables.interactions().itertuples(index=False):
        user, clicks = told.loc[row.history_id, ["user_id", "clicks"]]
        now = row.time.tz_localize("UTC").timestamp()
        assert all(first[user, click] < now for click in clicks)


def test_the_split_by_time_cuts_once_for_all(tmp_path, log):
    tables = read_with(source(write_csv(tmp_path / "a", log)), tmp_path / "cache")
    frame = tables.interactions()
    ends = frame.groupby("split")["time"].agg(["min", "max"])
    assert ends.loc["train", "max"] < ends.loc["valid", "min"]
    assert ends.loc["valid", "max"] < ends.loc["test", "min"]


def test_half_stars_are_compared_as_they_are(tmp_path):
    rows = [("1", "1", s, 10**9 + n) for n, s in enumerate((3.5, 2.5, 3.0, 4, 0.5, 3.5))]
    tables = read_with(source(write_csv(tmp_path / "a", rows)), tmp_path / "cache")
    assert list(tables.interactions()["label"]) == [1, 0, 1, 0, 1]
    higher = read_with(source(write_csv(tmp_path / "b", rows), neutral=3.5), tmp_path / "cache")
    assert list(higher.interactions()["label"]) == [0, 0, 1, 0]


def test_recbench_keeps_the_users_a_slow_reader_keeps(tmp_path, log):
    tables = read_with(source(write_csv(tmp_path / "a", log)), tmp_path / "cache", RECBENCH)
    expected = protocol_users(labels(log))
    told = {h: (u, list(c)) for h, u, c in tables.histories().itertuples(index=False, name=None)}
    found = {user: (clicks, [], []) for user, clicks in told.values()}
    for row in tables.interactions().itertuples(index=False):
        found[told[row.history_id][0]][1 if row.label else 2].append(row.item_id)
    assert found == {u: (h, p, low[:10]) for u, (h, p, low) in expected.items()}
    likes = sum(len(h) + len(p) for h, p, _ in expected.values())
    low = sum(len(low) for _, _, low in expected.values())
    (note,) = tables.report.notes
    assert f"keeps {len(expected)} of {len({u for u, *_ in labels(log)})} users" in note
    assert f"{low} negatives and {likes} positives" in note
    assert set(tables.report.parts) == {"train", "valid", "test"}
    by_user = tables.interactions().groupby("history_id")["split"].nunique()
    assert (by_user == 1).all()


def test_recbench_fills_the_test_part_first(tmp_path, log):
    root = write_csv(tmp_path / "a", log)
    tables = read_with(source(root), tmp_path / "cache", RECBENCH)
    sizes = tables.interactions().groupby("history_id").size()
    test = tables.interactions().query("split == 'test'")
    last = test["history_id"].iloc[-1]
    assert len(test) >= 4 > len(test) - sizes[last]
    all_in_test = Call(op="recbench", args={**RECBENCH.args, "test": 20000})
    with pytest.raises(LegoError) as error:
        read_with(source(root), tmp_path / "cache", all_in_test)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "E0623"
    assert "the test part takes all" in diagnostic.message
    assert "recbench(test=" in diagnostic.help[0]


def test_legommenders_cuts_histories_and_fills_text(tmp_path):
    rows = [("1", "1", 5, 10**9 + n) for n in range(70)] + [("1", "2", 1, 10**9)] * 30
    rows += [(str(u), i, s, 10**9) for u in range(2, 9) for i, s in (
        ("1", 5), ("1", 5), ("1", 5), ("2", 1)) ]  # fmt: skip
    root = write_csv(tmp_path / "a", rows)
    call = Call(op="legommenders", args={**RECBENCH.args, "valid": 0.0})
    # Over the seeds the long user is in the training part at least once.
    for seed in range(6):
        tables = read_with(
            source(root), tmp_path / "cache", Call(op=call.op, args={**call.args, "seed": seed})
        )
        lengths = tables.histories().set_index("user_id")["clicks"].map(len)
        assert lengths["1"] == 50
        frame = tables.interactions().merge(tables.histories(), on="history_id")
        mine = frame.query("user_id == '1'")
        assert (mine["label"] == 0).sum() == (30 if mine["split"].iloc[0] == "train" else 10)


def test_leave_one_out_gives_each_user_a_click_and_drawn_films(tmp_path, log):
    root = write_csv(tmp_path / "a", log)
    call = Call(op="leave_one_out")
    tables = read_with(source(root, negatives=3, seed=5), tmp_path / "cache", call)
    frame = tables.interactions().merge(tables.histories(), on="history_id")
    touched = {(u, i) for u, i, _, _ in labels(log)}
    own = frame[[pair in touched for pair in zip(frame["user_id"], frame["item_id"], strict=True)]]
    drawn = frame.drop(own.index)
    assert len(own) == len(labels(log))
    assert set(drawn["label"]) == {0}
    assert set(drawn["split"]) == {"valid", "test"}
    clicks = own.query("label == 1 and split != 'train'").groupby("impression_id").size()
    assert (drawn.groupby("impression_id").size() == 3 * clicks).all()
    assert not drawn.duplicated(["impression_id", "item_id"]).any()
    again = read_with(source(root, negatives=3, seed=5), tmp_path / "other", call)
    assert again.interactions().equals(tables.interactions())
    other = read_with(source(root, negatives=3, seed=6), tmp_path / "cache", call)
    assert not other.interactions()["item_id"].equals(tables.interactions()["item_id"])
    last = max(t for u, _, s, t in log if u == "3" and s > 3)
    test = own.query("user_id == '3' and split == 'test' and label == 1")
    assert {t.tz_localize("UTC").timestamp() for t in test["time"]} == {last}


def test_longer_histories_are_kept_where_a_model_reads_them(tmp_path):
    rows = [("1", "1", 5, 10**9 + n) for n in range(160)]
    root = write_csv(tmp_path / "a", rows)
    short = read_with(source(root), tmp_path / "cache", history=20)
    long = read_with(source(root), tmp_path / "cache", history=150)
    assert max(map(len, short.histories()["clicks"])) == 100
    assert max(map(len, long.histories()["clicks"])) == 150
    assert short.digest != long.digest
    assert short.digest == read_with(source(root), tmp_path / "cache", history=99).digest


def test_an_edited_copy_is_named_by_its_column(tmp_path, log):
    root = write_csv(tmp_path / "a", log)
    text = (root / "ratings.csv").read_text().replace("movieId", "item", 1)
    (root / "ratings.csv").write_text(text)
    with pytest.raises(LegoError) as error:
        read_with(source(root), tmp_path / "cache")
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "E0621"
    assert "no column `movieId`" in diagnostic.message
    root = write_csv(tmp_path / "b", log)
    with (root / "ratings.csv").open("a") as file:
        file.write("1,999,5.0,1000000000\n1,2,five,1000000000\n1,2,5.0,never\n1,2,5.0\n,2,5,1\n")
    tables = read_with(source(root), tmp_path / "cache")
    at = len(log) + 2
    assert {k: v for k, v in places(tables).items()} == {
        "row with another number of columns": (f"ratings.csv:{at + 3}: 1",),
        "rating without a user": (f"ratings.csv:{at + 4}: 2",),
        "rating of an unknown item": (f"ratings.csv:{at}: 999",),
        "rating that is no number": (f"ratings.csv:{at + 1}: 1",),
        "rating whose time cannot be read": (f"ratings.csv:{at + 2}: 1",),
    }
    with pytest.raises(LegoError) as error:
        announce(tables.report.drops, True, SILENT)
    assert error.value.diagnostics[0].code == "E0629"


def test_attributes_of_users_are_kept(tmp_path, log):
    old = read_with(source(write_million(tmp_path / "a", log)), tmp_path / "cache").users()
    new = read_with(source(write_hundred(tmp_path / "b", log)), tmp_path / "cache").users()
    assert list(old.columns) == ["user_id", "gender", "age", "occupation"]
    assert old.set_index("user_id").loc["2"].tolist() == ["M", 56, "16"]
    assert new.set_index("user_id").loc["2"].tolist() == ["F", 53, "other"]


def test_a_missing_film_file_is_named(tmp_path, log):
    root = write_csv(tmp_path / "a", log)
    (root / "movies.csv").unlink()
    with pytest.raises(LegoError) as error:
        read_with(source(root), tmp_path / "cache")
    assert error.value.diagnostics[0].code == "E0620"
    assert "movies.csv" in error.value.diagnostics[0].message
    with pytest.raises(LegoError) as error:
        read_with(source(tmp_path / "nowhere"), tmp_path / "cache", TIME)
    assert error.value.diagnostics[0].code == "E0620"
