"""The tables by number and the counts made of them, against DuckDB on the tables themselves."""

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from legoc.data.indexing.codes import SPLITS, Codes, encode, number_trained, place_first, renumber
from legoc.data.indexing.counts import survey


def draw_tables(folder, seed):
    """Tables nothing is regular in: impressions that return, several histories in one, repeated
    clicks, histories no row has, users without rows, labels that are absent."""
    random = np.random.default_rng(seed)
    items = [f"N{n}" for n in random.permutation(30)]
    histories = [f"{n}" for n in random.permutation(25)]
    rows = 300
    pq.write_table(
        pa.table({"item_id": items, "title": ["a title" if n % 3 else "" for n in range(30)]}),
        folder / "items.parquet",
    )
    pq.write_table(
        pa.table(
            {
                "history_id": histories,
                "user_id": [f"U{n}" for n in random.integers(0, 9, 25)],
                "clicks": pa.array(
                    [list(random.choice(items[:20], random.integers(0, 5))) for _ in histories],
                    pa.list_(pa.string()),
                ),
            }
        ),
        folder / "histories.parquet",
    )
    label = random.choice([0.0, 1.0], rows)
    split = random.choice(SPLITS, rows, p=[0.5, 0.2, 0.2, 0.1])
    pq.write_table(
        pa.table(
            {
                "row": np.arange(rows),
                "impression_id": [f"i{n}" for n in np.sort(random.integers(0, 80, rows)) ^ 1],
                "history_id": [histories[n // 4] for n in np.sort(random.integers(0, 80, rows))],
                "item_id": [items[n] for n in random.integers(0, 28, rows)],
                "label": pa.array(label, pa.float32(), mask=split == "predict"),
                "split": split,
            }
        ),
        folder / "interactions.parquet",
    )


@pytest.fixture(params=range(4))
def folder(request, tmp_path):
    draw_tables(tmp_path, request.param)
    return tmp_path


def query(folder, text):
    with duckdb.connect() as connection:
        for name in ("items", "histories", "interactions"):
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM '{folder / name}.parquet'")
        return connection.execute(text).fetchall()


def test_numbers_say_what_the_texts_said(folder):
    codes = encode(folder)
    items, histories, rows = (
        pq.read_table(folder / f"{name}.parquet").to_pydict()
        for name in ("items", "histories", "interactions")
    )
    assert [SPLITS[n] for n in codes.split] == rows["split"]
    assert [items["item_id"][n - 1] for n in codes.item] == rows["item_id"]
    assert [histories["history_id"][n] for n in codes.history] == rows["history_id"]
    assert [None if np.isnan(n) else n for n in codes.label] == rows["label"]
    for texts, numbers in (
        (rows["impression_id"], codes.impression),
        (histories["user_id"], codes.person),
    ):
        seen = list(dict.fromkeys(texts))
        assert [seen[n] for n in numbers] == texts
    clicks = [items["item_id"][n - 1] for n in codes.clicks]
    ends = list(zip(codes.starts[:-1], codes.starts[1:], strict=True))
    assert [clicks[a:b] for a, b in ends] == histories["clicks"]
    codes.save(folder)
    assert Codes.load(folder).clicks.tolist() == codes.clicks.tolist()


@pytest.mark.parametrize("unit", ["impression_id", "user_id"])
def test_counts_are_those_of_sql(folder, unit):
    report = survey(folder, source="drawn", licence="", drops=(), notes=(), unit=unit)
    ((items, histories, users, empty),) = query(
        folder,
        "SELECT (SELECT count(*) FROM items), count(*), count(DISTINCT user_id), "
        "count(*) FILTER (len(clicks) = 0) FROM histories",
    )
    assert (report.items, report.histories, report.users) == (items, histories, users)
    assert report.empty_histories == empty
    training = """
        SELECT item_id FROM interactions WHERE split = 'train' UNION
        SELECT unnest(clicks) FROM histories WHERE history_id IN (
            SELECT history_id FROM interactions WHERE split = 'train') ORDER BY item_id
    """
    known = [name for (name,) in query(folder, training)]
    assert pq.read_table(folder / "training.parquet")["item_id"].to_pylist() == known
    trained = query(
        folder,
        "SELECT user_id, row_number() OVER (ORDER BY min(row)) FROM interactions "
        "JOIN histories USING (history_id) WHERE split = 'train' GROUP BY user_id ORDER BY 2",
    )
    found = pq.read_table(folder / "trained.parquet").to_pylist()
    assert [(row["user_id"], row["number"]) for row in found] == trained
    counted = query(
        folder,
        f"""
        SELECT split, count(*), coalesce(sum(label), 0), count(DISTINCT impression_id),
               count(DISTINCT history_id), count(DISTINCT user_id),
               (SELECT count(*) FROM (
                    SELECT 1 FROM interactions AS own JOIN histories USING (history_id)
                    WHERE own.split = interactions.split GROUP BY {unit}
                    HAVING sum(label) = 0 OR sum(label) = count(*))),
               avg((item_id NOT IN ({training}))::INTEGER)
        FROM interactions JOIN histories USING (history_id) GROUP BY split
        """,
    )
    assert {
        split: (part.rows, part.clicks, part.impressions, part.histories, part.users,
                part.one_class, pytest.approx(part.new_items))
        for split, part in report.parts.items()
    } == {row[0]: row[1:] for row in counted}  # fmt: skip
    assert list(report.parts) == list(SPLITS)
    cold = query(
        folder,
        "SELECT split, count(*) FILTER (len(clicks) = 0) FROM ("
        "SELECT split, impression_id, arg_min(history_id, row) AS history_id FROM interactions "
        "GROUP BY split, impression_id) JOIN histories USING (history_id) GROUP BY split",
    )
    assert {name: part.cold for name, part in report.parts.items()} == dict(cold)
    ranked = query(
        folder,
        f"SELECT split, count(DISTINCT {unit}), count(*) FILTER (len(clicks) = 0) "
        "FROM interactions JOIN histories USING (history_id) GROUP BY split ORDER BY split",
    )
    assert ranked == sorted(
        (name, part.groups, part.cold_rows) for name, part in report.parts.items()
    )


def test_a_text_no_table_has_is_an_error(folder):
    items = pq.read_table(folder / "items.parquet")
    pq.write_table(items.slice(0, 3), folder / "items.parquet")
    with pytest.raises(RuntimeError, match="texts are in no other table"):
        encode(folder)


def test_order_of_first_appearance():
    codes = np.array([5, 2, 5, 0, 2, 7], dtype=np.int32)
    seen, places = renumber(codes)
    assert (seen.tolist(), places.tolist()) == ([5, 2, 0, 7], [0, 1, 0, 2, 1, 3])
    assert place_first(codes).tolist() == [3, 6, 1, 6, 6, 0, 6, 5]
    nothing = np.empty(0, dtype=np.int32)
    assert [part.tolist() for part in renumber(nothing)] == [[], []]


def test_users_without_training_rows_have_no_number(folder):
    numbers = number_trained(encode(folder))
    found = pq.read_table(folder / "histories.parquet")["user_id"].unique().to_pylist()
    trained = query(
        folder,
        "SELECT DISTINCT user_id FROM interactions JOIN histories USING (history_id) "
        "WHERE split = 'train'",
    )
    assert {found[n] for n in np.flatnonzero(numbers)} == {name for (name,) in trained}
