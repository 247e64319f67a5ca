"""Runs of a sweep trained at the same time, by processes that take one run after another.

First one worker surveys all runs, which prepares their data once. Then as many as memory lasts for
train them in the order of the file. Runs that mean the same wait for one another: the later ones
take over what the first has trained.
"""

import queue
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Spec
from legoc.model.run import Run
from legoc.progress import Progress
from legoc.training.interrupt import Interruptions
from legoc.training.job import Hopeless
from legoc.training.jobs.known import Known
from legoc.training.jobs.messages import read_epochs, read_error, write_spec
from legoc.training.jobs.process import Worker, describe_end
from legoc.training.jobs.room import choose_jobs, free_memory
from legoc.training.jobs.work import ENDING, Pace, write_left
from legoc.training.settings import Settings
from legoc.training.sweep import Failure, Sweep, say_failure


GIB = 1 << 30


def run_parallel(
    specs: Sequence[Spec], settings: Settings, sweep: Sweep, *, jobs: int, progress: Progress
) -> None:
    """Train each spec in one of up to `jobs` processes and enter what became of it into `sweep`."""
    run_crew(
        Crew(specs, settings, progress), sweep, lambda crew, known: fit_jobs(crew, known, jobs)
    )


C = TypeVar("C", bound="Crew")


def run_crew(crew: C, sweep: Sweep, fit: Callable[[C, Mapping[int, Known]], int]) -> None:
    """Have a crew survey its runs and train them, as many at a time as `fit` says of what is known
    of them.

    KeyboardInterrupt passes through when every worker has saved and ended; a second one does not
    wait for that.
    """
    with Interruptions():
        try:
            known = survey_points(crew, sweep)
            train_points(crew, known, fit(crew, known), sweep)
        except KeyboardInterrupt:
            crew.stop(sweep)
            raise
        finally:
            crew.end()


class Busy(Protocol):
    """Who works on the run of a place, since a moment of the monotonic clock."""

    place: int | None
    since: float


class Crew:
    """The processes at work, and what they say. Ray's workers make another one
    (`legoc.training.cluster.crew`).

    watched: by place, who says after each epoch whether to give a training up."""

    def __init__(self, specs: Sequence[Spec], settings: Settings, progress: Progress) -> None:
        self.specs, self.settings, self.progress = specs, settings, progress
        self.watched: dict[int, Hopeless] = {}
        self.workers: list[Worker] = []
        self.heard: queue.SimpleQueue[tuple[Worker, dict[str, Any]]] = queue.SimpleQueue()

    @property
    def busy(self) -> Sequence[Busy]:
        return [worker for worker in self.workers if worker.place is not None]

    def give(self, does: str, place: int, *, again: bool = True) -> None:
        """Have the run of a place surveyed or trained, by a process that waits or a new one. Not
        `again`: what is finished stays, whatever the settings say."""
        waiting = [worker for worker in self.workers if worker.place is None]
        if waiting:
            worker = waiting[0]
        else:
            worker = Worker(lambda worker, message: self.heard.put((worker, message)))
            self.workers.append(worker)
        worker.place, worker.since = place, time.monotonic()
        spec = write_spec(self.specs[place])
        settings = replace(self.settings, again=self.settings.again and again)
        worker.give({
            "do": does, "spec": spec, "settings": settings.to_json(),
            "watched": place in self.watched,
        })  # fmt: skip

    def answer(self) -> tuple[int, float, Mapping[str, Any]] | None:
        """The place of a run, the seconds it took, and what became of it, once there is one; None
        where all processes have ended. What they say in the meantime is passed on."""
        while self.workers:
            worker, message = self.heard.get()
            place, seconds = worker.place, time.monotonic() - worker.since
            if "ended" in message:
                self.workers.remove(worker)
                worker.stop()
                if place is not None:
                    return place, seconds, message
            elif "say" in message or "line" in message:
                self.say(place, message.get("say") or message["line"])
            elif "by_epoch" in message:
                assert place is not None
                own = read_epochs(message["by_epoch"])
                worker.give({"give_up": self.watched[place](own)})
            elif place is not None:
                worker.place = None
                return place, seconds, message
        return None

    def say(self, place: int | None, text: str) -> None:
        """What a process says, behind the name of its run."""
        name = "" if place is None else self.specs[place].name
        named = not name or text.startswith(f"{name}:")
        self.progress.say(text if named else f"{name}: {text}")

    def become(self, place: int, message: Mapping[str, Any]) -> Run | Failure:
        """A run that is done, or that failed."""
        spec = self.specs[place]
        if "folder" in message:
            return Run(Path(message["folder"]))
        if "failed" in message:
            return Failure(spec=spec, error=read_error(message["failed"], spec))
        end = describe_end(message["ended"])
        return Failure(
            spec=spec,
            error=fail(
                "E0580",
                f"the process at work on `{spec.name}` {end}",
                "give the command again: it goes on from what the run has saved; where memory ran "
                "out, with fewer `--jobs`",
            ),
        )

    def stop(self, sweep: Sweep) -> None:
        """Let every process save and end, and enter what is finished nevertheless."""
        for worker in self.workers:
            worker.stop()
        while (found := self.answer()) is not None:
            place, _, message = found
            if "folder" in message:
                sweep.enter(place, self.become(place, message))

    def end(self) -> None:
        """Nothing is left running, whatever ended the sweep."""
        for worker in self.workers:
            worker.stop()
            if worker.place is not None:
                worker.kill()
        for worker in self.workers:
            worker.wait()


def survey_points(crew: Crew, sweep: Sweep) -> dict[int, Known]:
    """What is known of each run; one that cannot train has failed already."""
    known: dict[int, Known] = {}
    with crew.progress.task("preparing", len(crew.specs), "runs") as bar:
        for place in range(len(crew.specs)):
            crew.give("survey", place)
            found = crew.answer()
            assert found is not None
            _, _, message = found
            if "known" in message:
                known[place] = Known.from_json(message["known"])
            else:
                enter(crew, sweep, place, message)
            bar.advance()
    return known


def enter(crew: Crew, sweep: Sweep, place: int, message: Mapping[str, Any]) -> None:
    """Enter what became of a run, and say so where it failed."""
    ended = crew.become(place, message)
    sweep.enter(place, ended)
    if isinstance(ended, Failure):
        say_failure(ended, len(crew.specs) - len(sweep.known), crew.progress)


def fit_jobs(crew: Crew, known: Mapping[int, Known], asked: int) -> int:
    """How many runs to train at a time: as many as were asked for, or as memory lasts for."""
    training = {place: one for place, one in known.items() if not one.finished}
    if not training:
        return 1
    # What the surveying process holds is a part of the first estimate.
    held = max((one.resident for one in known.values()), default=0)
    room = free_memory()
    free = None if room is None else room + held
    asked = min(asked, len(training))
    jobs = choose_jobs(asked, [one.need for one in training.values()], free)
    hungry = max(training, key=lambda place: training[place].need)
    need = training[hungry].need
    if free is not None and jobs < asked:
        crew.progress.say(
            f"{jobs} at a time in place of {asked}: a run takes up to {need / GIB:.1f} GiB of "
            f"memory ({crew.specs[hungry].name}), and {free / GIB:.1f} GiB are free"
        )
    if free is not None and need > free:
        crew.progress.say(
            f"warning: {crew.specs[hungry].name} takes about {need / GIB:.1f} GiB of memory, and "
            f"{free / GIB:.1f} GiB are free"
        )
    return jobs


def train_points(crew: Crew, known: dict[int, Known], jobs: int, sweep: Sweep) -> None:
    """Train what can be trained, `jobs` runs at a time."""
    alike: dict[str, deque[int]] = {}
    for place, one in known.items():
        alike.setdefault(one.id, deque()).append(place)
        if alike[one.id][0] != place:
            # What it takes over it need not train.
            known[place] = replace(one, work=ENDING)
    first = {name: places.popleft() for name, places in alike.items()}
    ready = deque(first.values())
    pace = Pace()
    with crew.progress.task("runs", len(crew.specs), "runs") as bar:
        bar.advance(len(sweep.known))
        while ready or crew.busy:
            while ready and len(crew.busy) < jobs:
                place = ready.popleft()
                # What the first of several has just trained is not trained again for the others.
                crew.give("train", place, again=place == first[known[place].id])
                say_pace(crew, known, pace, jobs, sweep)
            found = crew.answer()
            assert found is not None
            place, seconds, message = found
            enter(crew, sweep, place, message)
            pace.enter(known[place].work, seconds)
            if waiting := alike[known[place].id]:
                ready.appendleft(waiting.popleft())
            bar.advance(1, f"{len(crew.busy)} running{left(crew, known, pace, jobs, sweep)}")


def say_pace(crew: Crew, known: Mapping[int, Known], pace: Pace, jobs: int, sweep: Sweep) -> None:
    """`run 5 of 32 (naml[seed=5]), 2 running, about 14 min left`, as a run begins."""
    running = crew.busy
    latest = max(running, key=lambda one: one.since).place
    assert latest is not None
    number = len(sweep.known) + len(running)
    crew.progress.say(
        f"run {number} of {len(crew.specs)} ({crew.specs[latest].name}), {len(running)} running"
        f"{left(crew, known, pace, jobs, sweep)}"
    )


def left(crew: Crew, known: Mapping[int, Known], pace: Pace, jobs: int, sweep: Sweep) -> str:
    """`, about 14 min left`, once a run of this command has told how fast they go."""
    now = time.monotonic()
    begun = {*sweep.known, *(worker.place for worker in crew.busy)}
    waiting = [one.work for place, one in known.items() if place not in begun]
    running = [
        (known[worker.place].work, now - worker.since)
        for worker in crew.busy
        if worker.place is not None
    ]
    seconds = pace.left(waiting, running, jobs) if waiting or running else None
    return "" if seconds is None else f", {write_left(seconds)}"
