"""The proof of one case: built, trained, exported, reloaded, and equal in every engine."""

import shutil
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from legoc.data.prepare import Prepared, prepare
from legoc.data.reading.prompts import is_joined
from legoc.evaluation.evaluator import score_log
from legoc.evaluation.torch_engine import TorchEngine
from legoc.evaluation.uncached import Uncached
from legoc.exporting.bundle import write_bundle
from legoc.exporting.gates import TARGET, relative_difference
from legoc.exporting.graph_files import write_graphs
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.checkpoints import reading_model
from legoc.language.ir.plan import plan
from legoc.language.ir.spec import Call, Spec
from legoc.model import compile
from legoc.model.filling import fill_items
from legoc.model.recommender import Recommender
from legoc.model.run import Run, load_recommender
from legoc.model.versions import keys_of
from legoc.progress import SILENT
from legoc.proving.cases import STEPS, Case
from legoc.proving.parts import Parts, lent_graphs
from legoc.proving.standins import stand_in_file
from legoc.training.calibration import obtain_calibration
from legoc.training.epoch import infer_seed
from legoc.training.files import write_json
from legoc.training.folder import open_folder
from legoc.training.public import obtain_weights


SPREAD = 0.02
"""The largest difference as a share of the standard deviation of the scores ..."""
ROUNDING = 1e-6
"""... unless it is a rounding of the scores themselves."""


SEEDS = (1, 2, 3)
"""A unit before a ReLU may be dead by the draw of its weights; no weight is from every seed."""


CALIBRATED = {"temperature": 0.75, "bias": -0.5}
"""What every calibrated model has after its own fit: a predictor is lent to models whose scores are
of other sizes, which a fit to one of them could flatten."""


class Refuted(Exception):
    """A case does not hold; the text says why."""


@dataclass
class Bench:
    """Where one process proves: data that are prepared once, and the parts it shares.

    share: whether equal parts are exported once; else every point exports all of its graphs.
    """

    folder: Path
    cache: Path
    code: str
    share: bool = True
    prepared: dict[str, Prepared] = field(default_factory=dict[str, Prepared])

    def data(self, spec: Spec) -> Prepared:
        # What else a spec says decides nothing of what is prepared, but for a language model.
        model = reading_model(spec)
        settings = ("pooling", "special", "prompt", "limit")
        asked = spec.types.user if is_joined(spec) else ""
        reads = model and (model[1], asked, *(model[0].args.get(name) for name in settings))
        key = repr((spec.data, plan(spec).layout, plan(spec).flattens, reads))
        if key not in self.prepared:
            self.prepared[key] = prepare(spec, cache=self.cache)
        return self.prepared[key]


def prove_case(case: Case, bench: Bench) -> dict[str, Any]:
    """The record of a case: `status` is `green`, or `red` with a `reason` and the `phase` that
    failed. Only an interruption is raised."""
    record: dict[str, Any] = {
        "key": case.key, "code": bench.code, "pipeline": case.spec.name,
        "labels": dict(case.labels),
        "types": {"item": case.spec.types.item, "user": case.spec.types.user},
        "task": case.spec.train.task.op if case.spec.train else None, "small": case.small,
        "seconds": {},
    }  # fmt: skip
    work = bench.folder / "work" / case.key
    shutil.rmtree(work, ignore_errors=True)
    try:
        prove(case.spec, bench, work, record)
        record["status"] = "green"
    except LegoError as error:
        first = error.diagnostics[0]
        record |= {"status": "red", "reason": f"{first.code}: {first.message}"}
    except Refuted as error:
        record |= {"status": "red", "reason": str(error)}
    except Exception as error:
        trace = traceback.format_exc().splitlines()[-6:]
        record |= {"status": "red", "reason": f"{type(error).__name__}: {error}", "trace": trace}
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return record


@contextmanager
def phase(record: dict[str, Any], name: str) -> Iterator[None]:
    record["phase"] = name
    began = time.perf_counter()
    try:
        yield
    finally:
        spent = record["seconds"].get(name, 0.0) + time.perf_counter() - began
        record["seconds"][name] = round(spent, 3)


def prove(spec: Spec, bench: Bench, work: Path, record: dict[str, Any]) -> None:
    """Every phase of one spec; what is found is entered into the record."""
    run = Run(work)
    spec = stand_in(spec, bench)
    still: set[str] | None = None
    for seed in SEEDS:
        tried = reseeded(spec, seed)
        with phase(record, "build"):
            prepared = bench.data(spec)
            torch.manual_seed(infer_seed(seed))
            fresh = compile(tried).build(prepared.rows)
            fill_items(fresh, tried, prepared)
            record["parameters"] = sum(p.numel() for p in fresh.parameters())
        with phase(record, "train"):
            open_folder(work, tried, again=True)
            trained_on = {"language_model": prepared.rows.checkpoint or None}
            write_json(work / "environment.json", trained_on)
            obtain_weights(run, prepared, torch.device("cpu"), bench.cache, SILENT, {})
            obtain_calibration(run, prepared, torch.device("cpu"), bench.cache, SILENT)
            trained = load_recommender(run, prepared.rows)
            if trained.calibration is not None:
                trained.calibration.put(**CALIBRATED)
        unmoved = find_unmoved(fresh, trained, matching=record["task"] == "matching")
        still = unmoved if still is None else still & unmoved
        if not still:
            break
    if still:
        named = ", ".join(f"`{name}`" for name in sorted(still))
        raise Refuted(f"{STEPS} steps left {named} unchanged, from {len(SEEDS)} seeds")
    with phase(record, "export"):
        graphs, exported = write_graphs, tuple(g.name for g in plan(spec).graphs)
        if bench.share:
            parts, exported = Parts(bench.folder / "parts", bench.code).lend(
                trained, spec, plan(spec), prepared.rows
            )
            graphs = lent_graphs(parts)
        record["exported"] = list(exported)
        calibration = None if run.calibration is None else {**run.calibration, **CALIBRATED}
        bundle = write_bundle(
            trained, spec, plan(spec), prepared, run.bundle,
            calibration=calibration, graphs=graphs,
        )  # fmt: skip
        record["export"] = bundle.certificate["difference"]
    with phase(record, "evaluate"):
        # A bundle computes in float32, whatever the number type of the training.
        compare(run.bundle, trained.float(), prepared, record)
    del record["phase"]


def stand_in(spec: Spec, bench: Bench) -> Spec:
    """The spec with the file of its content stage replaced by one about the small world's items."""
    content = spec.model.get("content")
    if content is None or content.args.get("file") is None:
        return spec
    # What is prepared does not depend on the file, which is about other items.
    file = stand_in_file(content, bench.data(spec).items.ids, bench.folder / "files")
    content = Call(op=content.op, args={**content.args, "file": str(file)})
    return replace(spec, model={**spec.model, "content": content})


def reseeded(spec: Spec, seed: int) -> Spec:
    """A recipe of its own, and so the keys of its own that tell its run from others."""
    assert spec.train is not None
    seeded = replace(spec, train=replace(spec.train, seed=seed))
    return replace(seeded, keys=keys_of(seeded))


def find_unmoved(fresh: Recommender, trained: Recommender, *, matching: bool) -> set[str]:
    """The trainable weights that training has not changed at all. Matching compares the scores of
    one user, so a constant that a predictor or a prior adds to all of them has no gradient."""
    before, still = dict(fresh.named_parameters()), set[str]()
    for name, after in trained.named_parameters():
        if not torch.isfinite(after).all():
            raise Refuted(f"`{name}` is not finite after {STEPS} steps")
        if matching and name.startswith(("predict.", "prior.")) and after.shape == (1,):
            continue
        if after.requires_grad and after.numel() and torch.equal(before[name], after):
            still.add(name)
    return still


def compare(folder: Path, trained: Recommender, prepared: Prepared, record: dict[str, Any]) -> None:
    """The reloaded bundle and the torch model, each with and without caches, on the test rows."""
    import legoc_runtime
    from legoc_runtime.engine import Engine

    legoc_runtime.load(folder).self_test()
    loaded = Engine(folder, ids=prepared.items.ids)
    log = prepared.logs["test"]
    ours = score_log(TorchEngine(trained), prepared.inputs, log)
    others = {
        "torch, uncached": Uncached(TorchEngine(trained)),
        "onnxruntime": loaded,
        "onnxruntime, uncached": Uncached(loaded),
    }
    if not np.isfinite(ours).all():
        raise Refuted("a score is not finite")
    if not np.std(ours) > 0:
        raise Refuted("all scores are alike, which agree with anything")
    record["rows"] = log.rows
    record["differences"] = {}
    for name, engine in others.items():
        difference = relative_difference(ours, score_log(engine, prepared.inputs, log))
        record["differences"][name] = difference
        if not difference <= TARGET:
            raise Refuted(f"{name} differs from torch by {difference:.1e}, above {TARGET:.0e}")
        # Scores of a model that has hardly been trained may all be small, or all nearly alike.
        largest = float(np.abs(ours).max())
        apart = difference * max(1.0, largest)
        if apart > max(SPREAD * float(np.std(ours)), ROUNDING * largest):
            raise Refuted(f"{name} differs from torch by {difference:.1e}, which reorders scores")
