"""Steam in both releases: Python literals, prices in words, ragged lines, garbled names."""

import gzip

import pytest

from legoc.data.sources.steam import Steam
from legoc.data.sources.steam_scgrec import mend
from legoc.language.diagnosing.diagnostics import LegoError
from tests.data.clickstreams import losses, read, rows_of, slow_rows, write


GAMES = (
    "{u'id': u'10', u'app_name': u'Counter', u'title': u'Counter-Strike', "
    "u'genres': [u'Action'], u'tags': [u'FPS'], u'developer': u'Valve', u'price': 9.99}\n"
    "{u'id': u'20', u'app_name': u'TFC', u'price': u'Free To Play', u'early_access': False}\n"
    "{u'url': u'http://x', u'title': None}\n"
    "{u'id': u'10', u'title': u'again', u'price': u'Install Now'}\n"
    "{u'id': u'30', u'title': u'L\\xe9o'}\n"
)
OWNED = (
    "{'user_id': 'anna', 'items_count': 2, 'items': [{'item_id': '20', 'playtime_forever': 6}, "
    "{'item_id': '10', 'playtime_forever': 0}]}\n"
    "{'user_id': 'bert', 'items': []}\n"
    "{'user_id': 'anna', 'items': [{'item_id': '30'}, {'item_id': '999'}]}\n"
)
REVIEWED = (
    "{'user_id': 'anna', 'reviews': [{'posted': 'Posted November 5, 2011.', 'item_id': '20', "
    "'recommend': True}, {'posted': 'Posted July 15, 2011.', 'item_id': '10', 'recommend': True}, "
    "{'posted': 'Posted July 16, 2011.', 'item_id': '30', 'recommend': False}, "
    "{'posted': 'Posted February 3.', 'item_id': '30', 'recommend': True}]}\n"
)
DATED = (
    "{u'username': u'anna', u'product_id': u'20', u'date': u'2017-12-17', u'text': u'caf\\xe9'}\n"
    "{u'username': u'anna', u'product_id': u'10', u'date': u'2016-01-02'}\n"
    "{u'username': u'bert', u'product_id': u'10', u'date': u'2016'}\n"
)


def ucsd(tmp_path, **logs):
    packed = {f"{name}__json__gz": gzip.compress(text.encode()) for name, text in logs.items()}
    return write(tmp_path / "steam", steam_games__json__gz=gzip.compress(GAMES.encode()), **packed)


def test_owned_games_of_ucsd(tmp_path):
    root = ucsd(tmp_path, australian_users_items=OWNED)
    tables = read(Steam, root, tmp_path / "cache", log="owned")
    assert rows_of(tables) == slow_rows([("anna", "20", 0), ("anna", "10", 1), ("anna", "30", 2)])
    items = tables.items().set_index("item_id")
    assert dict(items["title"]) == {"10": "Counter-Strike", "20": "TFC", "30": "Léo"}
    assert list(items.loc["10", "genres"]) == ["Action"]
    assert list(items.loc["10", "developer"]) == ["Valve"]
    assert (items.loc["10", "price"], items.loc["20", "price"]) == (9.99, 0.0)
    assert items["price"].isna().sum() == 1
    found = losses(tables)
    assert found["item without an id"] == (1, "steam_games.json.gz:3")
    assert found["item id again with another text"] == (1, "steam_games.json.gz:4: 10")
    assert found["click on an unknown item"][0] == 1


def test_recommendations_of_ucsd_are_labels(tmp_path):
    root = ucsd(tmp_path, australian_user_reviews=REVIEWED)
    tables = read(Steam, root, tmp_path / "cache")
    found = [(row[1], row[2], row[3]) for row in rows_of(tables)]
    assert found == [((), "10", 1), (("10",), "20", 1), (("10",), "30", 0)]
    assert losses(tables)["click whose time cannot be read"][0] == 1


def test_dated_reviews_of_ucsd(tmp_path):
    root = ucsd(tmp_path, steam_reviews=DATED)
    tables = read(Steam, root, tmp_path / "cache")
    assert rows_of(tables) == slow_rows([("anna", "20", 2), ("anna", "10", 1)])


APPS = (
    '10,Counter-Strike,game,9.99,2000-11-01 00:00:00,88,0,1\n20,"Half, Life",game,,2000,-1,0,0\n'
    "30,PokÃ©mon,game,x,2000-11-01 00:00:00,-1,0,1\n40,A, B,game,1,2000,-1,0,0\n"
)
LINES = "u1,10,20,30,10\nu2,999\nu3,30\nu4,\n"


def scgrec(tmp_path, **files):
    content = {"App_ID_Info__txt": APPS, "train_game__txt": LINES, **files}
    return write(tmp_path / "scgrec", **content)


def test_games_of_scgrec(tmp_path):
    root = scgrec(
        tmp_path, Games_Genres__txt="10,Action\n10,Indie\n99\n",
        Games_Publishers__txt="30,Valve, Inc.\n", train_time__txt="u1,5,\\N,3,9\n",
    )  # fmt: skip
    tables = read(Steam, root, tmp_path / "cache")
    clicks = [("u1", "10", 0), ("u1", "20", 1), ("u1", "30", 2), ("u1", "10", 3), ("u3", "30", 0)]
    assert rows_of(tables) == slow_rows(clicks)
    items = tables.items().set_index("item_id")
    assert dict(items["title"]) == {"10": "Counter-Strike", "20": "Half, Life", "30": "Pokémon"}
    assert list(items.loc["10", "genres"]) == ["Action", "Indie"]
    assert list(items.loc["30", "publisher"]) == ["Valve, Inc."]
    assert items["price"].isna().sum() == 2
    found = losses(tables)
    assert found["row with another number of columns"] == (2, "Games_Genres.txt:3: 99")
    assert found["click on an unknown item"] == (1, "train_game.txt:2: 999")
    assert found["user without a game"] == (1, "train_game.txt:4: u4")


def test_names_are_mended_only_where_they_were_garbled():
    assert [mend(text) for text in ("plain", "Léo", "PokÃ©mon", "東京")] == [
        "plain", "Léo", "Pokémon", "東京",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "code", "said"),
    [
        ({"App_ID_Info__txt": "10;Counter-Strike\n"}, "E0621", "`App_ID_Info.txt` line 1"),
        ({"App_ID_Info__txt": b"10,\xff,game,1,2,3,4,5\n"}, "E0622", "line 1"),
    ],
)
def test_other_layouts_are_refused(tmp_path, files, code, said):
    with pytest.raises(LegoError) as error:
        read(Steam, scgrec(tmp_path, **files), tmp_path / "cache")
    (diagnostic,) = error.value.diagnostics
    assert (diagnostic.code, said in diagnostic.message) == (code, True)


def test_missing_logs_name_what_would_do(tmp_path):
    root = ucsd(tmp_path)
    with pytest.raises(LegoError) as error:
        read(Steam, root, tmp_path / "cache")
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "E0620"
    assert "australian_user_reviews.json" in "".join(diagnostic.notes)
