"""A process that works for a sweep: `python -m legoc.training.jobs.worker`.

Orders come as lines on standard input, answers go as lines to what was standard output; whatever
libraries print goes to standard error, which the sweep reads too. The end of the orders ends the
process. Where it comes in the middle of a run, the sweep was interrupted or has died: the run saves
and stops, as by Ctrl-C.
"""

import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from legoc.progress import SilentTask, Task
from legoc.training.jobs.messages import decode, encode, read_spec, write_epochs, write_error
from legoc.training.settings import Settings


if TYPE_CHECKING:
    from legoc.training.job import Hopeless


class Wire:
    """Answers to the sweep. As a `Progress` it passes on what is said; bars are for terminals."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.lock = threading.Lock()

    def send(self, **message: Any) -> None:
        with self.lock:
            self.stream.write(encode(message))
            self.stream.flush()

    def say(self, text: str) -> None:
        self.send(say=text)

    @contextmanager
    def task(self, name: str, total: int | None, unit: str = "") -> Iterator[Task]:
        yield SilentTask()


class Orders:
    """Orders as they come. Once there are no more, whatever is being done is interrupted. What is
    asked on the way is answered between two of them."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.waiting: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self.given = self.done = 0
        threading.Thread(target=self.read, daemon=True).start()

    def read(self) -> None:
        for line in self.stream:
            self.given += 1
            self.waiting.put(decode(line))
        if self.given > self.done:
            os.kill(os.getpid(), signal.SIGINT)
        self.waiting.put(None)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while (order := self.waiting.get()) is not None:
            yield order
            self.done += 1

    def reply(self) -> dict[str, Any] | None:
        """The answer to what was asked; None where there are no more orders, which interrupts."""
        found = self.waiting.get()
        if found is None:
            self.waiting.put(None)
        else:
            self.done += 1
        return found


def main() -> int:
    # A shell may have had it ignored, and it is how the end of the orders is told.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    wire = Wire(os.fdopen(os.dup(sys.stdout.fileno()), "wb"))
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        orders = Orders(sys.stdin.buffer)
        for order in orders:
            work(order, wire, asking(wire, orders) if order["watched"] else None)
    except KeyboardInterrupt as stop:
        return getattr(stop, "status", 130)
    return 0


def asking(wire: Wire, orders: Orders) -> "Hopeless":
    """Has whoever gave the order say whether to give a training up."""

    def hopeless(own: Mapping[int, float]) -> bool:
        wire.send(by_epoch=write_epochs(own))
        reply = orders.reply()
        return reply is not None and reply["give_up"]

    return hopeless


def work(order: Mapping[str, Any], wire: Wire, hopeless: "Hopeless | None" = None) -> None:
    """Do what an order says and answer it; what goes wrong is an answer, too."""
    try:
        settings = Settings.from_json(order["settings"])
        spec = read_spec(order["spec"])
        if order["do"] == "survey":
            from legoc.training.jobs.survey import survey

            wire.send(known=survey(spec, settings, wire).to_json())
        else:
            from legoc.training.public import train_with

            run = train_with(spec, settings, wire, hopeless)
            wire.send(folder=str(run.folder))
    except BrokenPipeError:
        # Nobody reads any more; the end of the orders is about to say so.
        raise KeyboardInterrupt from None
    except Exception as error:
        wire.send(failed=write_error(error))


if __name__ == "__main__":
    sys.exit(main())
