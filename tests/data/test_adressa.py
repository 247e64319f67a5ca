"""Adressa's events as published: front pages, changing titles, escapes, disorder, broken lines."""

import gzip
import json

import pytest

from legoc.data.sources.adressa import Adressa
from legoc.language.diagnosing.diagnostics import LegoError
from tests.data.clickstreams import losses, read, rows_of, slow_rows


FRONT = {"eventId": 1, "userId": "cx:a", "url": "http://adressa.no", "time": 1483225202}


def event(user, item, time, title="", **more):
    return {"eventId": 9, "userId": user, "id": item, "time": time, "title": title, **more}


DAYS = {
    "20170102": [
        event("cx:b", "f2", 1483311700, "Ned igjen", category1="sport"),
        FRONT,
        event("cx:a", "f1", 1483311602, "Et annet navn"),
        event("cx:a", "f2", 1483311601),
        event("cx:a", "f3", 1483311650, "Nytt"),
        event("cx:a", "f4", "no time", "Uten tid"),
    ],
    "20170101": [
        event(
            "cx:a", "f1", 1483225203, "Børsen stiger", category1="nyheter|trondheim",
            keywords="børs, olje,,",
        ),
        FRONT,
        event("cx:b", "f1", 1483225100, "Børsen stiger"),
        event("", "f2", 1483225101, "Ned igjen"),
        event("cx:b", "f2", 1483225099),
    ],
}  # fmt: skip
CLICKS = [
    ("cx:a", "f1", 1483225203), ("cx:b", "f1", 1483225100), ("cx:b", "f2", 1483225099),
    ("cx:b", "f2", 1483311700), ("cx:a", "f1", 1483311602), ("cx:a", "f2", 1483311601),
    ("cx:a", "f3", 1483311650),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "one_week"
    (root / "deep").mkdir(parents=True)
    for number, (name, events) in enumerate(DAYS.items()):
        text = "".join(json.dumps(one, ensure_ascii=not number) + "\n" for one in events)
        (root / "deep" / name).write_text(text, "utf-8")
    with (root / "deep" / "20170102").open("a", encoding="utf-8") as file:
        file.write('{"eventId": 12, "userId": "cx:a", "id"\n')
    (root / "readme.txt").write_text("no day", "utf-8")
    return root


def test_a_stream_agrees_with_a_slow_reader(folder, tmp_path):
    tables = read(Adressa, folder, tmp_path / "cache")
    assert rows_of(tables) == slow_rows(CLICKS)
    items = tables.items().set_index("item_id")
    assert list(items.index) == ["f1", "f2", "f3", "f4"]
    assert items.loc["f1", "title"] == "Børsen stiger"
    assert (items.loc["f1", "category"], items.loc["f1", "subcategory"]) == ("nyheter", "trondheim")
    assert list(items.loc["f1", "keywords"]) == ["børs", "olje"]
    # The first event of f2 has no category, a later one has.
    assert (items.loc["f2", "title"], items.loc["f2", "category"]) == ("Ned igjen", "sport")
    found = losses(tables)
    assert found["event without an article"] == (2, "")
    assert found["article with another title"] == (1, "20170102:3: f1")
    assert found["click without a user"] == (1, "20170101:4: f2")
    assert found["click whose time cannot be read"] == (1, "20170102:6: cx:a")
    assert found["line that is no JSON object"][0] == 1


def test_compressed_days_and_negatives(folder, tmp_path):
    day = folder / "deep" / "20170101"
    (folder / "deep" / "20170101.gz").write_bytes(gzip.compress(day.read_bytes()))
    day.unlink()
    tables = read(Adressa, folder, tmp_path / "cache", negatives=1)
    drawn = [row for row in rows_of(tables) if row[3] == 0]
    assert drawn
    touched = {(user, item) for user, item, _ in CLICKS}
    assert not {(row[0], row[2]) for row in drawn} & touched
    assert {row[4] for row in drawn} <= {"valid", "test"}


def test_a_folder_without_days_is_refused(tmp_path):
    with pytest.raises(LegoError) as error:
        read(Adressa, tmp_path, tmp_path / "cache")
    assert error.value.diagnostics[0].code == "E0620"
