"""Runs that differ only in their seed are one system, trained several times."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from legoc.evaluation.measured import Measured, combine
from legoc.experiments.naming import tell_apart, without_seed
from legoc.experiments.results import Result, verify_comparable
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir import form
from legoc.language.ir.difference import DERIVED
from legoc.language.ir.spec import Spec


# What is reported and how it is written decide nothing about what is measured.
REPORTED = ("metrics", "candidates", "limit")


@dataclass(frozen=True)
class System:
    """A model with a recipe, and its results in the order of its seeds."""

    name: str
    results: tuple[Result, ...]

    @cached_property
    def metrics(self) -> list[str]:
        """Those that all its results have."""
        return [
            name
            for name in self.results[0].metrics
            if all(name in result.metrics for result in self.results)
        ]

    def measure(self, metric: str) -> Measured:
        """A metric over its seeds, by clusters."""
        figure = self.results[0].about["figures"][metric]
        sums = [result.sums(metric) for result in self.results]
        return combine(sums, figure["better"], figure["over"])


def gather(results: Sequence[Result], name: Callable[[str], str] = without_seed) -> list[System]:
    """The systems among some results, in order. All have to be comparable (E0596), and no run may
    be given twice (E0597). name: of a point's name, what its system is called."""
    verify_comparable(results)
    found: dict[str, list[Result]] = {}
    for result in results:
        found.setdefault(identity(result.spec), []).append(result)
    for repeated in found.values():
        verify_once(repeated)
    firsts = [repeated[0].spec for repeated in found.values()]
    names = tell_apart(firsts, [name(spec.name) for spec in firsts])
    return [
        System(told, tuple(sorted(repeated, key=seed_of)))
        for told, repeated in zip(names, found.values(), strict=True)
    ]


def identity(spec: Spec) -> str:
    """Equal for specs that differ in their seed alone, or in what decides nothing."""
    written: dict[str, Any] = form.to_json(spec)
    kept = {key: value for key, value in written.items() if key not in (*DERIVED, "export")}
    if kept["train"] is not None:
        left = ("seed", *REPORTED)
        kept["train"] = {k: v for k, v in kept["train"].items() if k not in left}
    return json.dumps(kept, sort_keys=True)


def seed_of(result: Result) -> int:
    train = result.spec.train
    return 0 if train is None else train.seed


def verify_once(repeated: Sequence[Result]) -> None:
    """E0597 where two results are of one and the same training."""
    seen: dict[int, Result] = {}
    for result in repeated:
        other = seen.setdefault(seed_of(result), result)
        if other is not result:
            raise fail(
                "E0597",
                f"`{other.run.folder}` and `{result.run.folder}` are the same model, recipe and "
                "seed",
                "name one of them",
            )
