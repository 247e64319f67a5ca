"""The portrait of prepared data against plain loops, its warnings, and the page."""

import re
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from legoc.data import prepare
from legoc.data.indexing.counts import survey
from legoc.data.indexing.tables import Tables
from legoc.data.staging.report import Drop
from legoc.data.survey.page import render_page
from legoc.data.survey.portrait import count, draw_portrait, facets, share_of_top
from legoc.data.survey.suspicions import suspect
from legoc.language.declaring.declare import Attribute
from legoc.language.ir.spec import Call
from tests.data.test_prepare import make_spec


@pytest.fixture(scope="module")
def drawn(demo_cache):
    spec = make_spec(history=10)
    prepared = prepare(spec, cache=demo_cache)
    return prepared, draw_portrait(spec, prepared)


def test_ranges_double(rng):
    values = np.concatenate([[0, 0, 1, 2, 3, 4, 7, 8, 1023, 1024], rng.integers(0, 3000, 500)])
    found = count(values)
    assert found.labels[:5] == ("0", "1", "2–3", "4–7", "8–15")
    assert found.labels[-1] == "2,048–4,095"
    expected = Counter(int(v).bit_length() for v in values)
    assert found.counts == tuple(expected[k] for k in range(len(found.labels)))
    assert (found.median, found.mean) == (np.median(values), values.mean())
    empty = count(np.zeros(0, dtype=np.int64))
    assert (empty.labels, empty.counts, empty.largest) == (("0",), (0,), 0)


def test_the_share_of_the_most_clicked():
    clicks = np.array([0, 6, 1, 3, 0, 0, 0, 0, 0, 0])
    assert share_of_top(clicks, 0.1) == 0.6
    assert share_of_top(clicks, 0.2) == 0.9
    assert share_of_top(clicks, 0.001) == 0.6
    assert share_of_top(np.zeros(4, dtype=np.int64), 0.5) == 0.0


def test_histories_and_clicks_agree_with_plain_loops(drawn):
    prepared, portrait = drawn
    frame, histories = prepared.tables.interactions(), prepared.tables.histories()
    lengths = dict(zip(histories["history_id"], map(len, histories["clicks"]), strict=True))
    for split, found in portrait.histories.items():
        chosen = frame[frame["split"] == split].drop_duplicates("impression_id")
        own = np.array([lengths[history] for history in chosen["history_id"]])
        assert found == count(own)
        assert portrait.longer[split] == pytest.approx((own > 10).mean())
    clicked = Counter(frame[(frame["split"] == "train") & (frame["label"] > 0)]["item_id"])
    clicks = np.array([clicked[name] for name in prepared.tables.items()["item_id"]])
    assert portrait.popularity == count(clicks)
    assert portrait.top["1%"] == pytest.approx(np.sort(clicks)[-3:].sum() / clicks.sum())


def words_of(tables):
    """Words and runs of other signs in each title."""
    return np.array([len(re.findall(r"\w+|[^\w\s]+", text)) for text in tables.items()["title"]])


def test_lengths_are_those_without_the_limit(drawn):
    prepared, portrait = drawn
    title, category = portrait.lengths
    words = words_of(prepared.tables)
    assert (title.name, title.limit, title.most) == ("title", 16, words.max())
    assert title.median == np.median(words)
    assert title.cut == 0.0
    assert (category.name, category.most, category.cut) == ("category", 1, 0.0)


def test_lengths_beyond_the_limit_are_cut(demo_cache):
    short = make_spec(reads=(Attribute(name="title", kind="text", length=7),))
    prepared = prepare(short, cache=demo_cache)
    (title,) = draw_portrait(short, prepared).lengths
    words = words_of(prepared.tables)
    assert title.cut == pytest.approx((words > 7).mean())
    assert 0 < title.cut < 1
    # The shortest limit that leaves 95 % of the titles whole.
    assert (words <= title.wide).mean() >= 0.95 > (words <= title.wide - 1).mean()


def test_a_limit_that_cuts_most_texts_is_warned_of(drawn, demo_cache):
    assert not any("tokens in" in text for text in drawn[1].warnings)
    title = Attribute(name="title", kind="text", length=3)
    short = make_spec(reads=(title, Attribute(name="category", kind="category", length=1)))
    portrait = draw_portrait(short, prepare(short, cache=demo_cache))
    wide = portrait.lengths[0].wide
    assert portrait.warnings[-1].startswith("`title` has more than 3 tokens in ")
    assert f"`title({wide})` would leave 95% of them whole" in portrait.warnings[-1]


def test_a_portrait_is_drawn_where_it_tells_something_new(drawn, demo_cache):
    prepared, _ = drawn
    told = facets(make_spec(history=10), prepared)
    ids = make_spec("Null", history=10)
    assert facets(ids, prepare(ids, cache=demo_cache)) < told
    shorter = make_spec(history=10, reads=(Attribute(name="title", kind="text", length=7),))
    assert not facets(shorter, prepare(shorter, cache=demo_cache)) <= told
    assert not facets(make_spec(history=11), prepared) <= told


def test_word_vectors_are_covered(demo_cache, demo_tables, tmp_path):
    path = tmp_path / "glove.txt"
    path.write_text(
        "".join(f"{word} 1 0\n" for word in " ".join(demo_tables.items()["title"]).lower().split()),
        "utf-8",
    )
    spec = make_spec(vectors=str(path))
    words, spoken = draw_portrait(spec, prepare(spec, cache=demo_cache)).vectors
    assert 0.5 < words <= 1
    assert 0.5 < spoken <= 1
    # A flatten operator reads the same words, beside whatever the content reads.
    dot = {"predict": Call(op="Dot", args={})}
    flatten = {"flatten": Call(op="Transformer", args={"hidden": 8})}
    for content in ({"content": Call(op=op, args={"hidden": 8})} for op in ("Null", "CNN")):
        joint = replace(spec, model={**content, **flatten, **dot})
        drawn = draw_portrait(joint, prepare(joint, cache=demo_cache))
        assert drawn.vectors == pytest.approx((words, spoken))


def hand(folder, rows, histories, drops=()):
    """Tables out of rows (user's history, item, label, day, split) on items a to e."""
    start = datetime(2020, 1, 1)
    columns = {
        "items": {"item_id": list("abcde"), "title": ["x", "", "", "y", "z"]},
        "histories": {
            "history_id": list(histories),
            "user_id": [f"u{name[0]}" for name in histories],
            "clicks": pa.array(list(histories.values()), pa.list_(pa.string())),
        },
        "interactions": {
            "row": range(len(rows)),
            "impression_id": [str(number) for number in range(len(rows))],
            "history_id": [row[0] for row in rows],
            "item_id": [row[1] for row in rows],
            "label": pa.array([row[2] for row in rows], pa.float32()),
            "time": pa.array([start + timedelta(days=row[3]) for row in rows], pa.timestamp("us")),
            "split": [row[4] for row in rows],
        },
    }
    for name, given in columns.items():
        pq.write_table(pa.table(given), folder / f"{name}.parquet")
    report = survey(folder, source="hand", licence="", drops=drops, notes=())
    tables = Tables(folder=folder, digest="hand", report=report)
    with tables.connect() as connection:
        return suspect(connection, report)


CLEAN = [("1a", "c", 1, 0, "train"), ("2a", "d", 0, 1, "train"), ("1a", "e", 1, 5, "test")]


def test_clean_tables_have_only_what_is_there_to_say(tmp_path):
    found = hand(tmp_path, CLEAN, {"1a": ["a"], "2a": ["b"]})
    assert found == (
        "`title` is empty for 40.0% of the items",
        "100.0% of the impressions of test lack a click or a non-click: grouped metrics leave them "
        "out",
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [*CLEAN, ("2a", "c", 1, 6, "train"), ("2a", "e", 1, 9, "test")],
            "33.3% of the training rows are later",
        ),
        ([*CLEAN, ("1a", "e", 1, 5, "train")], "1 clicks of test are training rows too"),
        ([*CLEAN, ("1a", "a", 1, 5, "test")], "50.0% of the clicks of test are on items of their"),
    ],
)
def test_leakage_is_said_with_its_figures(tmp_path, rows, said):
    found = hand(tmp_path, rows, {"1a": ["a"], "2a": ["b"]})
    assert any(said in text for text in found)


def test_unknown_ids_are_said_from_one_percent_on(tmp_path):
    def drop(reason, count, part="log"):
        return Drop(reason=reason, policy="dropped", part=part, count=count, examples=("x",))

    few = (
        drop("click on an unknown item", 1, "augment"),
        drop("item id again with another text", 9),
    )
    assert not any("unknown ids" in t for t in hand(tmp_path, CLEAN, {"1a": ["a"], "2a": []}, few))
    many = (drop("unknown item in a history", 1), drop("click on an unknown item", 3))
    found = [t for t in hand(tmp_path, CLEAN, {"1a": ["a"], "2a": []}, many) if "unknown" in t]
    assert found[0].startswith("unknown ids: 50.0% of the clicks of histories")
    assert found[1].startswith("unknown ids: 50.0% of the rows")


class Seen(HTMLParser):
    """Open tags, what is fetched from elsewhere, and the text."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.links, self.text = [], Counter(), [], []

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        self.links += [v for k, v in attributes if k in ("href", "src")]
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_every_bar_has_its_range_and_its_number(drawn):
    prepared, portrait = drawn
    when = datetime(2031, 5, 17, 8, 9)
    source = 'MIND(path="/home/ann/raw/MINDsmall")'
    drop = Drop(reason="short", policy="dropped", part="log", count=3,
                examples=("/home/ann/raw/news.tsv:17: N9",))  # fmt: skip
    page = render_page([(source, replace(prepared.report, drops=(drop,)), portrait)], when)
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    figures = [*portrait.histories.values(), portrait.popularity]
    assert len(drawings) == len(figures)
    for drawing, figure in zip(drawings, figures, strict=True):
        texts = re.findall(r"<text[^>]*>([^<]*)</text>", drawing)
        axis = ["clicks of an item", "items"] if figure is figures[-1] else [
            "clicks before", "impressions"]  # fmt: skip
        shown = [text for pair in zip(figure.labels, figure.counts, strict=True) for text in pair]
        assert texts == [*axis, *(n if isinstance(n, str) else f"{n:,}" for n in shown)]
        lengths = [float(n) for n in re.findall(r'<rect [^>]*?width="([\d.]+)"', drawing)]
        expected = np.array(figure.counts) / max(figure.counts) * max(lengths)
        assert lengths == pytest.approx(expected, abs=0.06)
    assert "Written 2031-05-17 08:09 UTC by legoc " in page
    assert "/home/ann" not in page
    assert "…/MINDsmall" in page
    assert "…/news.tsv:17: N9" in page
    heads = re.findall(r"<th\b( scope=\"\w+\")?", page)
    assert all(heads)


def test_the_page_is_whole_and_needs_nothing_else(drawn):
    prepared, portrait = drawn
    page = render_page(
        [('MIND("<raw>")', prepared.report, portrait), ("two", prepared.report, portrait)]
    )
    seen = Seen()
    seen.feed(page)
    assert seen.open == []
    assert seen.links == []
    assert seen.tags["script"] == seen.tags["link"] == 0
    assert seen.tags["svg"] == 2 * (len(portrait.histories) + 1)
    bars = sum(len(h.counts) for h in (*portrait.histories.values(), portrait.popularity))
    assert seen.tags["rect"] == 2 * bars
    text = "".join(seen.text)
    assert 'MIND("<raw>")' in text
    assert f"{prepared.report.items:,} items" in text
    for warning in portrait.warnings:
        assert warning in text
