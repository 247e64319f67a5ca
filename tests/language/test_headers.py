"""Attributes, grouping and split of one's own tables, learned from headers by the check."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from legoc.language.checking import check
from legoc.language.diagnosing.document import Document


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
    assert (found.code, found.severity) == ("E0606", "warning")


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
