"""The machines of a cluster, and what of them a run is given."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.training.cluster.task import PATIENCE, find_unseen, look_around
from legoc.training.jobs.known import Known


GIB = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Share:
    """What Ray sets aside for a run: CPUs, one for each thread; GPUs; bytes of memory."""

    cpus: int
    gpus: int
    memory: int = 0


@dataclass(frozen=True, kw_only=True)
class Machine:
    """id: by which Ray knows it. cpus, gpus, memory: all that it offers to tasks, in use or not."""

    id: str
    name: str
    cpus: int
    gpus: int
    memory: int

    def holds(self, share: Share) -> int:
        """How many such shares it has."""
        pairs = (
            (self.cpus, share.cpus), (self.gpus, share.gpus), (self.memory, share.memory),
        )  # fmt: skip
        return min((whole // part for whole, part in pairs if part), default=0)


def list_machines() -> list[Machine]:
    """The machines of the cluster that take tasks."""
    import ray

    found: list[Machine] = []
    for node in ray.nodes():
        resources: Mapping[str, float] = node["Resources"]
        if node["Alive"] and resources.get("CPU"):
            found.append(
                Machine(
                    id=node["NodeID"], name=node["NodeManagerHostname"],
                    cpus=int(resources["CPU"]), gpus=int(resources.get("GPU", 0)),
                    memory=int(resources.get("memory", 0)),
                )
            )  # fmt: skip
    return found


def count_cpus() -> int:
    """The CPUs that this process may use; the sweep itself only waits and needs none."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def infer_device(asked: str | None, machines: Sequence[Machine]) -> str:
    """The device of all runs: the one asked for, else a GPU if the cluster has one. E0566 for a
    certain one of several GPUs: which of them a run has is Ray's choice."""
    if asked is None:
        return "cuda" if any(machine.gpus for machine in machines) else "cpu"
    if asked.startswith("cuda:"):
        raise fail(
            "E0566",
            f"Ray chooses which GPU a run has, so `{asked}` cannot be kept for it",
            "give `--device cuda`",
        )
    return asked


def infer_share(threads: int, device: str, machines: Sequence[Machine]) -> Share:
    """What every run is given beside memory; E0566 where no machine has it, and Ray would wait for
    one that has."""
    share = Share(cpus=threads, gpus=1 if device == "cuda" else 0)
    if not any(machine.holds(share) for machine in machines):
        most = max((machine.cpus for machine in machines), default=0)
        if share.gpus and not any(machine.gpus for machine in machines):
            raise fail(
                "E0566", "no machine of the cluster offers a GPU", "give `--device cpu`, or start "
                "Ray on a machine that has one"
            )  # fmt: skip
        raise fail(
            "E0566",
            f"a run of {threads} threads fits no machine of the cluster: the largest has {most} "
            "CPUs",
            f"give `--threads {max(most, 1)}` or fewer",
        )
    return share


def choose_shares(
    share: Share, known: Mapping[int, Known], machines: Sequence[Machine]
) -> dict[int, Share]:
    """What each run is given. Where its memory is more than any machine has, it is given all of
    one."""
    able = [machine for machine in machines if machine.holds(share)]
    most = max((machine.memory for machine in able), default=0)
    return {
        place: Share(cpus=share.cpus, gpus=share.gpus, memory=min(one.need, most))
        for place, one in known.items()
    }


def verify_machines(machines: Sequence[Machine], probes: Sequence[str]) -> None:
    """E0565 for a machine that does not see the folders of the sweep, or has another legoc: the
    probes, which were written here, are looked for there, and answered the other way round."""
    import ray
    from ray.exceptions import RayError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    look = ray.remote(max_retries=1, num_cpus=0)(look_around)
    asked = [
        look.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(machine.id, soft=False)
        ).remote(list(probes), f".{machine.id}")
        for machine in machines
    ]
    for machine, answer in zip(machines, asked, strict=True):
        try:
            found = ray.get(answer)
        except RayError as error:
            text = str(error).strip().splitlines()[-1]
            raise fail(
                "E0565",
                f"the worker on {machine.name} cannot look at the folders: {text}",
                "install the same legoc on all machines, for the Python that Ray runs there",
            ) from None
        verify_answer(machine, found, probes, version("legoc"))


def verify_answer(
    machine: Machine, found: Mapping[str, Any], probes: Sequence[str], version: str
) -> None:
    """That a machine has seen the probes, and its own are seen here."""
    if found["version"] != version:
        raise fail(
            "E0565",
            f"legoc is {version} here and {found['version']} on {machine.name}",
            "install the same legoc on all machines",
        )
    for probe, why in found["refused"].items():
        raise fail(
            "E0565",
            f"the worker on {machine.name} cannot write to `{Path(probe).parent}`: {why}",
            "let the user who runs Ray there write to it",
        )
    answers = [f"{probe}.{machine.id}" for probe in probes]
    unseen = found["unseen"] or find_unseen(answers, PATIENCE)
    if unseen:
        raise unshared(machine.name, Path(unseen[0]).parent)


def unshared(name: str, folder: Path) -> LegoError:
    return fail(
        "E0565",
        f"the worker on {name} does not see what lies in `{folder}`",
        "give folders that all machines share: `--runs /shared/runs --cache /shared/cache`",
    )


@contextmanager
def probing(folders: Sequence[Path]) -> Iterator[list[str]]:
    """Files in the folders, as long as somebody looks for them."""
    with ExitStack() as stack:
        paths: list[str] = []
        for folder in dict.fromkeys(folders):
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f".probe-{uuid4().hex}"
            stack.callback(remove_probes, path)
            path.write_text("here\n", encoding="utf-8")
            paths.append(str(path))
        yield paths


def remove_probes(path: Path) -> None:
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink(missing_ok=True)
