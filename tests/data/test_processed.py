"""Folders as RecBench and Legommenders write them, on files written here."""

import numpy as np
import pandas as pd
import pytest

from legoc.data.indexing.tables import convert
from legoc.data.sources.legommenders import Legommenders
from legoc.data.sources.recbench import RecBench
from legoc.language.checking import check
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call


ITEMS = {
    "nid": ["N1", "N2", "N3", "N4", "N2"],
    "cat": ["news", "tv", "news", None, "again"],
    "title": ["One", "NA", None, 'Four "4"', "again"],
    "year": [1999.0, None, 2001.0, 2002.0, 0.0],
    "tags": [["a", "b"], [], None, ["c"], []],
}
USERS = {"uid": ["U1", "U2", "U3", "U1"], "history": [["N1", "N9", "N2"], [], ["N4"], ["N3"]]}
FINETUNE = [("U2", "N3", 0), ("U2", "N1", 1), ("U3", "N1", 1), ("U3", "N9", 0), ("U3", "N2", 0)]
TEST = [("U1", "N3", 0), ("U1", "N4", 1), ("U4", "N4", 1), ("U1", "N1", 2), (None, "N1", 0)]


def write(folder, **tables):
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        frame = (
            pd.DataFrame(table)
            if isinstance(table, dict)
            else pd.DataFrame(table, columns=["uid", "nid", "click"])
        )
        frame.to_parquet(folder / f"{name}.parquet")
    return folder


@pytest.fixture
def recbench(tmp_path):
    root = write(
        tmp_path / "mind", items=ITEMS, users=USERS, finetune=FINETUNE, test=TEST,
        interactions=[*TEST[:2], *FINETUNE],
    )  # fmt: skip
    (root / "valid_user_set_0.1.txt").write_text("U3\n\nU77\n", "utf-8")
    (root / "meta.json").write_text("{}", "utf-8")
    return root


def read(source, root, tmp_path, split="publisher", **settings):
    made = source(source.Config(path=str(root), **settings))
    return convert(made, Call(op=split), tmp_path / "cache")


def rows(tables):
    histories = tables.histories().set_index("history_id")["clicks"]
    return [
        (row.split, row.impression_id, list(histories[row.history_id]), row.item_id, row.label)
        for row in tables.interactions().itertuples()
    ]


EXPECTED = [
    ("train", "train/U2", [], "N3", 0), ("train", "train/U2", [], "N1", 1),
    ("valid", "valid/U3", ["N4"], "N1", 1), ("valid", "valid/U3", ["N4"], "N2", 0),
    ("test", "test/U1", ["N1", "N2"], "N3", 0), ("test", "test/U1", ["N1", "N2"], "N4", 1),
    ("test", "test/U4", [], "N4", 1),
]  # fmt: skip


def test_the_parts_of_recbench(recbench, tmp_path):
    tables = read(RecBench, recbench, tmp_path)
    assert rows(tables) == EXPECTED
    frame = tables.items().set_index("item_id")
    assert list(frame.index) == ["N1", "N2", "N3", "N4"]
    assert list(frame["title"]) == ["One", "NA", "", 'Four "4"']
    assert list(frame["cat"]) == ["news", "tv", "news", ""]
    assert [list(tags) for tags in frame["tags"]] == [["a", "b"], [], [], ["c"]]
    assert np.isnan(frame.loc["N2", "year"])
    drops = {d.reason: (d.count, d.examples[0]) for d in tables.report.drops}
    assert drops == {
        "item id again with another text": (1, "items.parquet:5: N2"),
        "interaction without a user": (1, "test.parquet:5: N1"),
        "interaction whose label is not 0 or 1": (1, "test.parquet:4: U1"),
        "user again": (1, "users.parquet:4: U1"),
        "user without a record": (1, "test.parquet:3: U4"),
        "unknown item in a history": (1, "users.parquet:1: N9"),
        "unknown item as a candidate": (1, "finetune.parquet:3: N9"),
    }


def test_all_interactions_under_another_split(recbench, tmp_path):
    tables = read(RecBench, recbench, tmp_path, "user", log="interactions")
    assert {row[1] for row in rows(tables)} == {"log/U1", "log/U2", "log/U3"}


def test_sets_that_lack_a_part(recbench, tmp_path):
    (recbench / "test.parquet").unlink()
    assert rows(read(RecBench, recbench, tmp_path)) == EXPECTED[:4]
    (recbench / "valid_user_set_0.1.txt").unlink()
    with pytest.raises(LegoError) as caught:
        read(RecBench, recbench, tmp_path)
    assert caught.value.diagnostics[0].code == "E0623"
    (recbench / "finetune.parquet").unlink()
    with pytest.raises(LegoError) as caught:
        read(RecBench, recbench, tmp_path)
    assert caught.value.diagnostics[0].code == "E0620"


def test_without_the_list_the_last_tenth_of_the_users_is_valid(tmp_path):
    users = {"uid": [f"U{n}" for n in range(20)], "history": [["N1"]] * 20}
    finetune = [(f"U{n}", "N2", n % 2) for n in range(19)]
    root = write(
        tmp_path / "m", items=ITEMS, users=users, finetune=finetune, test=[("U19", "N3", 1)]
    )
    found = {row[1]: row[0] for row in rows(read(RecBench, root, tmp_path))}
    assert [name for name, split in found.items() if split == "valid"] == ["train/U17", "train/U18"]
    assert found["test/U19"] == "test"


def test_ids_that_are_numbers_or_have_an_index_column(tmp_path):
    items = {"article_id": [108775015, 7], "detail_desc": ["a", "b"], "prompt": ["x", "x"],
             "prompt_detail_desc": ["D", "D"]}  # fmt: skip
    log = pd.DataFrame(
        {"customer_id": [5.0, 5.0], "article_id": [7.0, 108775015.0], "click": [1, 0]}, index=[3, 9]
    )
    users = {"customer_id": [5, 6], "history": [[7.0, 108775015.0], [7.0]], "neg": [[7], []]}
    root = write(tmp_path / "hm", items=items, users=users)
    for part in ("train", "valid"):
        log.to_parquet(root / f"{part}.parquet")
    tables = read(Legommenders, root, tmp_path)
    assert list(tables.items().columns) == ["item_id", "detail_desc"]
    assert rows(tables) == [
        (part, f"{part}/5", ["7", "108775015"], item, label)
        for part in ("train", "valid")
        for item, label in (("7", 1), ("108775015", 0))
    ]
    assert tables.report.drops == ()


def test_the_parts_of_legommenders_with_the_impressions_of_once(tmp_path):
    def log(*given):
        return dict(zip(("imp", "uid", "nid", "click"), zip(*given, strict=True), strict=True))

    root = write(
        tmp_path / "oncemind", items=ITEMS, users={**USERS, "region": ["a", None, "c", "d"]},
        train=log((1, "U1", "N3", 1), (2, "U1", "N4", 0), (1, "U1", "N4", 0)),
        valid=log((3, "U2", "N3", 1)), test=log((4, "U3", "N3", 0)),
    )  # fmt: skip
    tables = read(Legommenders, root, tmp_path)
    assert [row[:2] + row[3:] for row in rows(tables)] == [
        ("train", "train/1", "N3", 1), ("train", "train/1", "N4", 0), ("train", "train/2", "N4", 0),
        ("valid", "valid/3", "N3", 1), ("test", "test/4", "N3", 0),
    ]  # fmt: skip
    users = tables.users().set_index("user_id")
    assert dict(users["region"]) == {"U1": "a", "U2": "", "U3": "c"}


def test_columns_that_cannot_be_told(recbench, tmp_path):
    write(recbench, items={**ITEMS, "uid": ["a"] * 5})
    with pytest.raises(LegoError) as caught:
        read(RecBench, recbench, tmp_path)
    (found,) = caught.value.diagnostics
    assert found.code == "E0621"
    assert "share `uid`, `nid`" in found.message
    assert rows(read(RecBench, recbench, tmp_path, item="nid", user="uid")) == EXPECTED
    with pytest.raises(LegoError) as caught:
        read(RecBench, recbench, tmp_path, item="bid", user="uid")
    assert "`items.parquet` has no column `bid`" in caught.value.diagnostics[0].message
    write(recbench, items=ITEMS, users={"uid": ["U1"], "clicks": [["N1"]]})
    with pytest.raises(LegoError) as caught:
        read(RecBench, recbench, tmp_path)
    assert "the users have no column `history`" in caught.value.diagnostics[0].message


@pytest.mark.parametrize("name", ["items", "finetune"])
def test_a_file_that_is_no_parquet(recbench, tmp_path, name):
    path = recbench / f"{name}.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LegoError) as caught:
        read(RecBench, recbench, tmp_path)
    assert caught.value.diagnostics[0].code == "E0622"
    assert f"`{name}.parquet`" in caught.value.diagnostics[0].message
    # Its end is whole and its pages are not.
    path.write_bytes(whole[:4] + bytes(60) + whole[64:])
    with pytest.raises(LegoError) as caught:
        read(RecBench, recbench, tmp_path)
    assert caught.value.diagnostics[0].code == "E0622"


def test_a_folder_of_depots_alone(tmp_path):
    root = tmp_path / "mind"
    (root / "items").mkdir(parents=True)
    (root / "items" / "meta.json").write_text("{}", "utf-8")
    with pytest.raises(LegoError) as caught:
        read(Legommenders, root, tmp_path)
    (found,) = caught.value.diagnostics
    assert found.code == "E0620"
    assert "holds tokens, no text" in found.message


def test_the_check_knows_the_columns(recbench, tmp_path):
    def codes(fields, source='RecBench("mind")'):
        (tmp_path / "a.lego").write_text(
            f"data d {{ source = {source}\n {fields} }}\n"
            "model m = content CNN(hidden=8) -> behavior Additive -> predict Dot\nrun m on d\n",
            "utf-8",
        )
        checked = check(tmp_path / "a.lego")
        specs = [(spec.data.split.op, spec.data.group) for spec in checked.specs]
        return {found.code for found in checked.diagnostics}, specs

    assert codes("content = [title(8), cat, year, tags]") == (set(), [("publisher", "user")])
    assert codes("content = [titel(8)]")[0] == {"E0601"}
    assert codes("content = [nid]")[0] == {"E0601"}
    every = 'RecBench("mind", log=interactions)'
    assert codes("content = [title(8)]", every) == (set(), [("time", "user")])
    assert codes("content = [title(8)]\n split = publisher", every)[0] == {"E0603"}
    assert codes("content = [title(8)]\n split = user", every) == (set(), [("user", "user")])
