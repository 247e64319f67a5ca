"""Sources whose order is the place in a list: what stands for time counts what is kept, and what a
split means is said."""

import pytest

from legoc.data.sources.lastfm import LastFM
from legoc.data.sources.pog import POG
from legoc.data.sources.steam import Steam
from legoc.data.sources.tables import Tables
from legoc.language import load
from legoc.language.ir.spec import Call
from tests.data.clickstreams import read, write
from tests.data.logs import TIME, read_with
from tests.data.test_page import suspect
from tests.data.test_tables import ITEMS, clicks, write_folder


APPS = "".join(f"{n},Game {n},game,1,2000,-1,0,0\n" for n in range(1, 9))
ARTISTS = "id\tname\turl\tpictureURL\n" + "".join(f"{n}\tArtist {n}\tx\ty\n" for n in range(1, 9))
LISTS = {"u1": [1, 99, 98, 2, 3], "u2": [97, 4], "u3": [5, 6, 96, 7, 8], "u1 again": [95, 4, 5]}


def places(tables):
    """{(user, item): what stands for its time, in seconds}."""
    frame = tables.interactions().merge(tables.histories(), on="history_id")
    return {
        (row.user_id, row.item_id): int(row.time.timestamp())
        for row in frame.itertuples(index=False)
    }


def kept():
    """Places in the lists without items that nobody knows, by a loop."""
    found, seen = {}, {}
    for name, items in LISTS.items():
        user = name.split()[0]
        for item in items:
            if item < 90:
                found.setdefault((user, str(item)), seen.get(user, 0))
                seen[user] = seen.get(user, 0) + 1
    return found


def steam(root):
    lines = "".join(f"{u.split()[0]},{','.join(map(str, i))}\n" for u, i in LISTS.items())
    return write(root / "steam", App_ID_Info__txt=APPS, train_game__txt=lines)


def hetrec(root):
    rows = [f"{u.split()[0]}\t{item}\t1\n" for u, items in LISTS.items() for item in items]
    log = "userID\tartistID\tweight\n" + "".join(rows)
    return write(root / "hetrec", artists__dat=ARTISTS, user_artists__dat=log)


def pog(root):
    items = "".join(f"{n},c,p,title {n}\n" for n in range(1, 9))
    lines = "".join(f"{u.split()[0]},{';'.join(map(str, i))},o1\n" for u, i in LISTS.items())
    return write(root / "pog", item_data__txt=items, user_data__txt=lines)


SOURCES = [(Steam, steam), (LastFM, hetrec), (POG, pog)]


@pytest.mark.parametrize(("source", "make"), SOURCES)
def test_places_count_what_is_kept(tmp_path, source, make):
    root = make(tmp_path)
    assert places(read(source, root, tmp_path / "cache", TIME)) == kept()


@pytest.mark.parametrize(("source", "make"), SOURCES)
def test_what_a_split_means_is_said(tmp_path, source, make):
    root = make(tmp_path)
    tables = read(source, root, tmp_path / "cache", TIME)
    assert any("far down in long lists" in note for note in tables.report.notes)
    tables = read(source, root, tmp_path / "cache")
    assert any("need not be the latest" in note for note in tables.report.notes)
    # Places are no times, so nothing is later than anything of another user.
    with tables.connect() as connection:
        assert not any("later than" in text for text in suspect(connection, tables.report))


def test_rows_of_ones_own_without_times(tmp_path):
    rows = [{"user_id": u, "item_id": i} for u, i, _ in clicks()]
    root = write_folder(tmp_path / "own", items=ITEMS, interactions=rows)
    source = Tables(Tables.Config(path=str(root), negatives=0))
    notes = read_with(source, tmp_path / "cache").report.notes
    assert any("cuts the file by its rows" in note for note in notes)


PIPELINE = "\nmodel m = content Pooling -> behavior Additive -> predict Dot\nrun m on d\n"


def test_hetrec_is_split_by_user_unless_the_spec_says_otherwise(tmp_path):
    path = tmp_path / "a.lego"

    def split(root, more=""):
        text = f'data d {{ source = LastFM("{root}") content = [artist(8)] {more} }}{PIPELINE}'
        path.write_text(text, encoding="utf-8")
        (spec,) = load(path)
        return spec.data.split

    root = hetrec(tmp_path)
    assert split(root) == Call(op="user", args={"valid": 0.1, "test": 0.1})
    assert split(root, "split = leave_one_out").op == "leave_one_out"
    plays = write(
        tmp_path / "plays",
        **{"userid-timestamp-artid-artname-traid-traname__tsv": "", "user_artists__dat": ""},
    )
    assert split(plays).op == "time"
    assert split(tmp_path / "nowhere").op == "time"
