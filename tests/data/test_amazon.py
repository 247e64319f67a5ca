"""Amazon's reviews in the layouts of 2014 and 2018, with the oddities of both."""

import gzip
from datetime import UTC, datetime

import pytest

from legoc.data.sources.amazon import AmazonBooks, AmazonCDs, AmazonElectronics, clean
from legoc.language.diagnosing.diagnostics import LegoError
from tests.data.logs import (
    RECBENCH,
    drops,
    moments,
    places,
    protocol_users,
    read_with,
    table_moments,
    write_lines,
    write_text,
)


SPAN = '<span class="a-size-medium a-color-secondary a-text-normal"'
META_2018 = [
    {"asin": "0001", "title": "  War &amp; Peace", "category": ["Books", "Classics"],
     "description": ["Long.", "Very <b>long</b>."], "brand": "Leo"},
    {"asin": "B2", "title": SPAN + "></span>", "category": ["Books", "Poems"], "brand": "Ann"},
    {"asin": "B3", "title": SPAN, "category": ["Books", "Poems &amp; Songs"], "description": []},
    {"asin": "B4", "title": SPAN + ">", "description": ["Only a description"]},
    {"asin": "B2", "title": "Again", "also_buy": []},
    {"asin": "B5"},
    {"asin": "B6", "title": "It&#39;s 3 < 4 & <i>true</i>"},
    {"title": "nobody"},
]  # fmt: skip
META_2014 = [
    {"asin": "0001", "title": "It's War", "categories": [["Books", "Classics"], ["Other"]],
     "description": "Long.", "imUrl": "http:\\/\\/x", "salesRank": {}, "price": 1.5},
    {"asin": "B5", "categories": [["Books"]], "related": {"also_bought": ["B2"]}},
    {"asin": "B2", "title": 'A "quoted" one', "categories": [], "brand": "Ann"},
]  # fmt: skip
# user, item, stars, day as (text, ISO)
DAYS = [("06 17, 2018", "2018-06-17"), ("02 6, 2014", "2014-02-06"), ("12 31, 2016", "2016-12-31")]
REVIEWS = [
    ("A1", "0001", 5.0, 0), ("A1", "B2", 1.0, 1), ("A1", "B5", 4.0, 2), ("A1", "B5", 4.0, 2),
    ("A2", "B2", 3.0, 1), ("A2", "0001", 2.0, 2), ("A2", "B5", 5.0, 0), ("A3", "NOPE", 5.0, 0),
    ("A3", "B2", 4.0, 1), ("A3", "0001", 4.0, 2), ("A3", "B5", 2.0, 2), ("A3", "B2", 5.0, 0),
]  # fmt: skip


def seconds(day):
    return int(datetime.fromisoformat(DAYS[day][1]).replace(tzinfo=UTC).timestamp())


def reviews_2018():
    rows = []
    for n, (user, item, stars, day) in enumerate(REVIEWS):
        row = {"overall": stars, "reviewerID": user, "asin": item, "verified": True, "vote": "1,2"}
        # Either form of time may be there alone.
        if n % 3 != 1:
            row["reviewTime"] = DAYS[day][0]
        if n % 3 != 2:
            row["unixReviewTime"] = seconds(day)
        rows.append(row)
    return rows


def known_log():
    return [
        (u, i, int(s > 3), datetime.fromisoformat(DAYS[d][1]).timestamp())
        for u, i, s, d in REVIEWS
        if s != 3 and i != "NOPE"
    ]


def books(root, **settings):
    return AmazonBooks(AmazonBooks.Config(path=str(root), **settings))


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_the_release_of_2018(tmp_path, ending):
    write_lines(tmp_path / f"meta_Books.json{ending}", META_2018)
    write_lines(tmp_path / f"Books.json{ending}", reviews_2018())
    tables = read_with(books(tmp_path), tmp_path / "cache")
    items = tables.items().set_index("item_id")
    assert items["title"].to_dict() == {
        "0001": "War & Peace", "B2": "Ann", "B3": "Poems & Songs", "B4": "Only a description",
        "B5": "", "B6": "It's 3 < 4 & true",
    }  # fmt: skip
    assert items.loc["0001", "description"] == "Long. Very long ."
    assert list(items.loc["B3", "categories"]) == ["Books", "Poems & Songs"]
    assert table_moments(tables) == moments(known_log())
    assert drops(tables) == {
        "item without an id": 1,
        "item id again with another text": 1,
        "interaction again: the same user, item and time": 1,
        "rating of an unknown item": 1,
        "rating of 3, neither liked nor disliked": 1,
        "title of nothing but markup": 3,
    }
    assert places(tables)["item id again with another text"] == (f"meta_Books.json{ending}:5: B2",)
    assert tables.report.coverage["title"] == pytest.approx(5 / 6)


def test_the_release_of_2014_is_python_literals(tmp_path):
    write_lines(tmp_path / "meta_Books.json.gz", META_2014, literal=True)
    rows = [{**row, "helpful": [3, 3]} for row in reviews_2018()]
    write_lines(tmp_path / "reviews_Books_5.json.gz", rows)
    tables = read_with(books(tmp_path), tmp_path / "cache")
    items = tables.items().set_index("item_id")
    assert items["title"].to_dict() == {"0001": "It's War", "B5": "", "B2": 'A "quoted" one'}
    assert list(items.loc["0001", "categories"]) == ["Books", "Classics"]
    assert table_moments(tables) == moments(known_log())


def test_the_core_is_read_where_both_lie_there(tmp_path):
    write_lines(tmp_path / "meta_Books.json", META_2018)
    write_lines(tmp_path / "Books.json", reviews_2018())
    write_lines(tmp_path / "Books_5.json.gz", reviews_2018()[:-1])
    tables = read_with(books(tmp_path), tmp_path / "cache")
    assert len(tables.interactions()) == len(known_log()) - 1
    assert tables.report.notes[0] == "the reviews are those of Books_5.json.gz"


def test_a_truncated_download_and_broken_lines(tmp_path):
    write_lines(tmp_path / "meta_Books.json", META_2018)
    path = write_lines(tmp_path / "Books.json.gz", reviews_2018() * 400)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LegoError) as error:
        read_with(books(tmp_path), tmp_path / "cache")
    assert error.value.diagnostics[0].code == "E0622"
    assert "breaks off after line" in error.value.diagnostics[0].message
    assert not list((tmp_path / "cache").glob("tables/*"))
    text = gzip.decompress(whole).decode().splitlines()[: len(REVIEWS)]
    write_text(path, "\n".join([*text, '{"overall": 5.0', '["no object"]', "", *text[:1]]))
    tables = read_with(books(tmp_path), tmp_path / "cache")
    at = len(REVIEWS)
    assert places(tables)["line that is no JSON object"] == (
        f'Books.json.gz:{at + 1}: {{"overall": 5.0',
        f'Books.json.gz:{at + 2}: ["no object"]',
    )
    write_text(path, "asin,overall\n" * 30)
    with pytest.raises(LegoError) as error:
        read_with(books(tmp_path), tmp_path / "cache")
    assert error.value.diagnostics[0].code == "E0621"


def test_keys_that_are_missing_are_counted(tmp_path):
    write_lines(tmp_path / "meta_Books.json", META_2018)
    bare = [{"asin": "B2"}, {"asin": "B2", "reviewerID": "A9"}, {"reviewerID": "A9"},
            {"asin": "B2", "reviewerID": "A9", "overall": 5.0}]  # fmt: skip
    write_lines(tmp_path / "Books.json", [*reviews_2018(), *bare])
    found = drops(read_with(books(tmp_path), tmp_path / "cache"))
    assert found["rating without a user"] == 1
    assert found["rating that is no number"] == 1
    assert found["rating whose time cannot be read"] == 1
    assert found["rating of an unknown item"] == 2


def test_recbench_leaves_out_items_without_a_title(tmp_path):
    write_lines(tmp_path / "meta_Books.json", META_2018)
    write_lines(tmp_path / "Books.json", reviews_2018())
    log = [row for row in known_log() if row[1] != "B5"]
    extra = [{"overall": s, "reviewerID": "A4", "asin": a, "unixReviewTime": n}
             for n, (s, a) in enumerate([(5.0, "0001")] * 4 + [(1.0, "B2")])]  # fmt: skip
    extra += [{**row, "reviewerID": "A5"} for row in extra]
    write_lines(tmp_path / "Books.json", [*reviews_2018(), *extra])
    log += [(r["reviewerID"], r["asin"], int(r["overall"] > 3), r["unixReviewTime"])
            for r in extra]  # fmt: skip
    tables = read_with(
        books(tmp_path), tmp_path / "cache",
        type(RECBENCH)(op="recbench", args={**RECBENCH.args, "test": 1, "valid": 0.0}),
    )  # fmt: skip
    assert set(tables.histories()["user_id"]) == set(protocol_users(log))
    assert set(tables.items()["item_id"]) == {"0001", "B2"}
    assert drops(tables)["interaction with an item without text"] == 4
    other = read_with(
        books(tmp_path), tmp_path / "cache",
        type(RECBENCH)(op="legommenders", args={**RECBENCH.args, "test": 1, "valid": 0.0}),
    )  # fmt: skip
    assert other.items().set_index("item_id").loc["B2", "description"] == "[empty]"


@pytest.mark.parametrize(
    ("source", "name"), [(AmazonCDs, "CDs_and_Vinyl"), (AmazonElectronics, "Electronics")]
)
def test_the_other_categories(tmp_path, source, name):
    write_lines(tmp_path / f"meta_{name}.json.gz", META_2018)
    with pytest.raises(LegoError) as error:
        read_with(source(source.Config(path=str(tmp_path))), tmp_path / "cache")
    assert error.value.diagnostics[0].code == "E0620"
    assert f"{name}_5.json" in error.value.diagnostics[0].message
    write_lines(tmp_path / f"{name}_5.json.gz", reviews_2018())
    tables = read_with(source(source.Config(path=str(tmp_path))), tmp_path / "cache")
    assert table_moments(tables) == moments(known_log())


def test_markup_is_cleaned():
    assert clean("a <3 b") == "a <3 b"
    assert clean("&lt;b&gt;bold&lt;/b&gt; text") == "bold text"
    assert clean(None) == ""


def test_the_release_of_2023_as_published(tmp_path):
    meta = [
        {"main_category": "Books", "title": "War &amp; Peace", "average_rating": 4.5,
         "rating_number": 3, "features": ["Long", "Old"], "description": ["Long.", "Very long."],
         "price": 9.5, "store": "Leo", "categories": ["Books", "Classics"], "details": {"a": "b"},
         "parent_asin": "0001", "bought_together": None},
        {"main_category": None, "title": "Poems", "features": [], "description": [],
         "price": None, "store": None, "categories": [], "parent_asin": "B2"},
    ]  # fmt: skip
    reviews = [
        {"rating": rating, "title": "t", "text": "x", "images": [], "asin": asin,
         "parent_asin": parent, "user_id": user, "timestamp": time, "helpful_vote": 0}
        for rating, asin, parent, user, time in [
            (5.0, "PAPER", "0001", "ann", 1588687728923), (1.0, "B2", "B2", "ann", 1588687728924),
            (4.0, "0001", "0001", "bob", 1588687728925), (3.0, "B2", "B2", "bob", 1588687728926),
            (5.0, "B2", "B9", "bob", 1588687728927),
        ]
    ]  # fmt: skip
    write_lines(tmp_path / "meta_Books.jsonl.gz", meta)
    write_lines(tmp_path / "Books.jsonl.gz", reviews)
    tables = read_with(AmazonBooks(AmazonBooks.Config(path=str(tmp_path))), tmp_path / "cache")
    items = tables.items().set_index("item_id")
    assert items.loc["0001", ["title", "description", "brand"]].tolist() == [
        "War & Peace", "Long. Very long.", "Leo",
    ]  # fmt: skip
    assert list(items.loc["0001", "categories"]) == ["Books", "Classics"]
    # Variants are one thing, and milliseconds are kept.
    assert table_moments(tables) == moments(
        [("ann", "0001", 1, 1588687728.923), ("ann", "B2", 0, 1588687728.924),
         ("bob", "0001", 1, 1588687728.925)]
    )  # fmt: skip
    assert drops(tables)["rating of an unknown item"] == 1


def test_two_releases_in_one_folder_are_refused(tmp_path):
    for name in ("meta_Books.json", "meta_Books.jsonl"):
        write_lines(tmp_path / name, META_2018)
    with pytest.raises(LegoError, match="items of two releases"):
        AmazonBooks(AmazonBooks.Config(path=str(tmp_path))).files()
