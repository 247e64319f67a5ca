"""The Netflix Prize in both layouts: films with commas, blocks of ratings, the tar as it is."""

import io
import tarfile
from datetime import datetime

import pytest

from legoc.data.sources.netflix import Netflix
from legoc.language.diagnosing.diagnostics import LegoError
from tests.data.logs import drops, moments, places, read_with, table_moments, write_text


TITLES = (
    '1,2003,Dinosaur Planet\n2,2004,Isle of Man TT, 2004: The Review\n3,NULL,Pok\xe9mon "X"\n'
    '10,1997,"Quoted", and more, commas\n'
)
# film -> ratings
BLOCKS = {
    "1": [("1488844", 3, "2005-09-06"), ("822109", 5, "2005-05-13"), ("7", 1, "2004-01-02")],
    "2": [("7", 4, "2005-05-13"), ("1488844", 5, "2005-09-06")],
    "3": [("822109", 2, "2005-05-13"), ("7", 5, "2003-12-31"), ("1488844", 1, "2005-09-07")],
    "10": [("7", 5, "2005-09-06"), ("822109", 4, "2005-05-14")],
}


def block(film):
    return f"{film}:\n" + "".join(f"{u},{s},{d}\n" for u, s, d in BLOCKS[film])


def log():
    return [
        (u, film, int(s > 3), datetime.fromisoformat(d).timestamp())
        for film, rows in BLOCKS.items()
        for u, s, d in rows
        if s != 3
    ]


def write_kaggle(root, ending=""):
    write_text(root / f"movie_titles.csv{ending}", TITLES, "iso-8859-1")
    parts = [block("1"), block("2") + block("3"), "", block("10")]
    for number, text in enumerate(parts, 1):
        write_text(root / f"combined_data_{number}.txt{ending}", text)
    return root


def write_first(root):
    write_text(root / "movie_titles.txt", TITLES, "iso-8859-1")
    for film in BLOCKS:
        write_text(root / "training_set" / f"mv_{int(film):07d}.txt", block(film))
    return root


def write_tar(root):
    write_text(root / "movie_titles.txt", TITLES, "iso-8859-1")
    with tarfile.open(root / "training_set.tar", "w") as archive:
        for film in reversed(list(BLOCKS)):
            info = tarfile.TarInfo(f"training_set/mv_{int(film):07d}.txt")
            info.size = len(block(film))
            archive.addfile(info, io.BytesIO(block(film).encode()))
    return root


def write_packed(root):
    return write_kaggle(root, ".gz")


def source(root, **settings):
    return Netflix(Netflix.Config(path=str(root), **settings))


@pytest.mark.parametrize("write", [write_kaggle, write_packed, write_first, write_tar])
def test_every_layout_gives_the_same_log(tmp_path, write):
    tables = read_with(source(write(tmp_path / "raw")), tmp_path / "cache")
    assert table_moments(tables) == moments(log())
    items = tables.items().set_index("item_id")
    assert items.loc["2", "title"] == "Isle of Man TT, 2004: The Review"
    assert items.loc["3", "title"] == 'Pokémon "X"'
    assert items.loc["10", "title"] == '"Quoted", and more, commas'
    assert items["year"].fillna(0).to_dict() == {"1": 2003, "2": 2004, "3": 0, "10": 1997}
    found = drops(tables)
    # One of the four files is empty here, which is counted.
    assert found.pop("empty file", 0) == (write is write_kaggle)
    assert found == {"rating of 3, neither liked nor disliked": 1}


def test_what_happens_on_one_day_is_no_history_of_the_same_day(tmp_path):
    tables = read_with(source(write_kaggle(tmp_path / "raw")), tmp_path / "cache")
    told = tables.histories().set_index("history_id")
    frame = tables.interactions()
    day = frame[frame["time"] == "2005-05-13"]
    clicks = {told.loc[h, "user_id"]: list(told.loc[h, "clicks"]) for h in day["history_id"]}
    assert clicks == {"822109": [], "7": ["3"]}


def test_a_missing_quarter_stops(tmp_path):
    root = write_kaggle(tmp_path / "raw")
    (root / "combined_data_3.txt").unlink()
    with pytest.raises(LegoError) as error:
        read_with(source(root), tmp_path / "cache")
    assert error.value.diagnostics[0].code == "E0620"
    assert "combined_data_3.txt" in error.value.diagnostics[0].message


def test_broken_lines_are_counted_and_a_broken_start_stops(tmp_path):
    root = write_kaggle(tmp_path / "raw")
    with (root / "combined_data_4.txt").open("a") as file:
        file.write("7;5;2005-01-01\n7,5,2005-13-01\n99:\n7,5,2005-01-01\n")
    tables = read_with(source(root), tmp_path / "cache")
    assert places(tables) == {
        "empty file": ("raw/combined_data_3.txt",),
        "line that is no rating": ("combined_data_4.txt:4: 7;5;2005-01-01",),
        "rating of an unknown item": ("combined_data_4.txt:7: 99",),
        "rating whose time cannot be read": ("combined_data_4.txt:5: 7",),
    }
    write_text(root / "combined_data_1.txt", "7,5,2005-01-01\n")
    with pytest.raises(LegoError) as error:
        read_with(source(root), tmp_path / "cache")
    assert error.value.diagnostics[0].code == "E0621"


def test_a_damaged_archive_is_named(tmp_path):
    root = write_tar(tmp_path / "raw")
    path = root / "training_set.tar"
    path.write_bytes(b"not a tar" * 200)
    with pytest.raises(LegoError) as error:
        read_with(source(root), tmp_path / "cache")
    assert error.value.diagnostics[0].code == "E0622"
