"""MicroLens: titles with and without a header, pairs with and without times, repeated pairs."""

import pytest

from legoc.data.sources.microlens import MicroLens
from legoc.language.diagnosing.diagnostics import LegoError
from tests.data.clickstreams import losses, read, rows_of, slow_rows, write


PAIRS = "user,item,timestamp\n7,1,1582921000000\n7,3,1582920000000\n007,1,1582920000001\n" + (
    "7,1,1582922000000\n7,9,1582923000000\n7,2,later\n"
)
CLICKS = [("7", "1", 3), ("7", "3", 2), ("007", "1", 1), ("7", "1", 4)]


def test_the_50k_layout(tmp_path):
    titles = 'item,title\n1,Old song\n2,"Quoted, with a comma"\n3,Plain, with a comma\n4\n'
    root = write(
        tmp_path / "ml", **{"MicroLens-50k_titles__csv": titles, "MicroLens-50k_pairs__csv": PAIRS}
    )
    tables = read(MicroLens, root, tmp_path / "cache")
    items = dict(tables.items().itertuples(index=False, name=None))
    assert items == {"1": "Old song", "2": "Quoted, with a comma", "3": "Plain, with a comma"}
    assert rows_of(tables) == slow_rows(CLICKS)
    found = losses(tables)
    assert found["row with another number of columns"] == (1, "MicroLens-50k_titles.csv:5: 4")
    assert found["click on an unknown item"] == (1, "MicroLens-50k_pairs.csv:6: 9")
    assert found["click whose time cannot be read"] == (1, "MicroLens-50k_pairs.csv:7: 7")


def test_the_100k_layout_without_header_and_times(tmp_path):
    root = write(
        tmp_path / "ml",
        **{
            "MicroLens-100k_title_en__csv": "1, Gu long song gaga bad\n2, two\n",
            "MicroLens-100k_pairs__tsv": "5\t2 7 8 1 2\n6\t1\n",
        },
    )
    tables = read(MicroLens, root, tmp_path / "cache")
    assert list(tables.items()["title"]) == ["Gu long song gaga bad", "two"]
    assert rows_of(tables) == slow_rows(
        [("5", "2", 0), ("5", "1", 1), ("5", "2", 2), ("6", "1", 0)]
    )
    # Places are counted among the videos that are known.
    rows = tables.interactions().merge(tables.histories(), on="history_id")
    places = rows.query("user_id == '5' and label == 1")["time"].astype("int64") // 10**6
    assert sorted(places) == [0, 1, 2]
    assert any("no times" in note for note in tables.report.notes)
    assert any("takes the end of every user's list" in note for note in tables.report.notes)
    assert tables.report.order == "list"


def test_several_sizes_need_a_name(tmp_path):
    files = {}
    for size in ("50k", "100k"):
        files[f"MicroLens-{size}_titles__csv"] = "item,title\n1,a\n"
        files[f"MicroLens-{size}_pairs__csv"] = "user,item,timestamp\n1,1,1582920000000\n"
    root = write(tmp_path / "ml", **files)
    with pytest.raises(LegoError) as error:
        read(MicroLens, root, tmp_path / "cache")
    assert "more than one MicroLens" in error.value.diagnostics[0].message
    assert len(rows_of(read(MicroLens, root / "MicroLens-50k", tmp_path / "cache"))) == 1
    (root / "MicroLens-50k_pairs.csv").unlink()
    with pytest.raises(LegoError) as error:
        read(MicroLens, root / "MicroLens-50k", tmp_path / "cache")
    assert "MicroLens-50k_pairs.csv" in error.value.diagnostics[0].message


def test_the_1m_layout_has_open_quotes_in_its_titles(tmp_path):
    files = {
        "MicroLens-1M_title__csv": '1,"开头\n2,一个 "引号\n3,第三, 个\n',
        "MicroLens-1M_pairs__csv": "user,item,timestamp\n1,1,1582920000000\n1,2,1582921000000\n",
    }
    tables = read(MicroLens, write(tmp_path / "ml", **files), tmp_path / "cache")
    assert list(tables.items()["title"]) == ['"开头', '一个 "引号', "第三, 个"]
    assert int(tables.interactions()["time"].min().timestamp()) == 1582920000
