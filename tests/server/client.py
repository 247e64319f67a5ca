"""A small editor: speaks the protocol with `legoc lsp` over its standard input and output."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty, Queue
from typing import Any


PATIENCE = 60


class Refusal(Exception):
    """The server answered a request with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code = error["code"]


class Editor:
    """One server process. Requests wait for their answers; what comes between is kept."""

    def __init__(self, root: Path, encodings: tuple[str, ...] = ()) -> None:
        self.root = root
        self.process = subprocess.Popen(
            [sys.executable, "-m", "legoc", "lsp"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=root,
        )  # fmt: skip
        self.messages: Queue[dict[str, Any] | None] = Queue()
        self.kept: list[dict[str, Any]] = []
        self.log: list[str] = []
        self.ids = 0
        for read in (self.listen, self.listen_errors):
            threading.Thread(target=read, daemon=True).start()
        general = {"positionEncodings": list(encodings)} if encodings else {}
        capabilities: dict[str, Any] = {"general": general}
        self.capabilities = self.ask(
            "initialize",
            processId=None, rootUri=root.as_uri(), capabilities=capabilities,
            workspaceFolders=[{"uri": root.as_uri(), "name": "root"}],
        )["capabilities"]  # fmt: skip
        self.tell("initialized")

    def listen(self) -> None:
        out = self.process.stdout
        assert out is not None
        while True:
            length = 0
            while (line := out.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if not length:
                self.messages.put(None)
                return
            self.messages.put(json.loads(out.read(length)))

    def listen_errors(self) -> None:
        assert self.process.stderr is not None
        self.log += [line.decode() for line in self.process.stderr]

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        try:
            message = self.messages.get(timeout=PATIENCE)
        except Empty:
            raise AssertionError(f"no answer; log: {''.join(self.log)}") from None
        assert message is not None, f"the server has gone; log: {''.join(self.log)}"
        return message

    def tell(self, method: str, **params: Any) -> None:
        """Send a notification."""
        self.send({"method": method, "params": params})

    def begin(self, method: str, **params: Any) -> int:
        """Send a request and do not wait."""
        self.ids += 1
        self.send({"id": self.ids, "method": method, "params": params})
        return self.ids

    def end(self, number: int) -> Any:
        """The answer of a request."""
        while True:
            message = self.receive()
            if message.get("id") == number and "method" not in message:
                if "error" in message:
                    raise Refusal(message["error"])
                return message["result"]
            self.kept.append(message)

    def ask(self, method: str, **params: Any) -> Any:
        return self.end(self.begin(method, **params))

    def uri(self, name: str) -> str:
        return (self.root / name).as_uri()

    def open(self, name: str, text: str | None = None) -> None:
        """Open a file, with its own text unless another is given."""
        if text is None:
            text = (self.root / name).read_text("utf-8")
        item = {"uri": self.uri(name), "languageId": "lego", "version": 1, "text": text}
        self.tell("textDocument/didOpen", textDocument=item)

    def change(self, name: str, version: int, *changes: dict[str, Any]) -> None:
        document = {"uri": self.uri(name), "version": version}
        self.tell("textDocument/didChange", textDocument=document, contentChanges=list(changes))

    def close(self, name: str) -> None:
        self.tell("textDocument/didClose", textDocument={"uri": self.uri(name)})

    def on(self, method: str, name: str, line: int, character: int, **more: Any) -> Any:
        """Ask something about a place."""
        return self.ask(
            f"textDocument/{method}",
            textDocument={"uri": self.uri(name)},
            position={"line": line, "character": character},
            **more,
        )

    def of(self, method: str, name: str, **more: Any) -> Any:
        """Ask something about a document."""
        return self.ask(f"textDocument/{method}", textDocument={"uri": self.uri(name)}, **more)

    def diagnostics(self, name: str, version: int) -> list[dict[str, Any]]:
        """What is published for a version of a document."""
        uri = self.uri(name)
        while True:
            for place, message in enumerate(self.kept):
                params = message.get("params", {})
                published = message.get("method") == "textDocument/publishDiagnostics"
                if published and params["uri"] == uri and params.get("version") == version:
                    del self.kept[place]
                    return params["diagnostics"]
            self.kept.append(self.receive())

    def leave(self) -> int:
        """Shut the server down; its exit code."""
        self.ask("shutdown")
        self.tell("exit")
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """End the process, however the test ended."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
