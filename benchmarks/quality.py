"""What every behavior and predict operator learns at its defaults, on a small Demo.

Each is one bare pipeline with the default recipe, so with the loss its predictor trains by first;
beside it stands the popularity of items, counted over the training rows. `python -m
benchmarks.quality NAME ...` trains some operators alone, `--json FILE` keeps the figures and adds
to those that are there.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from legoc.language import load
from legoc.language.declaring.catalog import catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.ir.counted import stands_alone
from legoc.language.ir.spec import Call


WORLD = "Demo(items=600, users=500, impressions=3000)"
# All else is the default. An epoch of ranking would have six times as many rows, and patience
# counts epochs: 15 of these are less than three of those.
RECIPES = {"matching": "samples = 8k", "ranking": "samples = 8k  patience = 15"}
CONTENT = "content Pooling"


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """One operator: its pipeline, the task it trained for, its test figures and the epochs."""

    role: str
    name: str
    pipeline: str
    task: str
    gauc: float
    popularity: float
    best: float
    epoch: int
    seconds: float


def pipelines() -> Iterator[tuple[Declaration, str]]:
    """Every predictor and every behavior operator in a pipeline with the plainest others."""
    for declaration in catalog().role("predict"):
        if stands_alone(declaration) or "Prefix" in (declaration.signature or ""):
            # Counted or asked, nothing is learnt; or nothing without a language model, whose
            # answers are the subject of docs/recbench.md.
            continue
        users = {"(Seq": "Null", "(Man": "PolyAttention"}.get((declaration.signature or "")[:4])
        yield (
            declaration,
            f"{CONTENT} -> behavior {users or 'Additive'} -> predict {declaration.name}",
        )
    for declaration in catalog().role("behavior"):
        reads = {"Null": "DIN", "PolyAttention": "MINER"}.get(declaration.name, "Dot")
        yield declaration, f"{CONTENT} -> behavior {declaration.name} -> predict {reads}"


def run(names: Sequence[str] = (), kept: Path | None = None) -> list[Learnt]:
    """Train, print a line for each, and keep the figures."""
    torch.set_num_threads(1)
    found: dict[tuple[str, str], Learnt] = {}
    if kept is not None and kept.is_file():
        rows = [Learnt(**row) for row in json.loads(kept.read_text(encoding="utf-8"))]
        found = {(row.role, row.name): row for row in rows}
    print(f"\n{WORLD}, default recipe; GAUC on the test part")
    for declaration, pipeline in pipelines():
        if names and declaration.name not in names:
            continue
        row = learn(declaration, pipeline)
        found[row.role, row.name] = row
        print(
            f"  {row.role + ' ' + row.name:<24}{row.task:<10}{row.gauc:.4f}   popularity "
            f"{row.popularity:.4f}   best {row.best:.4f}   epoch {row.epoch:>2}"
            f"{row.seconds:>7.0f} s",
            flush=True,
        )
        if kept is not None:
            rows = [asdict(row) for row in found.values()]
            kept.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return list(found.values())


def learn(
    declaration: Declaration, pipeline: str, world: str = WORLD, recipe: str | None = None
) -> Learnt:
    """Train one pipeline on a world. recipe: fields of `train` beside the defaults, that of the
    predictor's task unless given."""
    from legoc.data import prepare
    from legoc.evaluation import evaluate_log
    from legoc.evaluation.compute import compute
    from legoc.evaluation.torch_engine import TorchEngine
    from legoc.model.run import load_recommender
    from legoc.training import train

    if recipe is None:
        predictor = catalog().get("predict", pipeline.rpartition(" ")[2])
        assert predictor is not None
        recipe = RECIPES[predictor.tasks[0]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.lego"
        path.write_text(
            f"data small {{ source = {world} }}\ntrain plain {{ {recipe} }}\n"
            f"model one = {pipeline}\nrun one on small with plain\n",
            encoding="utf-8",
        )
        (spec,) = load(path)
        done = train(spec, runs=folder, until="train")
        prepared = prepare(spec)
        engine = TorchEngine(load_recommender(done, prepared.rows))
        log = prepared.logs["test"]
        report = evaluate_log(
            engine, prepared.inputs, log, spec.train.metrics, split="test", group=spec.data.group
        )
        ends = [entry for entry in done.log if entry["event"] == "evaluation"]
    clicks = np.bincount(
        prepared.logs["train"].item, prepared.logs["train"].label, len(prepared.training_items)
    )
    gauc = [Call(op="GAUC", args={})]
    popularity = compute(gauc, clicks[log.item], log.label, log.group)["GAUC"].value
    best = max(ends, key=lambda entry: entry["metrics"]["GAUC"])
    return Learnt(
        role=declaration.role, name=declaration.name, pipeline=pipeline, task=spec.train.task.op,
        gauc=report.metrics["GAUC"].value, popularity=popularity,
        best=prepared.best["all"]["GAUC"], epoch=best["epoch"], seconds=ends[-1]["seconds"],
    )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    run(chosen.names, chosen.json)
