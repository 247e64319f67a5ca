"""How a process finds the others that train with it."""

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import torch
import torch.distributed as dist
from torch.distributed.rendezvous import rendezvous

from legoc.language.diagnosing.diagnostics import fail
from legoc.training.ranks.told import HOST, PORT, Told, read_told
from legoc.training.ranks.world import ALONE, World


# Words are waited for while another process prepares, validates or exports; a number or a gradient
# comes within a step, and whoever is silent for so long has stopped.
PATIENT, STEP = timedelta(days=30), timedelta(minutes=10)

RESTARTS = "TORCHELASTIC_RESTART_COUNT"


@contextmanager
def joined() -> Iterator[World]:
    """The world of this process, with groups of its own while the block lasts; `ALONE` where no
    launcher has started several. E0568 where the others are not found."""
    told = read_told()
    if told is None:
        yield ALONE
        return
    meet(told)
    words = dist.new_group(backend="gloo", timeout=PATIENT)
    numbers = dist.new_group(backend="gloo", timeout=STEP)
    gradients = dist.new_group(backend="gloo", timeout=STEP)
    groups = [words, numbers, gradients]
    try:
        yield World(
            rank=told.rank, size=told.size, local=told.local, locals=told.locals,
            words=words, numbers=numbers, gradients=gradients,
        )  # fmt: skip
    finally:
        for group in groups:
            dist.destroy_process_group(group)


@contextmanager
def on_device(world: World, device: torch.device) -> Iterator[World]:
    """The world while gradients are on a device: those of GPUs travel by NCCL."""
    if world.alone or device.type != "cuda":
        yield world
        return
    torch.cuda.set_device(device)
    gradients = dist.new_group(backend="nccl", timeout=STEP)
    try:
        yield replace(world, gradients=gradients)
    finally:
        dist.destroy_process_group(gradients)


def meet(told: Told) -> None:
    """Find the others once, for as long as this process lasts: what they have met at cannot be used
    again."""
    if dist.is_initialized():
        return
    try:
        store, _, _ = next(rendezvous("env://", told.rank, told.size, timeout=STEP))
        # torchrun keeps one store for all its restarts, where the addresses of processes that have
        # ended would be found.
        fresh = dist.PrefixStore(f"attempt {os.environ.get(RESTARTS, '0')}", store)
        dist.init_process_group(
            "gloo", store=fresh, rank=told.rank, world_size=told.size, timeout=STEP
        )
    except (RuntimeError, ValueError) as error:
        place = f"{os.environ[HOST]}:{os.environ[PORT]}"
        raise fail(
            "E0568",
            f"process {told.rank} of {told.size} has not found the others at `{place}`: "
            f"{str(error).splitlines()[0]}",
            "give every machine the same `--rdzv-endpoint`, and another `--nnodes` where fewer run",
        ) from None
    atexit.register(leave)


def leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()
