"""A search: proposals are checked, trained and judged by their validation part; the best is tested.

A trial is a run like any other, in a folder that its spec and data decide. So what was trained
before, in this search or outside, is not trained again.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from legoc.data import prepare
from legoc.evaluation.compute import better, metric_name
from legoc.experiments.proposing import hopeless, propose, seen, verify_optuna
from legoc.experiments.search import Space, Trial, settled
from legoc.experiments.study import Identity, Study, open_study
from legoc.experiments.together import train_together
from legoc.experiments.tuned import Tuned
from legoc.language.declaring.catalog import catalog
from legoc.language.diagnosing.diagnostics import LegoError, SpecError, fail
from legoc.language.ir.digest import digest
from legoc.language.ir.spec import Spec, is_alone
from legoc.language.resolving.points import Point
from legoc.language.resolving.settle import settle, witnesses
from legoc.language.typing.lower import Lowering
from legoc.model.run import Run
from legoc.progress import SILENT, Progress
from legoc.training.cost import BUDGET, read_cost
from legoc.training.files import write_json
from legoc.training.folder import locked
from legoc.training.job import Hopeless
from legoc.training.log import read_monitor
from legoc.training.public import train_with
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

    def go_on(self, trials: int, jobs: int = 1) -> Tuned:
        """Train until there are so many trials, `jobs` of them at a time, and test the best. One at
        a time trains in this process. Raises E0553 where another command is at it."""
        with locked(self.study.folder):
            self.study.read()
            more = self.train_in_turn(trials) if jobs == 1 else train_together(self, trials, jobs)
            return self.conclude(tried=not more)

    def train_in_turn(self, trials: int) -> bool:
        """Train until there are so many trials; whether there were so many to propose."""
        study = self.study
        while len(study.trained) < trials:
            trial = next(iter(study.open), None) or self.propose(study.trials)
            if trial is None:
                return False
            spec = self.model_of(trial)
            if spec is None:
                continue
            self.progress.say(f"trial {study.place(trial)} of {trials}: {trial.name}")
            try:
                run = train_with(spec, self.training, self.progress, self.watch(trial))
            except LegoError as error:
                self.fail(trial, error)
            else:
                self.enter(trial, run)
        return True

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

    def conclude(self, *, tried: bool = False) -> Tuned:
        """The best so far, tested, with what finding it has cost beside it."""
        best = self.study.best(lower=self.lower)
        if best is None:
            raise fail(
                "E0573",
                f"no trial of `{self.space.name}` has a figure",
                *([f"the last failed: {self.study.trained[-1].why}"] if self.study.trained else []),
                "lower the learning rates of the range, or look at the data with `legoc data`",
            )
        point = settled(self.space, best.choices)
        spec = self.lowering.lower(point).spec
        assert spec is not None
        run = train_with(spec, self.settings, self.progress)
        found = self.so_far(best=best, point=point, run=run, tried=tried)
        write_json(run.folder / BUDGET, found.budget)
        return found

    def so_far(self, **more: Any) -> Tuned:
        return Tuned(
            space=self.space, study=self.study, monitor=self.monitor, lower=self.lower, **more
        )


def begin(
    space: Space,
    settings: Settings,
    *,
    seed: int = 0,
    folder: str | Path | None = None,
    stop_hopeless: bool = False,
    progress: Progress = SILENT,
) -> Search:
    """A search at its beginning, or as far as it had come.

    folder: where it is kept, else below `studies` of the runs, by its name and a digest of what is
    searched. Raises SpecError where no point of the space is a model, E0570 to E0575.
    """
    verify_optuna()
    lowering = Lowering(catalog())
    lowered = [lowering.lower(point) for point in space.points]
    specs = [each.spec for each in lowered if each.spec is not None]
    if not specs:
        raise SpecError(*(each for one in lowered for each in one.problems))
    verify_alike(space, specs)
    first = lowering.lower(settled_first(space, specs[0], lowering)).spec
    assert first is not None
    data = prepare(
        first, cache=settings.cache, strict=settings.strict, truncated=settings.truncated,
        progress=progress,
    )  # fmt: skip
    if "valid" not in data.logs:
        raise fail(
            "E0572",
            f"`{space.name}` has no validation part, by which trials are compared",
            "choose a `split` that makes one, such as `time(valid=10%, test=10%)`",
        )
    points = [
        [point.name, one.spec.keys.spec if one.spec is not None else ""]
        for point, one in zip(space.points, lowered, strict=True)
    ]
    identity = Identity(
        name=space.name,
        spec=digest({"points": points, "search": [list(p.choices.items()) for p in space.points]}),
        data=data.digest,
        seed=seed,
    )
    usual = Path(settings.runs) / "studies" / place(identity)
    train_recipe = first.train
    assert train_recipe is not None
    return Search(
        space=space,
        study=open_study(usual if folder is None else Path(folder), identity),
        seed=seed,
        monitor=metric_name(train_recipe.monitor),
        lower=better(train_recipe.monitor) == "lower",
        settings=settings,
        lowering=lowering,
        stop_hopeless=stop_hopeless,
        progress=progress,
    )


def settled_first(space: Space, spec: Spec, lowering: Lowering) -> Point:
    """The point of a spec that has ranges, with values that make it a model."""
    point = next(each for each in space.points if each.name == spec.name)
    for values in witnesses(point):
        made = settle(point, values)
        if lowering.lower(made).spec is not None:
            return made
    return point


def place(identity: Identity) -> str:
    """The name of a study's folder."""
    name = re.sub(r"[^\w.-]+", "_", identity.name.partition("[")[0]).strip("._") or "search"
    whole = digest([identity.name, identity.spec, identity.data, identity.seed])
    return f"{name}-{whole[:12]}"


def verify_alike(space: Space, specs: Sequence[Spec]) -> None:
    """Refuse a search over what decides how figures are made (E0574), or over models of which none
    trains."""
    if all(is_alone(spec) or spec.train is None for spec in specs):
        raise fail(
            "E0572",
            f"`{space.name}` has nothing that trains, so nothing to search",
            "train it with `legoc train`",
        )
    for name, values in {
        "monitor": [spec.train.monitor for spec in specs if spec.train is not None],
        "source": [spec.data.source for spec in specs],
        "split": [spec.data.split for spec in specs],
        "group": [spec.data.group for spec in specs],
    }.items():
        if any(value != values[0] for value in values):
            raise fail(
                "E0574",
                f"`{name}` is searched in `{space.name}`: its trials would not be measured alike",
                f"choose one, or make it an axis, `{name} in [...]`: each value is a search then",
            )
