"""Who else is told how a training goes."""

import importlib.metadata
import json
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import legoc
from legoc.model.run import Run
from legoc.training.trackers import SHIPPED, Tracking, list_trackers, load_trackers
from tests.product.conftest import run as command


SPEC = """
data d { source = Demo(items=300, users=80, impressions=240) content = [title(8)] }
model m = content Pooling(hidden=8) -> behavior Pooling -> predict Dot
train t { epochs = 2 samples = 128 }
run m on d with t
"""
# What another package would offer.
PACKAGE = """
told = []


class Notes:
    def start(self, run):
        told.append(("start", run.folder))

    def log(self, entry):
        told.append(("log", entry))

    def end(self, run):
        told.append(("end", sorted(run.metrics or {})))


class Clumsy(Notes):
    def log(self, entry):
        raise RuntimeError("no network\\nand more")


class Absent:
    def __init__(self):
        raise ImportError("no service")
"""
ENTRIES = """[legoc.trackers]
notes = notes_tracker:Notes
clumsy = notes_tracker:Clumsy
absent = notes_tracker:Absent
"""


class Said:
    """A `Progress` that keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An installed package with three trackers."""
    place = tmp_path / "site"
    (place / "notes-1.dist-info").mkdir(parents=True)
    (place / "notes-1.dist-info/METADATA").write_text("Name: notes\nVersion: 1\n")
    (place / "notes-1.dist-info/entry_points.txt").write_text(ENTRIES)
    (place / "notes_tracker.py").write_text(PACKAGE)
    monkeypatch.syspath_prepend(str(place))
    import notes_tracker

    notes_tracker.told.clear()
    return notes_tracker


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "m.lego").write_text(SPEC, encoding="utf-8")
    return tmp_path / "m.lego"


def test_a_tracker_is_told_what_the_log_says(
    package: Any, file: Path, cache: Path, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    flags = ("--cache", cache, "--runs", runs, "--track", "notes", "--until", "train", "-q")
    assert command("train", file, *flags) == 0
    (folder,) = (tmp_path / "runs").glob("m-*")
    entries = [entry for what, entry in package.told if what == "log"]
    assert package.told[0] == ("start", folder)
    assert package.told[-1] == ("end", [])
    logged = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [{k: v for k, v in entry.items() if k != "step"} for entry in entries] == logged
    steps = [entry["step"] for entry in entries if entry["event"] == "step"]
    assert steps == list(range(1, len(steps) + 1))
    ends = [entry["step"] for entry in entries if entry["event"] == "evaluation"]
    assert ends == [len(steps) // 2, len(steps)]
    # A run that is finished has nothing to tell.
    package.told.clear()
    assert command("train", file, *flags) == 0
    assert package.told == []


def test_one_that_raises_is_a_warning_and_no_more(
    package: Any, file: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    track = ("--track", "clumsy", "--track", "notes")
    flags = ("--cache", cache, "--runs", tmp_path / "runs", *track, "--until", "train")
    assert command("train", file, *flags) == 0
    said = capsys.readouterr().err
    assert said.count("the tracker `clumsy` is told no more of this run") == 1
    assert "its `log` failed: RuntimeError: no network\n" in said
    assert "and more" not in said
    kinds = [what for what, _ in package.told]
    # The other one is told everything, and the clumsy one nothing more.
    assert kinds.count("start") == 2
    assert kinds.count("end") == 1
    (folder,) = (tmp_path / "runs").glob("m-*")
    assert kinds.count("log") == len((folder / "log.jsonl").read_text().splitlines())
    assert Run(folder).finished


def test_an_interrupted_training_is_ended_for_its_trackers(
    package: Any, file: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = legoc.load(file)[0]
    settings: Any = {"cache": cache, "runs": tmp_path / "runs", "until": "train"}

    def stop(self: Any, entry: Mapping[str, Any]) -> None:
        package.told.append(("log", entry))
        if entry["step"] == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(package.Notes, "log", stop)
        with pytest.raises(KeyboardInterrupt):
            legoc.train(spec, track=["notes"], **settings)
    assert package.told[-1] == ("end", [])
    package.told.clear()
    run = legoc.train(spec, track=["notes"], **settings)
    assert run.finished
    first = next(entry for what, entry in package.told if what == "log")
    assert first["step"] > 1 or first["epoch"] == 1


def test_names_that_nobody_has(
    package: Any, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ("--runs", tmp_path / "runs")
    assert command("train", file, *flags, "--track", "note") == 1
    said = capsys.readouterr().err
    assert "error[E0583]: no tracker is called `note`" in said
    assert "did you mean `notes`? there are `absent`, `clumsy`, `notes`, `tensorboard`" in said
    assert command("train", file, *flags, "--track", "absent") == 1
    said = capsys.readouterr().err
    assert "error[E0584]: the tracker `absent` does not start: ImportError: no service" in said
    assert not (tmp_path / "runs").exists()


def test_an_entry_point_may_name_what_lies_within_and_extras(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = ModuleType("home_of_trackers")
    home.Outer = type("Outer", (), {"Inner": type("Inner", (), {})})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "home_of_trackers", home)
    for value in ("home_of_trackers:Outer.Inner", "home_of_trackers:Outer.Inner [more]"):
        entry = importlib.metadata.EntryPoint(name="own", value=value, group="legoc.trackers")
        own = {"own": entry}
        monkeypatch.setattr("legoc.training.trackers.list_trackers", own.copy)
        assert type(load_trackers(["own"])["own"]).__name__ == "Inner"


def test_what_ships_is_declared_for_others_to_find() -> None:
    """An application that lists the group finds what `--track` finds."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["entry-points"]["legoc.trackers"] == SHIPPED
    assert list_trackers().keys() >= SHIPPED.keys()
    shown = importlib.metadata.entry_points(group="legoc.trackers")
    assert {entry.name for entry in shown} <= list_trackers().keys()


def test_a_tracker_that_was_never_started_is_not_ended() -> None:
    said = Said()
    tracking = Tracking({"broken": object()}, said)  # type: ignore[arg-type, dict-item]
    tracking.end(Run(Path("nowhere")))
    assert said.lines == []
    tracking.start(Run(Path("nowhere")))
    tracking.end(Run(Path("nowhere")))
    assert len(said.lines) == 1


def test_tensorboard_shows_the_figures_of_a_run(file: Path, cache: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    flags = ("--cache", cache, "--runs", tmp_path / "runs", "--track", "tensorboard", "-q")
    assert command("train", file, *flags) == 0
    (folder,) = (tmp_path / "runs").glob("m-*")
    found = EventAccumulator(str(folder / "tensorboard"))
    found.Reload()
    logged = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    losses = [entry["loss"] for entry in logged if entry["event"] == "step"]
    shown = found.Scalars("train/loss")
    assert [one.step for one in shown] == list(range(1, len(losses) + 1))
    assert [one.value for one in shown] == pytest.approx(losses)
    valid = [entry["metrics"]["GAUC"] for entry in logged if entry["event"] == "evaluation"]
    assert [one.value for one in found.Scalars("valid/GAUC")] == pytest.approx(valid)
    metrics = json.loads((folder / "metrics.json").read_text())["test"]["metrics"]
    assert found.Scalars("test/GAUC")[0].value == pytest.approx(metrics["GAUC"])


def test_tensorboard_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "legoc.training.tensorboard", raising=False)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(legoc.LegoError) as failure:
        load_trackers(["tensorboard"])
    (found,) = failure.value.diagnostics
    assert found.code == "E0584"
    assert "pip install 'legoc[tensorboard]'" in found.help[0]


NAME = re.compile(r"[\w./ -]+")


class MLflow(ModuleType):
    """Stands in for mlflow: it takes the calls of the page, and the names that mlflow takes."""

    def __init__(self) -> None:
        super().__init__("mlflow")
        self.open = False
        self.params: dict[str, Any] = {}
        self.metrics: list[tuple[str, float, int | None]] = []
        self.artifacts: list[Path] = []

    def start_run(self, run_name: str) -> None:
        assert not self.open
        self.open = True
        self.params["run"] = run_name

    def log_params(self, params: Mapping[str, Any]) -> None:
        assert self.open
        self.params.update(params)

    def log_metric(self, key: str, value: float, step: int | None = None) -> None:
        assert self.open
        assert NAME.fullmatch(key), key
        self.metrics.append((key, float(value), step))

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        for key, value in metrics.items():
            self.log_metric(key, value, step)

    def log_artifact(self, path: str) -> None:
        assert self.open
        assert Path(path).is_file()
        self.artifacts.append(Path(path))

    def end_run(self) -> None:
        assert self.open
        self.open = False


def test_the_tracker_of_the_page_works_as_a_package_has_it(
    file: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[2] / "docs/tracking.md").read_text("utf-8")
    code = page.partition("<!-- mlflow -->\n```python\n")[2].partition("```")[0]
    entries = tomllib.loads(
        page.partition("<!-- entry point -->\n```toml\n")[2].partition("```")[0]
    )
    place = tmp_path / "site"
    (place / "our_package").mkdir(parents=True)
    (place / "our_package/__init__.py").touch()
    (place / "our_package/tracking.py").write_text(code)
    (place / "ours-1.dist-info").mkdir()
    (place / "ours-1.dist-info/METADATA").write_text("Name: ours\nVersion: 1\n")
    listed = entries["project"]["entry-points"]["legoc.trackers"]
    lines = [f"{name} = {value}" for name, value in listed.items()]
    (place / "ours-1.dist-info/entry_points.txt").write_text(
        "\n".join(["[legoc.trackers]", *lines, ""])
    )
    monkeypatch.syspath_prepend(str(place))
    stand_in = MLflow()
    monkeypatch.setitem(sys.modules, "mlflow", stand_in)
    flags = ("--cache", cache, "--runs", tmp_path / "runs", "--no-baselines")
    assert command("train", file, *flags, "--track", "mlflow") == 0
    (folder,) = (tmp_path / "runs").glob("m-*")
    assert not stand_in.open
    assert stand_in.params["run"] == folder.name
    assert (
        stand_in.params["seed"] == json.loads((folder / "spec.json").read_text())["train"]["seed"]
    )
    logged = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    losses = [entry["loss"] for entry in logged if entry["event"] == "step"]
    assert [value for key, value, _ in stand_in.metrics if key == "loss"] == losses
    metrics = json.loads((folder / "metrics.json").read_text())["test"]["metrics"]
    shown = {key: value for key, value, _ in stand_in.metrics if key.startswith("test ")}
    assert shown["test NDCG 5"] == metrics["NDCG(5)"]
    assert len(shown) == len(metrics)
    assert stand_in.artifacts == [folder / "spec.json"]
