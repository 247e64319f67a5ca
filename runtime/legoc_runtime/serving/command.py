"""`python -m legoc_runtime.serving BUNDLE`, and what `legoc serve` does."""

import argparse
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from legoc_runtime.errors import BundleError, LegoRuntimeError, RequestError
from legoc_runtime.serving.flags import add_flags
from legoc_runtime.serving.limits import Limits


def read_limits(given: argparse.Namespace) -> Limits:
    """Raises RequestError for a limit that lets nothing through."""
    for name in ("threads", "body", "k", "waiting"):
        if getattr(given, name) < 1:
            raise RequestError(f"--{name} is {getattr(given, name)}", "give at least 1")
    if not 0 <= given.window <= 1000:
        raise RequestError(f"--window is {given.window:g}", "give 0 to 1000 milliseconds")
    together = 1 if given.window == 0 else Limits().together
    return Limits(
        body=given.body, k=given.k, waiting=given.waiting, window=given.window / 1000,
        together=together,
    )  # fmt: skip


def serve(bundle: Path, given: argparse.Namespace) -> int:
    """Serve a bundle until the process is told to stop: it then takes no more requests, answers
    those it has, and keeps its catalogue. SIGHUP has the bundle read again.

    Raises RequestError where the extra is not installed, for a port that is taken, and for limits
    that cannot be; BundleError for a bundle or a catalogue that cannot be served.
    """
    try:
        import uvicorn

        from legoc_runtime.serving.app import make_app
    except ImportError as error:
        raise RequestError(
            f"serving over HTTP needs the package {error.name}, which is not installed",
            'install it with `pip install "legoc-runtime[serve]"`',
        ) from error
    from legoc_runtime.serving.measures import Measures
    from legoc_runtime.serving.served import Served

    limits, measures = read_limits(given), Measures()
    catalogue = None if given.catalogue is None else Path(given.catalogue)
    served = Served(bundle, measures, catalogue=catalogue)
    app = make_app(served, measures, limits, given.threads)
    config = uvicorn.Config(
        app, host=given.host, port=given.port, log_level="warning", access_log=False,
        timeout_graceful_shutdown=30, lifespan="on",
    )  # fmt: skip
    family = socket.AF_INET6 if ":" in given.host else socket.AF_INET
    try:
        # Whoever reads the line below may ask at once: it listens from here on.
        listening = socket.create_server(
            (given.host, given.port), family=family, backlog=config.backlog
        )
    except (OSError, OverflowError) as error:
        raise RequestError(
            f"nothing can listen at {given.host}:{given.port} ({error})", "give another `--port`"
        ) from None
    with listening:
        say(f"serving {served.model!r}")
        say(f"at http://{given.host}:{listening.getsockname()[1]}; Ctrl-C stops it")
        listen_to_hangup(served.swap)
        uvicorn.Server(config).run(sockets=[listening])
    return 0


def listen_to_hangup(swap: Callable[[], str]) -> None:
    """Have SIGHUP, where there is one, read the bundle again beside the answers."""
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is None:
        return

    def take() -> None:
        try:
            say(swap())
        except LegoRuntimeError as error:
            say(f"still serving the bundle before: {error.message}; {error.help}")

    def receive(number: int, frame: object) -> None:
        threading.Thread(target=take, name="swap", daemon=True).start()

    signal.signal(hangup, receive)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m legoc_runtime.serving", description="Serve a legoc bundle over HTTP."
    )
    parser.add_argument("bundle", metavar="BUNDLE")
    add_flags(parser)
    given = parser.parse_args(words)
    try:
        return serve(Path(given.bundle), given)
    except (BundleError, RequestError) as error:
        say(f"error: {error.message}\n  help: {error.help}")
        return 1
