"""Trackers: what else is told of a training as it goes. log.jsonl is written always.

A tracker is a class that is made without arguments and has `start(run)`, `log(entry)` and
`end(run)`. Packages offer theirs as entry points of the group `legoc.trackers`.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol

from legoc.language.diagnosing.diagnostics import fail
from legoc.language.diagnosing.suggest import nearest
from legoc.model.run import Run
from legoc.progress import Progress


GROUP = "legoc.trackers"
SHIPPED = {"tensorboard": "legoc.training.tensorboard:TensorBoard"}


class Tracker(Protocol):
    """start: a training begins, or goes on, in the folder of `run`. log: an entry of log.jsonl
    (`event` is `step`, `evaluation` or `end`) with `step`, the updates made since the beginning of
    the first epoch; a training that was interrupted goes on from its last saved state, so a step
    may come again. end: the command is done with the run, whatever ended it; what it has left by
    then, such as metrics and a bundle, lies in its folder."""

    def start(self, run: Run) -> None: ...

    def log(self, entry: Mapping[str, Any]) -> None: ...

    def end(self, run: Run) -> None: ...


def list_trackers() -> dict[str, EntryPoint]:
    """Every tracker that is installed, by name; those that ship come first."""
    shipped = {
        name: EntryPoint(name=name, value=value, group=GROUP) for name, value in SHIPPED.items()
    }
    return {**{entry.name: entry for entry in entry_points(group=GROUP)}, **shipped}


def verify_trackers(names: Sequence[str]) -> None:
    """E0583 for a name that no tracker has."""
    known = list_trackers()
    for name in names:
        if name not in known:
            near = nearest(name, list(known))
            hint = f"did you mean `{near}`? " if near else ""
            listed = ", ".join(f"`{each}`" for each in sorted(known))
            raise fail("E0583", f"no tracker is called `{name}`", f"{hint}there are {listed}")


def load_trackers(names: Sequence[str]) -> dict[str, Tracker]:
    """The trackers of these names, made. E0584 for one that cannot be."""
    verify_trackers(names)
    known, found = list_trackers(), dict[str, Tracker]()
    for name in names:
        try:
            found[name] = known[name].load()()
        except Exception as error:
            install = f"pip install 'legoc[{name}]'" if name in SHIPPED else "install what it needs"
            raise fail(
                "E0584",
                f"the tracker `{name}` does not start: {type(error).__name__}: {error}",
                f"{install}, or leave `--track {name}` out",
            ) from error
    return found


class Tracking:
    """The trackers of one run. One that raises is said once and told no more: a training does not
    end because somebody who watches it stumbles."""

    def __init__(self, trackers: Mapping[str, Tracker], progress: Progress) -> None:
        self.told, self.progress = dict(trackers), progress
        self.begun = False

    def start(self, run: Run) -> None:
        self.begun = True
        self.tell("start", run)

    def log(self, entry: Mapping[str, Any]) -> None:
        self.tell("log", entry)

    def end(self, run: Run) -> None:
        """Nothing where no training was begun: the run was finished before."""
        if self.begun:
            self.tell("end", run)

    def tell(self, what: str, value: Any) -> None:
        for name, tracker in list(self.told.items()):
            try:
                getattr(tracker, what)(value)
            except Exception as error:
                del self.told[name]
                text = str(error).partition("\n")[0]
                self.progress.say(
                    f"warning: the tracker `{name}` is told no more of this run, for its "
                    f"`{what}` failed: {type(error).__name__}: {text}"
                )
