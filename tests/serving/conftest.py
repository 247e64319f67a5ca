"""A server of its own process, as a person starts it, and calls to it."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.bundles import KINDS, Kind, write_bundle


@dataclass
class Server:
    """A running server: where it listens, and its process."""

    process: subprocess.Popen[str]
    port: int
    said: list[str] = field(default_factory=list)

    def call(
        self, method: str, path: str, given: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """The status and the answer, JSON as a value."""
        status, kind, body = self.raw(method, path, given, headers)
        return status, json.loads(body) if kind == "application/json" else body.decode()

    def raw(
        self, method: str, path: str, given: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str, bytes]:
        body = given if isinstance(given, bytes) else None
        if given is not None and body is None:
            body = json.dumps(given).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            kind = answer.headers.get("content-type", "").partition(";")[0]
            return answer.status, kind, answer.read()
        finally:
            connection.close()

    def line(self, words: str) -> str:
        """The next line of its log that has some words."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if words in line:
                return line
        raise AssertionError("".join(self.said))

    def stop(self, by: int = signal.SIGTERM) -> int:
        self.process.send_signal(by)
        return self.process.wait(timeout=60)


Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """start(kind, "--window", "50"): a server of a small bundle in `tmp_path / "bundle"`."""
    running: list[Server] = []

    def start(kind: str | Kind = "dot", *flags: str) -> Server:
        bundle = tmp_path / "bundle"
        if not bundle.exists():
            write_bundle(bundle, KINDS[kind] if isinstance(kind, str) else kind)
        process = subprocess.Popen(
            [sys.executable, "-m", "legoc_runtime.serving", str(bundle), "--port", "0", *flags],
            stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        server = Server(process, 0)
        running.append(server)
        server.port = int(server.line("at http://").split(";")[0].rpartition(":")[2])
        return server

    yield start
    for server in running:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
        assert server.process.stderr is not None
        server.process.stderr.close()
