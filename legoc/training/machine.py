"""The machine a training runs on: device, threads, and what environment.json says of it."""

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from legoc.language.diagnosing.diagnostics import fail
from legoc.training.ranks.world import ALONE, World


PACKAGES = (
    "legoc", "legoc-runtime", "torch", "numpy", "onnx", "onnxruntime", "onnxscript", "safetensors",
    "tokenizers", "transformers", "peft", "pyarrow", "duckdb", "pandas",
)  # fmt: skip


def choose_device(name: str | None, world: World = ALONE) -> torch.device:
    """The device of that name, or without one the GPU if there is one, else the CPU. Of several
    processes that train together each has the GPU of its number. A device that is not there is an
    error of the user (E0555)."""
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
        if name == "cpu" or world.alone:
            return torch.device(name)
    if name == "cuda" and not world.alone:
        name = f"cuda:{world.local}"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise fail(
            "E0555",
            f"there is no device `{name}` here: {str(error).splitlines()[0]}",
            "use `cpu`, or leave the device out"
            if world.alone
            else "start as many processes as a machine has GPUs, or use `cpu`",
        ) from None
    return device


@contextmanager
def working(threads: int | None, device: torch.device) -> Iterator[int]:
    """Threads inside one torch operation; afterwards they and torch's generators are as before.

    Yields their number: `threads`, else what OMP_NUM_THREADS says, else 1.
    """
    before = torch.get_num_threads()
    given = threads or environment_threads() or 1
    generators = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=generators):
        torch.set_num_threads(given)
        try:
            yield given
        finally:
            torch.set_num_threads(before)


def environment_threads() -> int:
    """What OMP_NUM_THREADS says, which may be a list by depth (`4,2`); 0 where it says nothing."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(first) if first.isdecimal() else 0


def describe_environment(device: torch.device, threads: int, processes: int = 1) -> dict[str, Any]:
    """Versions and settings, in JSON's types. processes: those that train together."""
    versions: dict[str, str] = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else None
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processor": platform.machine(),
        "device": str(device),
        "gpu": gpu,
        "threads": threads,
        **({"processes": processes} if processes > 1 else {}),
        "versions": versions,
    }
