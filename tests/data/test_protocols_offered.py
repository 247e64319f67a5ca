"""Which splits the check offers a source, and that its tables can be made under each."""

import random

import pytest

from legoc.language.checking import check
from legoc.language.declaring.catalog import catalog
from legoc.language.ir.spec import Call
from tests.data.logs import RECBENCH, read_with
from tests.data.test_tables import ITEMS, LOG, error_of, source, write_folder


LEGOMMENDERS = Call(op="legommenders", args={**RECBENCH.args, "raw": False, "halves": None})
SMALL = {"test": 8, "train": 100, "valid": 0.2}
RNG = random.Random(1)
FOLDERS = {
    "clicks": LOG,
    "rated": [{**row, "rating": RNG.choice([1, 2, 4, 5])} for row in LOG],
    "pages": [
        {**row, "label": RNG.choice([0, 1]), "impression_id": n // 4} for n, row in enumerate(LOG)
    ],
}


def offered(tmp_path, given, split, attribute="title(8)"):
    """The codes of a check over a source and a split, but for a folder that is not there."""
    path = tmp_path / "a.lego"
    path.write_text(
        f"data d {{ source = {given}\n split = {split}\n content = [{attribute}] }}\n"
        "model m = content Null -> behavior Additive -> predict Dot\nrun m on d\n",
        "utf-8",
    )
    return {found.code for found in check(path).diagnostics} - {"W104"}


@pytest.mark.parametrize("name", [d.name for d in catalog().role("source")])
@pytest.mark.parametrize("split", ["time", "user", "leave_one_out"])
def test_general_splits_are_open_to_every_source(tmp_path, monkeypatch, name, split):
    monkeypatch.chdir(tmp_path)
    if name == "Tables":
        write_folder(tmp_path / "raw", items=ITEMS, interactions=LOG)
    more = ', translations="raw"' if name == "xMIND" else ""
    given = "Demo" if name == "Demo" else f'{name}("raw"{more})'
    first = next(iter(catalog().get("source", name).attributes), None)
    attribute = "title(8)" if first is None else first.name
    assert offered(tmp_path, given, split, attribute) == set()


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("split", [RECBENCH, LEGOMMENDERS, Call(op="leave_one_out")])
def test_ones_own_tables_take_every_split_that_is_offered(tmp_path, monkeypatch, name, split):
    monkeypatch.chdir(tmp_path)
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=FOLDERS[name])
    assert not offered(tmp_path, 'Tables("own")', split.op)
    call = Call(op=split.op, args={**split.args, **SMALL} if split.args else {})
    report = read_with(source(root), tmp_path / "cache", call).report
    assert list(report.parts) == ["train", "valid", "test"]
    # One's own attributes have no names that a protocol could ask for a text.
    assert report.items == len(ITEMS)


def test_a_protocol_that_makes_histories_refuses_those_of_the_tables(tmp_path):
    told = [{"user_id": f"0{n}", "clicks": "001 002"} for n in range(9)]
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=LOG, histories=told)
    found = error_of(lambda: read_with(source(root), tmp_path / "cache", RECBENCH))
    assert found.code == "E0623"
    assert "leave the table `histories` out" in found.help[0]
