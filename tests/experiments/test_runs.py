"""`legoc runs`: what is there, where points went, and what is removed."""

import json
import os
import shutil
from argparse import Namespace
from pathlib import Path

import pytest

from legoc.commands.chosen_runs import specs_of
from legoc.experiments import listing
from legoc.experiments.folders import find_points, find_runs, list_folders
from legoc.experiments.listing import Entry, choose, explain_point
from legoc.experiments.naming import shorten, without_seed
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.model.run import Run
from legoc.training.folder import locked, read_index
from tests.product.conftest import run


@pytest.fixture
def copies(runs, tmp_path):
    shutil.copytree(runs, tmp_path / "runs")
    return tmp_path / "runs"


@pytest.fixture
def variants(copies, spec, cache):
    """One point under two learning rates that `--set` gave it."""
    for rate in ("0.1", "0.01"):
        flags = ("--set", f"train.lr={rate}", "--only", "seed=1", "--until", "train", "-q")
        assert run("train", spec, *flags, "--cache", cache, "--runs", copies) == 0
    return copies


def listed(capsys, *words):
    assert run("runs", *words, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_every_run_is_listed_with_what_became_of_it(copies, capsys):
    one = next(copies.glob("text-*"))
    shutil.rmtree(one / "bundle")
    (one / "metrics.json").unlink()
    other = next(copies.glob("ids-*"))
    (other / "spec.json").write_text("{")
    found = {each["folder"]: each for each in listed(capsys, "--runs", copies)}
    assert len(found) == 6
    assert found[str(one)]["state"] == "trained"
    assert found[str(other)]["state"] == "unreadable"
    assert sum(each["state"] == "measured" for each in found.values()) == 4
    assert all("GAUC" in each["metrics"] for each in found.values() if each["state"] == "measured")
    assert found[str(one)]["cost"]["parameters"] > 0
    assert run("runs", "--runs", copies) == 0
    assert "text[seed=3]" in capsys.readouterr().out


def test_variants_of_set_have_names_of_their_own(variants, capsys):
    found = [each["name"] for each in listed(capsys, "text*", "--runs", variants)]
    assert sorted(found) == [
        "text[seed=1] {lr=0.003}", "text[seed=1] {lr=0.01}", "text[seed=1] {lr=0.1}",
        "text[seed=2]", "text[seed=3]",
    ]  # fmt: skip
    (folder,) = find_runs("text[seed=1] {lr=0.1}", variants)
    assert json.loads((folder / "spec.json").read_text())["train"]["lr"] == 0.1
    assert run("table", "text[seed=1]", "--runs", variants) == 1
    said = capsys.readouterr().err
    assert "E0560]: `text[seed=1]` names 3 runs" in said
    assert "{lr=0.01}" in said


def test_the_name_of_a_model_is_all_of_its_sweep(copies, spec, cache, capsys):
    """Where no system has it: `text` of a sweep over widths is `text[hidden=16]` and the others."""
    words = ("--runs", copies, "--cache", cache, "--until", "data", "-q")
    assert run("train", spec, "--only", "model=text", "--set", "text.content.hidden in [24, 32]",
               "--set", "train.seed=1", *words) == 0  # fmt: skip
    assert len(find_runs("text", copies)) == 3
    for folder in find_runs("text", copies):
        shutil.rmtree(folder)
    points = [one.point for one in list_folders(copies)]
    assert sorted(point for point in points if point.startswith("text")) == [
        "text[hidden=24]", "text[hidden=32]",
    ]  # fmt: skip
    assert len(find_runs("text", copies)) == 2
    capsys.readouterr()


def test_the_points_of_a_file_are_looked_for(variants, spec, cache, capsys):
    words = ("runs", spec, "--runs", variants)
    assert run(*words) == 0
    said = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    (folder,) = find_runs("text[seed=1] {lr=0.003}", variants)
    assert said["text[seed=1]"] == f"measured, in {folder}"
    assert run(*words, "--set", "train.lr=0.5", "--only", "seed=2") == 0
    said = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    (folder,) = find_runs("ids[seed=2]", variants)
    assert said["ids[seed=2]"] == (
        f"no run; {folder} is of another spec (train.lr: 0.003, now 0.5)"
    )
    other = variants.parent / "other.lego"
    text = spec.read_text("utf-8").replace("run text on d with base", "")
    other.write_text(text.replace("run ids", "run mine = ids").replace("model ids", "model mine")
                     .replace("mine = ids on", "mine on"), encoding="utf-8")  # fmt: skip
    assert run("runs", other, "--runs", variants) == 0
    out = capsys.readouterr().out
    assert "the same model, data and recipe as ids[seed=3]" in out
    assert run("runs", spec, "--runs", variants / "none") == 0
    assert "no run: it was not trained, or its folder was removed" in capsys.readouterr().out


def test_removing_asks_and_leaves_the_others(variants, monkeypatch, capsys):
    (gone,) = find_runs("text[seed=1] {lr=0.01}", variants)
    words = ("runs", "*{lr=0.01}", "--runs", variants, "--remove")
    # Nobody is at a terminal here.
    assert run(*words) == 1
    assert "say so beforehand with `--yes`" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdin.readline", lambda: "n\n", raising=False)
    assert run(*words) == 1
    assert "nothing was removed" in capsys.readouterr().err
    assert gone.is_dir()
    assert read_index(variants)["text[seed=1]"] == gone.name
    assert run(*words, "--yes") == 0
    assert not gone.exists()
    assert len(list_folders(variants)) == 8
    # The name is now that of the variant that was written last before it.
    (left,) = find_runs("text[seed=1] {lr=0.1}", variants)
    assert read_index(variants)["text[seed=1]"] == left.name


def test_a_run_at_work_is_not_removed(copies, capsys):
    folder = next(copies.glob("text-*"))
    with locked(folder):
        assert run("runs", folder.name, "--runs", copies, "--remove", "--yes") == 1
    assert "E0553" in capsys.readouterr().err
    assert folder.is_dir()


def test_what_is_not_there(copies, spec, capsys):
    assert run("runs", "zzz", "--runs", copies) == 1
    assert "E0560]: nothing in" in capsys.readouterr().err
    assert run("runs", spec, "--runs", copies, "--remove") == 1
    assert "`--remove` takes patterns" in capsys.readouterr().err
    assert run("runs", "--runs", copies / "none") == 0
    assert "no runs in" in capsys.readouterr().out
    assert listed(capsys, "--state", "interrupted", "--runs", copies) == []


def test_names_without_seeds():
    assert without_seed("a[seed=1]") == "a"
    assert without_seed("a[hidden=64, seed=1]") == "a[hidden=64]"
    assert without_seed("a[seed=1, hidden=64]") == "a[hidden=64]"
    assert (
        without_seed("a[content=CNN(hidden=64), seed=12, b=2]") == "a[content=CNN(hidden=64), b=2]"
    )
    assert without_seed("a") == "a"


def test_paths_are_as_short_as_tells_them_apart():
    found = shorten(["model.content.hidden", "model.behavior.hidden", "train.lr"])
    assert found == {
        "model.content.hidden": "content.hidden", "model.behavior.hidden": "behavior.hidden",
        "train.lr": "lr",
    }  # fmt: skip


def entry(name, folder):
    return Entry(folder=folder, name=name, state="begun", spec=None, written=0.0, size=0)


@pytest.fixture
def entries(tmp_path):
    """Runs below a folder whose own path holds the name of one of them."""
    place = tmp_path / "naml" / "runs"
    names = {"naml": "naml-01", "nrms": "nrms-02", "text[seed=1]": "text-03", "texts": "texts-04"}
    made = [entry(name, place / folder) for name, folder in names.items()]
    for each in made:
        each.folder.mkdir(parents=True)
    return made


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("naml", ["naml"]),
        ("run", []),
        ("nrms-0", ["nrms"]),
        ("n*", ["naml", "nrms"]),
        ("*/runs/*", []),
        # Brackets belong to names; only * and ? stand for other letters.
        ("text[seed=1]", ["text[seed=1]"]),
        ("text[seed=?]", ["text[seed=1]"]),
        ("text[seed=*", ["text[seed=1]"]),
        # What a shell makes of a variable that is not set.
        ("", []),
    ],
)
def test_a_pattern_is_of_names_and_not_of_where_they_lie(entries, pattern, names):
    assert [each.name for each in choose(entries, [pattern], [])] == names


def test_a_path_is_one_run(entries, monkeypatch):
    folder = entries[1].folder
    for word in (str(folder), f"{folder}/", str(folder / ".." / folder.name)):
        assert choose(entries, [word], []) == [entries[1]]
    monkeypatch.chdir(folder.parent.parent)
    assert choose(entries, ["runs/nrms-02"], []) == [entries[1]]
    # The folder of all of them is no run.
    assert choose(entries, ["runs"], []) == []


def test_removing_by_a_word_of_the_path_removes_nothing_else(copies, capsys):
    there = sorted(copies.iterdir())
    assert run("runs", copies.parent.name, "--runs", copies, "--remove", "--yes") == 1
    assert "E0560]: nothing in" in capsys.readouterr().err
    assert sorted(copies.iterdir()) == there


def changed(path, **keys):
    stored = json.loads(path.read_text("utf-8")) | keys
    path.write_text(json.dumps({k: v for k, v in stored.items() if v is not None}), "utf-8")


def damage(path, how):
    match how:
        case "cut":
            path.write_text('{"legoc": 1', "utf-8")
        case "list":
            path.write_text("[]", "utf-8")
        case "version":
            changed(path, legoc=2)
        case "operator":
            changed(path, model={"content": {"op": "Sorcery", "args": {}}})
        case "key":
            changed(path, data=None)
        case "types":
            changed(path, types={"item": "Vec[3]", "shop": "Vec[3]"})
        case "folder":
            path.unlink()
            path.mkdir()


SAID = {
    "cut": "not readable as JSON", "list": "it is not as legoc writes it",
    "version": "an IR of version 2", "operator": "no content operator 'Sorcery' is declared",
    "key": "it has no `data`", "types": "it is not as legoc writes it",
    "folder": "has no `spec.json`",
}  # fmt: skip


@pytest.mark.parametrize("how", SAID)
def test_a_spec_that_cannot_be_read_is_a_mistake_with_a_place(runs, tmp_path, how, capsys):
    folder = tmp_path / "runs" / "text-0123456789ab"
    folder.mkdir(parents=True)
    shutil.copy(next(runs.glob("text-*")) / "spec.json", folder)
    damage(folder / "spec.json", how)
    with pytest.raises(LegoError) as caught:
        _ = Run(folder).spec
    (told,) = caught.value.diagnostics
    assert told.code == "E0560"
    assert str(folder) in told.message
    assert SAID[how] in told.message
    for command in ("export", "table"):
        assert run(command, folder) == 1
        assert "E0560" in capsys.readouterr().err
    found = listed(capsys, "--runs", folder.parent)
    assert [each["state"] for each in found] == ([] if how == "folder" else ["unreadable"])


@pytest.mark.parametrize("text", ["{", "[]", "3", '{"test": 1}', '{"test": {"metrics": []}}',
                                  '{"test": {"metrics": {"GAUC": "x"}}}'])  # fmt: skip
def test_figures_that_cannot_be_read_hide_no_run(copies, text, capsys):
    one = next(copies.glob("text-*"))
    (one / "metrics.json").write_text(text, "utf-8")
    (one / "log.jsonl").write_text("3\n", "utf-8")
    assert run("runs", "--runs", copies) == 0
    assert one.name in capsys.readouterr().out
    (found,) = listed(capsys, one.name, "--runs", copies)
    assert found["metrics"] == {}
    assert found["state"] == "exported"
    assert run("runs", one.name, "--runs", copies, "--remove", "--yes") == 0
    assert not one.exists()
    assert len(list_folders(copies)) == 5


class Seen(list):
    """What a folder held when it was looked at."""

    def __iter__(self):
        return self

    def __next__(self):
        if not self:
            raise StopIteration
        return self.pop(0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def close(self):
        pass


def test_files_may_vanish_while_runs_are_listed(copies, monkeypatch, capsys):
    """A training beside it writes and removes files all the time; another may remove a run."""
    one, other = sorted(copies.glob("text-*"))[:2]
    for name in ("part", "parts/one"):
        (one / name).parent.mkdir(exist_ok=True)
        (one / name).write_text("x")
    real = os.scandir

    def scandir(path="."):
        with real(path) as entries:
            seen = Seen(entries)
        if Path(str(path)) == one:
            (one / "part").unlink(missing_ok=True)
            shutil.rmtree(one / "parts", ignore_errors=True)
            shutil.rmtree(other, ignore_errors=True)
        return seen

    monkeypatch.setattr(os, "scandir", scandir)
    found = [each["folder"] for each in listed(capsys, "--runs", copies)]
    assert str(one) in found
    assert len(found) >= 5


def test_a_run_may_vanish_before_its_files_are_looked_at(copies, monkeypatch, capsys):
    gone = next(copies.glob("text-*"))
    real = listing.list_folders

    def list_and_remove(place):
        found = real(place)
        shutil.rmtree(gone, ignore_errors=True)
        return found

    monkeypatch.setattr(listing, "list_folders", list_and_remove)
    assert len(listed(capsys, "--runs", copies)) == 5


def test_a_file_and_its_points_find_the_same_runs(copies, spec, tmp_path, capsys):
    """Of several runs that mean the same the latest counts, whoever asks."""
    (first,) = find_runs("ids[seed=1]", copies)
    later = copies / "ids-ffffffffffff"
    shutil.copytree(first, later)
    for path in later.iterdir():
        os.utime(path, (2e9, 2e9))
    text = spec.read_text("utf-8").replace("run text on d with base", "")
    other = tmp_path / "other.lego"
    other.write_text(text.replace("ids", "mine"), "utf-8")
    (point,) = [each for each in specs_of(other, Namespace(overrides=[], only=None))
                if each.name == "mine[seed=1]"]  # fmt: skip
    found = find_points([point], copies)
    assert found.folders == (later,)
    assert str(later) in explain_point(point, listing.list_runs(copies))
    assert run("runs", spec, "--runs", copies) == 0
    assert f"ids[seed=1]: measured, in {later}; 1 more of other states" in capsys.readouterr().out


def test_a_state_chooses_among_the_points_of_a_file(copies, spec, capsys):
    (one,) = find_runs("ids[seed=2]", copies)
    shutil.rmtree(one / "bundle")
    (one / "metrics.json").unlink()
    words = ("runs", spec, "--runs", copies)
    assert run(*words, "--state", "trained") == 0
    assert capsys.readouterr().out == f"ids[seed=2]: trained, in {one}\n"
    assert len(listed(capsys, *words[1:], "--state", "trained", "--state", "measured")) == 6
    assert listed(capsys, *words[1:], "--state", "begun") == {}
    assert run(*words, "--state", "begun") == 0
    assert "no point of it has a run that is begun" in capsys.readouterr().out


def test_words_that_would_choose_nothing_are_refused(copies, spec, capsys):
    for command, words, told in (
        ("runs", (spec, "text"), "`text` is a pattern, and a file names points"),
        ("runs", ("text", "--only", "seed=1"), "`--only` chooses among the points of a file"),
        ("runs", ("--set", "train.lr=1"), "`--set` chooses among the points of a file"),
        ("compare", ("text", "ids", "--set", "train.lr=1"), "`--set` chooses among the points"),
        ("table", ("text", "--only", "seed=1"), "`--only` chooses among the points of a file"),
    ):
        assert run(command, *words, "--runs", copies) == 1
        assert f"E0560]: {told}" in capsys.readouterr().err


def test_names_of_points_are_evaluated_too(copies, cache, capsys):
    (folder,) = find_runs("text[seed=2]", copies)
    flags = ("--cache", cache, "-q", "--no-baselines", "--json")
    assert run("eval", "text[seed=2]", "--runs", copies, *flags, "--scores") == 0
    said = capsys.readouterr()
    assert str(folder / "scores.parquet") in said.err
    assert run("eval", folder, *flags) == 0
    assert json.loads(capsys.readouterr().out)["metrics"] == json.loads(said.out)["metrics"]
    rows = copies.parent / "rows.csv"
    words = ("predict", "--runs", copies, "--cache", cache, "-q", "--split", "test", "-o", rows)
    assert run(*words, "text[seed=2]") == 0
    assert len(rows.read_text("utf-8").splitlines()) > 40
    for command in (("eval", "--runs", copies), words):
        assert run(*command, "text") == 1
        assert "E0560]: `text` names 3 runs" in capsys.readouterr().err
        assert run(*command, "texd") == 1
        assert "did you mean `text`?" in capsys.readouterr().err
        assert run(*command, copies) == 1
        assert "E0592]" in capsys.readouterr().err
    shutil.move(folder / "bundle", copies / "alone")
    assert run("eval", copies / "alone", "--runs", copies, *flags) == 0
