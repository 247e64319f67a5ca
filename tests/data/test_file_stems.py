"""Attributes of any name: their files are plain, inside their folder, and nobody else's."""

import csv
import random
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

import legoc
from legoc.data.reading.file_stems import file_stem
from legoc.language.syntax.names import written_call


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=90)


@given(NAMES)
def test_a_name_of_a_file_is_one_plain_part(name: str) -> None:
    found = file_stem(name)
    assert not set(found) & set('/\\:.*?"<>|\0')
    assert found == found.strip()
    assert 0 < len(found.encode()) <= 120
    assert PurePosixPath(found).parts == PureWindowsPath(found).parts == (found,)


@given(st.sets(NAMES, max_size=20))
def test_two_attributes_never_share_a_file(names: set[str]) -> None:
    assert len({file_stem(name) for name in names}) == len(names)


@pytest.mark.parametrize("name", ["title", "category_2"])
def test_a_plain_name_is_kept(name: str) -> None:
    assert file_stem(name) == name


def test_the_ids_of_users_keep_their_file() -> None:
    assert file_stem("users") != "users"


COLUMNS = (
    "title", "title.lengths", "Product Title", "标题", "title:token_seq", "x/y", "../evil", "users",
    "back\\slash", "per%cent", "c:ategory", "tokens",
)  # fmt: skip


def test_a_table_with_such_columns_goes_all_the_way(tmp_path: Path) -> None:
    draw = random.Random(1)
    with (tmp_path / "items.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["item_id", *COLUMNS])
        for item in range(40):
            table.writerow([f"i{item}", *(f"w{draw.randrange(9)} v{item % 3}" for _ in COLUMNS)])
    with (tmp_path / "interactions.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["user_id", "item_id", "label", "time"])
        for at in range(400):
            row = [f"u{at % 30}", f"i{draw.randrange(40)}", draw.randrange(2), 1700000000 + 60 * at]
            table.writerow(row)
    texts = ", ".join(written_call(name, ("3",)) for name in COLUMNS[:7])
    others = ", ".join(written_call(name, ()) for name in COLUMNS[7:])
    spec = tmp_path / "m.lego"
    spec.write_text(
        f'data d {{ source = Tables(".", categories=[{quoted(COLUMNS[7:])}])\n'
        f"  content = [{texts}, {others}] }}\n"
        "train t { epochs = 1  batch = 256  task = ranking }\n"
        "model m = content CNN(hidden=8) -> behavior Additive -> predict Dot\nrun m on d with t\n",
        "utf-8",
    )
    (found,) = legoc.load(str(spec))
    result = legoc.train(found, runs=tmp_path / "runs", cache=tmp_path / "cache")
    bundle = Path(result.bundle)
    outside = [path for path in tmp_path.rglob("*evil*") if tmp_path / "cache" not in path.parents]
    assert all(bundle in path.parents for path in outside)
    names = {path.stem for path in (bundle / "vocabularies").iterdir()}
    assert names == {file_stem(name) for name in COLUMNS[7:]}


def quoted(names: tuple[str, ...]) -> str:
    return ", ".join('"' + name.replace("\\", "\\\\") + '"' for name in names)
