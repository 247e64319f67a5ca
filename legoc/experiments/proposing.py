"""What a search proposes next, and when it gives a training up.

A proposal follows from the space, the trials before it, the seed and its number alone, so a search
that was killed goes on with the very trials it would have had.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from legoc.experiments.search import Choice, Space, Trial, every, number_of, size, walk
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.resolving.settle import Ends


if TYPE_CHECKING:
    from optuna.study import Study as Optuna

# Trials in full before any is given up, and epochs before which none is.
FULL, EARLIEST = 5, 2


def seen(trials: Sequence[Trial], jobs: int) -> tuple[list[Trial], bool]:
    """What the trial behind these knows of them where `jobs` train at a time, and whether all of it
    has ended.

    The latest are open to it, whether they have ended or not: which of them ends first hangs on the
    clock, and what is proposed must not. They are two fewer than twice the jobs, none for one. With
    one fewer than the jobs a process would wait for the others whenever its own is done first.
    """
    late, ended, found = 2 * jobs - 2, True, list[Trial]()
    for trial in reversed(trials):
        if trial.state != "no model" and late:
            late -= 1
            found.append(Trial(number=trial.number, name=trial.name, choices=trial.choices))
        else:
            ended = ended and trial.state != "open"
            found.append(trial)
    return found[::-1], ended


def propose(
    space: Space, known: Sequence[Trial], *, seed: int, lower: bool
) -> tuple[Choice, ...] | None:
    """The choices of the next trial; None where nothing else is left to choose."""
    taken = {trial.asked for trial in known}
    whole = size(space)
    for attempt in range(50):
        if whole is not None and len(taken) >= whole:
            return None
        ask = rebuilt(known, lower=lower, seed=infer_seed(seed, len(known), attempt)).ask()
        choices, _ = walk(space, Asked(ask))
        if tuple((choice.name, choice.value) for choice in choices) not in taken:
            return choices
    if whole is not None:
        # So few are left that drawing at random does not find them.
        for choices in every(space):
            if tuple((choice.name, choice.value) for choice in choices) not in taken:
                return choices
    return None


def hopeless(known: Sequence[Trial], own: Mapping[int, float], *, lower: bool) -> bool:
    """Whether a training whose monitor is `own` so far is behind the median of the earlier ones."""
    study = rebuilt(known, lower=lower, seed=0)
    trial = study.ask()
    for epoch, value in sorted(own.items()):
        trial.report(value, epoch)
    return trial.should_prune()


def rebuilt(known: Sequence[Trial], *, lower: bool, seed: int) -> "Optuna":
    """Optuna's view of the trials so far. What is no model, and what failed, counts as worst; what
    is still to be trained as bad as well, so that nothing is proposed beside it."""
    import optuna
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )
    from optuna.trial import TrialState, create_trial

    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def distribution(choice: Choice) -> Any:
        if choice.of:
            return CategoricalDistribution(choice.of)
        assert choice.low is not None
        assert choice.high is not None
        if choice.whole:
            return IntDistribution(int(choice.low), int(choice.high), log=choice.log)
        return FloatDistribution(choice.low, choice.high, log=choice.log)

    study = optuna.create_study(
        direction="minimize" if lower else "maximize",
        sampler=optuna.samplers.TPESampler(seed=seed, multivariate=False),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=FULL, n_warmup_steps=EARLIEST),
    )
    states = {"trained": TrialState.COMPLETE, "open": TrialState.RUNNING}
    for trial in known:
        study.add_trial(
            create_trial(
                state=states.get(trial.state, TrialState.PRUNED),
                value=trial.value if trial.state == "trained" else None,
                params={choice.name: choice.value for choice in trial.choices},
                distributions={choice.name: distribution(choice) for choice in trial.choices},
                intermediate_values=dict(trial.by_epoch or {}),
            )
        )
    return study


class Asked:
    """Chooses as optuna proposes."""

    def __init__(self, trial: Any) -> None:
        self.trial = trial

    def option(self, key: str, of: tuple[str, ...]) -> Choice:
        blank = Choice(key=key, value=of[0], of=of)
        return Choice(key=key, value=self.trial.suggest_categorical(blank.name, of), of=of)

    def number(self, key: str, told: Ends) -> Choice:
        blank = number_of(key, told, told.low)
        suggest = self.trial.suggest_int if told.whole else self.trial.suggest_float
        value = suggest(blank.name, told.low, told.high, log=told.log)
        return number_of(key, told, told.nearest(value))


def infer_seed(seed: int, *counters: int) -> int:
    """A seed of 32 bits, as the sampler takes it."""
    return int(np.random.SeedSequence((seed, *counters)).generate_state(1, np.uint32)[0])


def verify_optuna() -> None:
    """E0575 where the sampler is not installed."""
    try:
        import optuna  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise fail(
            "E0575",
            "a search needs optuna, which is not installed",
            "install it: pip install 'legoc[tune]'",
        ) from None
