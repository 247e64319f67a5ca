"""A search: proposals are checked, trained and judged by their validation part; the best is tested.

A trial is a run like any other, in a folder that its spec and data decide. So what was trained
before, in this search or outside, is not trained again.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from legoc.data import prepare
from legoc.evaluation.compute import better, metric_name
from legoc.experiments.proposing import verify_optuna
from legoc.experiments.search import Space, settled
from legoc.experiments.study import Identity, open_study
from legoc.experiments.together import train_together
from legoc.experiments.trials import Search
from legoc.experiments.tuned import Tuned
from legoc.language.declaring.catalog import catalog
from legoc.language.diagnosing.diagnostics import LegoError, SpecError, fail
from legoc.language.ir.digest import digest
from legoc.language.ir.spec import Spec, is_alone
from legoc.language.resolving.points import Point
from legoc.language.resolving.settle import settle, witnesses
from legoc.language.typing.lower import Lowering
from legoc.progress import SILENT, Progress
from legoc.training.cost import BUDGET
from legoc.training.files import write_json
from legoc.training.folder import locked
from legoc.training.public import train_with
from legoc.training.settings import Settings


def go_on(search: Search, trials: int, jobs: int = 1) -> Tuned:
    """Train until there are so many trials, `jobs` of them at a time, and test the best. One at
    a time trains in this process. Raises E0553 where another command is at it."""
    with locked(search.study.folder):
        search.study.read()
        more = train_in_turn(search, trials) if jobs == 1 else train_together(search, trials, jobs)
        return conclude(search, tried=not more)


def train_in_turn(search: Search, trials: int) -> bool:
    """Train until there are so many trials; whether there were so many to propose."""
    study = search.study
    while len(study.trained) < trials:
        trial = next(iter(study.open), None) or search.propose(study.trials)
        if trial is None:
            return False
        spec = search.model_of(trial)
        if spec is None:
            continue
        search.progress.say(f"trial {study.place(trial)} of {trials}: {trial.name}")
        try:
            run = train_with(spec, search.training, search.progress, search.watch(trial))
        except LegoError as error:
            search.fail(trial, error)
        else:
            search.enter(trial, run)
    return True


def conclude(search: Search, *, tried: bool = False) -> Tuned:
    """The best so far, tested, with what finding it has cost beside it."""
    best = search.study.best(lower=search.lower)
    if best is None:
        raise fail(
            "E0573",
            f"no trial of `{search.space.name}` has a figure",
            *([f"the last failed: {search.study.trained[-1].why}"] if search.study.trained else []),
            "lower the learning rates of the range, or look at the data with `legoc data`",
        )
    point = settled(search.space, best.choices)
    spec = search.lowering.lower(point).spec
    assert spec is not None
    run = train_with(spec, search.settings, search.progress)
    found = search.so_far(best=best, point=point, run=run, tried=tried)
    write_json(run.folder / BUDGET, found.budget)
    return found


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
