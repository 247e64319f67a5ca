"""`legoc prove`: a covering sample of the zoo, and what the command itself must keep to."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from legoc.commands.cli import main
from legoc.language import LegoError
from legoc.model.calibration import Calibration
from legoc.operators.predict.dot import Dot
from legoc.proving import proof, prove, text
from legoc.proving.cases import find_cases
from legoc.proving.matrix import build_matrix
from legoc.proving.parts import state_of
from legoc.proving.public import cover, neighbours
from legoc.proving.state import State


ROOT = Path(__file__).resolve().parents[2]
GRAPHS = ("item_encoder", "user_encoder", "predictor")
ZOO = ROOT / "specs/zoo.lego"
SMALL = """
data d {{ source = Demo content = [title(16), category] }}
model m = content in [Null(hidden=64), Pooling(hidden=64)] -> behavior in [Null, Additive]
  -> predict in [{}]
run m on d where valid
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / "small.lego"
    file.write_text(SMALL.format("Dot, DCN"), encoding="utf-8")
    return file


@pytest.fixture
def broken_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    """A predictor that computes something else without gradients than with them."""
    right = Dot.forward

    def forward(self: Any, user_PD: torch.Tensor, item_PD: torch.Tensor) -> torch.Tensor:
        scores = right(self, user_PD, item_PD)
        return scores if torch.is_grad_enabled() or torch.onnx.is_in_onnx_export() else scores + 1

    monkeypatch.setattr(Dot, "forward", forward)


def test_a_sample_of_the_zoo_in_which_every_two_neighbours_meet(bench: Path, cache: Path) -> None:
    scope = find_cases(str(ZOO))
    chosen = cover(scope.cases)
    pairs = set[tuple[str, str]]().union(*(neighbours(case) for case in scope.cases))
    assert set[tuple[str, str]]().union(*(neighbours(case) for case in chosen)) == pairs
    assert len(pairs) > 300
    proven = prove(ZOO, out=bench, cache=cache, limit=len(chosen))
    assert not proven.red, [record["reason"] for record in proven.red]
    assert proven.matrix.counts["green"] == len(chosen)
    assert proven.matrix.counts["cases"] == len(scope.cases) > 1000


def test_the_counts_add_up(small: Path) -> None:
    scope = find_cases(str(small))
    assert scope.points == 8
    assert sum(skipped.points for skipped in scope.skipped) == 4
    assert {skipped.code for skipped in scope.skipped} == {"E0403"}
    assert len(scope.cases) == 4
    assert all(case.small for case in scope.cases)
    widths = {case.spec.model["content"]["hidden"] for case in scope.cases}
    assert widths == {16}
    units = {case.spec.model["predict"].args.get("units") for case in scope.cases}
    assert units == {None, (32, 32, 32)}


def test_equal_points_are_one_case(tmp_path: Path) -> None:
    file = tmp_path / "m.lego"
    file.write_text(
        "data d { source = Demo content = [title(16)] }\ndata e = d(history=10)\n"
        "model m = content Pooling(hidden=64) -> behavior Pooling -> predict Dot\n"
        "train t { lr in [1e-3, 1e-4] }\nrun m on d, e with t\n",
        encoding="utf-8",
    )
    (case,) = find_cases(str(file)).cases
    assert len(case.points) == 4


def test_what_changes_a_predictor_beside_its_name_is_proved_apart(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calibrated and not, with the numbers of the moment and without: four cases of one model. The
    layer that calibrates is proved with numbers that change a score."""
    file = tmp_path / "m.lego"
    file.write_text(
        "data d { source = Demo content = [title(16)] }\n"
        "data e = d(context=[popularity(hours=24)])\n"
        "model m = content Pooling(hidden=16) -> behavior Pooling -> predict Dot\n"
        "train plain {}\ntrain sure = plain(calibrate=true)\n"
        "run m on d, e with plain, sure\n",
        encoding="utf-8",
    )
    cases = find_cases(str(file)).cases
    assert len(cases) == 4
    seen: list[tuple[float, float]] = []

    monkeypatch.setattr(proof, "write_bundle", watched(proof.write_bundle, seen))
    proven = prove(file, out=tmp_path / "out", cache=cache)
    assert not proven.red, [record["reason"] for record in proven.red]
    assert proven.matrix.counts["green"] == 4
    assert len(seen) == 2
    assert all(temperature != 1 and bias != 0 for temperature, bias in seen)


def watched(right: Any, seen: list[tuple[float, float]]) -> Any:
    """`write_bundle` that notes the two numbers of a calibrated model."""

    def write(trained: Any, *given: Any, **named: Any) -> Any:
        if trained.calibration is not None:
            layer = trained.calibration
            seen.append((float(layer.temperature), float(layer.bias)))
        return right(trained, *given, **named)

    return write


def test_the_weights_of_calibration_are_the_predictors() -> None:
    model = torch.nn.Module()
    model.predict = torch.nn.Linear(2, 1)
    model.behavior = torch.nn.Linear(2, 2)
    model.calibration = Calibration()
    named = {graph: {name for name, _ in state_of(model, graph)} for graph in GRAPHS}
    assert named["predictor"] == {
        "predict.weight", "predict.bias", "calibration.temperature", "calibration.bias",
    }  # fmt: skip
    assert named["user_encoder"] == {"behavior.weight", "behavior.bias"}


def test_distinct_widths_stay_distinct(tmp_path: Path) -> None:
    file = tmp_path / "m.lego"
    file.write_text(
        "data d { source = Demo content = [title(16)] }\n"
        "model m = content Pooling(hidden=300) -> behavior GRU(hidden=200) -> predict DNN\n"
        "run m on d\n",
        encoding="utf-8",
    )
    (case,) = find_cases(str(file)).cases
    assert (case.spec.types.user, case.spec.types.item) == ("Vec[32]", "Vec[48]")


def test_it_prints_saves_and_goes_on(
    small: Path, tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    first = prove(small, out=out, cache=cache, limit=1)
    assert first.matrix.counts["green"] == 1
    assert first.matrix.counts["open"] == 3
    assert "? legal, not proved yet" in text(first.matrix)
    before = {path: path.stat().st_mtime_ns for path in (out / "points").iterdir()}
    assert main(["prove", str(small), "--out", str(out), "--cache", str(cache), "-q"]) == 0
    shown = capsys.readouterr().out
    assert "4 proved, 0 refuted, 0 not proved yet" in shown
    assert "refused by the check (E0403 x 4)" in shown
    for path, stamp in before.items():
        assert path.stat().st_mtime_ns == stamp, "what was proved is not proved again"
    saved = json.loads((out / "matrix.json").read_text(encoding="utf-8"))
    states = {(c["content"], c["behavior"], c["predict"]): c["state"] for c in saved["cells"]}
    assert states["Null", "Additive", "Dot"] == "green"
    assert states["Null", "Null", "Dot"] == "illegal"
    page = (out / "matrix.html").read_text(encoding="utf-8")
    assert "Pooling -&gt; Null -&gt; DCN: E0403" in page
    assert "http" not in page.replace("http-equiv", "")
    assert not (out / "work").exists()


def test_a_proof_is_about_the_code_that_was_run(tmp_path: Path) -> None:
    record = {"key": "k", "code": "one", "status": "green"}
    State(tmp_path, "one").write(record)
    assert State(tmp_path, "one").read("k") == record
    assert State(tmp_path, "two").read("k") is None
    (tmp_path / "points/k.json").write_text("{", encoding="utf-8")
    assert State(tmp_path, "one").read("k") is None


@pytest.mark.usefixtures("broken_dot")
def test_a_difference_is_red_with_its_reason_and_proved_again_once_mended(
    small: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    only = "content=Pooling,predict=Dot"
    proven = prove(small, out=out, cache=cache, only=only)
    (red,) = proven.red
    assert red["phase"] == "export"
    assert red["reason"].startswith("E0823")
    assert "X Pooling" in text(proven.matrix)
    monkeypatch.undo()
    assert not prove(small, out=out, cache=cache, only=only).red


def test_processes_side_by_side(small: Path, tmp_path: Path, cache: Path) -> None:
    proven = prove(small, out=tmp_path / "out", cache=cache, jobs=2)
    assert proven.matrix.counts["green"] == 4


def test_a_file_that_does_not_check_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "m.lego"
    file.write_text(SMALL.format("Dott"), encoding="utf-8")
    with pytest.raises(LegoError) as caught:
        prove(file, out=tmp_path / "out")
    assert caught.value.diagnostics[0].code == "E0206"
    assert not (tmp_path / "out").exists()
    file.write_text("data d { source = Demo }\n", encoding="utf-8")
    with pytest.raises(LegoError) as caught:
        prove(file, out=tmp_path / "out")
    assert caught.value.diagnostics[0].code == "E0702"


def test_every_case_has_a_cell() -> None:
    matrix = build_matrix(find_cases(str(ZOO)), {}, name="zoo", code="")
    assert sum(cell.cases for cell in matrix.cells) == matrix.counts["cases"]
