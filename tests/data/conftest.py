"""A folder in MIND's layout with every oddity of the published files, and a small Demo."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from legoc.data.indexing.index import (
    build_logs,
    mark_training,
    name_items,
    name_users,
    number_categories,
)
from legoc.data.indexing.rows import Rows
from legoc.data.indexing.tables import convert
from legoc.data.reading.tokens import tokenize
from legoc.data.sources.demo import Demo
from legoc.data.sources.mind import MIND
from legoc.language.declaring.declare import Attribute
from legoc.language.ir.spec import Call


ENTITIES = '[{"Label": "Rome", "Type": "G", "OccurrenceOffsets": [0]}]'

# id, category, subcategory, title, abstract
TRAIN_NEWS = [
    ("N1", "news", "newsworld", '"Rome" burns, says "Nero', "An unbalanced \" quote's abstract"),
    ("N20", "sports", "soccer", "NA", ""),
    ("N3", "news", "newsus", "null", "null"),
    ("N4", "food", "recipes", 'Pie "and" chips', '"A quote at the start, "" and doubled'),
    ("N5", "sports", "golf", "Crème brûlée wins über alles – 東京", "nan"),
    ("N4", "food", "recipes", "Pie again", "a second record of N4"),
    ("N006", "video", "tv", "", ""),
    ("N7", "video", "tv", "A title\\with backslash, and; commas", "\\N"),
]
DEV_NEWS = [
    ("N1", "news", "newsworld", '"Rome" burns, says "Nero', "An unbalanced \" quote's abstract"),
    ("N3", "news", "newsus", "null", "another abstract"),
    ("N8", "sports", "curling", "Only dev knows curling", "stones"),
]
# impression, user, time, history, candidates
TRAIN_BEHAVIORS = [
    ("1", "U7", "11/9/2019 9:05:58 AM", "N1 N20 N1", "N3-1 N4-0"),
    ("2", "U07", "11/12/2019 12:00:01 AM", "", "N5-0 N20-1 N999-1"),
    ("3", "U7", "11/11/2019 1:00:00 PM", "N1 N888 N20 N1", "N4-1 N4-0 N3-0"),
    ("4", "U9", "11/13/2019 11:59:59 PM", "N7", "N1-0 N3-0"),
    ("4", "U9", "11/10/2019 12:30:00 PM", "N7", "N5-1"),
    ("6", "U9", "not a time", "N7", "N5-1 N1-0"),
    ("7", "U5", "1/2/2019 3:04:05 AM", "N20  N3", "N5-0 N4 N1-1 "),
    ("8", "U5", "11/14/2019 3:04:05 AM", "N20 N3", "N777-0 N999-1"),
]
DEV_BEHAVIORS = [
    ("1", "U7", "11/15/2019 9:05:58 AM", "N1 N20 N1 N3", "N8-1 N1-0 N1-0"),
    ("2", "U99", "11/15/2019 9:05:59 AM", "", "N8-0 N3-1"),
]
TEST_BEHAVIORS = [
    ("1", "U7", "11/20/2019 9:05:58 AM", "N1", "N8 N3"),
    ("2", "UX", "11/20/2019 9:05:58 PM", "", "N1"),
]


def news_text(rows):
    lines = []
    for name, category, subcategory, title, abstract in rows:
        url = f"https://example.org/{name}"
        lines.append("\t".join((name, category, subcategory, title, abstract, url, ENTITIES, "[]")))
    return "".join(f"{line}\n" for line in lines)


def behaviors_text(rows):
    return "".join("\t".join(row) + "\n" for row in rows)


@pytest.fixture
def write_mind(tmp_path):
    """Writes train/, dev/ and, if asked, test/ below a folder; the texts may be replaced."""

    def write(folder=None, *, name="{}", test=False, **texts):
        root = Path(folder) if folder else tmp_path / "MINDodd"
        content = {
            "train": (news_text(TRAIN_NEWS), behaviors_text(TRAIN_BEHAVIORS)),
            "dev": (news_text(DEV_NEWS), behaviors_text(DEV_BEHAVIORS)),
        }
        if test:
            content["test"] = (news_text(DEV_NEWS), behaviors_text(TEST_BEHAVIORS))
        for part, (news, behaviors) in content.items():
            target = root / name.format(part)
            target.mkdir(parents=True)
            news = texts.get(f"{part}_news", news)
            behaviors = texts.get(f"{part}_behaviors", behaviors)
            (target / "news.tsv").write_bytes(news.encode() if isinstance(news, str) else news)
            (target / "behaviors.tsv").write_bytes(
                behaviors.encode() if isinstance(behaviors, str) else behaviors
            )
        return root

    return write


@pytest.fixture
def read_mind(tmp_path):
    """Converts a folder; the split is a name or a Call."""

    def read(folder, split="publisher", cache=None):
        call = split if isinstance(split, Call) else Call(op=split)
        return convert(MIND(MIND.Config(path=str(folder))), call, cache or tmp_path / "cache")

    return read


@pytest.fixture(scope="session")
def demo_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("demo-cache")


@pytest.fixture(scope="session")
def small_demo(demo_cache):
    """A demo of 300 items, 120 users and 900 impressions."""
    return Demo(Demo.Config(items=300, users=120, impressions=900), cache=demo_cache)


@pytest.fixture(scope="session")
def demo_tables(small_demo, demo_cache):
    return convert(small_demo, Call(op="publisher"), demo_cache)


TITLE = Attribute(name="title", kind="text", length=16)
SUBCATEGORY = Attribute(name="subcategory", kind="category", length=1)


@pytest.fixture(scope="session")
def demo_data(demo_tables, demo_cache):
    """What `prepare` gives, without a spec."""
    return assemble_prepared(demo_tables, demo_cache)


def assemble_prepared(tables, cache, history=30, group="impression"):
    items, users = name_items(tables), name_users(tables)
    inputs, reading, folder = tokenize(
        tables, (TITLE, SUBCATEGORY), layout="fields", ports=(), tokenizer=None, root=cache
    )
    return SimpleNamespace(
        tables=tables, items=items, users=users, inputs=inputs, reading=reading,
        reading_folder=folder, logs=build_logs(tables, history=history, group=group, root=cache),
        rows=Rows(items=len(items), users=len(users), tokens=reading["rows"]),
        training_items=mark_training(tables, len(items)),
        categories=lambda: number_categories(tables),
    )  # fmt: skip


@pytest.fixture
def prepare_tables(tmp_path):
    """What `prepare` gives, without a spec, for any tables."""

    def make(tables, **settings):
        return assemble_prepared(tables, tmp_path / "cache", **settings)

    return make


@pytest.fixture
def rng():
    return np.random.default_rng(5)
