"""Parts of a file under Ray Data: a pool of actors, each of which holds the bundle.

Ray gives what a lost actor had in hand to another one. The answers come in the order of the parts,
each once, whoever was lost.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from legoc.commands.part_worker import Order, PartWorker
from legoc.commands.parts import Part
from legoc.language.diagnosing.diagnostics import fail
from legoc.progress import Progress


# Ray warns, on standard error and as an error, of any actor that may start again and has arguments
# in its store, which Ray Data's always have; they last as long as the command.
SILENT = {"RAY_BACKEND_LOG_LEVEL": "fatal"}


class Attempts:
    """How often each part was begun, kept where the command runs."""

    def __init__(self) -> None:
        self.begun = Counter[int]()

    def begin(self, number: int) -> int:
        self.begun[number] += 1
        return self.begun[number]


@dataclass(frozen=True)
class Counted:
    """Counts, from the process of a worker, how often a part was begun."""

    attempts: Any

    def __call__(self, number: int) -> int:
        import ray

        return ray.get(self.attempts.begin.remote(number))


def count_workers(jobs: int | None) -> int:
    """So many as were asked for, else one for each CPU but one, which Ray Data needs for itself."""
    from legoc.training.cluster.machines import count_cpus

    return jobs or max(count_cpus() - 1, 1)


def do_parts(
    order: Order, parts: Sequence[Part], jobs: int | None, address: str | None, progress: Progress
) -> Iterator[tuple[Part, dict[str, Any], bytes]]:
    """Each part, what is said of it, and its table, in order.

    Raises E0563 and E0564 where there is no Ray, E0881 where it has no room.
    KeyboardInterrupt passes through.
    """
    from legoc.training.cluster.machines import count_cpus, list_machines
    from legoc.training.cluster.session import (
        LOCAL,
        environment,
        infer_address,
        session,
        verify_ray,
    )
    from legoc.training.interrupt import Interruptions

    verify_ray()
    address = infer_address(address)
    cpus = max(count_cpus(), count_workers(jobs) + 1)
    with Interruptions(), environment(SILENT), session(address, cpus, progress), quiet():
        free = sum(machine.cpus for machine in list_machines()) - 1
        if free < (jobs or 1):
            raise fail(
                "E0881",
                f"{jobs or 1} workers need a CPU each and one that is free, and the cluster has "
                f"{free + 1}",
                f"give `--jobs {free}` or fewer" if free > 0 else "join a machine with more",
            )
        # A Ray of our own may count more CPUs than there are.
        workers = count_workers(jobs) if address == LOCAL else jobs or free
        yield from answers(order, parts, min(workers, free, len(parts)))


def answers(
    order: Order, parts: Sequence[Part], workers: int
) -> Iterator[tuple[Part, dict[str, Any], bytes]]:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    attempts: Any = ray.remote(Attempts).options(num_cpus=0, scheduling_strategy=here).remote()
    asked: Any = ray.data.from_items(
        [{"number": p.number, "start": p.start, "stop": p.stop} for p in parts],
        override_num_blocks=len(parts),
    )
    # Ray starts lost actors again without end; that of a part is counted by the actors.
    found = asked.map_batches(
        PartWorker, fn_constructor_args=(order.to_text(), Counted(attempts)), batch_size=1,
        num_cpus=1, compute=ray.data.ActorPoolStrategy(size=workers),
    )  # fmt: skip
    try:
        for part, row in zip(parts, found.iter_rows(), strict=True):
            assert row["number"] == part.number, "Ray gave parts in another order"
            yield part, json.loads(row["said"]), row["table"]
    finally:
        ray.kill(attempts)


@contextmanager
def quiet() -> Iterator[None]:
    """Ray Data draws no bars, and keeps the order; its lines would stand among ours."""
    from ray.data import DataContext

    context: Any = DataContext.get_current()
    before = (
        context.enable_progress_bars, context.print_on_execution_start,
        context.execution_options.preserve_order,
    )  # fmt: skip
    logger = logging.getLogger("ray.data")
    level = logger.level
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_options.preserve_order = True
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
        (
            context.enable_progress_bars, context.print_on_execution_start,
            context.execution_options.preserve_order,
        ) = before  # fmt: skip
