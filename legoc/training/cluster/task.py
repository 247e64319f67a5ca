"""What a worker of Ray does for a sweep: the orders of `legoc.training.jobs`, one at a time.

Orders and answers are JSON. Ray runs a task on the main thread of its process and cancels it by
the exception of Ctrl-C there, so a run that is cancelled saves and stops.
"""

import json
import os
import sys
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from legoc.training.jobs.worker import Wire, work


# How long a file that another machine has written may take to be seen, and lines to be heard.
PATIENCE = 10.0


class Relay(Wire):
    """Keeps the answer, passes on what is said."""

    def __init__(self, place: int, post: Any) -> None:
        self.place, self.post = place, post
        self.answer: dict[str, Any] = {}
        self.last: Any = None

    def send(self, **message: Any) -> None:
        if "say" in message:
            self.last = self.post.hear.remote(self.place, message["say"])
        else:
            self.answer = message

    def flush(self) -> None:
        """Until all that was said is heard. Nobody to hear it is no reason to fail."""
        import ray
        from ray.exceptions import RayError

        if self.last is not None:
            with suppress(RayError):
                ray.get(self.last, timeout=PATIENCE)


def do_order(text: str, place: int, post: Any) -> str:
    """Do what an order says; its answer, or that it was stopped."""
    from legoc.language.diagnosing.diagnostics import LegoError
    from legoc.training.jobs.messages import write_error

    relay = Relay(place, post)
    order = json.loads(text)
    try:
        enter_folder(order["folder"])
        verify_seen(order["probes"])
        work(order, relay)
    except LegoError as error:
        relay.send(failed=write_error(error))
    except KeyboardInterrupt as stop:
        relay.flush()
        if hasattr(stop, "status"):
            # Not the sweep but whoever runs the machine wants the process to go.
            sys.exit(stop.status)
        return json.dumps({"stopped": True})
    relay.flush()
    return json.dumps(relay.answer)


def enter_folder(folder: str) -> None:
    """Work where the command works, if that is a place here, too."""
    with suppress(OSError):
        os.chdir(folder)


def verify_seen(probes: list[str], patience: float = PATIENCE) -> None:
    """E0565 where a folder of the sweep is another one here."""
    from legoc.language.diagnosing.diagnostics import fail

    unseen = find_unseen(probes, patience)
    if unseen:
        folder = Path(unseen[0]).parent
        raise fail(
            "E0565",
            f"the worker on {os.uname().nodename} does not see what lies in `{folder}`",
            "give folders that all machines share: `--runs /shared/runs --cache /shared/cache`",
        )


def find_unseen(probes: list[str], patience: float) -> list[str]:
    deadline = time.monotonic() + patience
    while unseen := [probe for probe in probes if not Path(probe).is_file()]:
        if time.monotonic() > deadline:
            return unseen
        time.sleep(0.2)
    return []


def look_around(probes: list[str], answer: str, patience: float = PATIENCE) -> dict[str, Any]:
    """What a machine has: the probes it does not see, and its version of legoc. Beside each that it
    sees it writes one of its own, of the ending `answer`."""
    unseen = find_unseen(probes, patience)
    refused: dict[str, str] = {}
    for probe in probes:
        if probe not in unseen:
            try:
                Path(probe + answer).write_text("seen\n", encoding="utf-8")
            except OSError as error:
                refused[probe] = error.strerror or str(error)
    return {"unseen": unseen, "refused": refused, "version": version("legoc")}
