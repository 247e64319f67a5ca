"""H&M: ids that begin with zero, quoted commas, days with ties, an article bought twice."""

import gzip

import pytest

from legoc.data.sources.hm import ATTRIBUTES, HM
from legoc.language.diagnosing.diagnostics import LegoError
from tests.data.clickstreams import losses, read, rows_of, slow_rows, write


HEADER = ",".join(("article_id", "product_code", *ATTRIBUTES))
ANNA, BERT = "a" * 64, "b" * 64


def article(item, name, text):
    return ",".join((item, "1", name, *["kind"] * (len(ATTRIBUTES) - 2), text))


# The third lost its zero in a copy; the fourth has no description.
ARTICLES = "\n".join(
    (
        HEADER,
        article("0108775015", "Strap top", '"Jersey top, narrow straps, ""soft"""'),
        article("0108775044", "Strap top 2", "Jersey"),
        article("110065001", "OP T-shirt", "Micro"),
        article("0111565001", "20 den", ""),
    )
)
SALES = (
    "t_dat,customer_id,article_id,price,sales_channel_id\n"
    f"2018-09-20,{ANNA},0108775015,0.05,2\n"
    f"2018-09-20,{ANNA},0108775015,0.05,2\n"
    f"2018-09-20,{ANNA},108775044,0.05,2\n"
    f"2018-09-22,{ANNA},0110065001,0.03,1\n"
    f"2018-09-25,{ANNA},0111565001,0.03,1\n"
    f"2018-09-21,{BERT},0999999999,0.01,1\n"
    f"20.9.2018,{BERT},0108775015,0.01,1\n"
    f"2018-09-23,{BERT},0108775015,0.01,1\n"
)
CLICKS = [
    (ANNA, "0108775015", 20), (ANNA, "0108775015", 20), (ANNA, "0108775044", 20),
    (ANNA, "0110065001", 22), (ANNA, "0111565001", 25), (BERT, "0108775015", 23),
]  # fmt: skip
CUSTOMERS = (
    "customer_id,FN,Active,club_member_status,fashion_news_frequency,age,postal_code\n"
    f"{ANNA},1.0,1.0,ACTIVE,Regularly,24.0,x\n{BERT},,,,NONE,,y\n"
)


@pytest.fixture
def folder(tmp_path):
    return write(
        tmp_path / "hm", articles__csv=ARTICLES, transactions_train__csv=SALES,
        customers__csv=CUSTOMERS,
    )  # fmt: skip


def test_purchases_agree_with_a_slow_reader(folder, tmp_path):
    tables = read(HM, folder, tmp_path / "cache")
    assert rows_of(tables) == slow_rows(CLICKS)
    items = tables.items().set_index("item_id")
    ids = ["0108775015", "0108775044", "0110065001", "0111565001"]
    assert list(items.index) == ids
    assert items.loc["0108775015", "detail_desc"] == 'Jersey top, narrow straps, "soft"'
    assert items.loc["0111565001", "detail_desc"] == ""
    found = losses(tables)
    assert found["click on an unknown item"] == (1, "transactions_train.csv:7: 0999999999")
    assert found["click whose time cannot be read"][0] == 1
    users = tables.users().set_index("user_id")
    assert users.loc[ANNA, "age"] == 24
    assert users.loc[BERT, "fashion_news_frequency"] == "NONE"


def test_files_may_be_compressed_and_a_column_may_not_be_missing(folder, tmp_path):
    raw = (folder / "transactions_train.csv").read_bytes()
    (folder / "transactions_train.csv.gz").write_bytes(gzip.compress(raw))
    (folder / "transactions_train.csv").unlink()
    (folder / "customers.csv").unlink()
    assert rows_of(read(HM, folder, tmp_path / "cache")) == slow_rows(CLICKS)
    (folder / "articles.csv").write_text(ARTICLES.replace("detail_desc", "description"), "utf-8")
    with pytest.raises(LegoError) as error:
        read(HM, folder, tmp_path / "cache")
    assert "no column `detail_desc`" in error.value.diagnostics[0].message
