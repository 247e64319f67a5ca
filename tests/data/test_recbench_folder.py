"""Folders in RecBench's files: written from any data and read again, and filled in the order of
the files that RecBench leaves; against a slow reader of its rules."""

import hashlib
import json
import random

import pandas as pd
import pyarrow.parquet as pq
import pytest

from legoc.data.indexing.tables import convert
from legoc.data.sources.mind import MIND
from legoc.data.sources.movielens import MovieLens
from legoc.data.sources.recbench import RecBench
from legoc.data.sources.recbench_folder import COLUMNS, write_folder
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call
from tests.data.conftest import behaviors_text, news_text
from tests.data.test_movielens import write_csv
from tests.data.test_processed import write
from tests.product.conftest import run


def protocol(**args):
    settings = {"test": 30, "train": 1000, "valid": 0.3, "rows": None, "seed": 5, "order": None}
    return Call(op="recbench", args={**settings, **args})


@pytest.fixture(scope="module")
def ratings(tmp_path_factory):
    rng = random.Random(4)
    rows = [
        (f"{user}", f"{rng.randrange(10, 30)}", rng.choice((1, 2, 3, 4, 5)), 10**9 + n * 60)
        for n, user in enumerate(rng.choices(range(1, 30), k=500))
    ]
    return write_csv(tmp_path_factory.mktemp("films"), rows)


@pytest.fixture(scope="module")
def news(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mind") / "train"
    folder.mkdir()
    rng = random.Random(3)
    items = [(f"N{n}", "news", "us", f"Title {n}", "Text") for n in range(30)]
    (folder / "news.tsv").write_text(news_text(items))
    lines = [
        (str(n), f"U{rng.randrange(25)}", "11/9/2019 9:05:58 AM",
         " ".join(f"N{rng.randrange(30)}" for _ in range(rng.randrange(1, 6))),
         " ".join(f"N{rng.randrange(30)}-{rng.randrange(2)}" for _ in range(4)))
        for n in range(80)
    ]  # fmt: skip
    (folder / "behaviors.tsv").write_text(behaviors_text(lines))
    return folder.parent


def told(tables):
    """The rows as (file, user, history, item, label), a list in the order of the tables."""
    histories = tables.histories().set_index("history_id")
    return [
        (row.split, histories.loc[row.history_id, "user_id"],
         tuple(histories.loc[row.history_id, "clicks"]), row.item_id, int(row.label))
        for row in tables.interactions().itertuples()
    ]  # fmt: skip


def digest(rows):
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def read_back(folder, cache, split=None, **settings):
    return convert(
        RecBench(RecBench.Config(path=str(folder), **settings)),
        split or Call(op="publisher"), cache,
    )  # fmt: skip


def made(tmp_path, source, path, split=None, **settings):
    tables = convert(
        source(source.Config(path=str(path), **settings)), split or protocol(), tmp_path / "cache"
    )
    folder = tmp_path / "out"
    folder.mkdir()
    return tables, folder, write_folder(tables, source.__name__, folder)


@pytest.mark.parametrize("source", [MovieLens, MIND])
def test_a_written_folder_gives_the_same_rows(tmp_path, ratings, news, source):
    tables, folder, written = made(tmp_path, source, ratings if source is MovieLens else news)
    again = read_back(folder, tmp_path / "cache")
    before, after = told(tables), told(again)
    for part in ("train", "valid", "test"):
        own = [row for row in before if row[0] == part]
        assert own
        assert digest([row for row in after if row[0] == part]) == digest(own)
    assert written.rows["interactions"] == len(before)
    assert written.valid == len({user for part, user, *_ in before if part == "valid"})
    text = dict(zip(*(again.items()[name] for name in ("item_id", "title")), strict=True))
    whole = dict(zip(*(tables.items()[name] for name in ("item_id", "title")), strict=True))
    assert text == {name: whole[name] for name in text}
    assert not any("dropped" in drop.policy for drop in again.report.drops)
    # All its rows, in its order, fill the same parts.
    tested = sum(row[0] == "test" for row in before)
    drawn = read_back(folder, tmp_path / "cache", protocol(test=tested), log="interactions")
    assert {*told(drawn)} == {*before}
    assert any("user_order.txt" in note for note in drawn.report.notes)


def test_the_files_and_columns_are_those_that_are_published(tmp_path, ratings):
    _, folder, _ = made(tmp_path, MovieLens, ratings)
    assert {path.name for path in folder.iterdir()} == {
        "items.parquet", "users.parquet", "interactions.parquet", "test.parquet",
        "finetune.parquet", "user_order.txt", "valid_user_set_0.1.txt", "meta.json",
    }  # fmt: skip
    assert json.loads((folder / "meta.json").read_text())["fully_compressed"] is True
    assert pq.read_schema(folder / "test.parquet").names == ["userId", "movieId", "click"]
    assert pq.read_schema(folder / "users.parquet").names == ["userId", "his"]
    test, tuned = (pd.read_parquet(folder / f"{n}.parquet") for n in ("test", "finetune"))
    order = (folder / "user_order.txt").read_text().split()
    listed = [*test["userId"].drop_duplicates(), *tuned["userId"].drop_duplicates()]
    assert order == listed
    held = (folder / "valid_user_set_0.1.txt").read_text().split()
    assert set(held) < set(tuned["userId"])
    # What a row or a history names is there, and nothing else.
    users = pd.read_parquet(folder / "users.parquet")
    named = {*test["movieId"], *tuned["movieId"], *(i for clicks in users["his"] for i in clicks)}
    assert set(pd.read_parquet(folder / "items.parquet")["movieId"]) == named


def test_news_has_the_names_of_recbench(tmp_path, news):
    _, folder, _ = made(tmp_path, MIND, news)
    names = pq.read_schema(folder / "items.parquet").names
    assert names == ["nid", "title", "abs", "cat", "subcat"]


def slow(interactions, histories, order, held, test, train, limit=10):
    """The rows of each part by RecBench's rules: users in order until a part has enough."""
    found, at = {"test": [], "train": [], "valid": []}, 0
    for part, enough in (("test", test), ("tuned", train)):
        count = 0
        while at < len(order) and count < enough:
            user, at = order[at], at + 1
            for label in (0, 1):
                items = [i for u, i, click in interactions if u == user and click == label]
                assert len(items) <= limit, "more would be drawn at random"
                name = part if part == "test" else "valid" if user in held else "train"
                rows = [(name, user, tuple(histories[user]), item, label) for item in items]
                found[name] += rows
                count += len(rows)
    return {row for rows in found.values() for row in rows}


@pytest.fixture
def reference(tmp_path):
    """A folder as RecBench leaves it before it has drawn anything but the order of users."""
    rng = random.Random(9)
    items = [f"N{n}" for n in range(40)]
    users = [f"U{n}" for n in range(30)]
    histories = {user: rng.sample(items, rng.randrange(1, 9)) for user in users}
    log = [
        (user, item, int(n < rng.randrange(1, 5)))
        for user in users
        for n, item in enumerate(rng.sample(items, rng.randrange(2, 9)))
    ]
    folder = write(
        tmp_path / "published", items={"nid": items, "title": [f"Title {i}" for i in items]},
        users={"uid": users, "history": list(histories.values())}, interactions=log,
    )  # fmt: skip
    order = rng.sample(users, len(users))
    held = set(order[12:15])
    (folder / "user_order.txt").write_text("".join(f"{user}\n" for user in order))
    (folder / "valid_user_set_0.1.txt").write_text("".join(f"{user}\n" for user in held))
    return folder, log, histories, order, held


def test_order_files_give_the_rows_of_the_reference(tmp_path, reference):
    folder, log, histories, order, held = reference
    split = protocol(test=31, train=60)
    tables = read_back(folder, tmp_path / "cache", split, log="interactions")
    expected = slow(log, histories, order, held, 31, 60)
    assert {*told(tables)} == expected
    assert {row[0] for row in expected} == {"train", "valid", "test"}
    assert len({row[1] for row in expected}) < len(order)
    # Another order, other rows: it is read, and the tables of the first are not taken for it.
    (folder / "user_order.txt").write_text("".join(f"{user}\n" for user in order[::-1]))
    (folder / "valid_user_set_0.1.txt").write_text(f"{order[12]}\n")
    other = read_back(folder, tmp_path / "cache", split, log="interactions")
    assert {*told(other)} == slow(log, histories, order[::-1], {order[12]}, 31, 60)


def test_an_order_file_holds_for_other_sources_too(tmp_path, ratings):
    tables = convert(MovieLens(MovieLens.Config(path=str(ratings))), protocol(), tmp_path / "cache")
    users = sorted({row[1] for row in told(tables)})
    place = tmp_path / "order"
    place.mkdir()
    (place / "user_order.txt").write_text("\n".join([users[3], "nobody", *users[5:]]) + "\n")
    (place / "valid_user_set_0.1.txt").write_text(users[-1] + "\n")
    split = protocol(test=1, order=str(place / "user_order.txt"))
    found = convert(MovieLens(MovieLens.Config(path=str(ratings))), split, tmp_path / "cache")
    parts = {}
    for part, user, *_ in told(found):
        parts.setdefault(part, set()).add(user)
    assert parts == {"test": {users[3]}, "valid": {users[-1]}, "train": set(users[5:-1])}
    drops = {d.reason: d.count for d in found.report.drops}
    assert drops["user of the order file without rows that count"] == 1
    # Where the file lies is no part of what was made.
    moved = place.rename(tmp_path / "elsewhere") / "user_order.txt"
    split = protocol(test=1, order=str(moved))
    again = convert(MovieLens(MovieLens.Config(path=str(ratings))), split, tmp_path / "cache")
    assert again.digest == found.digest
    (moved.parent / "valid_user_set_0.1.txt").write_text(users[-2] + "\n")
    other = convert(MovieLens(MovieLens.Config(path=str(ratings))), split, tmp_path / "cache")
    assert other.digest != found.digest


def code_of(work):
    with pytest.raises(LegoError) as caught:
        work()
    (found,) = caught.value.diagnostics
    return found.code, found.message


def test_an_order_of_other_data(tmp_path, ratings):
    path = tmp_path / "user_order.txt"
    source = MovieLens(MovieLens.Config(path=str(ratings)))
    for content, code in ((b"nobody\n", "E0547"), (b"\xff\xfe\xff", "E0620")):
        path.write_bytes(content)
        split = protocol(order=str(path))
        assert code_of(lambda s=split: convert(source, s, tmp_path / "cache"))[0] == code
    path.unlink()
    assert code_of(lambda: convert(source, protocol(order=str(path)), tmp_path / "c"))[0] == "E0620"


def test_data_that_these_files_cannot_tell(tmp_path, news):
    split = Call(op="user", args={"valid": 0.2, "test": 0.2})
    code, message = code_of(lambda: made(tmp_path, MIND, news, split))
    assert (code, "several histories" in message) == ("E0545", True)


def test_the_sets_of_a_folder_are_not_drawn_again(tmp_path, reference):
    folder, log, *_ = reference
    write(folder, test=log[:20], finetune=log[20:])
    code, message = code_of(lambda: read_back(folder, tmp_path / "cache", protocol()))
    assert (code, "are drawn" in message) == ("E0623", True)


def test_every_source_of_the_benchmark_has_its_columns():
    tested = {"MIND", "MovieLens", "MicroLens", "Goodreads", "Yelp", "Steam", "AmazonCDs", "HM",
              "AmazonElectronics", "HotelRec"}  # fmt: skip
    assert tested <= COLUMNS.keys()


SPEC = """
data films {{
  source = MovieLens("{raw}")
  content = [title(8)]
  split = recbench(test=30, train=1000)
}}
data same = films(content=[title(4)])
data other = films(split=recbench(test=20, train=1000))
model m = content CNN(hidden=8) -> behavior Additive -> predict Dot
run m on films, same, other
"""


def test_the_command_writes_a_folder(tmp_path, ratings, capsys):
    spec, out = tmp_path / "a.lego", tmp_path / "out"
    spec.write_text(SPEC.format(raw=ratings), "utf-8")
    given = ("data", spec, "--cache", tmp_path / "cache", "--recbench", out, "-q")
    assert run(*given) == 1
    assert "E0546" in capsys.readouterr().err
    assert not out.exists()
    assert run(*given, "--only", "data=films") == 0
    assert "rows in finetune" in capsys.readouterr().err
    assert (out / "test.parquet").is_file()
    assert run(*given, "--only", "data=films") == 1
    assert "E0905" in capsys.readouterr().err
    shown = tmp_path / "b.lego"
    shown.write_text(
        f'data d {{ source = RecBench("{out}")\n content = [title(8)] }}\n'
        "model m = content CNN(hidden=8) -> behavior Additive -> predict Dot\nrun m on d\n",
        "utf-8",
    )
    assert run("data", shown, "--cache", tmp_path / "cache", "-q") == 0
    assert "RecBench" in capsys.readouterr().out
