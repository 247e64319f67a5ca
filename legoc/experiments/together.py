"""Trials of a search trained at the same time, by the processes that train a sweep.

Which of them ends first hangs on the clock. A proposal knows of none that could still be under way
(`proposing.seen`), so a search has the same trials however fast its processes are.
"""

import time
from collections.abc import Mapping
from typing import Any

from legoc.experiments.proposing import seen
from legoc.experiments.search import Trial
from legoc.experiments.trials import Search
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Spec
from legoc.training.interrupt import Interruptions
from legoc.training.jobs.crew import GIB, Crew
from legoc.training.jobs.known import Known
from legoc.training.jobs.process import describe_end
from legoc.training.jobs.room import free_memory
from legoc.training.jobs.work import Pace, write_left
from legoc.training.sweep import Failure, Sweep


def train_together(search: Search, trials: int, jobs: int) -> bool:
    """Train until there are so many trials, up to `jobs` at a time; whether there were so many to
    propose.

    What ends it, KeyboardInterrupt or an error that is not of one trial alone, passes through when
    every process has saved and ended.
    """
    specs: list[Spec] = []
    together = Together(search, trials, jobs, Crew(specs, search.training, search.progress), specs)
    with Interruptions():
        try:
            together.run()
        except BaseException:
            together.stop()
            raise
        finally:
            together.crew.end()
    return not together.tried


class Together:
    """The trials under way. To the crew each has a place, in the order in which they are begun:
    `begun` and `specs` are by place. left: open ones of an earlier command. tried: whether there is
    nothing else to propose. free: bytes of memory."""

    def __init__(
        self, search: Search, trials: int, jobs: int, crew: Crew, specs: list[Spec]
    ) -> None:
        self.search, self.trials, self.jobs, self.crew, self.specs = (
            search, trials, jobs, crew, specs
        )  # fmt: skip
        self.left = list(search.study.open)
        self.begun: list[Trial] = []
        self.known: dict[int, Known] = {}
        self.surveyed: int | None = None
        self.ready: list[int] = []
        self.training: list[int] = []
        self.lost: set[int] = set()
        self.tried = self.short = False
        self.free = free_memory()
        self.pace = Pace()

    @property
    def under_way(self) -> int:
        return len(self.ready) + len(self.training) + (self.surveyed is not None)

    def run(self) -> None:
        self.give_out()
        while self.under_way:
            found = self.crew.answer()
            assert found is not None
            self.hear(*found)
            self.give_out()

    def give_out(self) -> None:
        """Begin what can be begun. One is surveyed at a time, so that nothing that trials share is
        prepared twice."""
        while (place := self.startable()) is not None:
            self.start(place)
        while self.surveyed is None and self.under_way < self.jobs:
            found = self.next_trial()
            if found is None:
                return
            trial, spec = found
            self.begun.append(trial)
            self.specs.append(spec)
            self.survey(len(self.begun) - 1)

    def next_trial(self) -> tuple[Trial, Spec] | None:
        """The next that is a model, an open one first; None while there is none to begin."""
        study = self.search.study
        while len(study.trained) + self.under_way < self.trials:
            if self.left:
                trial = self.left.pop(0)
            else:
                known, ended = seen(study.trials, self.jobs)
                if not ended:
                    return None
                proposed = self.search.propose(known)
                if proposed is None:
                    self.tried = True
                    return None
                trial = proposed
            spec = self.search.model_of(trial)
            if spec is not None:
                return trial, spec
        return None

    def survey(self, place: int) -> None:
        self.surveyed = place
        self.crew.give("survey", place)

    def startable(self) -> int | None:
        """One that is surveyed and whose memory is free. What comes to the model of another waits
        for it, and takes over what it has trained."""
        running = [self.known[place] for place in self.training]
        for place in self.ready:
            one = self.known[place]
            if one.id in [other.id for other in running]:
                continue
            left = None if self.free is None else self.free - sum(other.need for other in running)
            if left is None or one.need <= left:
                return place
            if not self.short:
                self.short = True
                waits = "waits for others to end" if running else "is trained nevertheless"
                self.search.progress.say(
                    f"warning: {self.begun[place].name} takes about {one.need / GIB:.1f} GiB of "
                    f"memory, {left / GIB:.1f} GiB are left: it {waits}"
                )
            if not running:
                return place
        return None

    def start(self, place: int) -> None:
        trial = self.begun[place]
        self.ready.remove(place)
        self.training.append(place)
        if (watch := self.search.watch(trial, self.jobs)) is not None:
            self.crew.watched[place] = watch
        self.crew.give("train", place)
        self.search.progress.say(
            f"trial {self.search.study.place(trial)} of {self.trials} ({trial.name}), "
            f"{len(self.training)} running{self.time_left()}"
        )

    def time_left(self) -> str:
        """`, about 14 min left`: what is not proposed yet takes the mean of the others."""
        work = [one.work for one in self.known.values() if one.work]
        if not work:
            return ""
        coming = max(self.trials - len(self.search.study.trained) - self.under_way, 0)
        waiting = [sum(work) / len(work)] * coming + [self.known[one].work for one in self.ready]
        now = time.monotonic()
        running = [
            (self.known[busy.place].work, now - busy.since)
            for busy in self.crew.busy
            if busy.place in self.training
        ]
        seconds = self.pace.left(waiting, running, self.jobs)
        return "" if seconds is None else f", {write_left(seconds)}"

    def hear(self, place: int, seconds: float, message: Mapping[str, Any]) -> None:
        """What has become of a survey or of a training."""
        if place == self.surveyed:
            self.surveyed = None
        else:
            self.training.remove(place)
        if "known" in message:
            self.known[place] = Known.from_json(message["known"])
            self.ready.append(place)
        elif "ended" in message and place not in self.lost:
            self.lost.add(place)
            self.crew.say(
                place, f"its process {describe_end(message['ended'])}; another one goes on"
            )
            if place in self.known:
                self.ready.insert(0, place)
            else:
                self.survey(place)
        else:
            ended = self.crew.become(place, message)
            if not isinstance(ended, Failure):
                self.pace.enter(self.known[place].work, seconds)
                self.search.enter(self.begun[place], ended)
            elif isinstance(ended.error, LegoError):
                self.search.fail(self.begun[place], ended.error)
            else:
                raise ended.error

    def stop(self) -> None:
        """Let every process save and end, and enter what is finished nevertheless."""
        finished = Sweep()
        self.crew.stop(finished)
        for place, ended in finished.known.items():
            if not isinstance(ended, Failure):
                self.search.enter(self.begun[place], ended)
