"""Last.fm 1K and HetRec: newest first, empty ids, lone quotes, empty last columns."""

import pytest

from legoc.data.sources.lastfm import PLAYS, PROFILES, LastFM
from legoc.language.diagnosing.diagnostics import LegoError
from tests.data.clickstreams import losses, read, rows_of, slow_rows, write


ROWS = (
    'user_000001\t2009-05-04T23:08:57Z\ta1\tDeep Dish\t\tFuck Me Im Famous "live\n'
    "user_000001\t2009-05-04T13:54:10Z\t\tNobody\tt2\tComposition 0919 (Live)\n"
    "user_000001\t2009-05-04T13:52:04Z\ta1\tDeep Dish\tt1\tMc2\n"
    "user_000002\t2009-05-04T13:42:52Z\ta1\tDeep Dish\tt3\tMc2\n"
    "user_000002\tyesterday\ta1\tDeep Dish\tt3\tMc2\n"
    "user_000002\t2009-05-03T13:42:52Z\ta1\tDeep Dish\t\t\n"
)
LIVE = 'Deep Dish / Fuck Me Im Famous "live'
CLICKS = [
    ("user_000001", LIVE, 23), ("user_000001", "t2", 15), ("user_000001", "t1", 13),
    ("user_000002", "t3", 13),
]  # fmt: skip
PEOPLE = (
    "#id\tgender\tage\tcountry\tregistered\n"
    "user_000001\tm\t\tJapan\tAug 13, 2006\nuser_000002\tf\t24\tPeru\tFeb 24, 2006\n"
)


def test_plays_agree_with_a_slow_reader(tmp_path):
    root = write(tmp_path / "lastfm", **{PLAYS: ROWS, PROFILES: PEOPLE})
    tables = read(LastFM, root, tmp_path / "cache")
    assert rows_of(tables) == slow_rows(CLICKS)
    items = tables.items().set_index("item_id")
    # One title under two ids is two items.
    assert list(items["track"]) == ['Fuck Me Im Famous "live', "Composition 0919 (Live)", "Mc2",
                                    "Mc2"]  # fmt: skip
    assert items.loc["t2", "artist"] == "Nobody"
    found = losses(tables)
    assert found["click whose time cannot be read"] == (1, f"{PLAYS}:5: user_000002")
    assert found["click on an unknown item"] == (1, f"{PLAYS}:6")
    # The header of the profiles is no user.
    assert "value that is not a number" not in found
    users = tables.users().set_index("user_id")
    assert users.loc["user_000002", "age"] == 24
    assert users.loc["user_000001", "country"] == "Japan"
    assert users["age"].isna().sum() == 1
    assert any(note.startswith("2 plays") for note in tables.report.notes)


def test_artists_of_hetrec(tmp_path):
    root = write(
        tmp_path / "hetrec",
        artists__dat='id\tname\turl\tpictureURL\n1\t"MALICE MIZER\thttp\tpic\n2\tBjörk\thttp\t\n',
        user_artists__dat="userID\tartistID\tweight\n2\t2\t13883\n2\t1\t11690\n2\t51\t3\n3\t1\t1\n",
    )
    tables = read(LastFM, root, tmp_path / "cache")
    assert rows_of(tables) == slow_rows([("2", "2", 2), ("2", "1", 3), ("3", "1", 5)])
    assert list(tables.items()["artist"]) == ['"MALICE MIZER', "Björk"]
    assert losses(tables)["click on an unknown item"] == (1, "user_artists.dat:4: 51")
    assert tables.report.coverage == {"track": 0.0, "artist": 1.0}


def test_another_header_and_no_files(tmp_path):
    root = write(
        tmp_path / "x", artists__dat="id\tname\n", user_artists__dat="user\tartist\n1\t2\n"
    )
    with pytest.raises(LegoError) as error:
        read(LastFM, root, tmp_path / "cache")
    assert "`user_artists.dat` line 1" in error.value.diagnostics[0].message
    with pytest.raises(LegoError) as error:
        read(LastFM, tmp_path, tmp_path / "cache")
    assert error.value.diagnostics[0].code == "E0620"
