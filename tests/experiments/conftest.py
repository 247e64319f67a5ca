"""Six trained runs, two models with three seeds each, that the tests of this folder look at."""

from pathlib import Path

import pytest

from tests.product.conftest import run


SPEC = """
data d {
  source = Demo(items=300, users=80, impressions=240)
  content = [title(16), subcategory]
  history = 30
}
model text = content CNN(hidden=16) -> behavior Additive(dim=16) -> predict Dot
model ids = content Null(hidden=16) -> behavior Additive(dim=16) -> predict Dot
train base {
  epochs = 1
  samples = 128
  seed in [1, 2, 3]
  metrics = [GAUC, NDCG(5), AUC, LogLoss, F1(0.5), ECE]
}
run text on d with base
run ids on d with base
"""


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("spec") / "both.lego"
    file.write_text(SPEC, encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def runs(spec: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the runs. No test may change it."""
    place = tmp_path_factory.mktemp("made") / "runs"
    assert run("train", spec, "--cache", cache, "--runs", place, "-q") == 0
    return place
