"""Tables joined on the key they carry, and logs of generated text, on files written here."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from legoc.data import prepare
from legoc.data.augmenting.joins import augment
from legoc.data.cache import obtain, read_manifest
from legoc.data.indexing.counts import survey
from legoc.data.indexing.tables import Tables
from legoc.data.staging.report import Report
from legoc.language import check, load
from legoc.language.declaring.declare import Attribute
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.typing.generated_logs import read_profile, read_sections
from tests.data.test_prepare import make_spec


AGAIN = "key of an augmenting table again with"


@pytest.fixture(scope="module")
def mind(tmp_path_factory):
    """Tables of six items and five users, written by hand."""
    titles = {"N1": "Rome", "N20": "NA", "N3": "null", "N4": "Pie", "N006": "", "N7": "Tv"}
    histories = [("U7", ["N1", "N20"]), ("U07", []), ("U9", ["N7"]), ("U5", ["N3"])]
    columns = {
        "items": {"item_id": list(titles), "title": list(titles.values())},
        "histories": {
            "history_id": ["0", "1", "2", "3"],
            "user_id": [user for user, _ in histories],
            "clicks": pa.array([clicks for _, clicks in histories], pa.list_(pa.string())),
        },
        "interactions": {
            "row": range(4),
            "impression_id": ["a", "b", "c", "d"],
            "history_id": ["0", "1", "2", "3"],
            "item_id": ["N4", "N3", "N006", "N1"],
            "label": pa.array([1, 0, 1, 1], pa.float32()),
            "time": pa.array([1, 2, 3, 4], pa.timestamp("us")),
            "split": ["train", "train", "valid", "test"],
        },
    }

    def make(folder):
        for name, given in columns.items():
            pq.write_table(pa.table(given), folder / f"{name}.parquet")
        report = survey(folder, source="hand", licence="", drops=(), notes=())
        return {"report": report.to_json()}

    folder, manifest = obtain(tmp_path_factory.mktemp("mind") / "tables", make)
    report = Report.from_json(manifest["report"])
    return Tables(folder=folder, digest="hand", report=report)


@pytest.fixture
def joined(mind, tmp_path):
    """Joins files and returns the tables."""

    def join(*paths):
        return augment(mind, [str(path) for path in paths], tmp_path / "cache")

    return join


def by_item(tables, name):
    frame = tables.items()
    return dict(zip(frame["item_id"], frame[name], strict=True))


def found(tables):
    return {d.reason: (d.count, d.examples[0]) for d in tables.report.drops if d.part == "augment"}


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_a_table_of_each_format_joins_by_id(mind, joined, tmp_path, suffix):
    rows = [
        {"item_id": "N1", "gen_title": 'Rome, "burning"', "mood": "dark"},
        {"item_id": "N006", "gen_title": "NA", "mood": ""},
        {"item_id": "N404", "gen_title": "nobody has this id", "mood": "x"},
        {"item_id": "N1", "gen_title": "again", "mood": "y"},
    ]
    path = tmp_path / f"more.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif suffix == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    else:
        cut = "," if suffix == "csv" else "\t"
        quote = '"{}"'.format
        lines = [cut.join(rows[0])]
        lines += [cut.join(quote(v.replace('"', '""')) for v in row.values()) for row in rows]
        path.write_text("\n".join(lines) + "\n", "utf-8")
    tables = joined(path)
    # The order of the items, and so every index, stays.
    assert list(tables.items()["item_id"]) == list(mind.items()["item_id"])
    titles = by_item(tables, "gen_title")
    assert titles["N1"] == 'Rome, "burning"'
    assert titles["N006"] == "NA"
    assert titles["N3"] == ""
    assert by_item(tables, "title") == by_item(mind, "title")
    assert tables.report.coverage["gen_title"] == pytest.approx(2 / len(titles))
    assert found(tables)["record of an unknown item"] == (1, f"more.{suffix}: N404")
    assert found(tables)[f"{AGAIN} another text"][0] == 1
    assert tables.report.parts == mind.report.parts
    for name in ("interactions", "histories"):
        assert tables.frame(name).equals(mind.frame(name))


def test_numbers_and_lists_keep_their_kind(joined, tmp_path):
    path = tmp_path / "more.jsonl"
    rows = [
        {
            "item_id": "N1",
            "price": 3,
            "tags": ["a", "b"],
            "place": "here",
            "position": "first",
            "year": None,
        },
        {"item_id": "N3", "price": 2.5, "tags": [], "year": "1999"},
        {"item_id": "N4", "price": "cheap", "tags": "c", "year": None},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    tables = joined(path)
    frame = tables.items().set_index("item_id")
    # Where a third is none, the column is none of numbers.
    assert list(frame.loc[["N1", "N3", "N4"], "price"]) == ["3", "2.5", "cheap"]
    # What is missing in the first record decides nothing.
    assert frame.loc["N3", "year"] == 1999.0
    assert frame["year"].isna().sum() == len(frame) - 1
    assert [list(frame.loc[n, "tags"]) for n in ("N1", "N3", "N4")] == [["a", "b"], [], ["c"]]
    # Names the join uses itself are free for attributes.
    assert (frame.loc["N1", "place"], frame.loc["N1", "position"]) == ("here", "first")
    assert not found(tables)


def test_a_key_that_the_first_record_lacks_is_an_attribute(joined, tmp_path):
    path = tmp_path / "more.jsonl"
    path.write_text('{"item_id": "N1"}\n{"item_id": "N3", "mood": "dark"}\n', "utf-8")
    assert by_item(joined(path), "mood")["N3"] == "dark"


def test_a_column_that_is_replaced_keeps_its_kind(mind, joined, tmp_path):
    path = tmp_path / "more.csv"
    path.write_text("item_id,title,category\nN1,1917,7\nN3,1984,\n", "utf-8")
    tables = joined(path)
    assert (by_item(tables, "title")["N1"], by_item(tables, "title")["N3"]) == ("1917", "1984")


def test_integer_keys_of_parquet_are_taken_verbatim(joined, tmp_path):
    path = tmp_path / "more.parquet"
    pq.write_table(pa.table({"item_id": pa.array([1, 7]), "year": pa.array([1999, 2001])}), path)
    assert found(joined(path))["record of an unknown item"] == (2, "more.parquet: 1")


def test_a_column_the_items_have_is_replaced_where_the_file_has_a_value(mind, joined, tmp_path):
    path = tmp_path / "more.csv"
    path.write_text("item_id,title\nN1,Another title\nN3,\n", "utf-8")
    titles, before = by_item(joined(path), "title"), by_item(mind, "title")
    assert titles == {**before, "N1": "Another title"}


def test_several_files_join_in_their_order_and_make_another_digest(mind, joined, tmp_path):
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("item_id,a,b\nN1,a1,b1\n", "utf-8")
    two.write_text("item_id,b,c\nN1,b2,c2\n", "utf-8")
    tables = joined(one, two)
    row = tables.items().set_index("item_id").loc["N1"]
    assert (row["a"], row["b"], row["c"]) == ("a1", "b2", "c2")
    assert len({mind.digest, tables.digest, joined(one).digest, joined(two, one).digest}) == 4
    assert joined(one, two).folder == tables.folder
    before = tables.digest
    two.write_text("item_id,b,c\nN1,b3,c3\n", "utf-8")
    assert joined(one, two).digest != before


def test_the_first_tables_stay_as_they_were(mind, joined, tmp_path):
    before = {p.name: p.read_bytes() for p in mind.folder.iterdir()}
    path = tmp_path / "more.csv"
    path.write_text("item_id,mood\nN1,dark\n", "utf-8")
    joined(path)
    assert {p.name: p.read_bytes() for p in mind.folder.iterdir()} == before
    assert read_manifest(mind.folder) is not None


def test_users_get_a_table_of_their_own(joined, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("user_id,age\nU7,41\nU07,7\nnobody,1\n", "utf-8")
    tables = joined(path)
    read = pq.read_table(tables.path("users")).to_pylist()
    ages = {row["user_id"]: row["age"] for row in read}
    assert (ages["U7"], ages["U07"], ages["U9"]) == (41.0, 7.0, None)
    assert found(tables)["record of an unknown user"] == (1, "people.csv: nobody")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "nid,title\nN1,x\n", "neither `item_id` nor `user_id`"),
        ("a.csv", "item_id,user_id,x\n", "both `item_id` and `user_id`"),
        ("a.csv", "item_id,x\nN1,a,b\n", "line 2: 3 columns, not 2"),
        ("a.csv", "item_id,x,x\nN1,a,b\n", "column `x` is there twice"),
        ("a.csv", b"item_id,x\nN1,caf\xe9\n", "not UTF-8"),
        ("a.csv", 'item_id,x\nN1,"a\n', "line 2: not a table"),
        ("a.csv", "", "neither"),
        ("a.jsonl", '{"item_id": "N1"}\n{"item_id": \n', "line 2: not JSON"),
        ("a.jsonl", '{"item_id": "N1"}\n[1]\n', "line 2: not an object"),
        ("a.parquet", "PAR1 it is not", "not a Parquet table"),
        ("a.xlsx", "x", "ends in `.xlsx`"),
        ("a.log", "no log\n", "line 1: not a log"),
        ("a.log", '{"uid": 1, "news": "{}"}\n', "tok.uid.dat` is missing"),
        ("a.log", '{"uid": 1, "interest": "x"}\n', "tok.uid.dat` is missing"),
    ],
)
def test_what_cannot_be_joined_is_one_located_message(joined, tmp_path, name, text, said):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(LegoError) as error:
        joined(path)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "E0640"
    assert said in diagnostic.message
    assert diagnostic.help
    assert not list((tmp_path / "cache" / "tables").glob(".*"))


def test_a_missing_table_is_an_error(joined, tmp_path):
    with pytest.raises(LegoError) as error:
        joined(tmp_path / "no.csv")
    assert error.value.diagnostics[0].code == "E0640"


SUMMARIES = (
    "N1\t[newtitle] Rome Burns While Nero Fiddles\n"
    "N20\tA title without its tag\n"
    'N3\t[newtitle] "First line\n'
    "second line\n"
    '\n third"\n'
    "N4\t[newtitle]\n"
    "N1\t[newtitle] N1 again\n"
    "N404\t[newtitle] unknown\n"
)


def test_a_log_of_summaries(joined, tmp_path):
    path = tmp_path / "news_summarizer.log"
    path.write_text(SUMMARIES, "utf-8")
    tables = joined(path)
    titles = by_item(tables, "newtitle")
    assert titles["N1"] == "Rome Burns While Nero Fiddles"
    assert titles["N20"] == "A title without its tag"
    assert titles["N3"] == "First line second line third"
    assert titles["N4"] == ""
    drops = found(tables)
    assert drops["generated text that cannot be read"] == (1, "news_summarizer.log:7: N4")
    assert drops[f"{AGAIN} another text"] == (
        1,
        "news_summarizer.log:8: N1",
    )
    assert drops["record of an unknown item"] == (1, "news_summarizer.log: N404")


def test_the_tag_names_the_attribute(joined, tmp_path):
    path = tmp_path / "book_summarizer.log"
    path.write_text("N1\tno tag\nN3\t[description] About null\n", "utf-8")
    assert by_item(joined(path), "description")["N1"] == "no tag"


PROFILE = "[topics]\n- Crime\n- health care.\n\n[region]\n- Ohio\n"


def test_a_log_of_profiles(joined, tmp_path):
    folder = tmp_path / "genre"
    (folder / "user").mkdir(parents=True)
    # The number of a user is its line in the tokenised table, not its raw id.
    (folder / "user" / "tok.uid.dat").write_text("U9\nU7\nU07\nU5\n", "utf-8")
    lines = [
        {"uid": 1, "interest": PROFILE},
        {"uid": 0, "interest": ["golf", "tv "]},
        {"uid": 2, "interest": "I cannot tell."},
        {"uid": 9, "interest": PROFILE},
        {"uid": "x", "interest": PROFILE},
        {"uid": 1, "interest": PROFILE},
    ]
    path = folder / "user_profiler.log"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"uid": 3, "in', "utf-8")
    tables = joined(path)
    users = {row["user_id"]: row for row in pq.read_table(tables.path("users")).to_pylist()}
    assert users["U7"]["topics"] == ["Crime", "health care"]
    assert users["U7"]["region"] == ["Ohio"]
    assert (users["U9"]["topics"], users["U9"]["region"]) == (["golf", "tv"], None)
    assert users["U5"]["topics"] is None
    drops = found(tables)
    assert drops["generated text that cannot be read"][0] == 3
    assert drops["user beyond `tok.uid.dat`"] == (1, "user_profiler.log:4: 9")
    assert drops[f"{AGAIN} the same text"][0] == 1
    before = tables.digest
    (folder / "user" / "tok.uid.dat").write_text("U7\nU9\nU07\nU5\n", "utf-8")
    assert joined(path).digest != before


def test_lists_of_a_log_are_as_long_as_what_it_says(tmp_path):
    """As those of a table: so that nearly all keep their values, not only the first."""
    lines = [
        {"uid": n, "interest": f"[topics]\n- t{n}\n- u{n % 3}\n- x\n[region]\n- Ohio\n"}
        for n in range(30)
    ]
    (tmp_path / "user_profiler.log").write_text(
        "".join(json.dumps(line) + "\n" for line in lines), "utf-8"
    )
    (tmp_path / "news_summarizer.log").write_text(
        "".join(f"N{n}\t[newtitle] word{n} and more of it\n" for n in range(40)), "utf-8"
    )
    file = tmp_path / "m.lego"
    text = (
        "data d {{ source = Demo  content = [title, {}]  user = [topics, region]\n"
        '  augment = ["user_profiler.log", "news_summarizer.log"] }}\n'
        "model m = content CNN -> behavior Additive -> predict Dot\nrun m on d\n"
    )
    file.write_text(text.format("newtitle(8)"), "utf-8")
    (spec,) = load(file)
    assert [(a.name, a.kind, a.length) for a in spec.data.user] == [
        ("topics", "category", 3),
        ("region", "category", 1),
    ]
    file.write_text(text.format("newtitle"), "utf-8")
    (problem,) = check(file).errors
    assert "`newtitle` looks like text" in problem.message


def test_sections_of_a_profile():
    assert read_sections("[Topics]: x\n* a\n2. b\n") == {"topics": ["a", "b"]}
    assert read_sections("- alone") == {"": ["alone"]}
    assert read_profile('{"uid": 4, "interest": "- a\\n- b"}') == (4, ["a", "b"], [])
    for bad in (
        "{}",
        "[]",
        "null",
        '{"uid": true, "interest": ["a"]}',
        '{"uid": 1, "interest": 3}',
    ):
        assert read_profile(bad) is None


def test_a_spec_reads_what_was_joined(demo_cache, demo_tables, tmp_path):
    path = tmp_path / "titles.csv"
    names = list(demo_tables.items()["item_id"])
    lines = [f'{name},"written about {name}"' for name in names]
    path.write_text("\n".join(["item_id,gen_title", *lines]), "utf-8")
    title = Attribute(name="gen_title", kind="text", length=8)
    spec = make_spec(reads=(title,), augment=(str(path),))
    prepared = prepare(spec, cache=demo_cache)
    plain = prepare(make_spec(), cache=demo_cache)
    assert prepared.digest != plain.digest
    ids = prepared.inputs.rows(np.array([1, 2]))["gen_title"]
    assert ids[0, 0] == ids[1, 0] != ids[0, 2]
    assert prepared.item_records([2])[0]["gen_title"] == f"written about {names[1]}"
    assert list(prepared.logs["train"].item) == list(plain.logs["train"].item)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_column_without_a_name_is_no_attribute(joined, tmp_path, suffix):
    mood = 'a "mood"'
    rows = [{"": "0", "item_id": "N1", mood: "dark"}, {"": "1", "item_id": "N7", mood: ""}]
    path = tmp_path / f"more.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif suffix == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    else:
        path.write_text(',item_id,"a ""mood"""\n0,N1,dark\n1,N7,\n', "utf-8")
    tables = joined(path)
    assert list(tables.items()) == ["item_id", "title", 'a "mood"']
    assert by_item(tables, 'a "mood"')["N1"] == "dark"
    assert tables.report.coverage['a "mood"'] == pytest.approx(1 / len(tables.items()))


def test_a_column_that_differs_in_case_alone_is_refused(joined, tmp_path):
    path = tmp_path / "more.csv"
    path.write_text("item_id,Title\nN1,x\n", "utf-8")
    with pytest.raises(LegoError) as caught:
        joined(path)
    (found,) = caught.value.diagnostics
    assert found.code == "E0640"
    assert "`Title`, and there is `title`" in found.message
