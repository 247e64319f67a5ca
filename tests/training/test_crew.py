"""What a sweep decides and what its processes tell each other, without processes."""

import sys
import traceback
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import legoc
from legoc.data import prepare
from legoc.language.diagnosing.diagnostics import Diagnostic, Label
from legoc.language.diagnosing.document import Document
from legoc.progress import SILENT
from legoc.training import points
from legoc.training.energy import ESTIMATE
from legoc.training.jobs import crew
from legoc.training.jobs.known import Known
from legoc.training.jobs.memory import array_bytes, batch_sizes, estimate, saved
from legoc.training.jobs.messages import (
    WorkerError,
    decode,
    encode,
    read_error,
    read_spec,
    write_error,
    write_spec,
)
from legoc.training.jobs.process import Worker, describe_end
from legoc.training.jobs.room import choose_jobs, group_free, machine_free
from legoc.training.jobs.survey import survey
from legoc.training.jobs.work import Pace, operations, write_left
from legoc.training.settings import Settings
from legoc.training.sweep import Sweep


TEXT = """data d { source = Demo(items=300, users=80, impressions=240) content = [title(8)] }
model m = content Pooling(hidden=8) -> behavior Pooling -> predict Dot
train t { epochs = 1 samples = 128 calibrate = true }
run m on d with t
"""


@pytest.fixture(scope="module")
def spec() -> legoc.language.Spec:
    return legoc.language.check(Document("m.lego", TEXT)).specs[0]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_a_spec_travels_with_its_text_and_places(spec: legoc.language.Spec) -> None:
    message = decode(encode(write_spec(spec)))
    assert message is not None
    found = read_spec(message)
    assert found == spec
    assert (found.source_text, found.origin) == (spec.source_text, spec.origin)
    energy = replace(ESTIMATE, core=7.0, source="as given")
    settings = Settings(track=("a", "b"), threads=2, until="train", energy=energy)
    sent = decode(encode(settings.to_json()))
    assert sent is not None
    assert Settings.from_json(sent) == settings
    # A line that was broken off with its process is none.
    assert decode(encode(settings.to_json())[:20]) is None


def test_an_error_comes_back_at_its_place(spec: legoc.language.Spec) -> None:
    place = spec.origin["train.calibrate"]
    label = Label(span=place, text="needs clicks", primary=True)
    sent = legoc.LegoError(
        Diagnostic(code="E0556", message="nothing", labels=(label,), help=("a", "b"), notes=("c",))
    )
    message = decode(encode(write_error(sent)))
    assert message is not None
    found = read_error(message, spec)
    assert isinstance(found, legoc.LegoError)
    assert list(found.diagnostics) == list(sent.diagnostics)
    assert found.diagnostics[0].primary is not None
    assert found.diagnostics[0].primary.position == (3, 48)
    # What the system refuses is the user's, and told as such.
    message = write_error(OSError(28, "No space left on device", "/full/disk"))
    assert message["diagnostics"][0]["code"] == "E0562"


def test_a_defect_comes_back_with_its_traceback(spec: legoc.language.Spec) -> None:
    try:
        torch.zeros(2) @ torch.zeros(3)
    except RuntimeError as error:
        message = decode(encode(write_error(error)))
    assert message is not None
    found = read_error(message, spec)
    assert isinstance(found, WorkerError)
    shown = "".join(traceback.format_exception(found))
    assert "torch.zeros(2) @ torch.zeros(3)" in shown
    assert shown.count("Traceback") >= 1


def test_as_many_as_memory_lasts_for() -> None:
    assert choose_jobs(4, [10, 10, 10, 10], 100) == 4
    assert choose_jobs(4, [10, 10, 10, 10], 25) == 2
    assert choose_jobs(4, [10, 20, 30, 40], 70) == 2
    assert choose_jobs(2, [10, 20, 30, 40], 75) == 2
    # One that does not fit alone is run alone.
    assert choose_jobs(4, [200, 10], 100) == 1
    assert choose_jobs(3, [200, 200, 200], None) == 3


def test_what_is_free_is_the_least_of_machine_and_groups(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 2000 kB\nMemAvailable:   1500 kB\n")
    assert machine_free(meminfo) == 1500 * 1024
    assert machine_free(tmp_path / "absent") is None
    root = tmp_path / "cgroup"
    inner = root / "job/step"
    inner.mkdir(parents=True)
    (inner / "memory.max").write_text("max\n")
    (inner / "memory.current").write_text("5\n")
    (root / "job/memory.max").write_text("1000\n")
    (root / "job/memory.current").write_text("700\n")
    (root / "job/memory.stat").write_text("anon 500\ninactive_file 200\n")
    groups = tmp_path / "groups"
    groups.write_text("0::/job/step\n")
    assert list(group_free(groups, root)) == [500]
    # The older form, with a hierarchy of its own.
    old = root / "memory/docker"
    old.mkdir(parents=True)
    (old / "memory.limit_in_bytes").write_text("900\n")
    (old / "memory.usage_in_bytes").write_text("400\n")
    groups.write_text("3:cpu,cpuacct:/docker\n2:memory:/docker\n")
    assert list(group_free(groups, root)) == [500]
    assert list(group_free(tmp_path / "absent", root)) == []


def test_the_time_that_is_left() -> None:
    pace = Pace()
    assert pace.left([1.0], [], 2) is None
    pace.enter(0.0, 5.0)  # one that was finished tells nothing
    assert pace.left([1.0], [], 2) is None
    pace.enter(10.0, 100.0)
    pace.enter(30.0, 300.0)
    # Four runs of 10 operations at 10 s each, one of them half done, for two processes.
    assert pace.left([10.0, 10.0, 10.0], [(10.0, 50.0)], 2) == pytest.approx(175.0)
    # The longest run is shared by nobody.
    assert pace.left([90.0], [(10.0, 99.0)], 2) == pytest.approx(900.0)
    assert pace.left([], [(10.0, 500.0)], 2) == 0.0
    assert write_left(2) == "about 5 s left"
    assert write_left(62) == "about 60 s left"
    assert write_left(840) == "about 14 min left"
    assert write_left(3 * 3600) == "about 3.0 h left"


def test_how_a_process_ended() -> None:
    assert describe_end(-9) == "was ended by SIGKILL"
    assert describe_end(-250) == "was ended by signal 250"
    assert describe_end(143) == "ended with exit code 143"


def test_the_parts_of_the_estimate(spec: legoc.language.Spec, cache: Path) -> None:
    prepared = prepare(spec, cache=cache)
    batch = batch_sizes(spec, prepared)
    need = estimate(spec, prepared, batch)
    assert spec.train is not None
    weights = 4 * 8 * prepared.rows.tokens
    # Weights, their gradients twice while they are summed up, two moments; and the item vectors.
    assert need.weights >= 5 * weights
    assert need.weights <= 6 * weights + 4 * 8 * prepared.rows.items + 1000
    sgd = replace(spec, train=replace(spec.train, optimizer="sgd"))
    assert estimate(sgd, prepared, batch).weights <= need.weights - 2 * weights
    assert need.data > prepared.logs["train"].item.nbytes
    long = replace(spec, train=replace(spec.train, epochs=10, samples=None))
    assert operations(long, prepared, batch) > operations(spec, prepared, batch)


def test_arrays_are_counted_once() -> None:
    rows = np.zeros(100, dtype=np.int32)
    assert array_bytes({"a": rows, "b": (rows, np.zeros(2)), "c": "text"}) == 400 + 16


def test_what_autograd_keeps_is_counted_without_weights() -> None:
    """A linear layer keeps its input; a sigmoid its output; both of them once."""
    with torch.device("meta"):
        layer = torch.nn.Linear(50, 20)
        x = torch.empty(7, 50)
    assert saved(layer, lambda: layer(x)) == 7 * 50 * 4
    assert saved(layer, lambda: layer(x).sigmoid()) == 7 * 50 * 4 + 7 * 20 * 4
    assert saved(layer, lambda: layer(x) + layer(x)) == 7 * 50 * 4


class Said:
    """A `Progress` that keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


@pytest.mark.parametrize(
    ("needs", "free", "asked", "jobs", "said"),
    [
        ([2, 2, 2], 10, 2, 2, []),
        (
            [2, 5, 2], 6, 3, 1,
            ["1 at a time in place of 3: a run takes up to 5.0 GiB of memory (m), and 6.0 GiB"],
        ),
        (
            [9, 2], 6, 2, 1,
            ["1 at a time in place of 2: a run takes up to 9.0 GiB", "warning: m takes about 9.0"],
        ),
        # One that fits with nobody and not alone is run, and warned of.
        ([9], 6, 4, 1, ["warning: m takes about 9.0 GiB of memory, and 6.0 GiB are free"]),
    ],
)  # fmt: skip
def test_fewer_at_a_time_are_said_with_the_figures(
    spec: legoc.language.Spec,
    monkeypatch: pytest.MonkeyPatch,
    needs: list[int],
    free: int,
    asked: int,
    jobs: int,
    said: list[str],
) -> None:
    monkeypatch.setattr(crew, "free_memory", lambda: free * crew.GIB - 1000)
    heard = Said()
    known = {
        place: Known(
            folder=f"runs/m-{place}", finished=False, need=need * crew.GIB, work=1.0, resident=1000
        )
        for place, need in enumerate(needs)
    }
    group = crew.Crew([spec] * len(needs), Settings(), heard)  # type: ignore[arg-type]
    assert crew.fit_jobs(group, known, asked) == jobs
    assert len(heard.lines) == len(said)
    assert all(line.startswith(start) for line, start in zip(heard.lines, said, strict=True))


def test_the_survey_counts_among_the_candidates_that_runs_rank(
    spec: legoc.language.Spec, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        "legoc.evaluation.baselines.measure_baselines",
        lambda *_, candidates, **__: asked.append(candidates) or {},
    )
    assert spec.train is not None
    settings = Settings(runs=str(tmp_path), cache=str(cache))
    for candidates in ("shown", "all"):
        survey(replace(spec, train=replace(spec.train, candidates=candidates)), settings, SILENT)
    assert asked == ["shown", "all"]


def test_metrics_that_full_ranking_has_not_are_refused_before_anything_trains(
    cache: Path, tmp_path: Path
) -> None:
    text = TEXT.replace("calibrate = true", "metrics = [AUC] candidates = all")
    (found,) = legoc.language.check(Document("m.lego", text)).specs
    with pytest.raises(legoc.LegoError) as failure:
        legoc.train(found, runs=tmp_path / "runs", cache=cache)
    assert failure.value.diagnostics[0].code == "E0588"
    assert not (tmp_path / "runs").exists()


def test_a_worker_reads_no_module_of_the_folder_it_is_started_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of the user may be called as a module of Python is."""
    (tmp_path / "random.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [each for each in sys.path if each])
    heard: list[dict[str, object]] = []
    worker = Worker(lambda _, message: heard.append(message))
    worker.wait()
    assert heard[-1] == {"ended": 0}


@pytest.mark.parametrize("again", [True, False])
def test_what_one_point_has_trained_anew_stays_for_those_that_mean_the_same(
    spec: legoc.language.Spec, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(points, "train_with", lambda _, settings, __: asked.append(settings.again))
    other = replace(spec, keys=replace(spec.keys, spec="another"))
    three = [spec, other, replace(spec, name="same")]
    points.run_points(three, Settings(again=again), Sweep(), jobs=1, progress=SILENT)
    assert asked == [again, again, False]
