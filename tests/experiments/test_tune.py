"""`legoc tune` on small runs: what it finds, what it goes on with, and what it refuses."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from legoc.experiments.study import TRIALS, read_trials
from legoc.language.checking import check
from legoc.language.diagnosing.document import Document
from legoc.model.run import Run
from legoc.progress import SILENT
from legoc.training.folder import locked
from legoc.training.jobs.crew import Crew
from legoc.training.settings import Settings
from tests.product.conftest import run


HEAD = """data d {
  source = Demo(items=200, users=60, impressions=200)
  content = [title(8)]
  history = 8
}
model m =
  content Pooling(hidden in {8, 12})
  -> behavior Attention(heads in {3, 4})
  -> predict Dot
train base { epochs = 2  batch = 64  metrics = [GAUC, MRR] }
"""
SPEC = f"{HEAD}run m on d with base(lr in 1e-4..1e-1 log) where valid\n"


@pytest.fixture
def file(tmp_path, monkeypatch, cache):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEGOC_CACHE", str(cache))
    (tmp_path / "m.lego").write_text(SPEC, "utf-8")
    return tmp_path / "m.lego"


def tune(*words, capsys, until="train"):
    """What the command prints as JSON."""
    capsys.readouterr()
    assert run("tune", *words, "-q", "--json", "--no-baselines", "--until", until) == 0
    return json.loads(capsys.readouterr().out)


def trials_of(place):
    (study,) = (place / "runs/studies").iterdir()
    return read_trials(study / TRIALS)


def told(trials):
    """Trials without what depends on the clock."""
    return [(t.number, t.choices, t.state, t.value, t.by_epoch, t.folder) for t in trials]


@pytest.fixture(scope="module")
def whole(tmp_path_factory, cache):
    """A search of six trials that nothing interrupted; no test may change it."""
    place = tmp_path_factory.mktemp("whole")
    (place / "m.lego").write_text(SPEC, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("LEGOC_CACHE", str(cache))
        assert run("tune", "m.lego", "--trials", "6", "-q", "--no-baselines") == 0
    return place


def test_the_best_is_tested_and_its_lines_are_its_spec(whole, monkeypatch, cache, capsys):
    monkeypatch.chdir(whole)
    monkeypatch.setenv("LEGOC_CACHE", str(cache))
    before = {path: path.stat().st_mtime_ns for path in whole.glob("runs/*/best.safetensors")}
    (found,) = tune("m.lego", "--trials", "6", capsys=capsys, until="evaluate")
    # All of it was there: nothing was trained, nothing proposed.
    assert before == {p: p.stat().st_mtime_ns for p in whole.glob("runs/*/best.safetensors")}
    trials = trials_of(whole)
    assert [t.state for t in trials].count("trained") == 6 == len(before)
    refused = [t for t in trials if t.state == "no model"]
    assert found["no_models"] == len(refused) > 0
    assert all(t.why.startswith("E0402") and not t.folder for t in refused)
    best = max((t for t in trials if t.value is not None), key=lambda t: t.value)
    assert found["best"]["trial"] == best.number + 1
    assert found["best"]["metrics"]["test"]["metrics"]["GAUC"] is not None
    folder = Run(whole / "runs" / best.folder)
    assert best.value == folder.end["best"]
    values = [each["value"] for each in found["trials"] if each["state"] == "trained"]
    assert values == sorted(values, reverse=True)
    # Only the best was exported.
    assert [path.parent.name for path in whole.glob("runs/*/bundle")] == [best.folder]
    budget = folder.record("budget.json")
    assert (budget["trials"], budget["proposals"]) == (6, len(trials))
    paid = [json.loads(p.read_text())["cpu"] for p in whole.glob("runs/*/cost.json")]
    assert budget["cpu"] == pytest.approx(sum(paid), abs=0.01)
    # The lines to paste are the spec that was trained, and its run is found by them.
    text = HEAD + found["best"]["lego"]
    (spec,) = check(Document("m.lego", text)).specs
    assert spec.keys == folder.spec.keys


def test_people_read_a_table_and_lines_to_paste(whole, monkeypatch, cache, capsys):
    monkeypatch.chdir(whole)
    monkeypatch.setenv("LEGOC_CACHE", str(cache))
    assert run("tune", "m.lego", "--trials", "6", "-q", "--no-baselines") == 0
    said = capsys.readouterr().out
    refused = sum(t.state == "no model" for t in trials_of(whole))
    assert "trials of m, by GAUC on valid" in said
    assert f"; {refused} of {6 + refused} proposals were no models" in said
    assert "    train best = base(lr=" in said
    assert "    run best_m on d with best\n" in said
    # And the table says what finding it has cost.
    (best,) = (path.parent for path in whole.glob("runs/*/budget.json"))
    assert run("table", best, "-q", "--format", "markdown") == 0
    head, _, row = capsys.readouterr().out.splitlines()[:3]
    assert head.endswith("| trials |")
    assert row.endswith("| 6 |")
    assert run("table", best, "-q", "--format", "csv") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(",trials")
    assert lines[1].endswith(",6")


def test_more_trials_go_on_from_those_there(file, whole, capsys):
    tune("m.lego", "--trials", "2", capsys=capsys)
    assert [t.state for t in trials_of(file.parent)].count("trained") == 2
    tune("m.lego", "--trials", "6", capsys=capsys)
    assert told(trials_of(file.parent)) == told(trials_of(whole))


# The command, waiting where the third of its trainings is half done.
WAITING = """
import sys, time
from legoc.commands.cli import main
from legoc.training.record import Record

ends = 0
enter_epoch = Record.enter_epoch


def wait(self):
    global ends
    enter_epoch(self)
    ends += 1
    if ends == 5:
        print("WAITING", file=sys.stderr, flush=True)
        time.sleep(600)


Record.enter_epoch = wait
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "term"])
def test_a_killed_search_loses_and_repeats_nothing(file, whole, cache, capsys, stop):
    words = ["tune", "m.lego", "--trials", "6", "--until", "train"]
    with subprocess.Popen(
        [sys.executable, "-c", WAITING, *words],
        env={**os.environ, "LEGOC_CACHE": str(cache)}, cwd=file.parent,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        assert "WAITING\n" in iter(process.stderr.readline, "")
        process.send_signal(stop)
        said = process.stderr.read()
        code = process.wait(timeout=60)
    assert code == (-signal.SIGKILL if stop == signal.SIGKILL else 143), said
    assert stop == signal.SIGKILL or "goes on where it stopped" in said
    there = trials_of(file.parent)
    assert [t.state for t in there].count("trained") == 2
    (found,) = tune("m.lego", "--trials", "6", capsys=capsys)
    assert told(trials_of(file.parent)) == told(trials_of(whole))
    assert found["budget"]["trials"] == 6
    assert len(list(file.parent.glob("runs/*/best.safetensors"))) == 6


def children(process):
    """The processes that a process has started."""
    words = ["ps", "-o", "pid=", "--ppid", str(process.pid)]
    return [
        int(pid) for pid in subprocess.run(words, capture_output=True, check=False).stdout.split()
    ]


def test_killed_with_two_at_a_time_it_goes_on(file, whole, cache, capsys):
    words = ["tune", "m.lego", "--trials", "6", "--until", "train", "--jobs", "2"]
    with subprocess.Popen(
        [sys.executable, "-m", "legoc", *words],
        env={**os.environ, "LEGOC_CACHE": str(cache)}, cwd=file.parent,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        said: list[str] = []
        for line in process.stderr:
            said.append(line)
            if ": epoch 1: loss" in line and any(each.startswith("trial 2: GAUC") for each in said):
                break
        workers = children(process)
        process.kill()
    assert len(workers) == 2
    assert any(line.startswith("trial 3 of 6 (m[lr=") and ", 2 running" in line for line in said)
    # They find that nobody gives them orders any more, save and end.
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    there = trials_of(file.parent)
    assert any(trial.state == "open" for trial in there)
    kept = {p: p.stat().st_mtime_ns for p in file.parent.glob("runs/*/best.safetensors")}
    ended = [file.parent / "runs" / t.folder / "best.safetensors" for t in there if t.folder]
    (found,) = tune("m.lego", "--trials", "6", "--jobs", "2", capsys=capsys)
    # So few are drawn at random, whatever is known of others: they are those of one at a time.
    assert told(trials_of(file.parent)) == told(trials_of(whole))
    assert found["budget"]["trials"] == 6
    assert len(list(file.parent.glob("runs/*/best.safetensors"))) == 6
    assert all(path.stat().st_mtime_ns == kept[path] for path in ended)


def test_a_process_asks_whether_to_give_up(file, cache):
    (spec,) = check(Document("m.lego", f"{HEAD}run m(content.hidden=8, behavior.heads=4) on d with "
                                       "base(epochs=4)\n")).specs  # fmt: skip
    asked = []

    def hopeless(own):
        asked.append(dict(own))
        return len(own) == 2

    settings = Settings(runs=str(file.parent / "runs"), until="train", cache=str(cache))
    crew = Crew([spec], settings, SILENT)
    crew.watched[0] = hopeless
    try:
        crew.give("train", 0)
        _, _, message = crew.answer()
        given_up = crew.become(0, message)
        assert given_up.given_up
        assert [list(each) for each in asked] == [[1], [1, 2]]
        values = [e["metrics"]["GAUC"] for e in given_up.log if e["event"] == "evaluation"]
        assert list(asked[-1].values()) == values
        # The next that it is given is trained to its end, for nobody watches.
        crew.watched.clear()
        crew.give("train", 0)
        assert crew.become(0, crew.answer()[2]).end["epochs"] == 4
    finally:
        crew.end()


def test_one_command_at_a_time_searches(file, capsys):
    words = ("tune", "m.lego", "--trials", "1", "--study", "kept", "-q", "--until", "train")
    with locked(file.parent / "kept"):
        assert run(*words) == 1
    assert "error[E0553]" in capsys.readouterr().err


def test_the_hopeless_are_given_up_and_can_go_on(file, cache, capsys):
    text = SPEC.replace("epochs = 2", "epochs = 4").replace("heads in {3, 4}", "heads=4")
    file.write_text(text, "utf-8")
    (found,) = tune("m.lego", "--trials", "12", "--stop-hopeless", capsys=capsys)
    trials = trials_of(file.parent)
    gone = [t for t in trials if t.state == "hopeless"]
    assert gone
    assert len(trials) == 12 == found["budget"]["trials"]
    for trial in gone:
        assert 2 <= trial.epochs < 4
        given_up = Run(file.parent / "runs" / trial.folder)
        assert given_up.end["reason"] == "hopeless"
        assert not given_up.finished
        earlier = [t for t in trials[: trial.number] if t.state == "trained"]
        assert len(earlier) >= 5
    # Without the option the same search goes on, and what was given up stays so.
    tune("m.lego", "--trials", "12", capsys=capsys)
    assert trials_of(file.parent) == trials
    # A training of the same spec goes on to its end, as if nobody had given it up.
    run_folder = file.parent / "runs" / gone[0].folder
    before = [e["metrics"] for e in Run(run_folder).log if e["event"] == "evaluation"]
    spec = Run(run_folder).spec
    lines = f"train t = base(lr={spec.train.lr!r})\nmodel n = m(content.hidden=" \
        f"{spec.model['content']['hidden']}, behavior.heads=4)\nrun n on d with t\n"  # fmt: skip
    file.write_text(text[: text.index("run m")] + lines, "utf-8")
    assert run("train", "m.lego", "--until", "train", "-q") == 0
    (other,) = file.parent.glob(f"runs/n-{gone[0].folder[-12:]}")
    assert Run(other).end["epochs"] == 4
    after = [e["metrics"] for e in Run(other).log if e["event"] == "evaluation"]
    assert after[: len(before)] == before
    assert Run(other).finished


def test_every_point_of_other_axes_is_a_search(file, capsys):
    text = SPEC.replace("lr in 1e-4..1e-1 log", "lr in 1e-3..1e-1 log, seed in 1..2")
    file.write_text(text.replace("epochs = 2", "epochs = 1"), "utf-8")
    found = tune("m.lego", "--trials", "2", "--study", "kept", capsys=capsys)
    assert [each["name"] for each in found] == ["m[seed=1]", "m[seed=2]"]
    assert [each["study"] for each in found] == ["kept/1", "kept/2"]
    assert all(each["budget"]["trials"] == 2 for each in found)
    names = [each["best"]["lego"].count("best_2") for each in found]
    assert names[0] == 0 < names[1]


@pytest.mark.parametrize(
    ("change", "words", "code"),
    [
        (("lr in 1e-4..1e-1 log", "lr = 1e-3"), ("--set", "m.content.hidden=8",
                                                 "--set", "m.behavior.heads=4"), "E0705"),
        (("metrics = [GAUC, MRR]", "metrics = [GAUC, MRR]  monitor in {GAUC, MRR}"), (), "E0574"),
        (("history = 8", "history = 8  group in {user, impression}"), (), "E0574"),
        (("history = 8", "history = 8  split = time(valid=0%, test=20%)"), (), "E0572"),
        (("predict Dot", "predict MINER"), (), "E0701"),
        (("1e-4..1e-1", "1e6..1e7"), ("--trials", "2"), "E0573"),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_refused(file, change, words, code, capsys):
    assert change[0] in SPEC
    file.write_text(SPEC.replace(*change), "utf-8")
    assert run("tune", "m.lego", *words, "-q") == 1
    said = capsys.readouterr().err
    assert f"error[{code}]" in said, said


def test_another_spec_is_refused_with_both_digests(file, capsys):
    words = ("tune", "m.lego", "--trials", "1", "--study", "kept", "-q", "--until", "train")
    assert run(*words) == 0
    first = json.loads((file.parent / "kept/study.json").read_text("utf-8"))["spec"]
    assert run(*words) == 0
    capsys.readouterr()
    assert run(*words, "--set", "m.content.hidden in {8, 12, 16}") == 1
    said = capsys.readouterr().err
    assert "error[E0570]" in said
    assert first[:12] in said
    assert said.count("m, spec ") == 2
    assert run(*words, "--seed", "1") == 1
    assert "seed 1" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "compile", "data", "runs", "table"])
def test_what_needs_values_says_what_to_type(file, command, capsys):
    assert run(command, "m.lego") == 1
    said = capsys.readouterr().err
    assert "error[E0906]: `lr` has no value yet" in said
    assert "search with `legoc tune m.lego`, or write values: `lr in [1e-4, 1e-1]`" in said
    assert Path("runs").exists() is False


def test_without_optuna_it_says_what_to_install(file, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert run("tune", "m.lego", "-q") == 1
    said = capsys.readouterr().err
    assert "error[E0575]" in said
    assert "pip install 'legoc[tune]'" in said
