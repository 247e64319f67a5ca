"""Goodreads: works, editions and interactions, per genre and complete."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from legoc.data.formats.times import read_stamp
from legoc.data.sources.goodreads import Goodreads
from legoc.language.diagnosing.diagnostics import LegoError
from tests.data.logs import (
    drops,
    moments,
    places,
    read_with,
    table_moments,
    write_lines,
    write_text,
)


WORKS = [
    {"work_id": "100", "best_book_id": "12", "original_title": "Ilias", "books_count": "2",
     "original_publication_year": "-750", "rating_dist": "5:7|4:4|total:13"},
    {"work_id": "200", "best_book_id": "20", "original_title": "",
     "original_publication_year": ""},
    {"work_id": "300", "best_book_id": "20", "original_title": "Third",
     "original_publication_year": "1999"},
    {"work_id": "900", "best_book_id": "90", "original_title": "Of another genre"},
]  # fmt: skip
BOOKS = [
    {"book_id": "11", "work_id": "100", "title": "The Iliad (old)", "description": "First words."},
    {"book_id": "12", "work_id": "100", "title": "The Iliad", "description": ""},
    {"book_id": "20", "work_id": "200", "title": "Second (Series, #1)",
     "title_without_series": "Second", "description": "Two."},
    {"book_id": "30", "work_id": "300", "title": "Third of its kind", "description": ""},
    {"book_id": "40", "work_id": "", "title": "A single sheet", "description": ""},
]  # fmt: skip
# user, edition, read, stars, date
ROWS = [
    ("a" * 32, "11", True, 5, "Thu Aug 17 15:15:28 -0700 2017"),
    ("a" * 32, "12", True, 2, "Fri Aug 18 15:15:28 -0700 2017"),
    ("a" * 32, "20", False, 0, "Thu Aug 17 23:15:28 +0000 2017"),
    ("a" * 32, "30", True, 3, "Sat Aug 19 00:00:00 -0700 2017"),
    ("b" * 32, "40", True, 4, "Sun Jan 01 00:00:00 -0800 2012"),
    ("b" * 32, "20", True, 1, "Mon Jan 02 00:00:00 -0800 2012"),
    ("b" * 32, "30", False, 0, "Tue Jan 03 00:00:00 -0800 2012"),
    ("b" * 32, "90", True, 4, "Tue Jan 03 00:00:00 -0800 2012"),
]  # fmt: skip
WORK_OF = {"11": "100", "12": "100", "20": "200", "30": "300", "40": "book/40"}


def event(user, book, read, stars, date):
    return {"user_id": user, "book_id": book, "review_id": "r", "is_read": read, "rating": stars,
            "review_text_incomplete": "", "date_added": date, "date_updated": date, "read_at": "",
            "started_at": ""}  # fmt: skip


def write_genre(root, genre="poetry", ending=".gz"):
    write_lines(root / f"goodreads_book_works.json{ending}", WORKS)
    write_lines(root / f"goodreads_books_{genre}.json{ending}", BOOKS)
    write_lines(
        root / f"goodreads_interactions_{genre}.json{ending}", [event(*row) for row in ROWS]
    )
    return root


def utc(date):
    """The moment as a naive UTC time stamp, by the standard library."""
    moment = datetime.strptime(date, "%a %b %d %H:%M:%S %z %Y").astimezone(UTC)
    return moment.replace(tzinfo=None).timestamp()


def log(label):
    found = []
    for user, book, read, stars, date in ROWS:
        grade = int(read) if label == "read" else {0: None, 3: None}.get(stars, int(stars > 3))
        if book in WORK_OF and grade is not None:
            found.append((user, WORK_OF[book], grade, utc(date)))
    return found


def source(root, **settings):
    return Goodreads(Goodreads.Config(path=str(root), **settings))


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("label", ["read", "rating"])
def test_a_genre_joins_editions_through_the_work(tmp_path, label, ending):
    root = write_genre(tmp_path / "raw", ending=ending)
    tables = read_with(source(root, label=label), tmp_path / "cache")
    assert table_moments(tables) == moments(log(label))
    items = tables.items().set_index("item_id")
    assert items["title"].to_dict() == {
        "100": "Ilias", "200": "Second", "300": "Third", "book/40": "A single sheet",
    }  # fmt: skip
    # The best edition has no description, another one has.
    assert items["description"].tolist() == ["First words.", "Two.", "", ""]
    assert items["year"].fillna(0).tolist() == [-750, 0, 1999, 0]
    expected = {"rating of an unknown item": 1, "work without an edition among the books": 1}
    if label == "rating":
        expected |= {
            "book without a rating": 2, "rating of 3, neither liked nor disliked": 1,
        }  # fmt: skip
    assert drops(tables) == expected


def test_the_best_edition_gives_the_title_a_work_lacks(tmp_path):
    root = write_genre(tmp_path / "raw", ending="")
    write_lines(
        root / "goodreads_book_works.json", [{**WORKS[0], "original_title": ""}, *WORKS[1:]]
    )
    tables = read_with(source(root), tmp_path / "cache")
    assert tables.items().set_index("item_id").loc["100", "title"] == "The Iliad"


def test_the_complete_set_in_json(tmp_path):
    root = tmp_path / "raw"
    write_lines(root / "goodreads_book_works.json.gz", WORKS)
    write_lines(root / "goodreads_books.json.gz", BOOKS)
    path = root / "goodreads_interactions_dedup.json.gz"
    write_lines(path, [event(*row) for row in ROWS])
    assert table_moments(read_with(source(root), tmp_path / "cache")) == moments(log("read"))


def test_the_complete_table_has_ids_of_its_own(tmp_path):
    root = tmp_path / "raw"
    write_lines(root / "goodreads_book_works.json.gz", WORKS)
    write_lines(root / "goodreads_books.json.gz", BOOKS)
    users = sorted({row[0] for row in ROWS})
    books = [book["book_id"] for book in BOOKS]
    rows = [(users.index(u), books.index(b) if b in books else 77, int(r), s, 0)
            for u, b, r, s, _ in ROWS]  # fmt: skip
    write_text(
        root / "goodreads_interactions.csv",
        "user_id,book_id,is_read,rating,is_reviewed\n"
        + "".join(",".join(map(str, row)) + "\n" for row in rows),
    )
    with pytest.raises(LegoError) as error:
        read_with(source(root), tmp_path / "cache")
    assert "book_id_map.csv" in error.value.diagnostics[0].message
    for name, known in (("book", books), ("user", users)):
        write_text(
            root / f"{name}_id_map.csv",
            f"{name}_id_csv,{name}_id\n" + "".join(f"{n},{x}\n" for n, x in enumerate(known)),
        )
    tables = read_with(source(root), tmp_path / "cache")
    found = table_moments(tables)
    ordered = [(u, WORK_OF[b], int(r), n) for n, (u, b, r, _, _) in enumerate(ROWS) if b in WORK_OF]
    assert [rows for _, rows in sorted(found.items())] == [
        rows for _, rows in sorted(moments(ordered).items())
    ]
    assert "order is taken for time" in tables.report.notes[0]


def test_several_genres_want_a_name(tmp_path):
    root = write_genre(write_genre(tmp_path / "raw"), "comics")
    with pytest.raises(LegoError) as error:
        read_with(source(root), tmp_path / "cache")
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "E0620"
    assert "`comics`, `poetry`" in diagnostic.message
    assert 'genre="comics"' in diagnostic.help[0]
    assert read_with(source(root, genre="poetry"), tmp_path / "cache").report.items == 4


def test_nothing_there_names_what_is_looked_for(tmp_path):
    (tmp_path / "raw").mkdir()
    for root in (tmp_path / "raw", tmp_path / "nowhere"):
        with pytest.raises(LegoError) as error:
            read_with(source(root), tmp_path / "cache")
        assert error.value.diagnostics[0].code == "E0620"
        assert "goodreads_books_<genre>.json" in error.value.diagnostics[0].message


def test_broken_rows_are_counted(tmp_path):
    root = write_genre(tmp_path / "raw", ending="")
    bad = [{**event(*ROWS[0]), "date_added": ""}, {**event(*ROWS[0]), "is_read": None},
           {"book_id": "11", "is_read": True, "date_added": ROWS[0][4]}]  # fmt: skip
    path = root / "goodreads_interactions_poetry.json"
    write_lines(path, [*(event(*row) for row in ROWS), *bad])
    found = places(read_with(source(root), tmp_path / "cache"))
    assert found["rating whose time cannot be read"] == (f"{path.name}:9: {'a' * 32}",)
    assert found["rating that is no number"] == (f"{path.name}:10: {'a' * 32}",)
    assert found["rating without a user"] == (f"{path.name}:11: 100",)


def test_a_stamp_honours_its_zone():
    at = timezone(timedelta(hours=5, minutes=30))
    moment = datetime(2017, 8, 17, 15, 15, 28, tzinfo=at)
    assert read_stamp("Thu Aug 17 15:15:28 +0530 2017") == moment.timestamp() * 1e6
    assert read_stamp("Thu Feb 31 15:15:28 +0530 2017") is None
    assert read_stamp("") is None
