"""What counting reaches on the same rows: models that cost nothing, beside one that was trained.

They are measured by the same evaluator, once per state of the data: a sweep finds them in the
cache.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from legoc.data.cache import cache_root, digest, obtain
from legoc.data.indexing.context import name_of
from legoc.data.prepare import read_items
from legoc.evaluation.compute import better, call_named, plain
from legoc.evaluation.contract import Candidates
from legoc.evaluation.evaluator import Mask, evaluate_log
from legoc.evaluation.full_ranking import evaluate_catalogue
from legoc.evaluation.marks import find_marks, reads_probabilities
from legoc.evaluation.report import Baseline
from legoc.evaluation.torch_engine import TorchEngine
from legoc.language.declaring.catalog import catalog
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.counted import counted_spec, is_counted_spec, reads_tokens
from legoc.language.ir.spec import Call, Spec
from legoc.model import compile
from legoc.model.counting import fill
from legoc.progress import SILENT, Progress


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared

# Raise when the same data would give other figures than an older version wrote.
VERSION = 2
# Numbers in the table of `ItemKNN`, which is made beside a training: twice this as float32 is there
# at a time.
NUMBERS = 1 << 26
# Pairs that are scored one by one for a counted model beside full ranking: some minutes.
PAIRS = 200_000_000
# What a model may be told of everybody's clicks, as one writes it, by what was counted.
TOLD_BY = {"Popularity": ("popularity(hours=24)", "popularity"), "ItemMean": ("share",)}
# Fewer groups than these do not tell two models apart on a part of the rows.
GROUPS = 100
# How a part of the rows is told in a sentence.
WHERE: Mapping[str, str] = {"all": "", "known": " on known items", "new": " on new items"}


def call_of(name: str, **given: Any) -> Call:
    """A counted predictor with its defaults."""
    declaration = catalog().get("predict", name)
    assert declaration is not None
    return Call(op=name, args={p.name: given.get(p.name, p.default) for p in declaration.params})


def label(call: Call) -> str:
    """`Popularity(hours=24)`: what is set, as one writes it."""
    own = call_of(call.op).args
    given = [
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in call.args.items()
        if value != own[name]
    ]
    return f"{call.op}({', '.join(given)})" if given else call.op


def choose(spec: Spec, prepared: "Prepared") -> list[Call]:
    """The counted models that the data can tell something for. Chance is none of them: what it
    gives is known."""
    found = [call_of("Popularity")]
    if prepared.report.order == "time":
        found.append(call_of("Popularity", hours=24.0))
    if (np.asarray(prepared.logs["train"].label) <= 0.5).any():
        found.append(call_of("ItemMean"))
    found += [nearest(len(prepared.items)), call_of("TFIDF"), call_of("LastCategory")]
    return [call for call in found if counted_spec(spec, call) is not None]


def nearest(items: int) -> Call:
    """`ItemKNN` with as many neighbours as there is room for, up to its default."""
    call = call_of("ItemKNN")
    room = (NUMBERS // items - 1) // 2
    return call_of("ItemKNN", neighbours=max(min(call.args["neighbours"], room), 1))


def measure_baselines(
    spec: Spec,
    prepared: "Prepared",
    split: str,
    metrics: Sequence[Call],
    slices: Mapping[str, Mask],
    *,
    candidates: Candidates = "shown",
    cache: str | Path | None = None,
    progress: Progress = SILENT,
) -> dict[str, Baseline]:
    """The figures of every counted model that applies, by its name, on the rows of a part and on
    slices of them. None for a model that is counted itself. With `all` candidates the catalogue is
    ranked, and what takes too long is left out and said."""
    if is_counted_spec(spec):
        return {}
    root = cache_root(cache)
    found: dict[str, Baseline] = {}
    for call in choose(spec, prepared):
        try:
            made = measure(spec, call, prepared, split, metrics, slices, candidates, root, progress)
        except LegoError as error:
            # Some rows without a time, too many items or too many pairs: the others are shown.
            progress.say(f"{label(call)} is left out: {error.diagnostics[0].message}")
            continue
        found[label(call)] = made
    return found


def measure(
    spec: Spec,
    call: Call,
    prepared: "Prepared",
    split: str,
    metrics: Sequence[Call],
    slices: Mapping[str, Mask],
    candidates: Candidates,
    root: Path,
    progress: Progress,
) -> Baseline:
    """One counted model, from the cache or counted now."""
    made = counted_spec(spec, call)
    assert made is not None
    key = digest(
        {
            "version": VERSION,
            # The digest of the spec covers the operator and how items are read.
            "data": [prepared.tables.digest, spec.data.history, spec.data.group, made.keys.spec],
            "split": split,
            "metrics": [[metric.op, dict(metric.args)] for metric in metrics],
            **({} if candidates == "shown" else {"candidates": candidates}),
            "slices": {
                name: hashlib.sha256(np.packbits(mask)).hexdigest() for name, mask in slices.items()
            },
        }
    )

    def write(staging: Path) -> dict[str, Any]:
        progress.say(f"counting {label(call)} to compare with")
        figures = count(made, call, prepared, split, metrics, slices, candidates, root, progress)
        value = Baseline(name=label(call), parts=figures).to_json()
        (staging / "figures.json").write_text(json.dumps(value), encoding="utf-8")
        return {"split": split}

    folder, _ = obtain(root / "baselines" / key[:32], write)
    value = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    return Baseline.from_json(label(call), value)


def count(
    made: Spec,
    call: Call,
    prepared: "Prepared",
    split: str,
    metrics: Sequence[Call],
    slices: Mapping[str, Mask],
    candidates: Candidates,
    root: Path,
    progress: Progress,
) -> dict[str, dict[str, float | None]]:
    """Count on the training part and measure, as any model is; None for what reads probabilities
    where a count is none."""
    declaration = catalog().get("predict", call.op)
    assert declaration is not None
    items = len(prepared.items)
    inputs, reading, folder = read_items(made, prepared.tables, items, root, progress, None)
    rows = replace(prepared.rows, tokens=0 if reading is None else reading["rows"])
    read = replace(prepared, inputs=inputs, reading=reading, reading_folder=folder, rows=rows)
    assert reads_tokens(declaration) == (reading is not None)
    recommender = compile(made).build(rows).eval()
    fill(recommender.content, call, read)
    # No count reads the numbers of the moment, and looking them up takes longer than the rest.
    log = replace(prepared.logs[split], context=None)
    engine = TorchEngine(recommender)
    if candidates == "all":
        report, _ = evaluate_catalogue(
            engine, made, read, log, metrics, split=split, slices=slices, most=PAIRS,
            progress=progress,
        )  # fmt: skip
    else:
        report = evaluate_log(
            engine, inputs, log, metrics, split=split, group=made.data.group, slices=slices,
            marks=find_marks(made, metrics),
        )  # fmt: skip
    return {
        part: {
            name: None if name in report.marks else plain(figure.value)
            for name, figure in figures.items()
        }
        for part, figures in report.parts().items()
    }


@dataclass(frozen=True, kw_only=True)
class Beaten:
    """A model that the best of the counted ones ranks at least as well as: on a part of the rows
    (`all`, else a slice), by a metric."""

    part: str
    best: str
    metric: str
    theirs: float
    ours: float

    def sentence(self) -> str:
        """`Popularity ranks better on new items: GAUC 0.7050 against 0.5870`."""
        how = "ranks better" if self.theirs != self.ours else "ranks as well"
        where = WHERE.get(self.part, f", {self.part}")
        return f"{self.best} {how}{where}: {self.metric} {self.theirs:.4f} against {self.ours:.4f}"


def find_better(report: Mapping[str, Any]) -> list[str]:
    """The sentences of `find_beaten`."""
    return [each.sentence() for each in find_beaten(report)]


def find_beaten(report: Mapping[str, Any]) -> list[Beaten]:
    """Over all rows, and on each slice of enough groups, where the best of the counted models is at
    least as good as the model of a report (in JSON's types) by `deciding_metric`."""
    name = deciding_metric(report)
    if name is None:
        return []
    lower = better(call_named(name)) == "lower"
    beside = [Baseline.from_json(*each) for each in report.get("baselines", {}).items()]
    told: list[Beaten] = []
    for part, figures in {"all": report["metrics"], **report["slices"]}.items():
        ours = figures[name]
        known = [(each.parts.get(part, {}).get(name), each.name) for each in beside]
        known = [(value, each) for value, each in known if value is not None]
        few = part != "all" and (report["groups"].get(part) or 0) < GROUPS
        if not known or ours is None or few:
            continue
        theirs, best = min(known) if lower else max(known)
        if theirs == ours or (theirs < ours) == lower:
            told.append(Beaten(part=part, best=best, metric=name, theirs=theirs, ours=ours))
    return told


def find_remedy(spec: Spec, report: Mapping[str, Any]) -> str | None:
    """What to write where counting clicks ranks better than a model that is not told of them; None
    elsewhere."""
    beside = report.get("baselines", {})
    # Where that is counted, the log has times.
    if not any(name.startswith("Popularity(") for name in beside):
        return None
    kinds = {call.op for call in spec.data.context}
    told = find_better(report)
    missing = [
        number
        for counted, numbers in TOLD_BY.items()
        for number in numbers
        if number.split("(")[0] not in kinds and any(line.startswith(counted) for line in told)
    ]
    if not missing:
        return None
    written = ", ".join([*map(name_of, spec.data.context), *missing])
    return f"`context = [{written}]` in `data` tells a model what everybody clicks at the moment"


def deciding_metric(report: Mapping[str, Any]) -> str | None:
    """The first metric of a report that orders items, whatever their scores mean; else the first
    whose figure of the model means something."""
    names, marks = list(report["metrics"]), report.get("marks", {})
    ordering = (name for name in names if not reads_probabilities(call_named(name)))
    return next(ordering, next((name for name in names if name not in marks), None))
