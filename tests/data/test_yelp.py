"""The Yelp open dataset, its older releases and re-exports."""

from datetime import UTC, datetime

import pytest

from legoc.data.sources.yelp import Yelp
from legoc.language.diagnosing.diagnostics import LegoError
from tests.data.logs import drops, moments, read_with, table_moments, write_lines, write_text


PLACES = [
    {"business_id": "p1", "name": "Caf\u00e9 \\/ Bar", "address": "", "city": "Reno", "state": "NV",
     "categories": "Coffee & Tea, Bars", "attributes": {"WiFi": "u'free'"}, "hours": None},
    {"business_id": "p2", "name": "Nail it", "address": "1 Main", "city": "Reno", "state": "NV",
     "categories": None, "attributes": None},
    {"type": "business", "business_id": "p3", "name": "Old", "full_address": "2 Main\nReno, NV",
     "city": "Reno", "state": "NV", "categories": ["Food", "Bars"]},
]  # fmt: skip
ROWS = [
    ("u1", "p1", 5, "2012-01-03 15:28:18"), ("u1", "p2", 1, "2012-01-04 15:28:18"),
    ("u2", "p3", 4, "2013-01-03 15:28:18"), ("u2", "p1", 3, "2013-02-03 15:28:18"),
    ("u2", "p2", 2, "2013-03-03 00:00:00"), ("u1", "p3", 4, "2013-03-03 00:00:00"),
]  # fmt: skip


def review(user, place, stars, date):
    return {"review_id": "r", "user_id": user, "business_id": place, "stars": float(stars),
            "useful": 0, "text": "x\n", "date": date}  # fmt: skip


def log():
    return [
        (u, p, int(s > 3), datetime.fromisoformat(d).timestamp()) for u, p, s, d in ROWS if s != 3
    ]


def source(root):
    return Yelp(Yelp.Config(path=str(root)))


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_the_published_files(tmp_path, ending):
    write_lines(tmp_path / f"yelp_academic_dataset_business.json{ending}", PLACES)
    path = tmp_path / f"yelp_academic_dataset_review.json{ending}"
    write_lines(path, [review(*row) for row in ROWS])
    tables = read_with(source(tmp_path), tmp_path / "cache")
    assert table_moments(tables) == moments(log())
    items = tables.items().set_index("item_id")
    assert list(items.loc["p1", "categories"]) == ["Coffee & Tea", "Bars"]
    assert list(items.loc["p2", "categories"]) == []
    assert list(items.loc["p3", "categories"]) == ["Food", "Bars"]
    assert items["address"].tolist() == ["", "1 Main", "2 Main, Reno, NV"]
    assert drops(tables) == {"rating of 3, neither liked nor disliked": 1}


def test_a_slash_may_be_escaped(tmp_path):
    text = '{"business_id": "p1", "name": "A \\/ B", "city": "x", "state": "y"}\n'
    write_text(tmp_path / "yelp_academic_dataset_business.json", text)
    rows = [review("u1", "p1", 5, f"2012-01-{day:02d}") for day in range(1, 6)]
    write_lines(tmp_path / "yelp_academic_dataset_review.json", rows)
    assert read_with(source(tmp_path), tmp_path / "cache").items()["name"].tolist() == ["A / B"]


def test_re_exports_and_older_releases_give_the_same(tmp_path):
    def millis(date):
        return int(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp() * 1000)

    write_lines(tmp_path / "business.json", PLACES)
    rows = [{**review(*row), "stars": row[2], "date": millis(row[3]), "type": "review"}
            for row in ROWS]  # fmt: skip
    write_lines(tmp_path / "review.json", rows)
    assert table_moments(read_with(source(tmp_path), tmp_path / "cache")) == moments(log())


def test_a_date_without_time_is_its_day(tmp_path):
    write_lines(tmp_path / "business.json", PLACES)
    rows = [{**review(*row), "date": row[3][:10]} for row in ROWS]
    write_lines(tmp_path / "review.json", [*rows, {**review(*ROWS[0]), "date": "soon"}])
    tables = read_with(source(tmp_path), tmp_path / "cache")
    days = [(u, p, y, datetime.fromtimestamp(t).replace(hour=0, minute=0, second=0).timestamp())
            for u, p, y, t in log()]  # fmt: skip
    assert table_moments(tables) == moments(days)
    assert drops(tables)["rating whose time cannot be read"] == 1


def test_both_files_must_be_there(tmp_path):
    write_lines(tmp_path / "business.json", PLACES)
    with pytest.raises(LegoError) as error:
        read_with(source(tmp_path), tmp_path / "cache")
    assert error.value.diagnostics[0].code == "E0620"
    assert "yelp_academic_dataset_review.json" in error.value.diagnostics[0].message
