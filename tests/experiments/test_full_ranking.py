"""Full ranking from the command line: what is measured, kept, compared and refused."""

import dataclasses
import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

import legoc
import legoc.data
from legoc.data.indexing.row_names import name_rows
from legoc.evaluation.baselines import measure_baselines
from legoc.evaluation.compute import build_metric, call_named, compute, metric_name
from legoc.evaluation.contract import differences, hash_contract
from legoc.evaluation.kept import KEY, places
from legoc.evaluation.opened import build_engine, open_bundle_of
from legoc.evaluation.uncached import Uncached
from legoc.experiments.folders import list_folders
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call
from legoc.model.run import Run
from tests.product.conftest import run


GROUPED = ("GAUC", "NDCG(5)")
SPEC = """
data d {{
  source = Demo(items=200, users=60, impressions=150)
  content = [title(8), category]
  history = 20
  {more}
}}
model m = content Pooling(hidden=8) -> {behavior} -> predict {predict}
train base {{
  epochs = 1
  samples = 64
  metrics = [GAUC, MRR, Recall(10)]
  candidates = all
}}
run m on d with base
"""


def find(runs, point):
    return next(one.folder for one in list_folders(runs) if one.point == point)


@pytest.fixture(scope="module")
def ranked(runs, cache, tmp_path_factory):
    """The runs, two of them ranked in full, too."""
    place = tmp_path_factory.mktemp("ranked") / "runs"
    shutil.copytree(runs, place)
    for point in ("text[seed=1]", "ids[seed=1]"):
        words = ("eval", find(place, point), "--candidates", "all", "--scores", "--cache", cache)
        assert run(*words, "-q", "--no-baselines") == 0
    return place


def about(path):
    return json.loads(pq.read_schema(path).metadata[KEY])


def by_hand(folder, prepared, engine, split="test"):
    """The figures of a run, every pair of a list and the catalogue scored by the engine, list by
    list, and measured as rows of an impression are."""
    log = prepared.logs[split]
    items = engine.encode_items(prepared.inputs)
    names = name_rows(prepared.tables, log, split, "impression")
    stored = pq.read_table(prepared.tables.path("histories")).to_pylist()
    histories = {row["history_id"]: row["clicks"] for row in stored}
    of_row = pq.read_table(prepared.tables.path("interactions"))["history_id"].to_pylist()
    number = {name: row for row, name in enumerate(prepared.items.ids)}
    rows = []
    for group in np.unique(log.group):
        own = np.flatnonzero((log.group == group) & ~np.isnan(log.label))
        clicked = set(log.item[own][log.label[own] > 0.5].tolist())
        if not clicked:
            continue
        first = int(own[np.argmin(log.moment[own])])
        h = log.history[first]
        clicks = log.clicks[log.starts[h] : log.starts[h + 1]].tolist()
        # What the model reads is cut; what is left out is all that the tables know.
        whole = [number[name] for name in histories[of_row[names.rows[first]]]]
        assert clicks == whole[-len(clicks) :] or not clicks
        left = set(whole) - clicked
        candidates = [i for i in range(1, len(prepared.items)) if i not in left]
        users = engine.encode_users(
            items, [np.array([clicks or [0]], np.int32)], [log.user[[h]].astype(np.int32)]
        )
        context = None
        if log.context is not None:
            context = log.context.at(
                np.array(candidates, np.int32), np.full(len(candidates), log.moment[first])
            )
        scores = engine.score(
            users, items, np.zeros(len(candidates), np.int32), np.array(candidates, np.int32),
            context,
        )  # fmt: skip
        rows += [(group, s, i in clicked) for i, s in zip(candidates, scores, strict=True)]
    found = Run(folder).spec.train.metrics
    calls = [call for call in found if build_metric(call).declaration.facts["over"] == "groups"]
    return compute(calls, [r[1] for r in rows], [r[2] for r in rows], [r[0] for r in rows])


@pytest.mark.parametrize(
    ("behavior", "predict", "more"),
    [
        ("behavior Additive(dim=8)", "Dot", ""),
        ("behavior Additive(dim=8)", "Cosine(temperature=0.1)", ""),
        ("behavior Additive(dim=8)", "Dot", "context = [popularity(hours=24), age]"),
        ("behavior Additive(dim=8)", "DNN(units=[8])", ""),
        ("behavior Null", "DIN", ""),
    ],
)
def test_both_engines_rank_as_one_does_by_hand(behavior, predict, more, cache, tmp_path):
    file = tmp_path / "a.lego"
    text = SPEC.format(behavior=behavior, predict=predict, more=more)
    file.write_text(text, encoding="utf-8")
    assert run("train", file, "--runs", tmp_path, "--cache", cache, "-q", "--no-baselines") == 0
    folder = find(tmp_path, "m")
    report = json.loads((folder / "metrics.json").read_text("utf-8"))["test"]
    assert report["candidates"] == "all"
    assert report["counts"]["catalogue"] == 199
    through_torch = legoc.evaluate(folder, engine="torch", cache=cache)
    assert through_torch.candidates == "all"
    prepared = legoc.data.prepare(Run(folder).spec, cache=cache)
    engine = build_engine(folder, open_bundle_of(folder, "onnxruntime"), prepared, cached=True)
    expected = by_hand(folder, prepared, engine)
    for name, figure in expected.items():
        assert report["metrics"][name] == pytest.approx(figure.value, abs=2e-4)
        assert through_torch[name] == pytest.approx(figure.value, abs=2e-4)
    assert not places(folder, "test", "all").scores.is_file()
    assert not (folder / "scores.parquet").is_file()


def test_groups_are_kept_and_add_up_to_the_figures(ranked):
    folder = find(ranked, "text[seed=1]")
    found = places(folder, "test", "all")
    assert found.groups.name == "groups-all.parquet"
    assert not found.scores.exists()
    groups = pq.read_table(found.groups).to_pandas()
    shown = pq.read_table(folder / "groups.parquet").to_pandas()
    assert groups.group.tolist() == shown.group.tolist()
    assert groups.user.tolist() == shown.user.tolist()
    clicking = groups.clicks > 0
    assert (groups.rows[clicking] > shown.rows[clicking]).all()
    assert (groups.rows[~clicking] == 0).all()
    assert list(groups)[4:] == list(GROUPED)
    figures = about(found.groups)["figures"]
    assert list(figures) == list(GROUPED)
    for name in GROUPED:
        assert groups[name].mean() == pytest.approx(figures[name]["value"], abs=1e-12)
        assert not np.isclose(groups[name].mean(), shown[name].mean(), atol=1e-3)


def test_the_contract_says_what_was_ranked(ranked):
    folder = find(ranked, "text[seed=1]")
    shown, full = (about(folder / f"groups{n}.parquet") for n in ("", "-all"))
    assert shown["contract digest"] != full["contract digest"] == hash_contract(full["contract"])
    assert shown["rows"] == full["rows"]
    said = differences(shown["contract"], full["contract"])
    assert said[0] == "candidates: shown, all"
    assert any(each.startswith("left out of lists: nothing, items of the history") for each in said)
    other = full["contract"] | {"catalogue": "7 items (0)"}
    assert differences(full["contract"], other) == [
        f"catalogue: {full['contract']['catalogue']}, 7 items (0)"
    ]


def test_tables_of_both_are_refused_and_of_one_are_made(ranked, capsys):
    text, ids = (find(ranked, f"{name}[seed=1]") for name in ("text", "ids"))
    assert run("table", text, ids, "--candidates", "all") == 0
    said = capsys.readouterr().out
    assert "full ranking" in said
    # These were ranked beside it and not kept; the recipe's own would be.
    assert "warning: text: free baselines are kept beside the ranking of the recipe alone" in said
    assert run("table", text, ids, "--candidates", "all", "--no-baselines") == 0
    assert "free baselines" not in capsys.readouterr().out
    assert run("compare", text, ids, "--candidates", "all", "--metric", "GAUC") == 0
    assert "GAUC" in capsys.readouterr().out
    # A recipe that ranks in full has results of its own.
    stored = json.loads((text / "spec.json").read_text("utf-8"))
    stored["train"]["candidates"] = "all"
    (text / "spec.json").write_text(json.dumps(stored), encoding="utf-8")
    assert run("table", text, ids) == 1
    said = capsys.readouterr().err
    assert "E0596" in said
    assert "candidates: all, shown" in said
    assert run("table", text, ids, "--candidates", "shown") == 0
    other = find(ranked, "ids[seed=2]")
    capsys.readouterr()
    assert run("table", other, "--candidates", "all") == 1
    assert f"legoc eval {other} --scores --candidates all" in capsys.readouterr().err


def test_full_ranking_is_no_other_training(spec, ranked, cache, capsys):
    """The field is of measuring: the same folders, measured again and not trained again."""
    place = ranked.parent / "again"
    shutil.copytree(ranked, place)
    folder = find(place, "ids[seed=3]")
    weights = (folder / "best.safetensors").stat().st_mtime_ns
    words = ("--set", "train.candidates=all", "--only", "seed=3", "--cache", cache)
    assert run("train", spec, *words, "--runs", place, "-q") == 0
    said = capsys.readouterr().out
    assert "full ranking" in said
    assert "Popularity" in said
    assert (folder / "best.safetensors").stat().st_mtime_ns == weights
    report = json.loads((folder / "metrics.json").read_text("utf-8"))["test"]
    assert report["left out"] == ["AUC", "LogLoss", "F1(0.5)", "ECE(15)"]
    assert set(report["baselines"]) >= {"Popularity", "TFIDF", "ItemKNN"}
    capsys.readouterr()
    assert run("runs", "--runs", place, "--json") == 0
    listed = {one["name"]: one["metrics"] for one in json.loads(capsys.readouterr().out)}
    assert "GAUC, all items" in listed["ids[seed=3]"]
    assert "GAUC" in listed["ids[seed=2]"]
    before = (folder / "metrics.json").stat().st_mtime_ns
    assert run("train", spec, *words, "--runs", place, "-q") == 0
    assert (folder / "metrics.json").stat().st_mtime_ns == before
    words = ("--only", "seed=3", "--cache", cache, "--runs", place, "-q")
    assert run("train", spec, *words) == 0
    report = json.loads((folder / "metrics.json").read_text("utf-8"))["test"]
    assert "candidates" not in report
    assert "AUC" in report["metrics"]
    assert (folder / "scores.parquet").is_file()


def test_baselines_are_ranked_as_the_model_is(ranked, cache):
    """Popularity over the catalogue, counted by hand."""
    folder = find(ranked, "text[seed=1]")
    report = legoc.evaluate(folder, candidates="all", baselines=True, cache=cache)
    prepared = legoc.data.prepare(Run(folder).spec, cache=cache)
    from legoc.model.counting import training_clicks

    class Counted:
        def encode_items(self, inputs):
            return np.log1p(training_clicks(prepared)).astype(np.float32)[:, None]

        def encode_users(self, items, clicks, users):
            return np.ones((1, 1), np.float32)

        def score(self, users, items, owner, candidates, context=None):
            return items[candidates, 0]

    found = by_hand(folder, prepared, Counted())
    for name in GROUPED:
        ours = report.baselines["Popularity"].parts["all"][name]
        assert ours == pytest.approx(found[name].value, abs=1e-6)


def test_a_baseline_of_too_many_pairs_is_left_out_and_said(ranked, cache, monkeypatch, tmp_path):
    folder = find(ranked, "text[seed=1]")
    prepared = legoc.data.prepare(Run(folder).spec, cache=cache)
    monkeypatch.setattr("legoc.evaluation.baselines.PAIRS", 10)
    told = []

    class Said:
        def say(self, text):
            told.append(text)

        def task(self, *given):
            from legoc.progress import SILENT

            return SILENT.task(*given)

    # Another list of metrics, or the cache would know them.
    found = measure_baselines(
        Run(folder).spec, prepared, "test", (Call(op="Recall", args={"k": 7}),), {},
        candidates="all", cache=cache, progress=Said(),
    )  # fmt: skip
    assert "Popularity" in found
    assert "TFIDF" not in found
    assert any(line.startswith("TFIDF is left out: full ranking would score") for line in told)


def test_metrics_of_all_rows_alone_are_refused(ranked, cache, capsys):
    place = ranked.parent / "rows"
    folder = place / "x"
    shutil.copytree(find(ranked, "ids[seed=2]"), folder)
    stored = json.loads((folder / "spec.json").read_text("utf-8"))
    stored["train"]["metrics"] = [{"op": "AUC", "args": {}}, {"op": "LogLoss", "args": {}}]
    (folder / "spec.json").write_text(json.dumps(stored), encoding="utf-8")
    assert run("eval", folder, "--candidates", "all", "--cache", cache, "-q") == 1
    said = capsys.readouterr().err
    assert "E0588" in said
    assert "`AUC`, `LogLoss` need the scores of all rows" in said


def test_pairs_without_caches_are_ranked_alike(ranked, cache):
    folder = find(ranked, "ids[seed=1]")
    prepared = legoc.data.prepare(Run(folder).spec, cache=cache)
    once = legoc.evaluate(folder, candidates="all", cache=cache)
    log = prepared.logs["test"]
    few = np.flatnonzero(log.group < 3)
    assert len(np.unique(log.group[few])) == 3
    from legoc.evaluation.catalogue import Catalogue, offered, seen_in
    from legoc.evaluation.full_ranking import rank_log
    from legoc.evaluation.placed import to_ranking

    some = dataclasses.replace(
        log, history=log.history[few], item=log.item[few], label=log.label[few],
        group=log.group[few], moment=log.moment[few],
    )  # fmt: skip
    engine = build_engine(folder, open_bundle_of(folder, "onnxruntime"), prepared, cached=True)
    made = []
    for each in (engine, Uncached(engine, "impression")):
        queries, placed, _, _ = rank_log(
            each, prepared.inputs, some, "Dot", Catalogue.of(offered(prepared)), seen_in(some)
        )
        every = np.ones(len(queries), dtype=bool)
        made.append(to_ranking(queries, placed, [0], every, 3))
    values = [build_metric(call_named("GAUC")).measure(each) for each in made]
    assert values[0] == pytest.approx(values[1], abs=1e-3)
    assert once.counts["lists"] > 3


def test_items_that_were_made_up_are_not_ranked(ranked, cache):
    from legoc.evaluation.catalogue import offered

    prepared = legoc.data.prepare(Run(find(ranked, "ids[seed=1]")).spec, cache=cache)
    mask = offered(dataclasses.replace(prepared, generated=4))
    assert mask.tolist() == [False] + [True] * (len(prepared.items) - 5) + [False] * 4


def test_first_recommendations_are_of_the_catalogue(ranked, cache):
    folder = find(ranked, "text[seed=1]")
    report = legoc.evaluate(folder, candidates="all", top=5, cache=cache)
    assert report.beyond is not None
    figures = report.beyond.figures
    assert figures["coverage at most"] == 1
    assert 0 < figures["coverage"] < 1
    assert set(figures) >= {"gini", "novelty", "popularity lift", "diversity of vectors"}
    assert metric_name(Call(op="GAUC")) in report.metrics


def test_a_part_without_an_answer_is_refused(ranked, cache):
    with pytest.raises(LegoError, match="no part `predict`"):
        legoc.evaluate(find(ranked, "text[seed=1]"), candidates="all", split="predict", cache=cache)
