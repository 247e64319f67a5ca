"""A crew whose workers are Ray's: the orders and answers of `legoc.training.jobs`, sent as tasks.

Ray keeps the processes, each of which does one task after another. A task whose process was killed
is given to another one, where the run goes on from what it has saved.
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Spec
from legoc.model.run import Run
from legoc.progress import Progress
from legoc.training.cluster.machines import GIB, Machine, Share, choose_shares
from legoc.training.cluster.post import Post
from legoc.training.cluster.task import do_order
from legoc.training.jobs.crew import Crew
from legoc.training.jobs.known import Known
from legoc.training.jobs.messages import write_error, write_spec
from legoc.training.settings import Settings
from legoc.training.sweep import Failure, Sweep


# How often a run that has lost its worker is given to another one.
RETRIES = 3
# Seconds between two looks at what was said.
BEAT = 0.25


@dataclass(kw_only=True)
class Given:
    """A task that Ray has: what it does for the run of which place, since when, whether it may
    train again what is finished, and how many workers it has lost."""

    does: str
    place: int | None
    since: float
    answer: Any
    again: bool = True
    lost: int = 0


class RayCrew(Crew):
    """share: what each run is given beside memory. probes: files that every worker has to see.
    runs: the folder of the runs, as this command was given it."""

    def __init__(
        self,
        specs: Sequence[Spec],
        settings: Settings,
        progress: Progress,
        share: Share,
        machines: Sequence[Machine],
        probes: Sequence[str],
        runs: str,
    ) -> None:
        super().__init__(specs, settings, progress)
        self.runs = Path(runs)
        self.share, self.machines, self.probes = share, machines, probes
        self.shares: Mapping[int, Share] = {}
        self.given: list[Given] = []
        self.stopping = False
        self.post: Any = start_post()

    @property
    def busy(self) -> Sequence[Given]:
        return self.given

    def give(self, does: str, place: int, *, again: bool = True) -> None:
        answer = self.send(does, place, again)
        now = time.monotonic()
        self.given.append(Given(does=does, place=place, since=now, answer=answer, again=again))

    def send(self, does: str, place: int, again: bool) -> Any:
        """Hand an order to Ray."""
        import ray

        share = self.shares.get(place, self.share)
        # Nothing here is retried by Ray itself, so that what is lost is told.
        task = ray.remote(do_order).options(
            name=f"{does} {self.specs[place].name}", max_retries=0,
            num_cpus=share.cpus, num_gpus=share.gpus, memory=share.memory or None,
        )  # fmt: skip
        settings = replace(self.settings, again=self.settings.again and again)
        order = {
            "do": does, "spec": write_spec(self.specs[place]),
            "settings": settings.to_json(), "folder": os.getcwd(), "probes": self.probes,
        }  # fmt: skip
        return task.remote(json.dumps(order), place, self.post)

    def answer(self) -> tuple[int, float, Mapping[str, Any]] | None:
        import ray

        while self.given:
            ready, _ = ray.wait([one.answer for one in self.given], timeout=BEAT)
            # What a run has said is heard before what became of it.
            self.pass_on()
            for one in [one for one in self.given if one.answer in ready]:
                assert one.place is not None
                message = read_answer(one.answer)
                if "lost" in message and one.lost < RETRIES and not self.stopping:
                    one.lost += 1
                    self.say(
                        one.place,
                        f"lost its worker ({message['lost']}); another one goes on, "
                        f"{RETRIES - one.lost} more may follow",
                    )
                    one.answer = self.send(one.does, one.place, one.again)
                    continue
                self.given.remove(one)
                return one.place, time.monotonic() - one.since, message
        return None

    def pass_on(self) -> None:
        """Say what the runs have said. Whoever collects it may be killed as well: the trainings go
        on, and are heard again."""
        import ray
        from ray.exceptions import RayError

        try:
            lines = ray.get(self.post.take.remote())
        except RayError:
            if not self.stopping:
                self.post = start_post()
                self.progress.say(
                    "warning: what runs say was lost on the way; only those that begin from now "
                    "on are heard"
                )
            return
        for place, text in lines:
            self.say(place, text)

    def become(self, place: int, message: Mapping[str, Any]) -> Run | Failure:
        if "folder" in message:
            return Run(self.runs / Path(message["folder"]).name)
        if "lost" not in message:
            return super().become(place, message)
        spec = self.specs[place]
        return Failure(
            spec=spec,
            error=fail(
                "E0580",
                f"{RETRIES + 1} workers of Ray that trained `{spec.name}` were lost, the last one "
                f"so: {message['lost']}",
                "give the command again: it goes on from what the run has saved; where memory ran "
                "out, with fewer `--jobs`",
            ),
        )

    def stop(self, sweep: Sweep) -> None:
        import ray

        self.stopping = True
        for one in self.given:
            ray.cancel(one.answer)
        while (found := self.answer()) is not None:
            place, _, message = found
            if "folder" in message:
                sweep.enter(place, self.become(place, message))

    def end(self) -> None:
        """Nothing is left running, in a cluster that stays as well."""
        import ray

        for one in self.given:
            ray.cancel(one.answer, force=True)
        ray.kill(self.post)


def start_post() -> Any:
    """The actor that collects what runs say, on this machine."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(Post).options(num_cpus=0, scheduling_strategy=here).remote()


def read_answer(answer: Any) -> Mapping[str, Any]:
    """What a task has answered, or that its worker was lost, and how."""
    import ray
    from ray.exceptions import RayError, RayTaskError, TaskCancelledError

    try:
        found = json.loads(ray.get(answer))
    except TaskCancelledError:
        return {"lost": "it was cancelled"}
    except RayTaskError as error:
        # It answers whatever goes wrong with a run; what is left is ours.
        cancelled = isinstance(error.cause, TaskCancelledError)
        return {"lost": "it was cancelled"} if cancelled else {"failed": write_error(error)}
    except RayError as error:
        text = str(error).strip().partition("\n")[0].partition(". ")[0].rstrip(".")
        return {"lost": text}
    return {"lost": "it was told to stop"} if "stopped" in found else found


def fit_machines(crew: RayCrew, known: Mapping[int, Known], asked: int | None) -> int:
    """How many runs to train at a time: as many as the machines hold, and no more than were asked
    for; each is given its memory."""
    training = {place: one for place, one in known.items() if not one.finished}
    crew.shares = choose_shares(crew.share, training, crew.machines)
    if not training:
        return 1
    hungry = max(training, key=lambda place: training[place].need)
    need, name = training[hungry].need, crew.specs[hungry].name
    without = sum(machine.holds(crew.share) for machine in crew.machines)
    wanted = min(without, len(training), asked or without)
    jobs = sum(machine.holds(crew.shares[hungry]) for machine in crew.machines)
    most = max(machine.memory for machine in crew.machines)
    if jobs < wanted:
        crew.progress.say(
            f"about {jobs} at a time in place of {wanted}: a run takes up to {need / GIB:.1f} GiB "
            f"of memory ({name}), and the largest machine has {most / GIB:.1f} GiB for runs"
        )
    if need > most:
        crew.progress.say(
            f"warning: {name} takes about {need / GIB:.1f} GiB of memory, and no machine has more "
            f"than {most / GIB:.1f} GiB for runs"
        )
    # Smaller ones may fit beside the hungriest; Ray sees to that.
    return wanted
