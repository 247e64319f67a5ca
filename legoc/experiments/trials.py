"""A search as it goes on: what its trials train, and what becomes of each of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from legoc.experiments.proposing import hopeless, propose, seen
from legoc.experiments.search import Space, Trial, settled
from legoc.experiments.study import Study
from legoc.experiments.tuned import Tuned
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.ir.spec import Spec
from legoc.language.typing.lower import Lowering
from legoc.model.run import Run
from legoc.progress import SILENT, Progress
from legoc.training.cost import read_cost
from legoc.training.job import Hopeless
from legoc.training.log import read_monitor
from legoc.training.settings import Settings


# What a trial may fail by and the others not: a loss that leaves all bounds.
OWN = ("E0550",)
# Proposals in a row that are no models, behind which there is nothing to be found.
FRUITLESS = 500


@dataclass(frozen=True, kw_only=True)
class Search:
    """One search, ready to go on. settings: how its trials train; `until` is the last phase of the
    best."""

    space: Space
    study: Study
    seed: int
    monitor: str
    lower: bool
    settings: Settings
    lowering: Lowering
    stop_hopeless: bool = False
    progress: Progress = SILENT

    @property
    def training(self) -> Settings:
        """How a trial is trained, which is not tested."""
        return replace(self.settings, until="train")

    def propose(self, known: Sequence[Trial]) -> Trial | None:
        """The next trial, by what it knows of the earlier ones."""
        choices = propose(self.space, known, seed=self.seed, lower=self.lower)
        if choices is None:
            return None
        return self.study.enter(settled(self.space, choices).name, choices)

    def model_of(self, trial: Trial) -> Spec | None:
        """What a trial trains; None where it is no model, and has ended so."""
        study = self.study
        lowered = self.lowering.lower(settled(self.space, trial.choices))
        if lowered.spec is not None:
            return lowered.spec
        errors = [each for each in lowered.problems if each.severity == "error"]
        study.end(trial, "no model", why=f"{errors[0].code}: {errors[0].message}")
        models = [each.number for each in study.trials if each.state != "no model"]
        fruitless = len(study.trials) - 1 - max(models, default=-1)
        if fruitless % FRUITLESS == 0 and fruitless:
            raise fail(
                "E0573",
                f"the last {FRUITLESS} proposals of `{self.space.name}` were no models",
                f"narrow the ranges to what fits: the first was refused by {study.refused[0].why}",
            )
        return None

    def watch(self, trial: Trial, jobs: int = 1) -> Hopeless | None:
        """Who gives a trial up, where any is to be: it is held against those that were known when
        it was proposed."""
        if not self.stop_hopeless:
            return None
        known, _ = seen(self.study.trials[: trial.number], jobs)
        return lambda own: hopeless(known, own, lower=self.lower)

    def fail(self, trial: Trial, error: LegoError) -> Trial:
        """End a trial that failed; what the others would fail by as well passes through."""
        if any(each.code not in OWN for each in error.diagnostics):
            raise error
        first = error.diagnostics[0]
        return self.study.end(trial, "failed", why=f"{first.code}: {first.message}")

    def enter(self, trial: Trial, run: Run) -> Trial:
        """End a trial that has trained."""
        study, progress = self.study, self.progress
        by_epoch = self.figures(run)
        cost = float(read_cost(run.folder).get("cpu", 0.0))
        told: dict[str, Any] = {"by_epoch": by_epoch, "cpu": cost, "folder": run.folder.name}
        if not by_epoch:
            why = "nothing was validated, so it cannot be compared"
            return study.end(trial, "failed", why=why, **told)
        value = (min if self.lower else max)(by_epoch.values())
        state = "hopeless" if run.given_up else "trained"
        ended = study.end(trial, state, value=value, **told)
        best = study.best(lower=self.lower)
        told_best = "" if best is None or best is ended else f", the best has {best.value:.4f}"
        progress.say(f"trial {study.place(trial)}: {self.monitor} {value:.4f}{told_best}")
        return ended

    def figures(self, run: Run) -> dict[int, float]:
        """The monitor after each epoch; nothing where there was no validation."""
        log = run.folder / "log.jsonl"
        try:
            return read_monitor(log, self.monitor) if log.is_file() else {}
        except KeyError:
            return {}

    def so_far(self, **more: Any) -> Tuned:
        return Tuned(
            space=self.space, study=self.study, monitor=self.monitor, lower=self.lower, **more
        )
