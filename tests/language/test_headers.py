"""Attributes, grouping and split of one's own tables, learned from headers by the check."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from legoc.language.checking import check
from legoc.language.diagnosing.document import Document
from tests.data.table_forms import write_rows


MODEL = "model m = content CNN -> behavior GRU -> predict Dot\nrun m on d\n"


@pytest.fixture
def folder(tmp_path):
    """A folder `own` beside the spec, with two tables in CSV."""
    root = tmp_path / "own"
    root.mkdir()
    (root / "items.csv").write_text("item_id,title,kind,price\n1,A,b,2\n")
    (root / "interactions.csv").write_text("user_id,item_id,time\nu,1,5\n")
    return root


def checked(folder, fields, settings=""):
    text = f'data d {{ source = Tables("own"{settings}) {fields} }}\n{MODEL}'
    return check(Document(str(folder.parent / "m.lego"), text))


def data_of(folder, fields, settings=""):
    found = checked(folder, fields, settings)
    assert not found.diagnostics
    return found.specs[0].data


def problem(folder, fields, settings=""):
    (found,) = checked(folder, fields, settings).diagnostics
    return found


def kinds(data):
    return [(a.name, a.kind, a.length) for a in data.attributes]


def test_a_word_of_csv_is_what_its_notation_says(folder):
    data = data_of(folder, "content = [title(20), kind, price]")
    assert kinds(data) == [("title", "text", 20), ("kind", "category", 1), ("price", "number", 10)]
    data = data_of(folder, "content = [price]", ', categories=["price"]')
    assert kinds(data) == [("price", "category", 1)]
    data = data_of(folder, "content = [title(20), price(5)]", ', numbers=["price"]')
    assert kinds(data) == [("title", "text", 20), ("price", "number", 5)]


def test_other_formats_tell_numbers_and_lists(folder):
    (folder / "items.csv").unlink()
    row = {"item_id": 7, "title": "A", "price": 1.5, "tags": ["x"], "year": 1999}
    pq.write_table(pa.Table.from_pylist([row]), folder / "items.parquet")
    fields, settings = "content = [title(9), price, tags, year]", ', categories=["year"]'
    expected = [
        ("title", "text", 9), ("price", "number", 10), ("tags", "category", 1),
        ("year", "category", 1),
    ]  # fmt: skip
    assert kinds(data_of(folder, fields, settings)) == expected
    (folder / "items.parquet").unlink()
    with gzip.open(folder / "items.jsonl.gz", "wt") as file:
        file.write(json.dumps(row) + "\n")
    assert kinds(data_of(folder, fields, settings)) == expected


def test_an_unknown_attribute_is_found_at_the_check(folder):
    found = problem(folder, "content = [titel(20)]")
    assert found.code == "E0601"
    assert "did you mean `title`? attributes: title, kind, price" in found.help[0]
    found = problem(folder, "")
    assert found.code == "E0304"
    assert "attributes: title, kind, price" in found.help[0]


def test_the_key_is_no_attribute(folder):
    (folder / "items.csv").write_text("sku,title\n1,A\n")
    found = problem(folder, "content = [sku]", ', item="sku"')
    assert found.code == "E0601"
    assert found.help[0].endswith("attributes: title")


def test_grouping_and_split_follow_the_columns(folder):
    data = data_of(folder, "content = [title(5)]")
    assert (data.group, data.split.op) == ("user", "time")
    assert problem(folder, "content = [title(5)] group = impression").code == "E0604"
    found = problem(folder, "content = [title(5)] split = publisher")
    assert found.code == "E0603"
    assert "a column `split`" in found.help[0]
    (folder / "interactions.csv").write_text("user_id,item_id,page,part\nu,1,p,train\n")
    data = data_of(folder, "content = [title(5)]", ', impression="page", split="part"')
    assert (data.group, data.split.op) == ("impression", "publisher")
    data = data_of(folder, "content = [title(5)] group = user", ', impression="page"')
    assert (data.group, data.split.op) == ("user", "time")


def test_attributes_of_users_come_from_their_table(folder):
    (folder / "users.tsv").write_text("user_id\tage\tcity\nu\t5\tRome\n")
    data = data_of(folder, "content = [title(5)] user = [age, city]", ', numbers=["age"]')
    assert [(a.name, a.kind) for a in data.user] == [("age", "number"), ("city", "category")]
    assert problem(folder, "content = [title(5)] user = [town]").code == "E0601"


def test_bytes_that_are_no_text_are_left_to_the_reader(folder):
    (folder / "items.csv").write_bytes("item_id,title\n1,Café\n".encode("latin-1"))
    assert kinds(data_of(folder, "content = [title(5)]")) == [("title", "text", 5)]


@pytest.mark.parametrize(
    ("broken", "code", "said"),
    [
        ("", "E0625", "`items.jsonl` is empty"),
        ("{]\n", "E0622", "`items.jsonl` cannot be read as a table"),
        ("[1]\n", "E0622", "`items.jsonl` cannot be read as a table"),
    ],
)
def test_a_header_that_cannot_be_read_is_said_and_its_names_are_believed(
    folder, broken, code, said
):
    (folder / "items.csv").unlink()
    (folder / "items.jsonl").write_text(broken)
    found = problem(folder, "content = [title(5)]")
    assert (found.code, found.message) == (code, said)
    assert found.labels[0].text == "its tables"


def test_a_folder_that_is_not_there_is_a_warning(tmp_path):
    found = problem(tmp_path / "own", "content = [title(5)]")
    assert (found.code, found.severity) == ("W104", "warning")


def test_settings_that_are_wrong_do_not_hide_the_rest(folder):
    codes = [d.code for d in checked(folder, "content = [title(5)]", ", neutral=high").diagnostics]
    assert len(codes) == 1


def test_protocols_are_offered_and_never_the_default(folder):
    text = 'data d {{ source = MovieLens("own") {} }}\n' + MODEL
    for given, op in (("", "time"), ("split = recbench(test=2k)", "recbench")):
        document = Document(str(folder.parent / "m.lego"), text.format(given))
        (spec,) = check(document).specs
        assert (spec.data.split.op, spec.data.group) == (op, "user")
    assert spec.data.split.args["test"] == 2000


def write_items(folder, rows, ending="jsonl"):
    (folder / "items.csv").unlink(missing_ok=True)
    write_rows(folder / "items", rows, ending, "python")


ENDINGS = ("csv", "tsv", "jsonl", "json", "parquet")


@pytest.mark.parametrize("ending", ENDINGS)
def test_kinds_come_from_many_records_in_every_format(folder, ending):
    rows = [
        {"item_id": f"{n:03d}", "price": None if n < 5 else n / 4, "kind": f"k{n % 3}",
         "tags": None if n < 5 else ["a", "b", "c"][: n % 4], "title": f"A title of {n}"}
        for n in range(40)
    ]  # fmt: skip
    write_items(folder, rows, ending)
    expected = [
        ("price", "number", 10), ("kind", "category", 1), ("tags", "category", 3),
        ("title", "text", 8),
    ]  # fmt: skip
    assert kinds(data_of(folder, "content = [price, kind, tags, title(8)]")) == expected
    data = data_of(folder, "content = [tags(2), price(4)]")
    assert kinds(data) == [("tags", "category", 2), ("price", "number", 4)]
    data = data_of(folder, "content = [tags(values=2)]")
    assert kinds(data) == [("tags", "category", 2)]
    assert problem(folder, "content = [tags(0)]").code == "E0602"


def test_a_key_that_the_first_record_lacks_is_an_attribute(folder):
    (folder / "items.csv").unlink()
    lines = [{"item_id": "1"}, *({"item_id": f"{n}", "price": n} for n in range(2, 9))]
    (folder / "items.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert kinds(data_of(folder, "content = [price]")) == [("price", "number", 10)]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_text_without_a_length_is_asked_about(folder, ending):
    rows = [{"item_id": f"i{n}", "title": f"words about item {n}"} for n in range(40)]
    write_items(folder, rows, ending)
    found = problem(folder, "content = [title]")
    assert found.code == "E0610"
    assert found.help == (
        'write `title(4)`, or say that it is none: `categories=["title"]`',
    )  # fmt: skip
    assert kinds(data_of(folder, "content = [title(4)]")) == [("title", "text", 4)]
    data = data_of(folder, "content = [title]", ', categories=["title"]')
    assert kinds(data) == [("title", "category", 1)]


def test_a_joined_table_is_asked_about_as_well(folder):
    lines = "".join(f"i{n},words about item {n}\n" for n in range(40))
    (folder.parent / "more.csv").write_text("item_id,gen\n" + lines)
    found = problem(folder, 'content = [gen] augment = "more.csv"')
    assert (found.code, found.help) == ("E0610", ("write `gen(4)`",))
    data = data_of(folder, 'content = [gen(4)] augment = "more.csv"')
    assert kinds(data) == [("gen", "text", 4)]


def test_numbers_with_slips_are_asked_about(folder):
    rows = [{"item_id": f"i{n}", "price": "cheap" if n == 7 else n} for n in range(40)]
    write_items(folder, rows)
    found = problem(folder, "content = [price]")
    assert found.code == "E0610"
    assert "values that are none: `cheap`" in found.message
    assert 'numbers=["price"]' in found.help[0]
    data = data_of(folder, "content = [price]", ', numbers=["price"]')
    assert kinds(data) == [("price", "number", 10)]
    # What CSV says for a missing value is no slip.
    rows[7]["price"] = "N/A"
    write_items(folder, rows)
    assert kinds(data_of(folder, "content = [price]")) == [("price", "number", 10)]


def test_bars_are_asked_about(folder):
    rows = [{"item_id": f"i{n}", "genres": ["Drama", "Drama|War"][n % 2]} for n in range(40)]
    write_items(folder, rows)
    for fields in ("content = [genres]", "content = [genres(3)]"):
        found = problem(folder, fields)
        assert found.code == "E0610"
        assert 'write `separator="|"`' in found.help[0]
    data = data_of(folder, "content = [genres]", ', separator="|"')
    assert kinds(data) == [("genres", "category", 2)]
    data = data_of(folder, "content = [genres]", ', categories=["genres"]')
    assert kinds(data) == [("genres", "category", 1)]
    data = data_of(folder, "content = [genres(3)]", ', texts=["genres"]')
    assert kinds(data) == [("genres", "text", 3)]


@pytest.mark.parametrize(
    ("name", "text", "code", "said"),
    [
        ("items.csv", None, "E0620", "items.csv` is missing"),
        ("interactions.csv", None, "E0620", "interactions.csv` is missing"),
        ("items.csv", "sku,title\n1,a\n", "E0621", "`items.csv` has no column `item_id`"),
        ("interactions.csv", "item_id,time\n1,2\n", "E0621", "has no column `user_id`"),
        ("items.csv", "item_id;title\n1;a\n", "E0622", "divides its columns by semicolons"),
        ("items.csv", "", "E0625", "`items.csv` is empty"),
        ("items.csv", "item_id,title,Title\n1,2,3\n", "E0621", "only their case differs"),
    ],
)
def test_the_check_says_what_is_wrong_with_the_tables(folder, name, text, code, said):
    if text is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(text)
    found = problem(folder, "content = [title(5)]")
    assert (found.code, found.severity) == (code, "error")
    assert said in found.message
    assert found.labels[0].text == "its tables"
    assert found.help


def test_settings_that_no_table_has_are_said_at_the_check(folder):
    for setting, said in (
        (', time="when"', "no column `when`"), (', numbers=["weight"]', "`numbers` names `weight`"),
        (', delimiter=";"', "`delimiter` says by semicolons"),
        (', items=["x.csv"]', "`items` names `x.csv`"),
        (', numbers=["price"], categories=["price"]', "stands in `numbers` and in `categories`"),
    ):  # fmt: skip
        assert said in problem(folder, "content = [title(5)]", setting).message


def test_tables_are_looked_at_once(folder, monkeypatch):
    from legoc.language.typing import columns

    data_of(folder, "content = [title(5)]")
    monkeypatch.setattr(columns, "open_text", None)
    found = columns.look_again.cache_info().hits
    columns.look(
        [columns.TableFile(path=folder / "items.csv", format=".csv", shown="items.csv")],
        columns.PLAIN, columns.Notation(),
    )  # fmt: skip
    assert columns.look_again.cache_info().hits == found + 1


def test_types_behind_column_names_are_no_part_of_them(folder):
    for path in folder.iterdir():
        path.unlink()
    (folder / "ml.item").write_text(
        "item_id:token\tmovie_title:token_seq\tclass:token_seq\tyear:float\n"
        + "".join(f"{n}\tA film {n}\tDrama War\t1990\n" for n in range(30))
    )
    (folder / "ml.inter").write_text("user_id:token\titem_id:token\ttimestamp:float\nu\t1\t5\n")
    data = data_of(folder, "content = [movie_title(3), class, year]", ', time="timestamp"')
    assert kinds(data) == [
        ("movie_title", "text", 3), ("class", "category", 2), ("year", "number", 10),
    ]  # fmt: skip
    found = problem(folder, "content = [movie_title]", ', time="timestamp"')
    assert (found.code, "write `movie_title(3)`" in found.help[0]) == ("E0610", True)
