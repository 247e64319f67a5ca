"""One process of `benchmarks.speed`: a model of one build of legoc, which trains or validates when
it is told to. It asks little of the build, so that old ones can be measured too.

`python speed_worker.py CASE RAW CACHE` answers each line it is given with a line of JSON: the CPU
seconds of a step, its loss, and the most memory so far.
"""

import importlib
import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from legoc.data import prepare
from legoc.language import load
from legoc.model import compile
from legoc.training.optimise import build_optimiser
from legoc.training.samplers import build_sampler


CONTENT = {
    "naml": "content CNN(hidden=64) -> behavior Additive -> predict Dot",
    "nrms": "content Attention(hidden=64) -> behavior Attention -> predict Dot",
    "dcn_text": "content Pooling(hidden=64) -> behavior Pooling -> predict DCN",
    "id_naml": "content Null(hidden=64) -> behavior Additive -> predict Dot",
}
TEXT = """
data log {{ source = MIND("{folder}") content = [title(30), category] history = 50 }}
model it = {model}
run it on log
"""
STEPS, WARM = 6, 3


@dataclass(frozen=True, kw_only=True)
class Case:
    """A model, and how many rows its largest table has. touched: whether every row of the tables
    has been read before, as late in a training. validate: an evaluation, not a step."""

    model: str
    rows: int
    touched: bool = False
    validate: bool = False

    @staticmethod
    def parse(text: str) -> "Case":
        model, rows, *more = text.split(":")
        return Case(
            model=model, rows=int(rows), touched="touched" in more, validate="validate" in more
        )


def build(case: Case, raw: Path, cache: Path) -> tuple[Any, Any, Any]:
    """The spec, its data and a fresh model, with tables of the size that is asked for."""
    file = cache / f"{case.model}.lego"
    cache.mkdir(parents=True, exist_ok=True)
    file.write_text(TEXT.format(folder=raw, model=CONTENT[case.model]), encoding="utf-8")
    (spec,) = load(file)
    prepared = prepare(spec, cache=cache)
    if case.model == "id_naml":
        prepared = spread_items(prepared, case.rows)
    elif not case.validate:
        prepared = spread_words(prepared, case.rows)
    torch.manual_seed(0)
    return spec, prepared, compile(spec).build(prepared.rows)


def spread_words(prepared: Any, rows: int) -> Any:
    """The same texts in so many words: tokens drawn anew, as often as words of a language are."""
    rng = np.random.default_rng(5)
    weight = 1.0 / (np.arange(rows - 8) + 5)
    weight /= weight.sum()
    matrices = {}
    for name, (ids, lengths) in prepared.inputs.matrices.items():
        drawn = rng.choice(rows - 8, size=ids.shape, p=weight).astype(np.int32) + 8
        matrices[name] = (np.where(np.asarray(ids) > 0, drawn, 0).astype(np.int32), lengths)
    inputs = replace(prepared.inputs, matrices=matrices)
    return replace(prepared, inputs=inputs, rows=replace(prepared.rows, tokens=rows))


def spread_items(prepared: Any, rows: int) -> Any:
    """The same clicks on items that lie anywhere in a larger catalogue."""
    rng = np.random.default_rng(5)
    place = np.zeros(prepared.rows.items, dtype=np.int32)
    place[1:] = np.sort(rng.choice(rows - 1, size=len(place) - 1, replace=False)) + 1
    inputs = Placed(prepared.inputs, place)
    return replace(prepared, inputs=inputs, rows=replace(prepared.rows, items=rows))


class Placed:
    """Items by the places that they have in a larger catalogue."""

    def __init__(self, inputs: Any, place: Any) -> None:
        self.inputs, self.place = inputs, place
        self.ports, self.lengths = inputs.ports, inputs.lengths

    def rows(self, items: Any) -> Mapping[str, Any]:
        return {"item": self.place[items]}


def training(case: Case, raw: Path, cache: Path) -> Callable[[int], float]:
    """What makes the update of a number and gives its loss: batch assembly, forward, backward,
    optimiser."""
    spec, prepared, model = build(case, raw, cache)
    sampler = build_sampler(spec, prepared)
    optimiser = build_optimiser(model, spec.train)
    model.train()
    ranking = spec.train.task.op == "ranking"
    functional = torch.nn.functional
    if case.touched:
        touch(model)

    def step(number: int) -> float:
        batch = sampler.batch(1, number % sampler.steps)
        torch.manual_seed(number)
        made = model(batch)
        scores = getattr(made, "scores", made)
        if ranking:
            labels = torch.as_tensor(batch.labels)
            loss = functional.binary_cross_entropy_with_logits(scores, labels)
        else:
            loss = functional.cross_entropy(scores, torch.zeros(len(scores), dtype=torch.int64))
        value = loss.item()
        loss.backward()
        optimiser.update(1.0)
        return value

    return step


def touch(model: Any) -> None:
    """Have every row of every table read, where a build tells read rows from others."""
    for part in model.modules():
        reading = getattr(part, "reading", None)
        if reading is not None:
            reading.places(torch.randperm(len(reading.place)))


def tuning(case: Case, raw: Path, cache: Path) -> Callable[[int], float]:
    """The same of MiniLM's last block, with LoRA and kept states; its losses are not told."""
    models = importlib.import_module("benchmarks.language_models")
    cache.mkdir(parents=True, exist_ok=True)
    training = models.Training(cache, models.KEPT)

    def step(number: int) -> float:
        torch.manual_seed(number)
        training.updates(1)
        return 0.0

    return step


def validation(case: Case, raw: Path, cache: Path) -> Callable[[int], float]:
    """What evaluates the validation part and gives its first figure."""
    build_validation = importlib.import_module("legoc.training.validation").build_validation
    spec, prepared, model = build(case, raw, cache)
    validate = build_validation(model, spec, prepared)

    def step(number: int) -> float:
        return float(next(iter(validate().values())))

    return step


def main(arguments: list[str]) -> int:
    torch.set_num_threads(1)
    case = Case.parse(arguments[0])
    make = tuning if case.model == "minilm" else validation if case.validate else training
    step = make(case, Path(arguments[1]), Path(arguments[2]))
    steps, warm = (1, 1) if case.validate else (STEPS, WARM)
    number = 0
    for number in range(warm):
        step(number)
    print("ready", flush=True)
    for _ in sys.stdin:
        began = time.process_time()
        for _ in range(steps):
            number += 1
            loss = step(number)
        spent = (time.process_time() - began) / steps
        peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({"seconds": spent, "loss": loss, "peak": peak}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
