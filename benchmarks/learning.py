"""What the default recipe learns on real logs, beside what counting alone reaches.

`python -m benchmarks learning` trains on Demo and on the logs that lie in the folder that
`LEGOC_LOGS` names, each in a folder of its own (`LOGS` says which). `python -m benchmarks.learning
LOG ... --json FILE` takes some logs and keeps the figures and the runs, which are not trained
again; `--models` takes some models, `--seeds 3` trains each of them three times, `--limit 20min`
ends trainings by the clock.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from legoc.language import load
from legoc.language.ir.spec import is_alone


@dataclass(frozen=True, kw_only=True)
class Log:
    """A log: its source, called with a folder, its attributes, and the numbers of the moment, none
    where it has no times."""

    title: str
    source: str
    content: str
    context: str = ""


LOGS: Mapping[str, Log] = {
    "demo": Log(
        title="Demo (generated news)", source="Demo", content="[title, category, subcategory]",
        context="[popularity(hours=24), popularity(days=7), age]",
    ),
    "ml": Log(
        title="MovieLens latest-small", source='MovieLens("{folder}")',
        content="[title(16), genres]",
        context="[popularity(days=30), popularity, share, age]",
    ),
    "hetrec": Log(title="HetRec Last.fm", source='LastFM("{folder}")', content="[artist(8)]"),
    "gift": Log(
        title="Amazon gift cards (2018)", source='AmazonCDs("{folder}", negatives=20)',
        content="[title(20), description(30)]",
        context="[popularity(days=7), popularity(days=90), popularity, age]",
    ),
    "music": Log(
        title="Amazon digital music (2014)", source='AmazonCDs("{folder}", negatives=20)',
        content="[title(20), description(30)]",
        context="[popularity(days=30), popularity(days=365), popularity, age]",
    ),
}  # fmt: skip

REST = "behavior Additive -> predict Dot"
TEXT = f"content CNN(hidden=64) -> {REST}"
# The counted models that may stand in a run of any log; which of them apply is asked of the data.
COUNTED = ("Popularity", "ItemMean", "ItemKNN", "TFIDF")
MODELS: Mapping[str, str] = {
    **{name: f"predict {name}" for name in COUNTED},
    "text": TEXT,
    "text and moment": TEXT,
    "MiniLM, frozen": f"content MiniLM(path=WEIGHTS, split=-1) -> {REST}",
    "MiniLM, tuned": f"content MiniLM(path=WEIGHTS, split=-2, lora=8) -> {REST}",
}
USUAL = (*COUNTED, "text", "text and moment")


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """One model on one log: GAUC of the test part with its 95 % interval over users, the same over
    candidates that training did not show, and what it took."""

    log: str
    model: str
    seeds: tuple[float, ...]
    gauc: float
    low: float
    high: float
    groups: int
    new: float | None
    new_groups: int
    epochs: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Beaten:
    """A trained model less the best counted one on the same users: the difference of GAUC, its 95 %
    interval, and whether it is real after Holm's correction."""

    log: str
    model: str
    other: str
    difference: float
    low: float
    high: float
    real: bool


def write_spec(
    key: str, log: Log, models: Sequence[str], seeds: int, weights: str | None, limit: str | None
) -> str:
    """The text of a spec with some models on a log."""
    folder = Path(os.environ.get("LEGOC_LOGS", "")).resolve() / key
    source = log.source.format(folder=folder)
    lines = [f"data plain {{ source = {source}  content = {log.content} }}"]
    if log.context:
        lines.append(f"data moment = plain(context={log.context})")
    seed = "seed = 1" if seeds == 1 else f"seed in 1..{seeds}"
    within = "" if limit is None else f"  limit = {limit}"
    lines.append(f"train base {{ {seed}  metrics = [GAUC]{within} }}")
    for number, name in enumerate(models):
        pipeline = MODELS[name].replace("WEIGHTS", f'"{weights}"')
        lines.append(f"model m{number} = {pipeline}")
        data = "moment" if name.endswith("moment") else "plain"
        lines.append(f"run m{number} on {data} with base")
    return "\n".join(lines) + "\n"


def learn(
    key: str,
    models: Sequence[str],
    seeds: int,
    runs: Path,
    weights: str | None,
    limit: str | None = None,
) -> tuple[list[Learnt], list[Beaten]]:
    """Train some models on a log, measure them, and compare the trained ones with the best counted
    one."""
    from legoc.evaluation.comparison import estimate
    from legoc.experiments.contrast import contrast
    from legoc.experiments.results import read_result
    from legoc.experiments.systems import gather
    from legoc.training import train
    from legoc.training.cost import read_cost

    log = LOGS[key]
    chosen = [name for name in models if log.context or not name.endswith("moment")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{key}.lego"
        path.write_text(write_spec(key, log, chosen, seeds, weights, limit), encoding="utf-8")
        specs = load(path)
        done = [train(spec, runs=runs, until="evaluate", baselines=False) for spec in specs]
    # The seed is no part of what is counted, so its runs are one.
    folders = dict.fromkeys(run.folder for run in done)
    systems = gather([read_result(folder) for folder in folders])
    titles = {f"m{number}": name for number, name in enumerate(chosen)}
    found: list[Learnt] = []
    for system in systems:
        first = system.results[0].run
        measured = system.measure("GAUC")
        (interval,) = estimate([measured])
        report = first.metrics["test"]
        ends = [e for r in system.results for e in r.run.log if e["event"] == "end"]
        found.append(
            Learnt(
                log=key, model=titles[first.spec.name.partition("[")[0]],
                seeds=measured.figures, gauc=measured.figure, low=interval.low,
                high=interval.high, groups=measured.clusters,
                new=report["slices"]["new"]["GAUC"], new_groups=report["groups"]["new"] or 0,
                epochs=ends[0]["best_epoch"] if ends else 0,
                seconds=read_cost(first.folder).get("cpu", 0.0),
            )
        )  # fmt: skip
    counted = [n for n, s in enumerate(systems) if is_alone(s.results[0].run.spec)]
    trained = [n for n in range(len(systems)) if n not in counted]
    if not counted:
        return found, []
    best = max(counted, key=lambda n: found[n].gauc)
    contrasts = contrast(systems, [("GAUC", [(n, best) for n in trained])])
    beaten = [
        Beaten(
            log=key, model=found[n].model, other=found[best].model, difference=c.difference,
            low=c.low, high=c.high, real=c.real,
        )
        for n, c in zip(trained, contrasts, strict=True)
    ]  # fmt: skip
    return found, beaten


def run(
    logs: Sequence[str] = (),
    models: Sequence[str] = USUAL,
    seeds: int = 1,
    kept: Path | None = None,
    weights: str | None = None,
    limit: str | None = None,
) -> None:
    """Print a table for each log at hand."""
    torch.set_num_threads(1)
    root = Path(os.environ.get("LEGOC_LOGS", ""))
    at_hand = [k for k in LOGS if k == "demo" or (root != Path() and (root / k).is_dir())]
    print("\nlearning: GAUC of the test part with 95 % intervals over users; default recipe")
    for key in logs or at_hand:
        with tempfile.TemporaryDirectory() as folder:
            runs = Path(folder) if kept is None else kept.with_suffix("") / key
            found, beaten = learn(key, models, seeds, runs, weights, limit)
        show(found, beaten)
        if kept is not None:
            keep(kept, key, found, beaten)


def show(found: Sequence[Learnt], beaten: Sequence[Beaten]) -> None:
    """One log as text."""
    print(f"\n{LOGS[found[0].log].title}, {found[0].groups:,} users with clicks and non-clicks")
    for row in found:
        new = "" if row.new is None else f"   new items {row.new:.3f} ({row.new_groups:,} groups)"
        trained = f"   epoch {row.epochs:>2}{row.seconds:>7.0f} s CPU" if row.epochs else ""
        print(f"  {row.model:<18}{row.gauc:.3f}  [{row.low:.3f}, {row.high:.3f}]{new}{trained}")
    for row in beaten:
        verdict = "real" if row.real else "not distinguishable"
        between = f"[{row.low:+.3f}, {row.high:+.3f}]"
        print(
            f"  {row.model} less {row.other}: {row.difference:+.3f} {between}, {verdict}",
            flush=True,
        )


def keep(path: Path, key: str, found: Sequence[Learnt], beaten: Sequence[Beaten]) -> None:
    """Put the figures of a log into a file, in the place of older ones of the same models."""
    value: dict[str, Any] = {"learnt": [], "beaten": []}
    if path.is_file():
        value = json.loads(path.read_text(encoding="utf-8"))
    for name, rows in (("learnt", found), ("beaten", beaten)):
        own = {row.model for row in rows}
        others = [r for r in value[name] if r["log"] != key or r["model"] not in own]
        value[name] = [*others, *(asdict(row) for row in rows)]
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("logs", nargs="*", choices=[[], *LOGS])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=USUAL)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--weights", help="a folder of MiniLM, for its rows")
    parser.add_argument("--limit", help="the longest that a training may take, such as 20min")
    chosen = parser.parse_args()
    run(
        chosen.logs, chosen.models, chosen.seeds, chosen.json, chosen.weights, chosen.limit
    )  # fmt: skip
