"""POG: commas in titles, a user on many lines, an outfit that is no item, empty lists."""

from legoc.data.sources.pog import POG
from tests.data.clickstreams import losses, read, rows_of, slow_rows, write


ITEMS = "i1,c1,//img/1.jpg,连衣裙, 夏\ni2,c2,//img/2.jpg,鞋\ni3,c2,//img/3.jpg,\ni4,c9\n"
USERS = "u1,i1;i2;i1,o7\nu2,i3,o1\nu1,i3;i404,o8\nu3,,o1\n"
CLICKS = [("u1", "i1", 0), ("u1", "i2", 1), ("u1", "i1", 2), ("u2", "i3", 0), ("u1", "i3", 3)]


def test_clicks_agree_with_a_slow_reader(tmp_path):
    root = write(tmp_path / "pog", item_data__txt=ITEMS, user_data__txt=USERS)
    tables = read(POG, root, tmp_path / "cache")
    assert rows_of(tables) == slow_rows(CLICKS)
    titles = tables.items().set_index("item_id")["title"]
    assert dict(titles) == {"i1": "连衣裙, 夏", "i2": "鞋", "i3": ""}
    found = losses(tables)
    assert found["row with another number of columns"] == (1, "item_data.txt:4: i4,c9")
    assert found["click on an unknown item"] == (1, "user_data.txt:3: i404")
    assert any("no times" in note for note in tables.report.notes)
