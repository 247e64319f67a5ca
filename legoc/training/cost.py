"""cost.json: what a training has cost, over all its sittings."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from legoc.training.energy import ESTIMATE, Energy, gauged
from legoc.training.files import write_json


NOBODY: Mapping[str, float] = {}
COST = "cost.json"
BUDGET = "budget.json"
PEAK = Path("/proc/self/clear_refs")
STATUS = Path("/proc/self/status")


@contextmanager
def counted(
    folder: Path,
    *,
    begun: bool,
    energy: Energy = ESTIMATE,
    gpu: bool = False,
    others: Mapping[str, float] = NOBODY,
) -> Iterator[dict[str, Any]]:
    """Adds what the block takes to the folder's cost.json, however it ends: `cpu` and `wall` in
    seconds, `memory` in bytes at most, where the system tells the most of one part of a process,
    and `energy`. The block may enter more. begun: whether an earlier sitting's cost is a part of
    this one. gpu: whether the block works on one. others: what processes that work beside this one
    have taken meanwhile, `cpu` in seconds."""
    earlier = read_cost(folder) if begun else {}
    known: dict[str, Any] = {}
    alone = reset_peak()
    with gauged(energy, gpu=gpu) as gauge:
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            yield known
        finally:
            memory = peak() if alone else None
            cpu = time.process_time() - cpu + others.get("cpu", 0.0)
            wall = time.perf_counter() - wall
            write_json(folder / COST, {
                **earlier,
                **known,
                "cpu": round(earlier.get("cpu", 0) + cpu, 3),
                "wall": round(earlier.get("wall", 0) + wall, 3),
                "memory": None if memory is None else max(memory, earlier.get("memory") or 0),
                "energy": gauge.read(cpu, wall, earlier),
            })  # fmt: skip


def read_cost(folder: Path) -> dict[str, Any]:
    """What cost.json says; nothing where there is none, as in a run of before."""
    return read(folder / COST)


def read_budget(folder: Path) -> dict[str, Any]:
    """What budget.json says: how much was tried before a search chose this run; nothing of a run
    that no search chose."""
    return read(folder / BUDGET)


def read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def reset_peak() -> bool:
    """Let the system count the most memory from now on; whether it does."""
    try:
        PEAK.write_text("5")
    except OSError:
        return False
    return True


def peak() -> int | None:
    """The most memory in bytes since `reset_peak`."""
    try:
        lines = STATUS.read_text().splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith("VmHWM:")), None)
    return None if found is None else int(found.split()[1]) * 1024
