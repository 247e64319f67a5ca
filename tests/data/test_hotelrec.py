"""HotelRec: hotels out of addresses, months for dates."""

from datetime import datetime

import pytest

from legoc.data.sources.hotelrec import HotelRec, read_address
from legoc.language.diagnosing.diagnostics import LegoError
from tests.data.logs import drops, moments, places, read_with, table_moments, write_lines


BASE = "Hotel_Review-g{}-d{}-Reviews-{}.html"
BALTIC = BASE.format(194775, 1121769, "Hotel_Baltic-Giulianova_Province_of_Teramo_Abruzzo")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (BALTIC, ("g194775-d1121769", "Hotel Baltic", "Giulianova Province of Teramo Abruzzo")),
        (BASE.format(1, 2, "St._Regis-New_York"), ("g1-d2", "St. Regis", "New York")),
        (BASE.format(1, 3, "Just_a_Name"), ("g1-d3", "Just a Name", "")),
        (BASE.format(1, 4, "Bed-and-Breakfast-Rome"), ("g1-d4", "Bed-and-Breakfast", "Rome")),
        (BASE.format(1, 5, "Casa-Malaga_Andaluc"), ("g1-d5", "Casa", "Malaga Andaluc")),
        (BASE.format(1, 6, "or10-Casa-Malaga"), ("g1-d6", "Casa", "Malaga")),
        ("https://x.org/" + BALTIC, ("g194775-d1121769", "Hotel Baltic",
                                     "Giulianova Province of Teramo Abruzzo")),
        ("Restaurant_Review-g1-d2-Reviews-X-Y.html", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_hotel_is_read_from_its_address(url, expected):
    assert read_address(url) == expected


# user, hotel number, stars, month
ROWS = [
    ("ann", 1, 5.0, "2010-02-01"), ("ann", 2, 2.0, "2010-02-01"), ("ann", 3, 4.0, "2010-03-01"),
    ("bob", 1, 3.0, "2010-02-01"), ("bob", 3, 1.0, "2011-02-01"), ("bob", 2, 5.0, "2011-05-01"),
    ("ann", 1, 5.0, "2012-02-01"), ("bob", 1, 4.0, "2012-02-01"),
]  # fmt: skip


def review(user, hotel, stars, month):
    return {
        "hotel_url": BASE.format(9, hotel, f"Hotel_{hotel}-Place_{hotel}"), "author": user,
        "date": f"{month}T00:00:00", "rating": stars, "title": "t", "text": "x",
        "property_dict": {},
    }  # fmt: skip


def source(root):
    return HotelRec(HotelRec.Config(path=str(root)))


@pytest.mark.parametrize("name", ["HotelRec.txt", "HotelRec.txt.gz"])
def test_reviews_become_moments_by_month(tmp_path, name):
    write_lines(tmp_path / name, [review(*row) for row in ROWS])
    tables = read_with(source(tmp_path), tmp_path / "cache")
    expected = [
        (u, f"g9-d{h}", int(s > 3), datetime.fromisoformat(m).timestamp())
        for u, h, s, m in ROWS
        if s != 3
    ]
    assert table_moments(tables) == moments(expected)
    assert tables.items().iloc[1].tolist() == ["g9-d2", "Hotel 2", "Place 2"]


def test_what_is_wrong_is_counted(tmp_path):
    bad = [{**review(*ROWS[0]), "hotel_url": "nowhere"}, {**review(*ROWS[0]), "date": "May"},
           {**review(*ROWS[0]), "rating": None}, {**review(*ROWS[0]), "author": ""},
           {**review(*ROWS[0]), "rating": 3.5}]  # fmt: skip
    write_lines(tmp_path / "HotelRec.txt", [*(review(*row) for row in ROWS), *bad])
    tables = read_with(source(tmp_path), tmp_path / "cache")
    assert drops(tables) == {
        "review without the address of a hotel": 1,
        "rating without a user": 1,
        "rating that is no number": 1,
        "rating whose time cannot be read": 1,
        # 3.5 is cut to 3, as RecBench does.
        "rating of 3, neither liked nor disliked": 2,
    }
    assert places(tables)["review without the address of a hotel"] == ("HotelRec.txt:9: nowhere",)


def test_the_file_must_be_there(tmp_path):
    with pytest.raises(LegoError) as error:
        read_with(source(tmp_path), tmp_path / "cache")
    assert error.value.diagnostics[0].code == "E0620"
