"""EB-NeRD as published: integer ids, lists in cells, null articles, users without a history."""

from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from legoc.data.indexing.tables import convert
from legoc.data.sources.ebnerd import EBNeRD
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call


ARTICLES = pa.table(
    {
        "article_id": pa.array([3001353, 3003065, 3012771, 3014], pa.int32()),
        "title": ["Natascha var ikke den første", "Kun Star Wars tjente mere", "Ærø", "ø"],
        "subtitle": ["Politiet frygter nu", "", None, "x"],
        "body": ["Sagen om den østriske", "Biografgængerne", "", "y"],
        "category": pa.array([140, 414, 142, 140], pa.int16()),
        "category_str": ["krimi", "underholdning", "sport", "krimi"],
        "subcategory": pa.array([[], [433, 434], None, [1]], pa.list_(pa.int16())),
        "topics": pa.array([["Kriminalitet", "Mord"], ["Film"], [], None], pa.list_(pa.string())),
        "article_type": ["article_default"] * 4,
        "total_inviews": pa.array([None, None, 5, 6], pa.int32()),
    }
)


def behaviors(rows, labelled=True, beyond=None):
    """(impression, user, time, in view, clicked)"""
    columns = {
        "impression_id": pa.array([r[0] for r in rows], pa.uint32()),
        "article_id": pa.array([None] * len(rows), pa.int32()),
        "impression_time": pa.array([r[2] for r in rows], pa.timestamp("us")),
        "device_type": pa.array([1] * len(rows), pa.int8()),
        "article_ids_inview": pa.array([r[3] for r in rows], pa.large_list(pa.int32())),
        "article_ids_clicked": pa.array([r[4] for r in rows], pa.large_list(pa.int32())),
        "user_id": pa.array([r[1] for r in rows], pa.uint32()),
    }
    if not labelled:
        del columns["article_ids_clicked"]
    if beyond is not None:
        columns["is_beyond_accuracy"] = beyond
    return pa.table(columns)


def history(users):
    return pa.table(
        {
            "user_id": pa.array(list(users), pa.uint32()),
            "article_id_fixed": pa.array(list(users.values()), pa.large_list(pa.int32())),
        }
    )


TRAIN = [
    (48401, 22779, datetime(2023, 5, 21, 21, 6, 50), [3001353, 3003065, 3012771], [3003065]),
    (48404, 22779, datetime(2023, 5, 20, 21, 8), [3012771, 3014], [3012771, 3014]),
    (48405, 150224, datetime(2023, 5, 19, 7, 0), [3001353, 99, 3014], [99]),
    (48406, 7, datetime(2023, 5, 18, 7, 0), [], []),
]
VALID = [(48401, 22779, datetime(2023, 5, 28, 4, 0), [3014, 3001353], [3001353])]
TEST = [
    (6, 22779, datetime(2023, 6, 4, 4, 0), [3014, 3001353], None),
    (0, 22779, datetime(2023, 6, 4, 4, 0), [3014], None),
]
PAST = {22779: [3003065, 77, 3014, 3003065], 7: [3014]}
PAST_VALID = {22779: [3012771]}


@pytest.fixture
def write_ebnerd(tmp_path):
    def write(test=False, **changed):
        root = tmp_path / "ebnerd_demo"
        content = {
            "articles": ARTICLES, "train/behaviors": behaviors(TRAIN),
            "train/history": history(PAST), "validation/behaviors": behaviors(VALID),
            "validation/history": history(PAST_VALID),
        }  # fmt: skip
        if test:
            content["test/behaviors"] = behaviors(TEST, False, [False, True])
            content["test/history"] = history(PAST)
        for name, table in {**content, **changed}.items():
            path = root / f"{name}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(table, bytes):
                path.write_bytes(table)
            elif table is not None:
                pq.write_table(table, path)
        return root

    return write


@pytest.fixture
def read_ebnerd(tmp_path):
    def read(root):
        source = EBNeRD(EBNeRD.Config(path=str(root)))
        return convert(source, Call(op="publisher"), tmp_path / "cache")

    return read


def test_items_have_text_ids_and_no_totals(write_ebnerd, read_ebnerd):
    frame = read_ebnerd(write_ebnerd()).items().set_index("item_id")
    assert list(frame.index) == ["3001353", "3003065", "3012771", "3014"]
    assert frame.loc["3012771", "title"] == "Ærø"
    assert frame.loc["3012771", "subtitle"] == ""
    assert list(frame.loc["3003065", "subcategory"]) == ["433", "434"]
    assert [len(topics) for topics in frame["topics"]] == [2, 1, 0, 0]
    assert frame.loc["3003065", "category"] == "underholdning"
    assert "total_inviews" not in frame


def test_rows_agree_with_a_slow_reader(write_ebnerd, read_ebnerd):
    tables = read_ebnerd(write_ebnerd(test=True))
    known = {"3001353", "3003065", "3012771", "3014"}
    expected = []
    for part, rows, past in (
        ("train", TRAIN, PAST), ("validation", VALID, PAST_VALID), ("test", TEST[:1], PAST),
    ):  # fmt: skip
        for impression, user, time, view, clicked in rows:
            clicks = [str(c) for c in past.get(user, []) if str(c) in known]
            for item in view:
                if str(item) in known:
                    label = None if clicked is None else float(item in clicked)
                    name = f"{part}/{impression}"
                    expected.append((name, str(user), clicks, str(item), label, time))
    histories = {
        h: (u, list(c)) for h, u, c in tables.histories().itertuples(index=False, name=None)
    }
    frame = tables.interactions()
    names = ["impression_id", "history_id", "item_id", "label", "time"]
    found = [
        (i, *histories[h], item, None if label != label else label, time.to_pydatetime())
        for i, h, item, label, time in frame[names].itertuples(index=False, name=None)
    ]
    assert found == expected
    splits = dict(zip(frame["impression_id"], frame["split"], strict=True))
    assert splits["validation/48401"] == "test"
    assert splits["test/6"] == "predict"


def test_losses_are_counted_by_part(write_ebnerd, read_ebnerd):
    report = read_ebnerd(write_ebnerd(test=True)).report
    drops = {(d.reason, d.part): (d.count, d.examples) for d in report.drops}
    where = "train/behaviors.parquet:3: 99"
    assert drops["unknown item as a candidate", "train"] == (1, (where,))
    where = "train/history.parquet:1: 77"
    assert drops["unknown item in a history", "train"] == (1, (where,))
    assert drops["impression without candidates", "train"][0] == 1
    assert drops["row for measures beyond accuracy", "test"] == (1, ())
    # The user of 48405 has no row of history and is scored with none.
    assert report.parts["train"].cold == 1


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({"train/history": history(PAST).drop_columns("user_id")}, "E0621", "column `user_id`"),
        ({"articles": ARTICLES.drop_columns("title")}, "E0621", "column `title`"),
        ({"validation/behaviors": b"PAR1 is not all"}, "E0622", "validation/behaviors.parquet"),
        ({"train/history": None}, "E0620", "history.parquet"),
    ],
)
def test_other_layouts_are_refused(write_ebnerd, read_ebnerd, changed, code, said):
    with pytest.raises(LegoError) as error:
        read_ebnerd(write_ebnerd(**changed))
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == code
    assert said in diagnostic.message


def test_clicks_of_histories_count_once_and_articles_have_their_time(
    write_ebnerd, read_ebnerd, tmp_path
):
    """The history of the later part holds the click on an impression of the first, and both parts
    hold one from before; the impression of the first part, without a time of its own, is not it."""
    import numpy as np

    from legoc.data.indexing.context import build_context
    from legoc.data.indexing.index import name_items

    published = [datetime(2023, 5, 1), None, None, datetime(2023, 6, 1)]
    articles = ARTICLES.append_column("published_time", pa.array(published, pa.timestamp("us")))
    shown, before = TRAIN[0][2], datetime(2023, 5, 3, 12)
    past = history({22779: [3001353, 3001353], 7: [3001353]}).append_column(
        "impression_time_fixed",
        pa.array([[before, datetime(2023, 5, 4)], [before]], pa.large_list(pa.timestamp("us"))),
    )
    later = history({22779: [3001353, 3003065, 77]}).append_column(
        "impression_time_fixed",
        pa.array([[before, shown, shown]], pa.large_list(pa.timestamp("us"))),
    )
    root = write_ebnerd(articles=articles, **{"train/history": past, "validation/history": later})
    tables = read_ebnerd(root)
    known = name_items(tables)
    calls = (
        Call(op="popularity", args={"hours": None, "days": None}), Call(op="age", args={}),
    )  # fmt: skip
    context = build_context(tables, calls, len(known), tmp_path / "cache")
    items = np.array([known.ids.index(n) for n in ("3001353", "3003065", "3014")], np.int32)
    moment = int(np.datetime64("2023-05-25T00:00:00", "us").astype(np.int64))
    count, age = context.at(items, np.full(3, moment)).T
    # Two users and two clicks of one of them; one click of an impression; two clicks of train.
    assert count.tolist() == [3, 1, 1]
    since = datetime(2023, 5, 25) - datetime(2023, 5, 18, 7)
    assert age[0] == 24 * 24
    assert age[1] == pytest.approx((datetime(2023, 5, 25) - shown).total_seconds() / 3600)
    assert 0 < age[2] <= since.total_seconds() / 3600, "shown before it was published, so it seems"
