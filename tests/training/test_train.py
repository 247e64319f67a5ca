"""`train` on a cut-down Demo: from raw files to metrics, resumed, repeated, refused."""

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from legoc.data import prepare
from legoc.language.declaring.catalog import catalog
from legoc.language.declaring.declare import Attribute
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.digest import Digester
from legoc.language.ir.spec import Call, Data, Export, Keys, Spec, Train, Types
from legoc.model.run import Run, load_recommender
from legoc.training import train
from legoc.training.validation import build_validation


WIDTH = 32


def call(role, name, **changes):
    """A call with the declared defaults; inherited widths are those of this test."""
    declared = catalog().get(role, name)
    given = {p.name: WIDTH if p.inherit else p.default for p in declared.params if not p.required}
    return Call(op=name, args=given | changes)


def build_spec(*, export=None, recipe=True, **changes):
    """A NAML of width 32 on 400 items."""
    given = {
        "task": call("task", "matching"), "epochs": 2, "batch": 32, "lr": 1e-2, "patience": 3,
        "seed": 5, "metrics": (Call(op="GAUC"), Call(op="LogLoss")), "monitor": Call(op="GAUC"),
    }  # fmt: skip
    spec = Spec(
        name="tiny[hidden=32]",
        model={
            "content": call("content", "CNN", hidden=WIDTH, dim=WIDTH),
            "behavior": call("behavior", "Additive", dim=WIDTH),
            "predict": call("predict", "Dot"),
        },
        data=Data(
            source=call("source", "Demo", items=400, users=200, impressions=1200),
            content=(
                Attribute(name="title", kind="text", length=16),
                Attribute(name="subcategory", kind="category", length=1),
            ),
            history=30, split=call("split", "publisher"), group="impression",
            tokenizer=call("tokenizer", "words"),
        ),
        train=Train(**(given | changes)) if recipe else None,
        export=export or Export(), types=Types(item=f"Vec[{WIDTH}]", user=f"Vec[{WIDTH}]"),
        keys=Keys(item="", user="", prefix="", spec=""),
        source_text="content CNN(hidden=32, dim=32) -> behavior Additive(dim=32) -> predict Dot\n",
    )  # fmt: skip
    return replace(spec, keys=Digester(catalog()).keys(spec.model, spec.data, spec.train))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def straight(cache, tmp_path_factory):
    """A run that was trained in one go."""
    return train(build_spec(), runs=tmp_path_factory.mktemp("runs"), cache=cache, until="train")


class Watching:
    """Progress that remembers what was said and may interrupt at the n-th update."""

    def __init__(self, interrupt=0):
        self.said, self.updates, self.interrupt = [], 0, interrupt

    def say(self, text):
        self.said.append(text)

    @contextmanager
    def task(self, name, total, unit=""):
        self.unit = unit
        yield self

    def advance(self, count=1, figures=""):
        if self.unit == "update" and figures:
            self.updates += 1
            if self.updates == self.interrupt:
                raise KeyboardInterrupt


def untimed(run):
    return [{k: v for k, v in entry.items() if k != "seconds"} for entry in run.log]


def test_training_beats_an_untrained_model(straight, cache):
    spec = straight.spec
    prepared = prepare(spec, cache=cache)
    torch.manual_seed(0)
    from legoc.model import compile

    untrained = build_validation(compile(spec).build(prepared.rows), spec, prepared)()
    trained = build_validation(load_recommender(straight, prepared.rows), spec, prepared)()
    assert trained["GAUC"] > max(untrained["GAUC"], 0.5) + 0.05
    best = [entry for entry in straight.log if entry["event"] == "evaluation" and entry["best"]][-1]
    assert best["metrics"] == trained, "the checkpoint is the epoch the log calls best"


def test_a_run_folder_holds_what_the_design_names(straight):
    assert sorted(path.name for path in straight.folder.iterdir()) == [
        "best.safetensors", "cost.json", "environment.json", "log.jsonl", "model.lego", "spec.json",
    ]  # fmt: skip
    assert straight.finished
    assert straight.folder.name.startswith("tiny-")
    assert straight.spec == build_spec()
    index = json.loads((straight.folder.parent / "index.json").read_text())
    assert index == {"tiny[hidden=32]": straight.folder.name}


def test_interrupted_and_started_again_it_is_the_same_run(straight, cache, tmp_path):
    updates = len([entry for entry in straight.log if entry["event"] == "step"])
    for number, place in enumerate((1, updates // 2, updates // 2 + 3, updates)):
        runs = tmp_path / str(number)
        progress = Watching(interrupt=place)
        with pytest.raises(KeyboardInterrupt):
            train(build_spec(), runs=runs, cache=cache, until="train", progress=progress)
        later = Watching()
        run = train(build_spec(), runs=runs, cache=cache, until="train", progress=later)
        assert later.updates == updates - place
        assert run.folder.name == straight.folder.name
        assert run.weights.read_bytes() == straight.weights.read_bytes()
        assert untimed(run) == untimed(straight)


def test_dropped_words_are_drawn_again_as_they_were(straight, cache, tmp_path):
    """What is drawn belongs to the state that a training is resumed from."""
    spec = build_spec(epochs=1, samples=400, word_dropout=0.2)
    whole = train(spec, runs=tmp_path / "whole", cache=cache, until="train")
    with pytest.raises(KeyboardInterrupt):
        train(spec, runs=tmp_path / "b", cache=cache, until="train", progress=Watching(interrupt=5))
    resumed = train(spec, runs=tmp_path / "b", cache=cache, until="train")
    assert resumed.weights.read_bytes() == whole.weights.read_bytes()
    kept = build_spec(epochs=1, samples=400)
    other = train(kept, runs=tmp_path / "c", cache=cache, until="train")
    assert other.weights.read_bytes() != whole.weights.read_bytes()


def test_a_finished_run_is_repeated_only_when_asked(straight, cache):
    before = straight.weights.read_bytes()
    runs = straight.folder.parent
    idle, busy = Watching(), Watching()
    train(build_spec(), runs=runs, cache=cache, until="train", progress=idle)
    assert idle.updates == 0
    train(build_spec(), runs=runs, cache=cache, until="train", again=True, progress=busy)
    assert busy.updates > 0
    assert straight.weights.read_bytes() == before


def test_other_seeds_and_recipes_train_other_weights(straight, cache, tmp_path):
    ranking = call("task", "ranking", negatives=2, loss="mse")
    for number, changes in enumerate(
        ({"seed": 6}, {"task": ranking, "optimizer": "adamw"}, {"lr": 1e-3, "samples": 64})
    ):
        spec = build_spec(epochs=1, **changes)
        run = train(spec, runs=tmp_path / str(number), cache=cache, until="train")
        one, other = load_file(run.weights), load_file(straight.weights)
        assert one.keys() == other.keys()
        assert any(not torch.equal(one[name], other[name]) for name in one)
        steps = [entry for entry in run.log if entry["event"] == "step"]
        assert ("samples" not in changes) or [s["rows"] for s in steps] == [32, 32]


def test_without_a_recipe_there_is_nothing_to_train(cache, tmp_path):
    progress = Watching()
    spec = build_spec(recipe=False)
    run = train(spec, runs=tmp_path, cache=cache, until="train", progress=progress)
    assert run.finished
    assert progress.updates == 0
    assert "nothing to train" in progress.said[-1]


def test_data_alone_leaves_an_unfinished_run(cache, tmp_path):
    run = train(build_spec(), runs=tmp_path, cache=cache, until="data")
    assert not run.finished
    assert (run.folder / "spec.json").is_file()


def test_from_raw_files_to_metrics_of_the_bundle(straight, cache):
    """Everything, then again with other export settings, which train nothing anew."""
    runs = straight.folder.parent
    run = train(build_spec(), runs=runs, cache=cache)
    spec = run.spec
    prepared = prepare(spec, cache=cache)
    assert set(run.metrics) == {"test"}
    found = run.metrics["test"]
    assert found["engine"] == "onnxruntime"
    assert set(found["slices"]) == {"known", "new", "no clicks before"}
    from legoc.evaluation import evaluate_log
    from legoc.evaluation.torch_engine import TorchEngine

    engine = TorchEngine(load_recommender(run, prepared.rows))
    report = evaluate_log(engine, prepared.inputs, prepared.logs["test"], spec.train.metrics)
    assert found["metrics"] == pytest.approx(report.to_json()["metrics"], abs=1e-5)
    written = (run.bundle / "manifest.json").stat().st_mtime_ns
    train(build_spec(), runs=runs, cache=cache)
    assert (run.bundle / "manifest.json").stat().st_mtime_ns == written
    progress = Watching()
    other = build_spec(export=Export(opset=19))
    run = train(other, runs=runs, cache=cache, progress=progress)
    assert progress.updates == 0
    manifest = json.loads((run.bundle / "manifest.json").read_text())
    assert manifest["spec"]["export"]["opset"] == 19


def test_a_folder_that_is_no_run_and_weights_that_do_not_fit(straight, cache, tmp_path):
    with pytest.raises(LegoError) as caught:
        _ = Run(tmp_path).spec
    assert caught.value.diagnostics[0].code == "E0560"
    rows = prepare(straight.spec, cache=cache).rows
    with pytest.raises(LegoError) as caught:
        load_recommender(straight, replace(rows, tokens=rows.tokens + 1))
    assert caught.value.diagnostics[0].code == "E0561"
    assert "tokens" in caught.value.diagnostics[0].message
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "spec.json").write_bytes((straight.folder / "spec.json").read_bytes())
    with pytest.raises(LegoError) as caught:
        load_recommender(Run(damaged), rows)
    assert caught.value.diagnostics[0].code == "E0560"
    (damaged / "best.safetensors").write_bytes(straight.weights.read_bytes()[:-4])
    with pytest.raises(LegoError) as caught:
        load_recommender(Run(damaged), rows)
    assert caught.value.diagnostics[0].code == "E0561"


def test_training_loads_no_compiler_of_torch(tmp_path):
    """It takes a second, before the first step."""
    file = tmp_path / "small.lego"
    file.write_text(
        "data d { source = Demo(items=200, users=60, impressions=100) content = [title(8)] }\n"
        "train t { epochs = 1 samples = 128 clip = 1.0 }\n"
        "model m = content CNN(hidden=8) -> behavior Additive -> predict Dot\n"
        "run m on d with t\n"
    )
    source = (
        "import sys\n"
        "from legoc.language import load\n"
        "from legoc.training import train\n"
        f"(spec,) = load({str(file)!r})\n"
        f"train(spec, runs={str(tmp_path / 'runs')!r}, cache={str(tmp_path / 'cache')!r}, "
        "until='train')\n"
        "assert 'torch._dynamo' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", source], check=True)
