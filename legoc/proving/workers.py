"""Cases in parallel processes. A process that dies takes its case with it and nothing else."""

import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from legoc.proving.cases import Case


GRACE = 5.0
"""Seconds that a process is given to end."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where proofs are made: the output folder, the cache of data, the digest of the code."""

    folder: Path
    cache: Path
    code: str
    share: bool


def prove_all(cases: Sequence[Case], place: Place, jobs: int) -> Iterator[dict[str, Any]]:
    """The record of every case as it comes; with one job in this process."""
    if jobs == 1:
        from legoc.proving.proof import Bench, prove_case

        bench = Bench(
            folder=place.folder, cache=place.cache, code=place.code, share=place.share
        )  # fmt: skip
        for case in cases:
            yield prove_case(case, bench)
        return
    waiting = list(reversed(cases))
    workers: list[Worker] = []
    try:
        while waiting or workers:
            while waiting and len(workers) < jobs:
                workers.append(Worker.start(place, waiting.pop()))
            ready = wait([end for worker in workers for end in worker.ends])
            for worker in [w for w in workers if any(end in ready for end in w.ends)]:
                record = worker.receive()
                if record is None:
                    workers.remove(worker)
                    yield worker.lost(place.code)
                    continue
                if waiting:
                    worker.give(waiting.pop())
                else:
                    workers.remove(worker)
                    worker.stop()
                yield record
    finally:
        for worker in workers:
            worker.stop()


@dataclass
class Worker:
    """A process and the case it is at."""

    process: BaseProcess
    connection: Connection
    case: Case

    @classmethod
    def start(cls, place: Place, case: Case) -> "Worker":
        """A fresh process: a forked one would share the threads of torch and onnxruntime."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, place), daemon=True)
        process.start()
        theirs.close()
        worker = cls(process=process, connection=ours, case=case)
        worker.give(case)
        return worker

    @property
    def ends(self) -> tuple[Any, ...]:
        """What becomes ready when the process has answered or ended."""
        return self.connection, self.process.sentinel

    def give(self, case: Case) -> None:
        self.case = case
        self.connection.send(case)

    def receive(self) -> "dict[str, Any] | None":
        """The record, or None where the process ended without one."""
        try:
            return self.connection.recv()
        except (EOFError, ConnectionResetError):
            return None

    def lost(self, code: str) -> dict[str, Any]:
        """The record of a case whose process ended."""
        self.process.join()
        return {
            "key": self.case.key, "code": code, "labels": dict(self.case.labels),
            "pipeline": self.case.spec.name, "status": "red", "seconds": {},
            "reason": f"its process ended with {self.process.exitcode}",
        }  # fmt: skip

    def stop(self) -> None:
        """Let the process end by itself, which it does unless it is at work."""
        self.connection.close()
        self.process.join(timeout=GRACE)
        self.process.terminate()
        self.process.join()


def work(connection: Connection, place: Place) -> None:
    """The life of a worker process: cases in, records out, until the other end closes."""
    import signal

    import torch

    from legoc.proving.proof import Bench, prove_case

    # Ctrl-C reaches the whole group; the first process decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    bench = Bench(folder=place.folder, cache=place.cache, code=place.code, share=place.share)
    while True:
        try:
            case = connection.recv()
        except (EOFError, OSError):
            return
        connection.send(prove_case(case, bench))
