"""One's own tables in four formats, with and without impressions, histories and users."""

import csv
import gzip
import io
import json
import random
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from legoc.data.prepare import announce
from legoc.data.sources.tables import Tables
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call
from legoc.progress import SILENT
from tests.data.logs import TIME, drops, moments, places, read_with, table_moments


ITEMS = [
    {"item_id": f"{n:03d}", "title": f"Thing, {n}" if n % 7 else 'A "quoted" NA', "price": n / 4,
     "tags": ["red", "big one"] if n % 2 else [], "kind": f"kind {n % 3}"}
    for n in range(1, 31)
]  # fmt: skip


def clicks(seed=3, users=9, rows=200):
    """(user, item, seconds) with ties, in no order."""
    rng = random.Random(seed)
    return [
        (f"0{rng.randrange(users)}", f"{rng.randrange(1, 31):03d}", 10**9 + rng.randrange(150))
        for _ in range(rows)
    ]


LOG = [{"user_id": u, "item_id": i, "time": t} for u, i, t in clicks()]


def cell(value):
    return "|".join(value) if isinstance(value, list) else value


def write_table(path, rows):
    """Rows (dictionaries) in the format the name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(rows), path)
        return path
    if name.endswith(".jsonl"):
        text = "".join(json.dumps(row) + "\n" for row in rows)
    else:
        out = io.StringIO()
        writer = csv.DictWriter(out, rows[0], delimiter="\t" if name.endswith("tsv") else ",")
        writer.writeheader()
        writer.writerows({key: cell(value) for key, value in row.items()} for row in rows)
        text = out.getvalue()
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def write_folder(root, ending="csv", **tables):
    for name, rows in tables.items():
        write_table(root / f"{name}.{ending}", rows)
    return root


def source(root, **settings):
    return Tables(Tables.Config(path=str(root), **settings))


def error_of(make):
    with pytest.raises(LegoError) as error:
        make()
    (diagnostic,) = error.value.diagnostics
    return diagnostic


KINDS = {"numbers": ("price",), "categories": ("tags",), "separator": "|"}


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet", "csv.gz", "jsonl.gz"])
def test_clicks_alone_in_every_format(tmp_path, ending):
    root = write_folder(tmp_path / "own", ending, items=ITEMS, interactions=LOG)
    tables = read_with(source(root, **KINDS, negatives=0), tmp_path / "cache")
    frame = tables.items()
    for key in ("item_id", "title", "price", "kind"):
        assert frame[key].tolist() == [row[key] for row in ITEMS]
    assert [list(tags) for tags in tables.items()["tags"]] == [row["tags"] for row in ITEMS]
    log = [
        (u, i, 1, datetime.fromtimestamp(t, UTC).replace(tzinfo=None).timestamp())
        for u, i, t in clicks()
    ]
    assert table_moments(tables) == moments(log)
    assert not tables.report.drops


def test_times_are_written_as_people_write_them(tmp_path):
    root = write_folder(tmp_path / "a", items=ITEMS, interactions=LOG)
    dated = [{**r, "time": datetime.fromtimestamp(r["time"], UTC).isoformat()} for r in LOG]
    other = write_folder(tmp_path / "b", items=ITEMS, interactions=dated)
    cache = tmp_path / "cache"
    one, two = (read_with(source(root), cache) for root in (root, other))
    assert one.interactions().equals(two.interactions())
    stamped = [{**r, "time": datetime.fromtimestamp(r["time"], UTC)} for r in LOG]
    write_table(tmp_path / "c" / "interactions.parquet", stamped)
    write_table(tmp_path / "c" / "items.csv", ITEMS)
    assert one.interactions().equals(read_with(source(tmp_path / "c"), cache).interactions())


def test_drawn_negatives_are_new_to_the_user_and_always_the_same(tmp_path):
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=LOG)
    tables = read_with(source(root, negatives=4, seed=7), tmp_path / "cache")
    frame = tables.interactions().merge(tables.histories(), on="history_id")
    touched = {(u, i) for u, i, _ in clicks()}
    drawn = frame.query("label == 0")
    assert len(drawn)
    assert not touched & set(zip(drawn["user_id"], drawn["item_id"], strict=True))
    assert not drawn.duplicated(["impression_id", "item_id"]).any()
    assert set(drawn["split"]) == {"valid", "test"}
    wanted = frame.query("label == 1 and split != 'train'").groupby("impression_id").size() * 4
    free = frame.groupby("impression_id")["user_id"].first().map(
        lambda user: 30 - len({i for u, i in touched if u == user})
    )  # fmt: skip
    found = drawn.groupby("impression_id").size()
    assert found.to_dict() == {
        name: min(n, free[name]) for name, n in wanted.items() if min(n, free[name])
    }
    again = read_with(source(root, negatives=4, seed=7), tmp_path / "again")
    assert again.interactions().equals(tables.interactions())
    assert any("seed 7" in note for note in tables.report.notes)


def test_a_user_who_knows_everything_gets_what_is_left(tmp_path):
    log = [{"user_id": "all", "item_id": f"{n:03d}", "time": n} for n in range(1, 29)]
    log += [{"user_id": "few", "item_id": "029", "time": 5}]
    log += [{"user_id": "few", "item_id": "030", "time": 6}]
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=log)
    tables = read_with(source(root, negatives=50), tmp_path / "cache")
    frame = tables.interactions().merge(tables.histories(), on="history_id")
    drawn = frame.query("label == 0 and user_id == 'all'")
    assert set(drawn["item_id"]) == {"029", "030"}
    assert "fewer where a user knows nearly every item" in tables.report.notes[-1]


SHOWN = [
    {"impression_id": "a", "user_id": "u1", "item_id": "001", "label": 1, "time": 100},
    {"impression_id": "a", "user_id": "u1", "item_id": "002", "label": 0, "time": 101},
    {"impression_id": "b", "user_id": "u1", "item_id": "003", "label": "0", "time": 200},
    {"impression_id": "b", "user_id": "u1", "item_id": "004", "label": "true", "time": 200},
    {"impression_id": "b", "user_id": "u2", "item_id": "005", "label": "1", "time": 150},
    {"impression_id": "c", "user_id": "u1", "item_id": "001", "label": "False", "time": 300},
    {"impression_id": "c", "user_id": "u1", "item_id": "006", "label": "1", "time": 300},
    {"impression_id": "d", "user_id": "u2", "item_id": "006", "label": "0", "time": 310},
]
LAST = Call(op="time", args={"valid": 0.0, "test": 0.2})


def test_impressions_have_the_clicks_before_them(tmp_path):
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=SHOWN)
    tables = read_with(source(root), tmp_path / "cache", LAST)
    frame = tables.interactions().merge(tables.histories(), on="history_id")
    found = {
        name: (list(rows["clicks"].iloc[0]), list(zip(rows["item_id"], rows["label"], strict=True)))
        for name, rows in frame.groupby("impression_id")
    }
    assert found == {
        "a": ([], [("001", 1), ("002", 0)]),
        "b/1": (["001"], [("003", 0), ("004", 1)]),
        "b/2": ([], [("005", 1)]),
        "c": (["001", "004"], [("001", 0), ("006", 1)]),
        "d": (["005"], [("006", 0)]),
    }
    (note,) = tables.report.notes
    assert note == "times read as seconds, counted from a beginning of their own"
    assert tables.report.clock == "seconds"


TOLD = [
    {"history_id": "h1", "user_id": "u1", "clicks": "001 002 999"},
    {"history_id": "h2", "user_id": "u1", "clicks": '["003"]'},
    {"history_id": "h3", "user_id": "u2", "clicks": ""},
    {"history_id": "h1", "user_id": "u9", "clicks": "004"},
    {"history_id": "", "user_id": "u9", "clicks": "004"},
]
READ = [
    {"history_id": "h1", "item_id": "005", "label": 1, "time": 100},
    {"history_id": "h1", "item_id": "006", "label": 0, "time": 100},
    {"history_id": "h2", "item_id": "007", "label": 1, "time": 200},
    {"history_id": "h9", "item_id": "007", "label": 1, "time": 200},
    {"history_id": "h3", "item_id": "007", "label": 0, "time": 300},
]


def told(tables):
    frame = tables.interactions().merge(tables.histories(), on="history_id")
    return [
        (row.user_id, list(row.clicks), row.item_id, int(row.label))
        for row in frame.itertuples(index=False)
    ]


def test_named_histories_are_kept_as_they_are(tmp_path):
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=READ, histories=TOLD)
    tables = read_with(source(root), tmp_path / "cache", LAST)
    assert told(tables) == [
        ("u1", ["001", "002"], "005", 1), ("u1", ["001", "002"], "006", 0),
        ("u1", ["003"], "007", 1), ("u2", [], "007", 0),
    ]  # fmt: skip
    assert tables.interactions()["impression_id"].nunique() == 3
    assert places(tables) == {
        "history again": ("histories.csv:5: h1",),
        "history without a name or a user": ("histories.csv:6",),
        "unknown item in a history": ("histories.csv:2: 999",),
        "interaction of an unknown history": ("interactions.csv:5: h9",),
    }


def test_one_history_per_user_and_clicks_alone(tmp_path):
    histories = [{"user_id": u, "clicks": c} for u, c in (("u1", ["001", "002"]), ("u2", ["003"]))]
    log = [{"user_id": u, "item_id": f"{n:03d}", "time": n}
           for n, u in enumerate(("u1", "u2", "u3", "u1"), 10)]  # fmt: skip
    root = write_folder(tmp_path / "own", "jsonl", items=ITEMS, interactions=log,
                        histories=histories)  # fmt: skip
    tables = read_with(source(root, negatives=2), tmp_path / "cache", LAST)
    assert [row for row in told(tables) if row[3]] == [
        ("u1", ["001", "002"], "010", 1), ("u2", ["003"], "011", 1), ("u3", [], "012", 1),
        ("u1", ["001", "002"], "013", 1),
    ]  # fmt: skip
    drawn = [row for row in told(tables) if not row[3]]
    assert len(drawn) == 2
    # Neither what u1 reads nor the history, and nothing that occurs nowhere.
    assert {row[2] for row in drawn} <= {"003", "011", "012"}


def test_columns_of_other_names_are_named(tmp_path):
    items = [{"sku": row["item_id"], "title": row["title"]} for row in ITEMS]
    log = [{"customer": r["user_id"], "sku": r["item_id"], "stars": n % 5 + 1, "ts": r["time"]}
           for n, r in enumerate(LOG)]  # fmt: skip
    root = write_folder(tmp_path / "own", items=items, interactions=log)
    named = {"item": "sku", "user": "customer", "rating": "stars", "time": "ts"}
    tables = read_with(source(root, **named), tmp_path / "cache")
    expected = [(r["customer"], r["sku"], int(r["stars"] > 3),
                 datetime.fromtimestamp(r["ts"], UTC).replace(tzinfo=None).timestamp())
                for r in log if r["stars"] != 3]  # fmt: skip
    assert table_moments(tables) == moments(expected)
    assert drops(tables) == {"rating of 3, neither liked nor disliked": 40}
    announce(tables.report.drops, True, SILENT)


def test_parts_of_ones_own_and_rows_without_labels(tmp_path):
    parts = ["train"] * 5 + ["valid"] + ["test"] + ["predict", "tomorrow"]
    log = [{"user_id": "u", "item_id": f"{n:03d}", "label": "" if p == "predict" else n % 2,
            "time": n, "split": p} for n, p in enumerate(parts, 1)]  # fmt: skip
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=log)
    tables = read_with(source(root), tmp_path / "cache", Call(op="publisher"))
    assert {name: part.rows for name, part in tables.report.parts.items()} == {
        "train": 5, "valid": 1, "test": 1, "predict": 1,
    }  # fmt: skip
    assert tables.interactions()["label"].isna().sum() == 1
    assert places(tables) == {"interaction of an unknown part": ("interactions.csv:10: tomorrow",)}


def test_without_times_the_order_is_taken(tmp_path):
    log = [{"user_id": "u", "item_id": f"{n:03d}"} for n in range(1, 9)]
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=log)
    tables = read_with(source(root, negatives=0), tmp_path / "cache", LAST)
    assert list(tables.histories()["clicks"].map(len)) == list(range(8))
    assert list(tables.interactions()["split"]) == ["train"] * 6 + ["test"] * 2
    assert "order of the rows is taken for time" in tables.report.notes[0]


def test_users_may_have_attributes(tmp_path):
    users = [{"user_id": f"0{n}", "age": 20 + n, "town": "Rome"} for n in range(5)]
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=LOG, users=users)
    found = read_with(source(root, numbers=("age",)), tmp_path / "cache").users()
    assert found.set_index("user_id").loc["03"].tolist() == [23, "Rome"]
    assert len(found) == 9


def test_ids_stay_text(tmp_path):
    items = pa.table({"item_id": [1.0, 2.0, None, 7.5], "title": ["a", "b", "c", "d"]})
    (tmp_path / "own").mkdir()
    pq.write_table(items, tmp_path / "own" / "items.parquet")
    log = [{"user_id": 5, "item_id": item, "time": n} for n, item in enumerate((1, 2, 7.5, 1, 2))]
    write_table(tmp_path / "own" / "interactions.jsonl", log)
    tables = read_with(source(tmp_path / "own"), tmp_path / "cache", LAST)
    assert list(tables.items()["item_id"]) == ["1", "2", "7.5"]
    assert places(tables) == {"item without an id": ("items.parquet:3",)}


def test_bad_rows_are_counted_with_their_places(tmp_path):
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=LOG)
    with (root / "items.csv").open("a") as file:
        file.write('001,"Other text",1,,0\n040,New,cheap,,0\n041,"Too",many,,0,columns\n')
    with (root / "interactions.csv").open("a") as file:
        file.write("00,999,1000000000\n00,1,1000000000\n,001,1000000000\n00,001,yesterday\n")
    tables = read_with(source(root, **KINDS), tmp_path / "cache")
    at = len(LOG) + 2
    assert places(tables) == {
        "item id again with another text": ("items.csv:32: 001",),
        "number that cannot be read": ("items.csv:33: price = cheap",),
        "row with another number of columns": ("items.csv:34: 041",),
        # Ids are text: 1 is not 001.
        "interaction with an unknown item": (f"interactions.csv:{at}: 999",),
        "interaction with an unknown item, known with other leading zeros": (
            f"interactions.csv:{at + 1}: 1",
        ),
        "interaction without a user": (f"interactions.csv:{at + 2}: 001",),
        "interaction whose time cannot be read": (f"interactions.csv:{at + 3}: yesterday",),
    }  # fmt: skip
    assert tables.items().iloc[0]["title"] == "Thing, 1"
    diagnostic = error_of(lambda: announce(tables.report.drops, True, SILENT))
    assert diagnostic.code == "E0629"


@pytest.mark.parametrize(
    ("name", "data", "code", "said"),
    [
        ("items.csv", b"id,title\n1,a\n", "E0621", "`items.csv` has no column `item_id`"),
        ("interactions.csv", b"item_id,time\n1,2\n", "E0621", "has no column `user_id`"),
        ("items.csv", "item_id,title\n1,Caf\xe9\n".encode("latin-1"), "E0622", "line 2, byte 6"),
        ("items.csv", b"", "E0625", "`items.csv` is empty"),
        ("items.csv", b'item_id,title\n0,a\n1,"open\n2,b\n', "E0621", "`items.csv` line 3"),
        ("items.csv", b'item_id,title\n0,a\n1,"a" b\n', "E0621", "`items.csv` line 3"),
        ("items.csv", b"item_id,title\n1\n", "E0621", "`items.csv` line 2 has 1 column, not 2"),
        ("items.jsonl", b"nothing\n", "E0622", "cannot be read as a table"),
        ("items.parquet", b"PAR1", "E0622", "cannot be read as a table"),
        ("items.csv", b"version https://git-lfs.github.com/spec/v1\n", "E0621", "no column"),
    ],
)
def test_a_wrong_file_stops_with_one_message(tmp_path, name, data, code, said):
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=LOG)
    for old in root.glob(f"{name.split('.')[0]}.*"):
        old.unlink()
    (root / name).write_bytes(data)
    diagnostic = error_of(lambda: read_with(source(root), tmp_path / "cache"))
    assert diagnostic.code == code
    assert said in diagnostic.message
    assert diagnostic.help
    assert not list((tmp_path / "cache").glob("tables/*"))


def test_settings_that_name_nothing_stop(tmp_path):
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=LOG)
    cache = tmp_path / "cache"
    for settings, said in (
        ({"time": "when"}, "no column `when`"),
        ({"numbers": ("weight",)}, "`numbers` names `weight`"),
    ):
        diagnostic = error_of(lambda settings=settings: read_with(source(root, **settings), cache))
        assert diagnostic.code == "E0621"
        assert said in diagnostic.message
    assert 'Tables("own", user="' in error_of(
        lambda: read_with(source(write_folder(tmp_path / "x" / "own", items=ITEMS,
                                              interactions=[{"who": 1, "item_id": 1}])), cache)
    ).help[0]  # fmt: skip
    write_table(root / "items.tsv", ITEMS)
    assert "more than once" in error_of(lambda: read_with(source(root), cache)).message
    (root / "items.tsv").unlink()
    (root / "interactions.csv").unlink()
    assert (
        "interactions.csv` is missing" in error_of(lambda: read_with(source(root), cache)).message
    )


def test_the_split_of_recbench_draws_where_nothing_is_graded(tmp_path):
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=LOG)
    call = Call(op="recbench", args={"test": 8, "train": 100, "valid": 0.2, "rows": None,
                                     "seed": 2})  # fmt: skip
    tables = read_with(source(root), tmp_path / "cache", call)
    rows = tables.interactions().groupby("history_id")["label"].agg(["sum", "size"])
    assert set(rows["sum"]) == {2}
    assert set(rows["size"]) == {4}
    ordered = sorted(clicks(), key=lambda row: row[2])
    for user, told in tables.histories()[["user_id", "clicks"]].itertuples(index=False):
        assert list(told) == [i for u, i, _ in ordered if u == user][:-2]


def test_the_same_folder_gives_the_same_tables(tmp_path):
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=LOG)
    one = read_with(source(root), tmp_path / "one", TIME)
    two = read_with(source(root), tmp_path / "two", TIME)
    assert one.digest == two.digest
    for name in ("items", "histories", "interactions"):
        assert one.path(name).read_bytes() == two.path(name).read_bytes()


def reply(tmp_path, name, data):
    """What a folder with one other table gives: its tables, or the one message."""
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=LOG)
    (root / name).write_bytes(data)
    try:
        return read_with(source(root), tmp_path / "cache")
    except LegoError as error:
        (found,) = error.diagnostics
        assert not list((tmp_path / "cache").glob("tables/*"))
        return found


HEADER = b"item_id,title\n"


@pytest.mark.parametrize(
    ("name", "data", "code", "said"),
    [
        ("items.csv", b"item_id;a\n1;a\n", "E0622", "by semicolons, and its name says by commas"),
        ("items.csv", b"item_id\ttitle\n1\ta\n", "E0622", "by tabs, and its name says by commas"),
        ("items.csv", "item_id,title\n1,a\n".encode("utf-16"), "E0622", "is not UTF-8"),
        ("items.csv", b"PK\3\4\0\0\n\0\0", "E0622", "cannot be read as a table"),
        ("items.csv", HEADER, "E0625", "`items.csv` has a header and not a single row"),
        ("interactions.csv", b"user_id,item_id\n", "E0625", "has a header and not a single row"),
        ("items.csv", b"item_id,a,a\n1,2,3\n", "E0621", "has more than one column `a`"),
        ("items.csv", b"item_id,a,A\n1,2,3\n", "E0621", "`a` and `A`: only their case differs"),
        ("items.csv", b"item_id,Line\n1,2\n", "E0621", "a column `Line`: a name that legoc keeps"),
        ("items.csv", b"item_id,Item_Id\n1,2\n", "E0621", "a name that legoc keeps"),
        ("items.csv", b'item_id,"a""b"\n1,2\n', "E0621", '`a"b`: a quote in it'),
        ("users.csv", b"user_id,position\n1,2\n", "E0621", "`users.csv` has a column `position`"),
    ],
)  # fmt: skip
def test_an_odd_table_is_named_with_what_is_odd(tmp_path, name, data, code, said):
    found = reply(tmp_path, name, data)
    assert (found.code, said in found.message) == (code, True), found.message
    assert found.help


@pytest.mark.parametrize(
    ("data", "titles"),
    [
        (b"\xef\xbb\xbf" + HEADER + b"001,a\n", ["a"]),
        (HEADER.replace(b"\n", b"\r\n") + b"001,a\r\n\r\n002,b\r\n", ["a", "b"]),
        (HEADER + b'001,"two\nlines, ""quoted"""\n002,b\n', ['two\nlines, "quoted"', "b"]),
        # A frame written with its index, and a row that ends with its separator.
        (b",item_id,title\n0,001,a\n1,002,b\n", ["a", "b"]),
        (b"item_id,title,\n001,a,\n", ["a"]),
        (b"item_id,title,n,user_id\n001,a,5,me\n", ["a"]),
    ],
)
def test_tables_are_read_as_programs_write_them(tmp_path, data, titles):
    tables = reply(tmp_path, "items.csv", data)
    assert list(tables.items()["title"]) == titles
    assert set(tables.items()) - {"n", "user_id"} == {"item_id", "title"}


def test_ids_that_lost_their_zeros_are_counted_by_themselves(tmp_path):
    # An item that is called 0 is none of those without an id.
    items = [*ITEMS, {**ITEMS[0], "item_id": "0"}]
    root = write_folder(tmp_path / "own", items=items, interactions=LOG)
    more = "00,7,1\n00,0007,2\n00,700,3\n00,,4\n00,000,5\n"
    with (root / "interactions.csv").open("a") as file:
        file.write(more)
    at = len(LOG) + 2
    unknown = "interaction with an unknown item"
    assert places(read_with(source(root), tmp_path / "cache")) == {
        f"{unknown}, known with other leading zeros": (
            f"interactions.csv:{at}: 7", f"interactions.csv:{at + 1}: 0007",
            f"interactions.csv:{at + 4}: 000",
        ),
        unknown: (f"interactions.csv:{at + 2}: 700", f"interactions.csv:{at + 3}"),
    }  # fmt: skip


def test_what_helps_where_no_row_is_left_depends_on_what_was_wrong(tmp_path):
    found = reply(tmp_path, "interactions.csv", b"user_id,item_id,time\n1,001,soon\n")
    assert found.code == "E0630"
    assert "1 of 1 values of `time` are no time that can be read: `soon`" in found.message
    assert "2024-03-07 22:01:04" in found.help[0]
    found = reply(tmp_path, "interactions.csv", b"user_id,item_id,time\n1,1,1\n")
    assert "other leading zeros" in found.notes[0]
    assert "kept their leading zeros" in found.help[0]
