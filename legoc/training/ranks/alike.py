"""Processes that train one model have to read the same: the spec, the data, the versions."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

import torch

from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.ir.spec import Spec
from legoc.training.ranks.world import World
from legoc.training.settings import Settings


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared

HELP = {
    "spec": "give every machine the same file and the same `--set`",
    "data": "give every machine the same data, or a folder that all of them share",
    "language model": "give every machine the same files of the language model",
}
OTHER = "install the same versions on every machine"


def verify_alike(world: World, spec: Spec, prepared: "Prepared", device: torch.device) -> None:
    """E0569 where a process would train something else."""
    if world.alone:
        return
    every = world.gather(described(spec, prepared, device))
    with world.alike():
        for name, value in every[0].items():
            for number, other in enumerate(every):
                if other[name] != value:
                    raise fail(
                        "E0569",
                        f"process {number} has another {name} than process 0: `{other[name]}` and "
                        f"`{value}`",
                        HELP.get(name, OTHER),
                    )


def verify_together(world: World, settings: Settings) -> None:
    """E0567 where several processes are asked for what they do not do together."""
    if world.alone:
        return
    if settings.energy.measured:
        raise together(
            world, "`--energy measured` reads the meters of one process", "use `--energy estimated`"
        )
    if settings.device is not None and ":" in settings.device:
        raise together(
            world,
            f"`--device {settings.device}` is a device of one process",
            "give `cuda`: each process takes the GPU of its number",
        )


def verify_crew(world: World, jobs: int | None, engine: str) -> None:
    """E0567 where several processes would each start others."""
    if not world.alone and (jobs or 1) > 1:
        raise together(
            world, f"`--jobs {jobs}` trains several runs at a time, each by one process",
            "leave `--jobs` out, or start it without `torchrun`",
        )  # fmt: skip
    if not world.alone and engine != "processes":
        raise together(
            world, f"`--engine {engine}` starts processes of its own",
            f"leave `--engine {engine}` out, or start it without `torchrun`",
        )  # fmt: skip


def together(world: World, what: str, help: str) -> LegoError:
    return fail("E0567", f"{what}, and {world.size} train together", help)


def described(spec: Spec, prepared: "Prepared", device: torch.device) -> Mapping[str, str]:
    """What has to be the same, by name."""
    return {
        "spec": spec.keys.spec,
        "data": prepared.digest,
        "language model": prepared.rows.checkpoint or "none",
        "version of legoc": version("legoc"),
        "version of torch": torch.__version__,
        "kind of device": device.type,
    }
