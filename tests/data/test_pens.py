"""PENS as published, with its oddities, against a slow reader."""

from datetime import datetime

import pytest

from legoc.data.indexing.tables import convert
from legoc.data.sources.pens import PENS
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call


NEWS_HEADER = "News ID\tCategory\tTopic\tHeadline\tNews body\tTitle entity\tEntity content\n"
LOG_HEADER = "UserID\tClicknewsID\tdwelltime\texposure_time\tpos\tneg\tstart\tend\tdwelltime_pos\n"
ENTITIES = "{'Rome': 'Rome'}\t{'Rome': {'type': 'item', 'id': 'Q220'}}"
NEWS = [
    ("N1", "news", "newsworld", '"Rome" burns, says "Nero', 'a body with an open " quote'),
    ("N2", "sports", "soccer", "NA", ""),
    ("N3", "sports", "golf", "null", "Über alles"),
    ("N4", "tv", "tv", "", "only a body"),
    ("N3", "sports", "golf", "again", "a second record"),
]
TRAIN = [
    ("U1", "N1 N2 N1", "N3", "N2 N4", "7/3/2019 6:43:49 AM"),
    ("U1", "N1 N2 N1", "N4", "N404 N2", "7/2/2019 12:00:01 PM"),
    ("U2", "", "N1", "", "7/1/2019 1:00:00 AM"),
    ("U3", "N9 N2", "", "N1 N3", "7/1/2019 2:00:00 AM"),
    ("U4", "N2", "N1", "N3", "no time"),
    ("U5", "N4", "", "", "7/1/2019 2:30:00 AM"),
]
VALID = [("U1", "N1 N2 N3", "N4 N1", "N2", "7/9/2019 11:59:59 PM")]


def log_text(rows):
    lines = [LOG_HEADER]
    for user, clicks, pos, neg, start in rows:
        seconds = " ".join("10" for _ in clicks.split())
        exposure = "#TAB#".join("7/1/2019 1:00:00 AM" for _ in clicks.split())
        fields = (user, clicks, seconds, exposure, pos, neg, start, "7/3/2019 7:00:00 AM", "5")
        lines.append("\t".join(fields) + "\n")
    return "".join(lines)


@pytest.fixture
def write_pens(tmp_path):
    def write(**texts):
        root = tmp_path / "PENS"
        root.mkdir(exist_ok=True)
        news = NEWS_HEADER + "".join("\t".join((*row, ENTITIES)) + "\n" for row in NEWS)
        content = {"news": news, "train": log_text(TRAIN), "valid": log_text(VALID), **texts}
        for name, text in content.items():
            if text is not None:
                raw = text if isinstance(text, bytes) else text.encode()
                (root / f"{name}.tsv").write_bytes(raw)
        return root

    return write


@pytest.fixture
def read_pens(tmp_path):
    def read(root, split="publisher"):
        return convert(PENS(PENS.Config(path=str(root))), Call(op=split), tmp_path / "cache")

    return read


def slow_rows():
    known = {row[0] for row in NEWS}
    for part, rows in (("train", TRAIN), ("valid", VALID)):
        for number, (user, clicks, pos, neg, start) in enumerate(rows, start=1):
            try:
                time = datetime.strptime(start, "%m/%d/%Y %I:%M:%S %p")
            except ValueError:
                continue
            past = [item for item in clicks.split() if item in known]
            for label, items in ((1, pos.split()), (0, neg.split())):
                for item in items:
                    if item in known:
                        yield f"{part}/{number}", user, past, item, label, time


def test_tables_agree_with_a_slow_reader(write_pens, read_pens):
    tables = read_pens(write_pens())
    items = tables.items()
    assert list(items["item_id"]) == ["N1", "N2", "N3", "N4"]
    found = [tuple(row) for row in items[["category", "topic", "title", "body"]].to_numpy()]
    assert found == [row[1:] for row in NEWS[:4]]
    histories = {
        h: (u, list(c)) for h, u, c in tables.histories().itertuples(index=False, name=None)
    }
    frame = tables.interactions()
    rows = [
        (i, *histories[h], item, int(label), time.to_pydatetime())
        for i, h, item, label, time in frame[
            ["impression_id", "history_id", "item_id", "label", "time"]
        ].itertuples(index=False, name=None)
    ]
    assert rows == list(slow_rows())
    splits = dict(zip(frame["impression_id"], frame["split"], strict=True))
    assert splits["valid/1"] == "test"
    assert splits["train/1"] == "valid"
    drops = {(d.reason, d.part): (d.count, d.examples[0]) for d in tables.report.drops}
    assert drops["item id again with another text", "items"] == (1, "news.tsv:6: N3")
    assert drops["unknown item in a history", "train"] == (1, "train.tsv:5: N9")
    assert drops["unknown item as a candidate", "train"] == (1, "train.tsv:3: N404")
    assert drops["impression whose time cannot be read", "train"] == (1, "train.tsv:6: 5")
    assert drops["impression without candidates", "train"] == (1, "train.tsv:7: 6")


def test_ragged_rows_are_counted_and_entities_left_alone(write_pens, read_pens):
    news = NEWS_HEADER + "".join("\t".join((*row, ENTITIES)) + "\n" for row in NEWS)
    news += "N8\ttv\ttv\tshort\nN7\ttv\ttv\ttitle\tbody\textra\ttabs\tin\tentities\n\n"
    tables = read_pens(write_pens(news=news))
    assert "N7" in set(tables.items()["item_id"])
    drops = {d.reason: (d.count, d.examples[0]) for d in tables.report.drops}
    assert drops["row with too few columns"] == (1, "news.tsv:7: N8")


@pytest.mark.parametrize(
    ("texts", "code", "said"),
    [
        ({"news": "N1\ta\tb\tc\td\te\tf\n"}, "E0621", "`news.tsv` line 1"),
        ({"train": LOG_HEADER.replace("\t", ",")}, "E0621", "`train.tsv` line 1"),
        ({"news": (NEWS_HEADER + "N1\tcaf\u00e9\tb\tc\td\n").encode("latin-1")}, "E0622", "line 2"),
        ({"train": None}, "E0620", "train.tsv"),
        ({"valid": None}, "E0623", "publisher"),
        ({"news": ""}, "E0625", "news.tsv` is empty"),
    ],
)
def test_other_layouts_are_refused_where_they_stand(write_pens, read_pens, texts, code, said):
    root = write_pens(**texts)
    with pytest.raises(LegoError) as error:
        read_pens(root)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == code
    assert said in diagnostic.message
    assert diagnostic.help
