"""The free baselines from the command line: trained by counting, exported, served, and shown beside
what is trained."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

import legoc
import legoc_runtime
from legoc.commands.comparing import beaten_lines, show_baselines
from legoc.commands.printing import console
from legoc.data import prepare
from legoc.evaluation import baselines
from legoc.evaluation.baselines import (
    call_of,
    find_better,
    find_remedy,
    label,
    measure_baselines,
)
from legoc.evaluation.torch_engine import TorchEngine
from legoc.language import check
from legoc.language.diagnosing.document import Document
from legoc.model.run import Run, load_recommender
from legoc.training import results
from legoc_runtime.engine import Engine
from tests.product.conftest import run


TEXT = """
data d { source = Demo(items=300, users=80, impressions=240)
         content = [title(16), category] history = 12 }
model free = predict in [Popularity, ItemMean, ItemKNN(neighbours=20), TFIDF, Random, LastCategory]
model text = content Pooling(hidden=8) -> behavior Additive(dim=8) -> predict Dot
train quick { epochs = 1 samples = 128 metrics = [GAUC, LogLoss] }
run %s on d with quick
"""
NAMES = ("Popularity", "ItemMean", "ItemKNN", "TFIDF", "Random", "LastCategory")


@pytest.fixture(scope="module")
def free(cache, tmp_path_factory):
    """The runs of all six, by name."""
    place = tmp_path_factory.mktemp("free")
    (place / "free.lego").write_text(TEXT % "free")
    assert run("train", place / "free.lego", "--cache", cache, "--runs", place / "runs", "-q") == 0
    runs = [Run(folder) for folder in (place / "runs").iterdir() if folder.is_dir()]
    return {found.spec.model["predict"].op: found for found in runs}


@pytest.fixture(scope="module")
def trained(cache, tmp_path_factory):
    """A text model on the same data, trained with what counting reaches beside it."""
    place = tmp_path_factory.mktemp("trained")
    (place / "text.lego").write_text(TEXT % "text")
    assert run("train", place / "text.lego", "--cache", cache, "--runs", place / "runs", "-q") == 0
    return next((place / "runs").glob("text-*"))


def test_each_is_a_run_with_a_bundle_and_makes_no_update(free):
    assert set(free) == set(NAMES)
    for made in free.values():
        assert made.finished
        assert made.bundle.is_dir()
        assert not made.log
        assert made.metrics["test"]["metrics"]["GAUC"] is not None
        assert "baselines" not in made.metrics["test"]


@pytest.mark.parametrize("name", NAMES)
def test_bundle_weights_and_no_cache_at_all_agree(name, free, cache):
    found = free[name]
    given = {"cache": cache, "keep_scores": True}
    bundle = legoc.evaluate(found.bundle, **given)
    for other in (
        legoc.evaluate(found, engine="torch", **given),
        legoc.evaluate(found.bundle, cached=False, **given),
    ):
        np.testing.assert_allclose(bundle.scores, other.scores, rtol=1e-5, atol=1e-5)
    assert len(np.unique(bundle.scores)) > 3


@pytest.mark.parametrize("name", ["ItemKNN", "TFIDF"])
def test_however_few_users_fit_at_once_scores_are_the_same(name, free, cache):
    found = free[name]
    prepared = prepare(found.spec, cache=cache)
    torch_engine = TorchEngine(load_recommender(found, prepared.rows))
    engine = Engine(found.bundle, ids=prepared.items.ids)
    log = prepared.logs["test"]
    for one, holder in ((torch_engine, torch_engine), (engine, engine.scorer)):
        items = one.encode_items(prepared.inputs)
        clicks = log.padded(np.arange(log.histories, dtype=np.int32))
        users = one.encode_users(items, [clicks], [log.user])
        wanted = one.score(users, items, log.history, log.item)
        holder.most = 2
        found_again = one.score(users, items, log.history, log.item)
        np.testing.assert_allclose(found_again, wanted, rtol=1e-6)


def test_an_application_scores_new_items_by_their_words(free, cache):
    model = legoc_runtime.load(free["TFIDF"].bundle)
    model.self_test()
    spec = free["TFIDF"].spec
    prepared = prepare(spec, cache=cache)
    one, other = prepared.item_records([1, 2])
    user = model.encode_user([prepared.items.ids[1]])
    model.items.add([{"id": "again", "title": one["title"], "category": one["category"]}])
    same, different = model.score(user, ["again", prepared.items.ids[2]])
    # Its words are those of the click: a cosine of one, as far as training knew any.
    assert same == pytest.approx(1.0, abs=1e-5)
    assert different < same
    assert model.score(model.encode_user([]), ["again"])[0] == 0
    assert other["title"] != one["title"]


def test_a_table_has_no_row_for_a_new_item(free):
    model = legoc_runtime.load(free["Popularity"].bundle)
    with pytest.raises(legoc_runtime.RequestError):
        model.items.add([{"id": "new", "title": "Anything"}])
    ids, scores = model.recommend(model.encode_user([]), k=5)
    assert len(ids) == 5
    assert np.all(np.diff(scores) <= 0)


def test_what_stands_for_an_item_in_a_table_is_no_vector_to_compare(free, trained, cache):
    """The number of an item, and of its neighbours, has no angle to another."""
    for name in ("ItemKNN", "TFIDF", "Popularity"):
        found = legoc.evaluate(free[name], cache=cache, top=3).beyond.figures
        assert "diversity of categories" in found
        assert "diversity of vectors" not in found
    assert "diversity of vectors" in legoc.evaluate(trained, cache=cache, top=3).beyond.figures


def test_beside_a_trained_model_stand_the_same_figures(free, trained):
    report = json.loads((trained / "metrics.json").read_text())["test"]
    beside = report["baselines"]
    assert list(beside) == [
        "Popularity", "Popularity(hours=24)", "ItemMean", "ItemKNN", "TFIDF", "LastCategory",
    ]  # fmt: skip
    for name in ("Popularity", "ItemMean", "TFIDF", "LastCategory"):
        own = free[name].metrics["test"]
        for metric, value in own["metrics"].items():
            told = name == "ItemMean" or not of_probabilities(metric)
            wanted = pytest.approx(value, abs=1e-6) if told else None
            assert beside[name]["metrics"][metric] == wanted
        for part, figures in own["slices"].items():
            for metric, value in figures.items():
                told = value is not None and (name == "ItemMean" or not of_probabilities(metric))
                other = beside[name]["slices"][part][metric]
                assert other == (pytest.approx(value, abs=1e-6) if told else None)


def test_eval_shows_them_unless_asked_not_to(trained, cache, capsys):
    assert run("eval", trained / "bundle", "--cache", cache, "-q") == 0
    shown = capsys.readouterr().out
    assert "beside what counting alone reaches on test" in shown
    assert "TFIDF" in shown
    assert run("eval", trained / "bundle", "--cache", cache, "-q", "--no-baselines") == 0
    assert "TFIDF" not in capsys.readouterr().out
    assert run("eval", trained / "bundle", "--cache", cache, "-q", "--json") == 0
    assert "TFIDF" in json.loads(capsys.readouterr().out)["baselines"]


def test_training_without_them_leaves_them_out(trained, cache, tmp_path, capsys):
    shutil.copytree(trained.parent, tmp_path / "runs")
    (tmp_path / "text.lego").write_text(TEXT % "text")
    metrics = tmp_path / "runs" / trained.name / "metrics.json"
    metrics.unlink()
    given = ("train", tmp_path / "text.lego", "--cache", cache, "--runs", tmp_path / "runs", "-q")
    assert run(*given, "--no-baselines") == 0
    assert "baselines" not in json.loads(metrics.read_text())["test"]
    assert "TFIDF" not in capsys.readouterr().out
    # A finished run gets them when they are asked for.
    assert run(*given) == 0
    assert "baselines" in json.loads(metrics.read_text())["test"]
    assert "TFIDF" in capsys.readouterr().out


def test_a_part_is_measured_once_though_they_are_asked_for_later(
    trained, cache, tmp_path, monkeypatch
):
    shutil.copytree(trained.parent, tmp_path / "runs")
    (tmp_path / "text.lego").write_text(TEXT % "text")
    metrics = tmp_path / "runs" / trained.name / "metrics.json"
    told = json.loads(metrics.read_text())
    metrics.unlink()
    given = ("train", tmp_path / "text.lego", "--cache", cache, "--runs", tmp_path / "runs", "-q")
    with monkeypatch.context() as patch:
        patch.setattr(baselines, "measure_baselines", stopped)
        assert run(*given) == 130
    bare = json.loads(metrics.read_text())
    assert "baselines" not in bare["test"]
    with monkeypatch.context() as patch:
        patch.setattr(results, "measure_bundle", stopped)
        assert run(*given) == 0
    beside = {"baselines": told["test"]["baselines"]}
    assert json.loads(metrics.read_text()) == {"test": {**bare["test"], **beside}}


def test_other_metrics_leave_what_is_known_beside(trained, cache, tmp_path):
    """Without counting anew; asked for, every metric of the recipe is there for all of them."""
    shutil.copytree(trained.parent, tmp_path / "runs")
    (tmp_path / "text.lego").write_text(TEXT % "text")
    metrics = tmp_path / "runs" / trained.name / "metrics.json"
    known = json.loads(metrics.read_text())["test"]["baselines"]
    given = ("train", tmp_path / "text.lego", "--cache", cache, "--runs", tmp_path / "runs", "-q")
    given = (*given, "--set", "train.metrics=[GAUC, MRR]")
    assert run(*given, "--no-baselines") == 0
    found = json.loads(metrics.read_text())["test"]
    assert set(found["metrics"]) == {"GAUC", "MRR"}
    assert found["baselines"] == known
    assert run(*given) == 0
    found = json.loads(metrics.read_text())["test"]
    assert all(set(each["metrics"]) == {"GAUC", "MRR"} for each in found["baselines"].values())


def stopped(*given, **named):
    raise KeyboardInterrupt


def test_they_are_counted_once_for_a_state_of_the_data(trained, cache, monkeypatch):
    report = legoc.evaluate(trained / "bundle", cache=cache, baselines=True)
    assert "ItemKNN" in report.baselines

    def count(*given):
        raise AssertionError("counted again")

    monkeypatch.setattr(baselines, "count", count)
    again = legoc.evaluate(trained / "bundle", cache=cache, baselines=True)
    assert again.baselines == report.baselines
    with pytest.raises(AssertionError):
        legoc.evaluate(trained / "bundle", cache=cache, baselines=True, split="valid")


def test_no_number_of_the_moment_is_looked_up_for_them(trained, cache, tmp_path):
    class Never:
        def at(self, items, moments):
            raise AssertionError("a count reads no moment")

    spec = Run(trained).spec
    prepared = prepare(spec, cache=cache)
    log = dataclasses.replace(prepared.logs["test"], context=Never(), moment=None)
    prepared = dataclasses.replace(prepared, logs={**prepared.logs, "test": log})
    progress, given = baselines.SILENT, (spec.train.metrics, {}, "shown", tmp_path)
    call = call_of("Popularity")
    made = baselines.measure(spec, call, prepared, "test", *given, progress)
    assert made.parts["all"]["GAUC"] is not None


def test_what_does_not_apply_is_left_out(free, trained, cache):
    spec = Run(trained).spec
    prepared = prepare(spec, cache=cache)
    assert measure_baselines(free["TFIDF"].spec, prepared, "test", (), {}, cache=cache) == {}
    log = dataclasses.replace(prepared.logs["train"], label=np.ones(prepared.logs["train"].rows))
    report = dataclasses.replace(prepared.report, order="list")
    bare = dataclasses.replace(prepared, logs={"train": log}, report=report)
    words = dataclasses.replace(spec, data=dataclasses.replace(spec.data, content=()))
    names = [label(call) for call in baselines.choose(words, bare)]
    assert names == ["Popularity", "ItemKNN"]
    names = [label(call) for call in baselines.choose(spec, prepared)]
    assert "Random" not in names


def test_of_a_huge_catalogue_fewer_neighbours_are_kept(trained, cache, monkeypatch):
    """The table is made beside a training: what it takes has a bound, which its name tells."""
    spec = Run(trained).spec
    prepared = prepare(spec, cache=cache)
    items = len(prepared.items)
    for room, expected in (
        (201 * items, "ItemKNN"), (201 * items - 1, "ItemKNN(neighbours=99)"),
        (7 * items, "ItemKNN(neighbours=3)"), (2 * items, "ItemKNN(neighbours=1)"),
    ):  # fmt: skip
        monkeypatch.setattr(baselines, "NUMBERS", room)
        assert expected in [label(call) for call in baselines.choose(spec, prepared)]
    found = measure_baselines(spec, prepared, "test", spec.train.metrics, {}, cache=cache)
    assert found["ItemKNN(neighbours=1)"].parts["all"]["GAUC"] is not None


def of_probabilities(name):
    return name in ("LogLoss", "F1(0.5)")


def report_of(ours, theirs, groups=500, metric="GAUC"):
    return {
        "metrics": {metric: ours["all"]},
        "slices": {part: {metric: value} for part, value in ours.items() if part != "all"},
        "groups": dict.fromkeys(ours, groups),
        "baselines": {
            name: {
                "metrics": {metric: found["all"]},
                "slices": {p: {metric: value} for p, value in found.items() if p != "all"},
            }
            for name, found in theirs.items()
        },
    }


def test_one_line_says_that_a_model_does_not_beat_them():
    ours = {"all": 0.587, "new": 0.6}
    theirs = {"Popularity": {"all": 0.705, "new": 0.5}, "TFIDF": {"all": 0.6, "new": 0.55}}
    told = find_better(report_of(ours, theirs))
    assert told == ["Popularity ranks better: GAUC 0.7050 against 0.5870"]
    assert find_better(report_of({"all": 0.71, "new": 0.6}, theirs)) == []


def test_parts_of_few_groups_and_parts_without_a_value_say_nothing():
    theirs = {"TFIDF": {"all": 0.5, "new": 0.7, "known": None}}
    ours = {"all": 0.6, "new": 0.6, "known": 0.2}
    told = find_better(report_of(ours, theirs))
    assert told == ["TFIDF ranks better on new items: GAUC 0.7000 against 0.6000"]
    assert find_better(report_of(ours, theirs, groups=99)) == []


def test_of_a_loss_the_lower_one_is_better():
    theirs = {"Popularity": {"all": 0.4}, "TFIDF": {"all": 0.3}}
    told = find_better(report_of({"all": 0.35}, theirs, metric="LogLoss"))
    assert told == ["TFIDF ranks better: LogLoss 0.3000 against 0.3500"]


def mixed_report(marks=()):
    """A model that ranks better than a count, and whose probabilities mean less."""
    ours, theirs = {"LogLoss": 0.9, "GAUC": 0.7}, {"LogLoss": 0.3, "GAUC": 0.6}
    beside = {"metrics": theirs, "slices": {"new": {"LogLoss": 0.3, "GAUC": 0.8}}}
    bare = {"LogLoss": None, "GAUC": 0.5}
    return {
        "split": "test", "metrics": ours, "slices": {"new": ours},
        "marks": dict.fromkeys(marks, ""),
        "groups": {"all": 500, "new": 500},
        "baselines": {
            "ItemMean": beside, "Popularity": {"metrics": bare, "slices": {"new": bare}},
        },
    }  # fmt: skip


def test_models_are_compared_by_what_reads_no_probabilities():
    told = find_better(mixed_report())
    assert told == ["ItemMean ranks better on new items: GAUC 0.8000 against 0.7000"]
    alone = report_of({"all": 0.9}, {"ItemMean": {"all": 0.3}}, metric="LogLoss")
    assert find_better(alone | {"marks": {"LogLoss": "why"}}) == []


def test_the_table_marks_what_says_nothing(capsys):
    show_baselines(console(), [("m", mixed_report(["LogLoss"]))])
    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    assert lines[2].replace("\u2503", " ").split() == [
        "model", "LogLoss", "GAUC", "GAUC,", "new",
    ]  # fmt: skip
    rows = [line.replace("\u2502", " ").split() for line in lines]
    assert ["m", "0.9000*", "0.7000", "0.7000"] in rows
    assert ["ItemMean", "0.3000", "0.6000", "0.8000"] in rows
    assert ["Popularity", "-", "0.5000", "0.5000"] in rows
    assert "-: what is counted orders items, and is no probability" in lines


def test_many_models_are_told_in_a_line_for_each_part():
    """Three have a line each; of more, one says how many and between which figures."""
    theirs = {"TFIDF": {"all": 0.7, "new": 0.6}}
    ours = [{"all": 0.5, "new": 0.5}, {"all": 0.6, "new": 0.65}, {"all": 0.8, "new": 0.55}]
    reports = [(f"m{n}", report_of(each, theirs)) for n, each in enumerate(ours)]

    assert beaten_lines(reports) == [
        "m0: TFIDF ranks better: GAUC 0.7000 against 0.5000",
        "m0: TFIDF ranks better on new items: GAUC 0.6000 against 0.5000",
        "m1: TFIDF ranks better: GAUC 0.7000 against 0.6000",
        "m2: TFIDF ranks better on new items: GAUC 0.6000 against 0.5500",
    ]
    last = report_of({"all": 0.7, "new": 0.7}, theirs)
    assert beaten_lines([*reports, ("m3", last)]) == [
        "TFIDF ranks as well as or better than 3 of 4 runs: GAUC 0.7000 against 0.5000 to 0.7000",
        "TFIDF ranks better than 2 of 4 runs on new items: GAUC 0.6000 against 0.5000 to 0.5500",
    ]


def test_an_equal_model_is_told_too():
    told = find_better(report_of({"all": 0.5}, {"Popularity": {"all": 0.5}}))
    assert told == ["Popularity ranks as well: GAUC 0.5000 against 0.5000"]


SAME = {"all": 0.4}


@pytest.mark.parametrize(
    ("context", "theirs", "written"),
    [
        ("[]", {"Popularity": {"all": 0.7}}, "[popularity(hours=24), popularity]"),
        ("[]", {"Popularity": SAME, "ItemMean": {"all": 0.7}}, "[share]"),
        ("[age, popularity(days=2)]", {"ItemMean": {"all": 0.7}},
         "[age, popularity(days=2), share]"),
        ("[popularity(days=2)]", {"Popularity": {"all": 0.7}}, None),
        ("[]", {"Popularity": SAME, "TFIDF": {"all": 0.7}}, None),
        ("[]", {"Popularity": SAME}, None),
    ],
)  # fmt: skip
def test_a_model_that_counting_beats_can_be_told_the_counts(context, theirs, written, capsys):
    text = f"data d {{ source = Demo context = {context} }}\n"
    text += "model m = content CNN -> behavior Additive -> predict Dot\nrun m on d"
    (spec,) = check(Document("remedy.lego", text)).specs
    report = report_of({"all": 0.6}, {**theirs, "Popularity(hours=24)": SAME})
    remedy = find_remedy(spec, report)
    assert (remedy is None) == (written is None)
    assert written is None or remedy.startswith(f"`context = {written}` in `data` tells")
    # Without times nothing can be counted up to a moment.
    assert find_remedy(spec, report_of({"all": 0.6}, theirs)) is None
    show_baselines(console(), [("m", {"split": "test", **report})] * 2, [spec, spec])
    shown = capsys.readouterr().out
    assert shown.count("tells a model what everybody clicks") == (written is not None)


def test_a_label_is_what_one_writes():
    assert label(call_of("Popularity", hours=24.0)) == "Popularity(hours=24)"
    assert label(call_of("ItemKNN", neighbours=20)) == "ItemKNN(neighbours=20)"
    assert label(call_of("TFIDF")) == "TFIDF"
