"""A row made again from its run or its bundle, on the same data and on others."""

import json
import shutil
from pathlib import Path

import pytest

from legoc.experiments.replay import Pair
from tests.product.conftest import run


ITEMS = [f"i{number},word{number % 7} word{number % 3}" for number in range(30)]
CLICKS = [
    f"u{user},i{(user * 5 + step * 7) % 30},{1_700_000_000 + 1000 * user + step}"
    for user in range(20)
    for step in range(6)
]
SPEC = """
data d { source = Tables(path="shop") content = [title(4)] split = leave_one_out }
model m = content Pooling(hidden=8) -> behavior Pooling -> predict Dot
train t { epochs = 2 task = matching(pool=uniform) metrics = [MRR, AUC] monitor = MRR }
run m on d with t
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    """A folder with data, a spec and its run."""
    place = tmp_path_factory.mktemp("shop")
    (place / "shop").mkdir()
    (place / "shop/items.csv").write_text("\n".join(["item_id,title", *ITEMS, ""]))
    (place / "shop/interactions.csv").write_text(
        "\n".join(["user_id,item_id,timestamp", *CLICKS, ""])
    )
    (place / "m.lego").write_text(SPEC, encoding="utf-8")
    assert run("train", place / "m.lego", "--cache", cache, "--runs", place / "runs", "-q") == 0
    return place


@pytest.fixture(scope="module")
def made(shop: Path) -> Path:
    return next((shop / "runs").glob("m-*"))


def test_a_run_is_made_again_to_the_last_digit(
    made: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*")}
    flags = ("--cache", cache, "--runs", tmp_path / "again", "-q")
    assert run("replay", made, *flags) == 0
    said = capsys.readouterr().out
    value = json.loads((made / "metrics.json").read_text())["test"]["metrics"]["MRR"]
    assert f"MRR  {value:.4f} and {value:.4f}: equal in every digit" in said
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*")} == before
    (other,) = (tmp_path / "again").glob("m-*")
    assert str(other) in said.replace("\n", "")
    assert (other / "best.safetensors").read_bytes() == (made / "best.safetensors").read_bytes()


def test_a_bundle_alone_is_enough(
    shop: Path, made: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It carries names, the digest of the data and the seed; its figures are measured."""
    shutil.copytree(made / "bundle", tmp_path / "kept")
    assert run("replay", tmp_path / "kept", "--cache", cache, "-q") == 1
    assert "E0593" in capsys.readouterr().err
    flags = ("--data", shop, "--cache", cache, "-q", "--json")
    assert run("replay", tmp_path / "kept", *flags) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["agrees"], found["source"], found["folder"]) == (True, "bundle", None)
    assert found["metrics"].keys() == {"MRR", "AUC"}
    assert all(pair["digits"] >= 6 for pair in found["metrics"].values())


def test_other_data_are_refused_before_anything_trains(
    shop: Path, made: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(shop / "shop", tmp_path / "shop")
    with (tmp_path / "shop/interactions.csv").open("a") as file:
        file.write("u1,i2,1700000999\n")
    digest = json.loads((made / "bundle/manifest.json").read_text())["provenance"]["data"]
    flags = ("--data", tmp_path, "--cache", cache, "--runs", tmp_path / "again")
    assert run("replay", made, *flags) == 1
    said = capsys.readouterr().err
    assert "error[E0581]" in said
    assert f"trained on {digest}" in said
    assert said.count("found      ") == 1
    assert not (tmp_path / "again").exists()
    # Without its bundle a run knows its digest, and not that of its data.
    bare = tmp_path / made.name
    shutil.copytree(made, bare, ignore=shutil.ignore_patterns("bundle"))
    assert run("replay", bare, *flags) == 1
    assert "trained on unknown" in capsys.readouterr().err


def test_what_differs_is_told_with_its_reasons(
    made: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / made.name
    shutil.copytree(made, other)
    metrics = json.loads((other / "metrics.json").read_text())
    value = metrics["test"]["metrics"]["MRR"]
    metrics["test"]["metrics"]["MRR"] = value + 0.002
    (other / "metrics.json").write_text(json.dumps(metrics))
    settings = json.loads((other / "environment.json").read_text())
    settings["versions"]["torch"] = "1.0"
    (other / "environment.json").write_text(json.dumps(settings))
    assert run("replay", other, "--cache", cache, "-q") == 1
    said = capsys.readouterr().out
    assert f"MRR  {value + 0.002:.4f} and {value:.4f}: equal to 2 digits" in said
    assert "not every figure agrees to 4 digits" in said
    assert "torch 1.0 -> " in said


def test_the_run_itself_is_never_written_over(
    made: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("replay", made, "--cache", cache, "--runs", made.parent, "-q") == 1
    assert "error[E0582]" in capsys.readouterr().err
    assert (made / "best.safetensors").is_file()


@pytest.mark.parametrize(
    ("before", "now", "digits"),
    [
        (0.7281, 0.7281, 15),
        (0.72815, 0.72824, 4),
        (0.7281, 0.7282001, 3),
        (0.5, 0.50000003, 7),
        (0.5, 1.7, 0),
        (None, None, 15),
        (None, 0.5, 0),
    ],
)
def test_digits(before: float | None, now: float | None, digits: int) -> None:
    assert Pair(before=before, now=now).digits == digits
