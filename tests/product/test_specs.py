"""Every shipped spec trains, exports within the target, and evaluates the same with and without
caches; on the embedded data where its own is not at hand. Some go the whole way at their own
widths; all the others are proved at small ones, where they share the graphs they have in common."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from legoc.commands.cli import main
from legoc.evaluation import evaluate
from legoc.language import check
from legoc.proving import prove


ROOT = Path(__file__).resolve().parents[2]
SPECS = sorted((ROOT / "specs").glob("*.lego"))
SMALL = "data.source=Demo(items=300, users=80, impressions=240)"
TARGET = 1e-5
WHOLE = ("demo", "naml", "naml_id", "nrms", "din_id", "din_text", "dcn_id", "dcn_text")
# A sweep over everything: test_prove.py takes a sample of it.
SWEPT = ("zoo",)
# Their language models are not in the repository: tests/lm_data and tests/lm use tiny ones.
MODELS = (
    "bert_dcn",
    "dire",
    "iisan_nrms",
    "llama_naml",
    "miner_bert",
    "once",
    "plmnr",
    "recbench",
)
# tests/experiments trains the tables of papers, row by row.
TABLES = ("table2", "green")
ELSEWHERE = (*WHOLE, *SWEPT, *MODELS, *TABLES, "common")
PROVED = [path for path in SPECS if path.stem not in ELSEWHERE]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_shipped_spec_checks(path: Path) -> None:
    checked = check(path)
    assert not checked.errors
    assert bool(checked.specs) == (path.stem != "common")


@pytest.mark.parametrize("path", PROVED, ids=lambda path: path.stem)
def test_a_shipped_spec_is_proved_at_small_widths(path: Path, bench: Path, cache: Path) -> None:
    proven = prove(path, out=bench, cache=cache)
    assert not proven.red, proven.red
    assert len(proven.records) == len(check(path).specs)


@pytest.mark.parametrize(
    "path", [path for path in SPECS if path.stem in WHOLE], ids=lambda path: path.stem
)
def test_a_shipped_spec_runs_from_raw_files_to_an_equal_bundle(
    path: Path, cache: Path, tmp_path: Path
) -> None:
    overrides = [SMALL, "train.epochs=1", "train.samples=128"]
    sets = [part for value in overrides for part in ("--set", value)]
    place = ["--cache", str(cache), "--runs", str(tmp_path), "-q"]
    assert main(["train", str(path), *sets, *place]) == 0
    index: dict[str, str] = json.loads((tmp_path / "index.json").read_text(encoding="utf-8"))
    assert len(index) == len(check(path).specs)
    for folder in index.values():
        verify_run(tmp_path / folder, cache)


def verify_run(folder: Path, cache: Path) -> None:
    manifest: dict[str, Any] = json.loads((folder / "bundle/manifest.json").read_text("utf-8"))
    assert manifest["certificate"]["difference"] < TARGET
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert "test" in metrics
    cached = evaluate(folder, cache=cache, keep_scores=True)
    uncached = evaluate(folder, cached=False, cache=cache, keep_scores=True)
    torch = evaluate(folder, engine="torch", cache=cache, keep_scores=True)
    assert cached.scores is not None
    assert np.std(cached.scores) > 0, "scores that are all alike agree with anything"
    np.testing.assert_allclose(cached.scores, uncached.scores, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(cached.scores, torch.scores, rtol=1e-5, atol=1e-5)
    for name, value in metrics["test"]["metrics"].items():
        assert cached[name] == pytest.approx(value, abs=1e-6, nan_ok=True)
