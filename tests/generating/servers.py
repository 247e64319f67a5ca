"""Servers of chat completions that answer as servers do at their worst, on the loopback alone."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(eq=False)
class Asked:
    """One request: what was sent, and how the script may answer it."""

    handler: BaseHTTPRequestHandler
    body: Any
    headers: Any
    count: int
    done: Callable[[], None] = lambda: None

    @property
    def question(self) -> str:
        return self.body["messages"][-1]["content"]

    def send(self, content: bytes, status: int = 200, **headers: str) -> None:
        handler = self.handler
        # First: who asked may have the answer, and ask again, before this thread has ended.
        self.done()
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def say(self, text: str | None, **more: Any) -> None:
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, **more}
        usage = {"prompt_tokens": 7, "completion_tokens": 3}
        self.send(json.dumps({"choices": [choice], "usage": usage}).encode())

    def fail(self, status: int, message: str = "no", **headers: str) -> None:
        self.send(json.dumps({"error": {"message": message}}).encode(), status, **headers)

    def half(self) -> None:
        """Half of an answer that was announced, then nothing."""
        self.handler.send_response(200)
        self.handler.send_header("Content-Length", "5000")
        self.handler.end_headers()
        self.handler.wfile.write(b'{"choices": [{"mess')
        self.hang_up()

    def hang_up(self) -> None:
        self.handler.close_connection = True
        self.handler.connection.shutdown(socket.SHUT_RDWR)


Script = Callable[[Asked], None]


@dataclass(eq=False)
class Served:
    """Where it listens, and everything it was asked. `most`: questions open at one time."""

    base: str
    asked: list[Asked] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    most: int = 0
    stop: Callable[[], None] = lambda: None

    @property
    def questions(self) -> list[str]:
        return [each.question for each in self.asked]


@contextmanager
def serving(script: Script) -> Iterator[Served]:
    """A server that answers by a script, which is given every request with its number from 1."""
    lock = threading.Lock()
    running = [0]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            closed: list[bool] = []

            def close() -> None:
                with lock:
                    running[0] -= not closed
                    closed.append(True)

            with lock:
                request = Asked(self, body, self.headers, len(served.asked) + 1, close)
                served.asked.append(request)
                served.times.append(time.monotonic())
                running[0] += 1
                served.most = max(served.most, running[0])
            try:
                if self.path != "/v1/chat/completions":
                    request.fail(404, "no such path")
                else:
                    script(request)
            except OSError:
                pass  # who asked has gone
            finally:
                close()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served = Served(f"http://127.0.0.1:{server.server_address[1]}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    stopped = threading.Event()

    def stop() -> None:
        if not stopped.is_set():
            stopped.set()
            # From a request's own thread too.
            threading.Thread(target=lambda: (server.shutdown(), server.server_close())).start()

    served.stop = stop
    try:
        yield served
    finally:
        stop()
        thread.join(10)
