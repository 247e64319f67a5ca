"""What the values of one's own tables mean, one fault of real tables after the other."""

import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from legoc.language.diagnosing.diagnostics import LegoError
from tests.data.logs import drops, places, read_with
from tests.data.table_forms import write_rows
from tests.data.test_tables import ITEMS, LAST, LOG, error_of, source, told, write_folder


def shop(tmp_path, items, ending="jsonl", log=None):
    return write_folder(tmp_path / "own", ending, items=items, interactions=log or LOG)


def item_log(names, **more):
    """A click on each item."""
    return [{"user_id": f"u{n % 3}", "item_id": name, "time": 1_700_000_000 + n,
             **{key: value[n] for key, value in more.items()}}
            for n, name in enumerate(names)]  # fmt: skip


def column(tables, name):
    return [list(v) if hasattr(v, "tolist") else v for v in tables.items()[name]]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_what_is_missing_in_the_first_record_decides_nothing(tmp_path, ending):
    items = [{**row, "price": None if n == 0 else row["price"]} for n, row in enumerate(ITEMS)]
    tables = read_with(source(shop(tmp_path, items, ending), separator="|"), tmp_path / "cache")
    assert column(tables, "price")[1:] == [row["price"] for row in ITEMS[1:]]


def test_a_key_that_the_first_record_lacks_is_a_column(tmp_path):
    items = [{"item_id": row["item_id"]} if n == 0 else row for n, row in enumerate(ITEMS)]
    tables = read_with(source(shop(tmp_path, items)), tmp_path / "cache")
    assert column(tables, "title")[:2] == ["", ITEMS[1]["title"]]


@pytest.mark.parametrize("written", [str, json.dumps, "|".join, lambda v: str(tuple(v))])
def test_lists_in_csv_as_programs_write_them(tmp_path, written):
    items = [{**row, "tags": written(row["tags"]) if row["tags"] else ""} for row in ITEMS]
    settings = {"separator": "|", "categories": ("tags",)}
    tables = read_with(source(shop(tmp_path, items, "csv"), **settings), tmp_path / "cache")
    assert column(tables, "tags") == [row["tags"] for row in ITEMS]


def test_a_list_that_lost_a_part_is_counted_by_name(tmp_path):
    items = [dict(row) for row in ITEMS]
    items[3]["tags"] = "['red' ... 'blue']"
    tables = read_with(source(shop(tmp_path, items)), tmp_path / "cache")
    assert places(tables)["list that cannot be read"] == (
        "items.jsonl:4: tags = ['red' ... 'blue']",
    )
    assert column(tables, "tags")[3] == []


def test_lists_of_clicks_as_programs_write_them(tmp_path):
    histories = [
        {"user_id": "u1", "clicks": "['001', '002']"}, {"user_id": "u2", "clicks": "['003' '004']"},
        {"user_id": "u3", "clicks": "['003' ... '004']"},
    ]  # fmt: skip
    log = [{"user_id": u, "item_id": "010", "time": n} for n, u in enumerate(("u1", "u2", "u3"))]
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=log, histories=histories)
    tables = read_with(source(root, negatives=0), tmp_path / "cache", LAST)
    assert [clicks for _, clicks, _, _ in told(tables)] == [["001", "002"], ["003", "004"], []]
    assert places(tables)["list of clicks that cannot be read"] == (
        "histories.csv:4: ['003' ... '004']",
    )


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_list_may_be_text(tmp_path, ending):
    items = [
        {"item_id": f"i{n}", "features": [f"the {n} part is good", f"and {n} more is better"]}
        for n in range(30)
    ]
    root = tmp_path / "own"
    write_rows(root / "items", items, ending, "python")
    write_rows(root / "interactions", item_log([row["item_id"] for row in items]), "csv")
    tables = read_with(source(root), tmp_path / "cache")
    assert column(tables, "features")[3] == "the 3 part is good, and 3 more is better"


def test_whole_numbers_with_a_gap_keep_their_names_as_categories(tmp_path):
    ids = [f"i{n}" for n in range(6)]
    items = pa.table({"item_id": ids, "brand": pa.array([1.0, None, 2.0, 2.0, 1.0, 3.0])})
    root = tmp_path / "own"
    root.mkdir()
    pq.write_table(items, root / "items.parquet")
    write_rows(root / "interactions", item_log(ids), "csv")
    tables = read_with(source(root, categories=("brand",)), tmp_path / "cache")
    assert column(tables, "brand") == [["1"], [], ["2"], ["2"], ["1"], ["3"]]


def test_ids_with_a_point_are_named(tmp_path):
    items = [{"item_id": f"{n}", "title": "x"} for n in range(1, 9)]
    log = item_log([f"{n}.0" if n < 4 else f"{n}" for n in range(1, 9)])
    root = shop(tmp_path, items, "csv", log)
    tables = read_with(source(root, negatives=0), tmp_path / "cache")
    assert drops(tables)["interaction with an unknown item, known without its `.0`"] == 3
    from legoc.data.indexing.tables import open_connection
    from legoc.data.survey.suspicions import unknown_ids

    with open_connection(None), tables.connect() as connection:
        (said,) = unknown_ids(connection, tables.report)
    assert "37.5%" in said
    assert "ids such as `12.0`" in said


def test_floats_that_stand_for_several_ids_are_refused(tmp_path):
    big = [2.0**60 + 4096 * n for n in range(4)]
    root = tmp_path / "own"
    root.mkdir()
    pq.write_table(pa.table({"item_id": big, "title": ["a"] * 4}), root / "items.parquet")
    write_rows(root / "interactions", item_log(["1"]), "csv")
    found = error_of(lambda: read_with(source(root), tmp_path / "cache"))
    assert found.code == "E0630"
    assert "`items.parquet` line 1: the id 1.152921504606847e+18 of `item_id`" in found.message
    assert "as text or as whole numbers" in found.help[0]


def test_plain_binary_of_parquet_is_text(tmp_path):
    root = tmp_path / "own"
    root.mkdir()
    items = {
        "item_id": [b"i1", b"i2"],
        "title": ["Café".encode(), b"two"],
        "tags": [[b"a"], [b"b"]],
    }
    pq.write_table(pa.table(items), root / "items.parquet")
    write_rows(root / "interactions", item_log(["i1", "i2"]), "csv")
    tables = read_with(source(root), tmp_path / "cache", LAST)
    assert column(tables, "item_id") == ["i1", "i2"]
    assert column(tables, "title") == ["Café", "two"]
    assert column(tables, "tags") == [["a"], ["b"]]


def test_floats_of_32_bits_are_the_numbers_that_text_says(tmp_path):
    root = tmp_path / "own"
    root.mkdir()
    prices = pa.array([8.1, None, 0.3], pa.float32())
    pq.write_table(pa.table({"item_id": ["a", "b", "c"], "price": prices}), root / "items.parquet")
    write_rows(root / "interactions", item_log(["a", "b", "c"]), "csv")
    tables = read_with(source(root), tmp_path / "cache", LAST)
    assert tables.items()["price"].fillna(0).tolist() == [8.1, 0, 0.3]


@pytest.mark.parametrize(
    ("words", "labels"),
    [
        (["yes", "no", "Yes", "NO"], [1, 0, 1, 0]),
        (["true", "false", "True", "FALSE"], [1, 0, 1, 0]),
        ([True, False, True, False], [1, 0, 1, 0]), (["1.0", "0", "1", "0.0"], [1, 0, 1, 0]),
    ],
)  # fmt: skip
def test_labels_as_people_write_them(tmp_path, words, labels):
    log = item_log(["001", "002", "003", "004"], label=words)
    tables = read_with(source(shop(tmp_path, ITEMS, "jsonl", log)), tmp_path / "cache", LAST)
    found = dict(zip(tables.interactions()["item_id"], tables.interactions()["label"], strict=True))
    assert [found[f"00{n}"] for n in range(1, 5)] == labels


def test_labels_that_cannot_be_read_are_shown(tmp_path):
    log = item_log(["001", "002", "003"], label=["clicked", "shown", "clicked"])
    root = shop(tmp_path, ITEMS, "csv", log)
    found = error_of(lambda: read_with(source(root, separator="|"), tmp_path / "cache"))
    assert (found.code, found.message) == (
        "E0630", "3 of 3 values of `label` cannot be read: `clicked`, `shown`",
    )  # fmt: skip
    assert found.help[0] == "labels are read as 1 or 0, true or false, yes or no"


def test_times_of_one_unit(tmp_path):
    day = 86_400_000
    log = [{"user_id": "u", "item_id": f"{n % 30 + 1:03d}", "time": n * day} for n in range(200)]
    tables = read_with(source(shop(tmp_path, ITEMS, "jsonl", log), negatives=0), tmp_path / "cache")
    times = tables.interactions()["time"]
    assert times.max() == datetime(1970, 7, 19)
    assert list(tables.histories()["clicks"].map(len)) == [min(n, 100) for n in range(200)]
    assert tables.report.notes[0].startswith("times read as milliseconds, counted from")
    told = source(tmp_path / "own", time_unit="seconds", negatives=0)
    assert read_with(told, tmp_path / "cache").interactions()["time"].max().year == 2514


def test_times_in_a_form_of_their_own(tmp_path):
    log = item_log(["001", "002"])
    for row, time in zip(log, ("01|02|24", "02|02|24"), strict=True):
        row["time"] = time
    tables = read_with(
        source(shop(tmp_path, ITEMS, "jsonl", log), time_format="%d|%m|%y"), tmp_path / "c", LAST
    )
    assert set(tables.interactions()["time"]) == {datetime(2024, 2, 1), datetime(2024, 2, 2)}


def test_moments_of_parquet_have_any_unit(tmp_path):
    root = shop(tmp_path, ITEMS, "jsonl")
    (root / "interactions.jsonl").unlink()
    for unit in ("s", "ms", "us", "ns"):
        times = pa.array([1_700_000_000 + n for n in range(3)], pa.timestamp("s", tz="UTC"))
        log = {"user_id": ["u"] * 3, "item_id": ["001", "002", "003"],
               "time": times.cast(pa.timestamp(unit, tz="UTC"))}  # fmt: skip
        pq.write_table(pa.table(log), root / "interactions.parquet")
        tables = read_with(source(root), tmp_path / "cache", LAST)
        assert tables.interactions()["time"].min() == datetime.fromtimestamp(
            1_700_000_000, UTC
        ).replace(tzinfo=None)


def test_delimiter_encoding_decimal_and_words_for_missing(tmp_path):
    root = tmp_path / "own"
    root.mkdir()
    items = "item_id;title;price\n1;Müll;8,5\n2;Café;n.a.\n3;Öl;1.200,5\n"
    (root / "items.csv").write_bytes(items.encode("cp1252"))
    (root / "interactions.csv").write_bytes(
        b"user_id;item_id;time\nu;1;2024-03-01\nu;2;2024-03-02\nu;3;2024-03-03\n"
    )
    settings = {"delimiter": ";", "encoding": "cp1252", "decimal": ",", "missing": ("n.a.",)}
    tables = read_with(source(root, **settings), tmp_path / "cache", LAST)
    assert column(tables, "title") == ["Müll", "Café", "Öl"]
    assert tables.items()["price"].fillna(0).tolist() == [8.5, 0, 1200.5]
    assert tables.report.notation["price"] == {"decimal": ",", "missing": ["n.a."]}
    assert not tables.report.drops
    found = error_of(lambda: read_with(source(root), tmp_path / "cache"))
    assert found.help[0].startswith('say so in the spec, `delimiter=";"`')
    for wrong in ({"delimiter": ";;"}, {"encoding": "klingon", "delimiter": ";"}):
        assert (
            error_of(lambda s=wrong: read_with(source(root, **s), tmp_path / "c")).code == "E0621"
        )


def test_utf_16_is_read_where_it_is_said(tmp_path):
    root = shop(tmp_path, ITEMS, "csv")
    for path in root.iterdir():
        path.write_bytes(path.read_text("utf-8").encode("utf-16"))
    settings = {"encoding": "utf-16", "separator": "|"}
    tables = read_with(source(root, **settings), tmp_path / "cache")
    assert column(tables, "title") == [row["title"] for row in ITEMS]
    found = error_of(lambda: read_with(source(root), tmp_path / "cache"))
    assert 'write `encoding="utf-16"`' in found.help[0]


def test_several_files_are_one_table(tmp_path):
    root = tmp_path / "own"
    write_rows(root / "old", ITEMS[:20], "jsonl")
    write_rows(root / "new", ITEMS[20:], "csv", "json")
    for part in range(3):
        write_rows(root / f"log-{part}", LOG[part::3], "csv")
    settings = {"items": ("old.jsonl", "new.csv"), "interactions": ("log-*.csv",)}
    tables = read_with(source(root, **settings), tmp_path / "cache")
    assert column(tables, "item_id") == [row["item_id"] for row in ITEMS]
    assert column(tables, "tags") == [row["tags"] for row in ITEMS]
    assert int((tables.interactions()["label"] == 1).sum()) == len(LOG)
    found = error_of(lambda: read_with(source(root, items=("old.csv",)), tmp_path / "c"))
    assert found.code == "E0620"
    assert "`old.jsonl`" in found.help[0]


def test_folders_of_spark_and_lists_of_json(tmp_path):
    root = tmp_path / "own"
    for part in range(3):
        write_rows(
            root / "items.parquet" / f"part-0000{part}-c000.snappy", ITEMS[part::3], "parquet"
        )
    (root / "items.parquet" / "_SUCCESS").write_text("")
    write_rows(root / "interactions", LOG, "json")
    tables = read_with(source(root), tmp_path / "cache")
    assert sorted(column(tables, "item_id")) == [row["item_id"] for row in ITEMS]
    assert int((tables.interactions()["label"] == 1).sum()) == len(LOG)


ATOMIC = {
    "ml.item": "item_id:token\tmovie_title:token_seq\tclass:token_seq\tyear:float\n"
    "1\tToy Story\tAnimation Comedy\t1995\n2\tHeat\tAction\t1995\n",
    "ml.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    "u\t1\t5\t881250949\nu\t2\t1\t881250950\n",
}


def test_the_files_of_recbole(tmp_path):
    root = tmp_path / "own"
    root.mkdir()
    for name, text in ATOMIC.items():
        (root / name).write_text(text)
    tables = read_with(source(root, time="timestamp"), tmp_path / "cache", LAST)
    assert column(tables, "class") == [["Animation", "Comedy"], ["Action"]]
    assert column(tables, "year") == [1995.0, 1995.0]
    assert tables.interactions()["label"].tolist() == [1, 0]
    assert tables.report.notation["class"] == {"between": " "}


def test_what_lies_there_instead_of_a_table_is_said(tmp_path):
    root = tmp_path / "own"
    write_rows(root / "products", ITEMS, "jsonl")
    write_rows(root / "interactions", LOG, "csv")
    found = error_of(lambda: source(root).files())
    assert found.code == "E0620"
    assert found.help[0] == 'name the file that is meant: `items=["products.jsonl"]`'
    assert found.notes[0] == "`own` holds `interactions.csv`, `products.jsonl`"


def test_the_same_bytes_under_another_name_are_another_table(tmp_path):
    root = shop(tmp_path, ITEMS, "jsonl")
    extra = "user_id,clicks\n00,001 002\n"
    (root / "histories.csv").write_text(extra)
    one = read_with(source(root), tmp_path / "cache", LAST)
    (root / "histories.csv").rename(root / "users.csv")
    assert read_with(source(root), tmp_path / "cache", LAST).digest != one.digest


def test_a_struct_is_no_attribute(tmp_path):
    items = [{**row, "size": {"w": 1}} for row in ITEMS]
    tables = read_with(source(shop(tmp_path, items)), tmp_path / "cache")
    assert drops(tables)["text that cannot be read"] == len(ITEMS)


def test_broken_json_is_located(tmp_path):
    root = shop(tmp_path, ITEMS, "jsonl")
    (root / "items.jsonl").rename(root / "items.json")
    assert len(read_with(source(root), tmp_path / "cache").items()) == len(ITEMS)
    (root / "items.json").write_text('[{"item_id": "001"},')
    with pytest.raises(LegoError, match="cannot be read"):
        read_with(source(root), tmp_path / "cache")
