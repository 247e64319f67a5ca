"""The time in which Ray is there: started on this machine, or that of an address."""

import io
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import Any

from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.progress import Progress
from legoc.training.interrupt import STOPS, Terminated


LOCAL = "local"
# Seconds in which somebody has to answer at an address.
REACHED = 10.0
# Orders and answers are short; Ray would set a third of the memory aside for objects.
OBJECTS = 100 << 20
# No statistics are sent, and no copy of the working folder is.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}


def verify_ray() -> None:
    """E0563 where Ray is not installed."""
    try:
        with environment(QUIET), kept_signals():
            import ray  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise fail(
            "E0563",
            "`--engine ray` needs Ray, which is not installed",
            "install it: pip install 'legoc[ray]'; or leave `--engine ray` out and use `--jobs`",
        ) from None


def infer_address(asked: str | None) -> str:
    """The address asked for, else that of RAY_ADDRESS, else a Ray of our own. E0564 for one of
    Ray's client, whose tasks would not belong to this process."""
    address = asked or os.environ.get("RAY_ADDRESS") or LOCAL
    if address.startswith("ray://"):
        raise fail(
            "E0564",
            f"`{address}` is an address of Ray's client, and this command has to run on a machine "
            "of the cluster",
            "give the command on such a machine with `--address auto`, or with host and port "
            "of the head: `--address 10.0.0.1:6379`",
        )
    return address


def verify_reached(address: str) -> None:
    """E0564 where nobody listens; Ray would try for two minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACHED).close()
    except (OSError, OverflowError) as error:
        raise unreached(address, getattr(error, "strerror", None) or str(error)) from None


def unreached(address: str, why: str) -> LegoError:
    """E0564 for an address, or for a Ray of our own."""
    return fail(
        "E0564",
        f"Ray does not start: {why}" if address == LOCAL
        else f"there is no Ray at `{address}`: {why}",
        "`ray status` on a machine of the cluster prints its address; without `--address` and "
        "RAY_ADDRESS, Ray starts on this machine",
    )  # fmt: skip


@contextmanager
def session(address: str, cpus: int, progress: Progress) -> Iterator[None]:
    """Ray at an address, or one with so many CPUs that begins and ends here. One that the process
    has started itself is used as it is and left as it was."""
    import ray

    if ray.is_initialized():
        yield
        return
    verify_reached(address)
    progress.say("starting Ray" if address == LOCAL else f"joining Ray at {address}")
    with muffled():
        try:
            connect(address, cpus)
            yield
        finally:
            # What it has kept back because it was said before, it prints in this thread.
            with kept_signals(), redirect_stdout(io.StringIO()):
                ray.shutdown()


def connect(address: str, cpus: int) -> None:
    import ray

    here: dict[str, Any] = {"num_cpus": cpus, "include_dashboard": False}
    if address == LOCAL:
        here["object_store_memory"] = OBJECTS
        paths = os.pathsep.join(os.path.abspath(path) for path in sys.path if path)
        surroundings = {**QUIET, "PYTHONPATH": paths}
    else:
        here, surroundings = {"runtime_env": remote_environment()}, QUIET
    try:
        with environment(surroundings), kept_signals():
            ray.init(
                address=address, log_to_driver=False, logging_level=logging.ERROR,
                configure_logging=True, **here,
            )  # fmt: skip
    except SystemExit:
        # Ray's own answer to SIGTERM, while it starts.
        raise Terminated(signal.SIGTERM) from None
    except (ConnectionError, RuntimeError, ValueError, TimeoutError, OSError) as error:
        raise unreached(address, str(error).strip().partition("\n")[0]) from None


def remote_environment() -> dict[str, Any]:
    """What processes on other machines are told of this one: where Python looks for modules. No
    folder is packed and sent."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    found = os.pathsep.join(os.path.abspath(path) for path in paths if path)
    return {"env_vars": {"PYTHONPATH": found}} if found else {}


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Environment variables for what starts meanwhile."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def kept_signals() -> Iterator[None]:
    """Signals are answered afterwards as before; Ray sets an answer of its own to SIGTERM."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)


class Muffled:
    """Standard output without what threads of Ray print: it tells of workers that have ended there,
    whatever `log_to_driver` says, and would stand in the middle of JSON."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        if threading.current_thread().name.startswith("ray_"):
            return len(text)
        return self.stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def muffled() -> Iterator[None]:
    before = sys.stdout
    if before is None:
        yield
        return
    ours = Muffled(before)
    sys.stdout = ours
    try:
        yield
    finally:
        if sys.stdout is ours:
            sys.stdout = before
