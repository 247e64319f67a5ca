"""xMIND's translations take the place of MIND's texts, joined by id within one size."""

import zipfile

import pytest

from legoc.data.indexing.tables import convert
from legoc.data.sources.xmind import xMIND
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call


TRAIN = (
    'nid\ttitle\tabstract\nN1\tRoma inaungua\tna nukuu\nN20\t"alisema ""Nero"""\t\n'
    "N3\tmara ya kwanza\t\nN404\thakuna\t\nN4\tmoja\nN1\tRoma inaungua\tna nukuu\n"
)
DEV = "nid\ttitle\tabstract\nN8\tni dev tu\tmawe\nN3\tmara ya pili\t\n"


@pytest.fixture
def folders(write_mind, tmp_path):
    language = tmp_path / "xMIND" / "swh"
    (language / "xMINDsmall_dev").mkdir(parents=True)
    with zipfile.ZipFile(language / "xMINDsmall_train.zip", "w") as archive:
        archive.writestr("xMINDsmall_train/news.tsv", TRAIN)
    (language / "xMINDsmall_dev" / "news.tsv").write_text(DEV, "utf-8")
    return write_mind(), language


@pytest.fixture
def read(folders, tmp_path):
    def run(split="publisher", args=None, **settings):
        mind, language = folders
        config = xMIND.Config(path=str(mind), translations=str(language), **settings)
        return convert(xMIND(config), Call(op=split, args=args or {}), tmp_path / "cache")

    return run


def test_texts_are_translated_and_the_rest_stays(folders, read, read_mind):
    tables, plain = read(), read_mind(folders[0])
    items, before = tables.items().set_index("item_id"), plain.items().set_index("item_id")
    assert list(items.index) == list(before.index)
    titles = {"N1": "Roma inaungua", "N20": 'alisema "Nero"', "N3": "mara ya kwanza",
              "N8": "ni dev tu"}  # fmt: skip
    assert dict(items["title"]) == {name: titles.get(name, "") for name in items.index}
    assert items.loc["N1", "abstract"] == "na nukuu"
    for new, old in (("title_en", "title"), ("abstract_en", "abstract"), ("category", "category")):
        assert list(items[new]) == list(before[old])
    assert tables.interactions().equals(plain.interactions())
    drops = {(d.reason, d.part): (d.count, d.examples) for d in tables.report.drops}
    assert drops["item without a translation", "translations"][0] == len(items) - 4
    assert drops["translation of an unknown item", "translations"] == (1, ("N404",))
    assert drops["row with another number of columns", "train"][0] == 1
    # The dev part translates N3 otherwise; a repetition in one file says the same.
    other = (1, ("xMINDsmall_dev/news.tsv:3: N3",))
    assert drops["translation again with another text", "dev"] == other
    same = (1, ("xMINDsmall_train.zip:7: N1",))
    assert drops["translation again with the same text", "train"] == same


def test_two_sizes_need_a_choice(folders, read):
    _, language = folders
    (language / "xMINDlarge_train").mkdir()
    (language / "xMINDlarge_train" / "news.tsv").write_text(DEV, "utf-8")
    with pytest.raises(LegoError) as error:
        read()
    assert "small and large" in error.value.diagnostics[0].message
    assert read(size="small").report.items
    with pytest.raises(LegoError) as error:
        read(size="large")
    assert "xMINDlarge_dev.zip" in error.value.diagnostics[0].message


@pytest.mark.parametrize(
    ("text", "code"), [("N1\ta\tb\n", "E0621"), (b"nid\ttitle\tabstract\nN1\t\xff\tb\n", "E0622")]
)
def test_other_layouts_are_refused(folders, read, text, code):
    path = folders[1] / "xMINDsmall_dev" / "news.tsv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(LegoError) as error:
        read()
    assert error.value.diagnostics[0].code == code


def test_a_broken_zip_and_a_missing_one(folders, read):
    path = folders[1] / "xMINDsmall_train.zip"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(LegoError) as error:
        read()
    assert error.value.diagnostics[0].code == "E0622"
    path.unlink()
    with pytest.raises(LegoError) as error:
        read()
    assert error.value.diagnostics[0].code == "E0620"


def test_the_protocols_are_those_of_mind(read):
    tables = read("legommenders", {"raw": True})
    assert set(tables.interactions()["split"]) == {"train", "test"}
    assert "legommenders reads train and dev" in tables.report.notes[0]


def test_a_test_part_without_labels_can_be_predicted(write_mind, folders, tmp_path):
    _, language = folders
    mind = write_mind(tmp_path / "with test", test=True)
    (language / "xMINDsmall_test").mkdir()
    (language / "xMINDsmall_test" / "news.tsv").write_text(
        "nid\ttitle\tabstract\nN3\tmara ya tatu\t\n", "utf-8"
    )
    config = xMIND.Config(path=str(mind), translations=str(language))
    tables = convert(xMIND(config), Call(op="publisher", args={}), tmp_path / "cache")
    rows = tables.interactions().query("split == 'predict'")
    assert len(rows) == tables.report.parts["predict"].rows == 3
    assert rows["label"].isna().all()
