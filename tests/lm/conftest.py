"""Folders of tiny models, written once per session."""

import pytest

from legoc.language import check
from tests.lm.tiny import save_model
from tests.lm_data.folders import ROWS, wordpiece


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A function from a family to the folder of its model."""
    root = tmp_path_factory.mktemp("models")

    def find(family):
        place = root / family
        return place if place.is_dir() else save_model(place, family)

    return find


DEMO = "Demo(items=200, users=60, impressions=150)"
CONTENT = '["News: ", title(10), " Category: ", subcategory]'


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """A function from a family to the folder of its model with a tokenizer."""
    root = tmp_path_factory.mktemp("whole")

    def find(family, *, seed=0, name=None, **more):
        place = root / (name or family)
        if not place.is_dir():
            save_model(place, family, words=ROWS, seed=seed, **more)
            wordpiece(place / "tokenizer.json")
        return place

    return find


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("lm-cache")


@pytest.fixture
def make_spec(tmp_path):
    """A spec of a content stage; `{folder}` in it is the folder of a model."""

    def make(content_stage, *, content=CONTENT, behavior="Pooling", train="", data=""):
        path = tmp_path / "tiny.lego"
        path.write_text(
            f"data small {{\n  source = {DEMO}\n  content = {content}\n  history = 8\n{data}\n}}\n"
            f"train short {{\n  epochs = 1\n  batch = 32\n  samples = 128\n  metrics = [GAUC]\n"
            f"  lr = 1e-3\n{train}\n}}\n"
            f"model tiny = content {content_stage} -> behavior {behavior} -> predict Dot\n"
            f"run tiny = tiny on small with short\n",
            encoding="utf-8",
        )
        checked = check(path)
        assert not checked.errors, [d.message for d in checked.errors]
        (spec,) = checked.specs
        return spec

    return make
