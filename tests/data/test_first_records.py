"""Ids that come again: the first record stays, and whether a later one says the same is counted."""

import json
import random

import pytest

from legoc.data.indexing.tables import convert
from legoc.data.sources.hotelrec import HotelRec
from legoc.data.sources.lastfm import PLAYS, LastFM
from legoc.data.sources.tables import Tables
from legoc.language.ir.spec import Call
from tests.data.clickstreams import losses, read, write


CLICKS = "user_id,item_id\n" + "".join(f"u{u},i{i}\n" for u in range(3) for i in range(4))
SAME, OTHER = "again with the same text", "again with another text"


def own(root, cache, numbers=(), **files):
    config = Tables.Config(path=str(write(root, **files)), numbers=numbers, negatives=0)
    return convert(Tables(config), Call(op="leave_one_out", args={}), cache)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_items_and_users_agree_with_a_slow_reader(tmp_path, ending):
    rng = random.Random(5)
    rows = [
        {"item_id": f"i{n}", "title": rng.choice(["a", ""]), "price": rng.choice([None, 0.0, 2.5])}
        for n in [*range(4), *(rng.randrange(4) for _ in range(40))]
    ]
    people = [{"user_id": f"u{n % 3}", "town": rng.choice("xy")} for n in range(12)]

    def text(records):
        if ending == "jsonl":
            return "".join(json.dumps(record) + "\n" for record in records)
        lines = [",".join("" if v is None else str(v) for v in r.values()) for r in records]
        return "\n".join([",".join(records[0]), *lines]) + "\n"

    tables = own(
        tmp_path / "own", tmp_path / "cache", ("price",), interactions__csv=CLICKS,
        **{f"items__{ending}": text(rows), f"users__{ending}": text(people)},
    )  # fmt: skip
    expected, first = {}, 1 + (ending == "csv")
    for name, key, records in (("item", "item_id", rows), ("user", "user_id", people)):
        known = {}
        for line, record in enumerate(records, first):
            if record[key] in known:
                said = SAME if known[record[key]] == record else OTHER
                place = f"{name}s.{ending}:{line}: {record[key]}"
                count, where = expected.get(f"{name} id {said}", (0, place))
                expected[f"{name} id {said}"] = (count + 1, where)
            known.setdefault(record[key], record)
        frame = tables.items() if name == "item" else tables.users()
        column = "title" if name == "item" else "town"
        assert dict(zip(frame[key], frame[column], strict=True)) == {
            key: record[column] for key, record in known.items()
        }
    assert len(expected) == 4
    assert {drop.part for drop in tables.report.drops} == {"items", "users"}
    assert losses(tables) == expected


def test_an_id_alone_can_only_say_the_same(tmp_path):
    files = {"items__csv": "item_id\ni0\ni1\ni0\ni2\ni3\n\n", "interactions__csv": CLICKS}
    people = "user_id\nu0\n\nu0\n"
    tables = own(tmp_path / "own", tmp_path / "cache", users__csv=people, **files)
    assert losses(tables) == {
        f"item id {SAME}": (1, "items.csv:4: i0"), f"user id {SAME}": (1, "users.csv:4: u0"),
    }  # fmt: skip


def test_a_play_may_say_another_track_of_an_id(tmp_path):
    plays = [("a", "One"), ("a", "One"), ("a", "Two"), ("b", "One"), ("", "Three")]
    lines = [
        f"u\t2009-05-04T23:0{n}:57Z\tx\tBand\t{item}\t{track}\n"
        for n, (item, track) in enumerate(plays)
    ]
    tables = read(LastFM, write(tmp_path / "raw", **{PLAYS: "".join(lines)}), tmp_path / "cache")
    assert losses(tables) == {f"item id {OTHER}": (1, f"{PLAYS}:3: a")}
    assert set(tables.items()["track"]) == {"One", "Three"}


def test_an_address_may_name_another_hotel_of_an_id(tmp_path):
    address = "Hotel_Review-g1-d{}-Reviews-{}-Rome.html"
    rows = [
        {"hotel_url": address.format(hotel, name), "author": f"u{n % 2}", "rating": 5.0 - n % 3,
         "date": f"2018-0{1 + n}-01T00:00:00"}
        for n, (hotel, name) in enumerate([(1, "Sun"), (1, "Sun"), (2, "Sea"), (1, "Moon")])
    ]  # fmt: skip
    root = write(tmp_path / "raw", HotelRec__txt="".join(json.dumps(row) + "\n" for row in rows))
    found = losses(read(HotelRec, root, tmp_path / "cache"))
    assert found[f"item id {OTHER}"] == (1, "HotelRec.txt:4: g1-d1")
