"""What the pictures of the page show, against NumPy over the files of runs and plain counting."""

import itertools
import json
import math
import random
import re
import shutil
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from legoc.evaluation.comparison import Interval
from legoc.experiments.contrast import Contrast, contrast, doubts, every_pair
from legoc.experiments.free import average, find_free, find_standings
from legoc.experiments.reporting.curves import find_courses
from legoc.experiments.reporting.data_read import find_data
from legoc.experiments.reporting.dots import Mark, dots
from legoc.experiments.reporting.drawing import draw
from legoc.experiments.reporting.frames import find_forests, find_slices
from legoc.experiments.reporting.reliability import bin_rows, find_reliability
from legoc.experiments.reporting.scatter import Place, spread_labels
from legoc.experiments.reporting.trade import find_points
from legoc.experiments.results import read_result
from legoc.experiments.systems import System, gather
from legoc.experiments.table import Cell, Cost, Row, tabulate
from tests.product.conftest import run


@pytest.fixture(scope="module")
def systems(runs: Path) -> list[System]:
    return gather([read_result(folder) for folder in sorted(runs.glob("*-*"))])


def column(folder: Path, name: str, file: str = "groups") -> np.ndarray:
    return pq.read_table(folder / f"{file}.parquet")[name].to_numpy()


def test_differences_are_those_of_the_groups(systems: list[System], runs: Path) -> None:
    metrics = ["GAUC", "LogLoss"]
    table = tabulate(systems, metrics)
    contrasts = contrast(systems, every_pair(systems, metrics))
    ranks, loss = find_forests(table, contrasts)
    means = {
        name: np.mean([np.nanmean(column(f, "GAUC")) for f in runs.glob(f"{name}-*")])
        for name in ("text", "ids")
    }
    best = max(means, key=lambda name: means[name])
    (row,) = ranks.rows
    assert (ranks.metric, ranks.best, row.name) == ("GAUC", best, ({*means} - {best}).pop())
    assert ranks.figure == pytest.approx(means[best])
    assert row.difference == pytest.approx(means[row.name] - means[best])
    assert row.difference < 0
    (found,) = [each for each in contrasts if each.metric == "GAUC"]
    sign = 1 if found.one == row.name else -1
    assert {row.low, row.high} == {sign * found.low, sign * found.high}
    assert row.low < row.difference < row.high
    # Of a loss the least is best, so what the others have more is worse.
    assert loss.rows[0].difference > 0


def test_three_systems_stand_in_the_order_of_the_metric(systems: list[System]) -> None:
    plain = tabulate(systems, ["GAUC"])
    (base,) = contrast(systems, every_pair(systems, ["GAUC"]))
    cells = {"a": 0.5, "b": 0.7, "c": 0.6}
    unknown = Interval(low=math.nan, high=math.nan)
    cost = Cost(parameters=None, cpu=None, memory=None)
    for better, order in (("higher", "cab"), ("lower", "cba")):
        rows = tuple(
            Row(name=n, seeds=1, cost=cost,
                cells={"M": Cell(figure=v, deviation=None, interval=unknown)})
            for n, v in cells.items()
        )  # fmt: skip
        table = replace(plain, better={"M": better}, rows=rows)
        pairs = [
            made(base, one, other, cells, better) for one, other in itertools.combinations("abc", 2)
        ]
        (forest,) = find_forests(table, pairs)
        best = "b" if better == "higher" else "a"
        assert forest.best == best
        assert [row.name for row in forest.rows] == [n for n in order if n != best]
        for row in forest.rows:
            assert row.difference == pytest.approx(cells[row.name] - cells[best])
            assert row.low == pytest.approx(row.difference - 0.1)
            assert row.high == pytest.approx(row.difference + 0.2)


def made(base: Contrast, one: str, other: str, cells: dict[str, float], better: str) -> Contrast:
    """A comparison whose interval reaches 0.1 below and 0.2 above `x less best`."""
    best = "b" if better == "higher" else "a"
    difference = cells[one] - cells[other]
    low, high = (0.1, 0.2) if other == best else (0.2, 0.1)
    return replace(
        base, metric="M", better=better, one=one, other=other, figures=(cells[one], cells[other]),
        low=difference - low, high=difference + high, adjusted=1,
    )  # fmt: skip


def test_parts_of_the_rows_are_means_of_what_was_measured(
    systems: list[System], runs: Path
) -> None:
    free = find_free(systems, "test")
    slices = find_slices(systems, "test", "GAUC", free, "higher")
    names = {"all rows": "all", "known items": "known", "new items": "new"}
    assert set(names) <= {each.name for each in slices}
    for each in slices:
        where = names.get(each.name, each.name)
        for dot in each.dots:
            if dot.free:
                continue
            values = []
            for folder in runs.glob(f"{dot.name}-*"):
                told = json.loads((folder / "metrics.json").read_text("utf-8"))["test"]
                figures = told["metrics"] if where == "all" else told["slices"][where]
                values.append(figures["GAUC"])
            assert dot.figure == pytest.approx(np.mean(values))
            assert dot.deviation == pytest.approx(np.std(values, ddof=1))
        (best,) = [dot for dot in each.dots if dot.free]
        figures = [one.figures[where]["GAUC"] for one in free]
        assert best.figure == max(value for value in figures if value is not None)


def test_a_front_is_what_nothing_is_cheaper_and_better_than(systems: list[System]) -> None:
    plain = tabulate(systems, ["GAUC"])
    draw_numbers = random.Random(3)
    for better in ("higher", "lower"):
        rows = tuple(
            Row(
                name=str(n), seeds=1,
                cells={"M": Cell(figure=draw_numbers.randint(0, 6) / 10, deviation=None,
                                 interval=Interval(low=0, high=1))},
                cost=Cost(parameters=draw_numbers.randint(1, 6), cpu=None, memory=None),
            )
            for n in range(12)
        )  # fmt: skip
        table = replace(plain, better={"M": better}, rows=rows)
        assert find_points(table, "M", "cpu") == []
        points = find_points(table, "M", "parameters")
        assert len(points) == len(rows)
        worth = (lambda v: v) if better == "higher" else (lambda v: -v)
        expected: set[str] = set()
        reached = -math.inf
        # Along rising cost, what is the best of its cost and better than all that is cheaper.
        for cost in sorted({point.cost for point in points}):
            there = [point for point in points if point.cost == cost]
            top = max(worth(point.figure) for point in there)
            if top > reached:
                expected |= {p.name for p in there if worth(p.figure) == top}
                reached = top
        assert {point.name for point in points if point.front} == expected


def test_curves_are_those_of_the_logs(systems: list[System], runs: Path) -> None:
    courses = find_courses(systems)
    assert [course.name for course in courses] == ["ids", "text"]
    for course in courses:
        assert [curve.seed for curve in course.curves] == [1, 2, 3]
        for curve in course.curves:
            (folder,) = [
                f for f in runs.glob(f"{course.name}-*")
                if json.loads((f / "spec.json").read_text("utf-8"))["train"]["seed"] == curve.seed
            ]  # fmt: skip
            lines = (folder / "log.jsonl").read_text("utf-8").splitlines()
            entries = [json.loads(line) for line in lines]
            losses = [(e["loss"], e["rows"]) for e in entries if e["event"] == "step"]
            (epoch,) = curve.epochs
            assert epoch.number == curve.best == 1
            weighted = sum(loss * rows for loss, rows in losses) / sum(rows for _, rows in losses)
            assert epoch.loss == pytest.approx(weighted)
            assert entries[-1]["best_epoch"] == curve.best
            assert epoch.figure == pytest.approx(entries[-1]["best"])


@pytest.fixture(scope="module")
def calibrated(spec: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("calibrated") / "runs"
    given = ("train.task=ranking", "train.calibrate=true", "train.seed=1")
    overrides = [word for value in given for word in ("--set", value)]
    words = ("--only", "content=CNN", "--cache", cache, "--runs", place, "--no-baselines", "-q")
    assert run("train", spec, *overrides, *words) == 0
    return next(place.glob("text-*"))


def test_bins_are_tenths_of_the_rows(calibrated: Path) -> None:
    (found,) = find_reliability(gather([read_result(calibrated)]), "test")
    assert found.doubt is None
    label, score = (column(calibrated, name, "scores") for name in ("label", "score"))
    probability = 1 / (1 + np.exp(-score.astype(np.float64)))
    assert sum(each.rows for each in found.bins) == len(label)
    total = sum(each.clicked * each.rows for each in found.bins)
    assert total == pytest.approx((label > 0.5).sum())
    assert 5 <= len(found.bins) <= 10
    # Bins are runs of the sorted rows: cut there, means are those of NumPy.
    order = np.argsort(probability, kind="stable")
    ends = np.cumsum([each.rows for each in found.bins])
    for each, part in zip(found.bins, np.split(order, ends[:-1]), strict=True):
        assert each.predicted == pytest.approx(probability[part].mean())
        assert each.clicked == pytest.approx((label[part] > 0.5).mean())
    report = json.loads((calibrated / "metrics.json").read_text("utf-8"))["test"]
    assert report["calibration"] is not None
    # The mean probability of a calibrated model is near the share of clicks; logits are not.
    mean = sum(each.predicted * each.rows for each in found.bins) / len(label)
    assert mean == pytest.approx((label > 0.5).mean(), abs=0.05)


def test_equal_scores_stay_together_and_unlabelled_rows_are_out() -> None:
    score = np.array([0, 0, 0, 0, 2, 2, 9], dtype=np.float32)
    label = np.array([1, 0, 0, 0, 1, 1, np.nan], dtype=np.float32)
    low, high = bin_rows(score, label)
    assert (low.rows, low.clicked, low.predicted) == (4, 0.25, 0.5)
    assert (high.rows, high.clicked) == (2, 1.0)
    assert bin_rows(score[:0], label[:0]) == ()
    steps = np.arange(1000, dtype=np.float32) / 100
    assert [each.rows for each in bin_rows(steps, np.ones(1000, np.float32))] == pytest.approx(
        [100] * 10, abs=2
    )


def test_scores_that_are_gone_or_damaged_are_said_to_be(calibrated: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(calibrated, tmp_path / calibrated.name)
    (copy / "scores.parquet").write_bytes(b"PAR1")
    for why in ("cannot be read", "are gone"):
        (found,) = find_reliability(gather([read_result(copy)]), "test")
        assert not found.bins
        assert f"the scores {why}; `legoc eval {copy.name} --scores`" in (found.doubt or "")
        (copy / "scores.parquet").unlink(missing_ok=True)


def test_scores_that_order_alone_are_not_drawn(systems: list[System]) -> None:
    found = find_reliability(systems, "test")
    assert all("no probabilities" in (each.doubt or "") and not each.bins for each in found)


def test_standings_follow_from_means_over_seeds(runs: Path, tmp_path: Path) -> None:
    """With baselines that were made worse, and better on new items alone."""
    told = {}
    for folder in runs.glob("text-*"):
        copy = shutil.copytree(folder, tmp_path / folder.name)
        path = copy / "metrics.json"
        told[copy] = json.loads(path.read_text("utf-8"))

    def write(overall: float, new: float) -> None:
        for copy, report in told.items():
            for each in report["test"]["baselines"].values():
                each["metrics"]["GAUC"] = overall
                for name in each["slices"]:
                    each["slices"][name]["GAUC"] = new if name == "new" else 0.0
            # Enough groups that the slice counts.
            report["test"]["groups"]["new"] = 500
            (copy / "metrics.json").write_text(json.dumps(report), encoding="utf-8")

    mean = float(np.mean([r["test"]["metrics"]["GAUC"] for r in told.values()]))
    for overall, new, beats in ((0.0, 0.0, True), (mean + 1e-3, 0.0, False), (0.0, 1.0, True)):
        write(overall, new)
        (found,) = find_standings(gather([read_result(copy) for copy in told]), "test")
        assert found.beats is beats
        assert found.sentence().startswith(
            "text beats every free baseline" if beats else "text does not beat"
        )
        assert ("on new items" in found.sentence()) is (new == 1.0)
        if not beats:
            assert f"against {mean:.4f}" in found.sentence()
    system = gather([read_result(copy) for copy in told])[0]
    assert average([r["test"] for r in told.values()])["metrics"]["GAUC"] == pytest.approx(mean)
    for copy, report in told.items():
        del report["test"]["baselines"]
        (copy / "metrics.json").write_text(json.dumps(report), encoding="utf-8")
    system = gather([read_result(copy) for copy in told])[0]
    (found,) = find_standings([system], "test")
    assert found.beats is None
    assert "--no-baselines" in found.sentence()
    assert find_free([system], "test") == []


def test_data_that_have_changed_are_not_told(
    systems: list[System], runs: Path, cache: Path
) -> None:
    (found,) = find_data(systems, cache)
    assert found.report is not None
    assert set(found.systems) == {"text", "ids"}
    label = column(next(runs.glob("text-*")), "label", "scores")
    assert found.report.parts["test"].rows == len(label)
    assert found.report.parts["test"].clicks == (label > 0.5).sum()
    changed = [
        System(each.name, tuple(
            replace(result, about={**result.about, "data": "0" * 64}) for result in each.results
        ))
        for each in systems
    ]  # fmt: skip
    (found,) = find_data(changed, cache)
    assert found.report is None
    assert "have changed" in found.why


def test_texts_of_a_picture_stay_as_they_are() -> None:
    marks = [
        Mark(name="a name so long that it has to be told on two lines {lr=0.0001, hidden=64}",
             text="+0.12345", value=0.12345, low=0.1, high=0.2),
        Mark(name="0.98765", text="-0.00001", value=-0.00001, low=-0.1, high=0.1),
    ]  # fmt: skip
    svg = draw(dots(marks, "difference", (-0.2, 0.3), zero=True), "n", "a < b", "0.123456")
    texts = re.findall(r">([^<>]+)</t(?:ext|span)>", svg)
    assert {"+0.12345", "0.98765", "-0.00001"} <= set(texts)
    assert "a name so long that it has to be told on two lines" not in texts
    assert any(text.startswith("a name so long") for text in texts)
    assert '<title id="n-title">a &lt; b</title><desc id="n-told">0.123456</desc>' in svg
    assert "http" not in svg
    places = re.findall(r'(?:transform|x2|y2| d)="([^"]*)"', svg)
    assert places
    assert not any(re.search(r"\.\d{3}", place) for place in places)


def test_letters_stand_apart() -> None:
    draw_numbers = random.Random(5)
    for _ in range(20):
        pixels = [(draw_numbers.uniform(20, 250), draw_numbers.uniform(15, 175)) for _ in range(8)]
        places = [
            Place(letter="ABCDEFGH"[n], x=1, y=1, low=1, high=1, chosen=False) for n in range(8)
        ]
        labels = spread_labels(places, pixels)
        assert sorted("".join(label.text for label in labels).replace(" ", "")) == list("ABCDEFGH")
        at = dict(zip(map(id, places), pixels, strict=True))
        centres = [
            (at[id(each.at)][0] + each.right, at[id(each.at)][1] + each.down) for each in labels
        ]
        for (x, y), (a, b) in itertools.combinations(centres, 2):
            assert math.hypot(x - a, y - b) > 6
    same = [(100.0, 100.0), (101.0, 100.0), (200.0, 50.0)]
    together, alone = spread_labels(places[:3], same)
    assert (together.text, alone.text) == ("A B", "C")


def test_what_is_counted_has_no_seeds_to_doubt(tmp_path: Path) -> None:
    from legoc.commands.points import points

    file = tmp_path / "two.lego"
    file.write_text(
        "data d { source = Demo content = [title(8)] }\nmodel counted = predict Popularity\n"
        "model trained = content Pooling(hidden=8) -> behavior Pooling -> predict Dot\n"
        "run counted on d\nrun trained on d\n",
        encoding="utf-8",
    )
    found = points(Namespace(file=str(file), overrides=[], only=None))
    once = [
        SimpleNamespace(name=spec.name, results=(SimpleNamespace(spec=spec),)) for spec in found
    ]
    (told,) = doubts(once, 500)
    assert told.startswith("trained once: trained;")
