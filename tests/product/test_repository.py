"""Commands that serve a trained run otherwise: a model repository, and an index."""

import json
import re
import shutil
from pathlib import Path

import pytest

import legoc_runtime
from tests.product.conftest import run


def test_an_export_as_a_model_repository(
    naml: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(naml, tmp_path / "run")
    capsys.readouterr()
    assert run("export", folder, "--layout", "triton", "--cache", cache, "-q") == 0
    assert "naml_predictor" in capsys.readouterr().err
    for graph in ("item_encoder", "user_encoder", "predictor"):
        place = folder / "triton" / f"naml_{graph}"
        assert (place / "config.pbtxt").is_file()
        assert (place / "1/model.onnx").read_bytes() == (
            folder / "bundle" / "onnx" / f"{graph}.onnx"
        ).read_bytes()


def test_an_index_is_measured_on_the_histories_of_the_run(
    naml: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("faiss", reason="approximate search needs the extra `ann`")
    folder = shutil.copytree(naml, tmp_path / "run")
    capsys.readouterr()
    assert run("index", folder, "--cache", cache, "-q") == 0
    said = re.search(r"([\d.]+)% of the best ten of (\d+) users", capsys.readouterr().out)
    assert said is not None
    entry = json.loads((folder / "bundle/manifest.json").read_text())["index"]
    assert float(said[1]) == pytest.approx(100 * entry["recall"], abs=0.06)
    assert int(said[2]) == entry["users"] > 10
    model = legoc_runtime.load(folder / "bundle")
    user = model.encode_user(model.items.ids[:3])
    exact = {*model.recommend(user)[0]}
    # So few items are all looked at.
    assert {*model.recommend(user, approximate=True)[0]} == exact
