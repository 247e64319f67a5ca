"""Specs over a small Demo and over a folder of odd items."""

import json

import pytest

from legoc.language import check


DEMO = "Demo(items=200, users=50, impressions=120)"
CONTENT = '["News: ", title(12), " Category: ", subcategory]'

ODD = [
    {"item_id": "A", "title": "Storm over the coast", "tags": ["goal", "cup", "soup"], "price": 3},
    {"item_id": "B", "title": "", "tags": [], "price": None},
    {"item_id": "C", "title": None, "tags": None, "price": 2.5},
    {"item_id": "D", "title": "Crème brûlée – 東京 \U0001f600", "tags": ["the"], "price": None},
    {"item_id": "E", "title": "soup " * 5000, "tags": ["market falls"], "price": 1e6},
    {"item_id": "F", "title": "[SEP] <s> the [CLS]", "tags": [], "price": -0.25},
]


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("lm-cache")


@pytest.fixture
def write_spec(tmp_path):
    """Writes a `.lego` file and gives its path."""

    def write(content_stage, *, source=DEMO, content=CONTENT, data="", train="", after=""):
        path = tmp_path / "tiny.lego"
        path.write_text(
            f"data small {{\n  source = {source}\n  content = {content}\n  history = 10\n"
            f"{data}\n}}\n"
            f"train short {{\n  epochs = 1\n  batch = 32\n  metrics = [GAUC]\n{train}\n}}\n"
            f"model tiny = content {content_stage} -> behavior Pooling -> predict Dot\n"
            f"run tiny = tiny on small with short\n{after}",
            encoding="utf-8",
        )
        return path

    return write


@pytest.fixture
def make_spec(write_spec):
    """The one spec of a content stage."""

    def make(content_stage, **more):
        checked = check(write_spec(content_stage, **more))
        assert not checked.errors, [d.message for d in checked.errors]
        (spec,) = checked.specs
        return spec

    return make


@pytest.fixture(scope="session")
def odd_tables(tmp_path_factory):
    """Items with lists, numbers, gaps and a title of 5,000 words, as tables of JSON lines."""
    folder = tmp_path_factory.mktemp("odd")
    lines = [json.dumps(row, ensure_ascii=False) for row in ODD]
    (folder / "items.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = [
        {"user_id": f"U{n % 3}", "item_id": row["item_id"], "time": 1000 + n, "label": n % 2}
        for n, row in enumerate(ODD * 4)
    ]
    text = "\n".join(json.dumps(row) for row in rows)
    (folder / "interactions.jsonl").write_text(text + "\n", encoding="utf-8")
    return folder
