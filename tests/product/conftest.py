"""One cache of prepared data for all product tests, and a bundle to look at."""

from pathlib import Path

import pytest

from legoc.commands.cli import main


ROOT = Path(__file__).resolve().parents[2]
SMALL = "data.source=Demo(items=300, users=80, impressions=240)"
QUICK = ("train.epochs=1", "train.samples=128")


def run(*arguments: str) -> int:
    """A command, as the shell would call it."""
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where specs are proved: graphs that several of them have are exported once."""
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="session")
def naml(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a small text model."""
    place = tmp_path_factory.mktemp("naml")
    file = place / "naml.lego"
    file.write_text(
        "data d { source = Demo content = [title(16), subcategory] history = 30 }\n"
        "model naml = content CNN(hidden=16) -> behavior Additive(dim=16) -> predict Dot\n"
        "run naml on d\n",
        encoding="utf-8",
    )
    overrides = [part for value in (SMALL, *QUICK) for part in ("--set", value)]
    assert run("train", file, *overrides, "--cache", cache, "--runs", place / "runs", "-q") == 0
    return next((place / "runs").glob("naml-*"))


@pytest.fixture(scope="session")
def bundle(naml: Path) -> Path:
    return naml / "bundle"
