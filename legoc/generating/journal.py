"""Every answer ever given to one `generate`: lines of JSON that are only appended to.

A line is written whole before the next question is counted as answered, so a process that is killed
loses the answers on their way and none that has come. Half a line at the end, which a full disk or
a power cut leaves, is cut off.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from legoc.generating.answering import Question, Reply, Tokens
from legoc.language.diagnosing.diagnostics import fail


try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

# Characters that are kept of an answer: one that never ends tells nothing more.
LONGEST = 20_000
NONE = Tokens()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A line of the journal. `sound`: of the form asked for."""

    text: str
    sound: bool
    attempt: int
    chances: tuple[tuple[str, float], ...] = ()
    refused: str = ""
    tokens: Tokens = NONE


@dataclass(eq=False)
class Journal:
    """known: the last answer by question, model and subject. broken: lines that are none."""

    path: Path
    model: str
    known: dict[tuple[str, str], Answer] = field(default_factory=dict)
    others: int = 0
    broken: int = 0
    file: IO[str] | None = None

    def __enter__(self) -> "Journal":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = self.path.open("a+", encoding="utf-8", newline="\n")
        if fcntl is not None:
            try:
                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self.file.close()
                raise fail(
                    "E0931",
                    f"another process writes to `{self.path}`",
                    "let it end, or stop it: what it has asked is kept",
                ) from None
        cut_half_line(self.path)
        for record in self.lines():
            if record.get("model") != self.model:
                self.others += 1
                continue
            key = (record["prompt"], record["id"])
            self.known[key] = Answer(
                text=record["reply"], sound=record["sound"], attempt=record["try"],
                chances=tuple((token, value) for token, value in record.get("chances", ())),
                refused=record.get("refused", ""),
                tokens=Tokens(read=record.get("read", 0), written=record.get("written", 0)),
            )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        if self.file is not None:
            os.fsync(self.file.fileno())
            self.file.close()
            self.file = None

    def lines(self) -> Iterator[dict[str, Any]]:
        with self.path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
            for line in lines:
                try:
                    record = json.loads(line)
                    whole = {"prompt", "model", "id", "reply", "sound", "try"} <= set(record)
                except (ValueError, TypeError, RecursionError):
                    whole = False
                if whole:
                    yield record
                elif line.strip():
                    self.broken += 1

    def add(self, question: Question, reply: Reply, sound: bool, first: str) -> Answer:
        """Keep an answer, under the digest of the first question about its subject."""
        assert self.file is not None
        answer = Answer(
            text=reply.text[:LONGEST], sound=sound, attempt=question.attempt,
            chances=reply.chances, refused=reply.refused, tokens=reply.tokens,
        )  # fmt: skip
        record = {
            "prompt": first, "model": self.model, "id": question.subject,
            "try": question.attempt, "sound": sound, "reply": answer.text,
            "read": reply.tokens.read, "written": reply.tokens.written,
        }  # fmt: skip
        record |= {"refused": reply.refused} if reply.refused else {}
        record |= {"chances": reply.chances} if reply.chances else {}
        self.file.write(json.dumps(record, ensure_ascii=False) + "\n")
        # To the system, which outlives this process.
        self.file.flush()
        self.known[first, question.subject] = answer
        return answer


def cut_half_line(path: Path) -> None:
    """Take away what stands behind the last line that was written whole."""
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        if end == 0:
            return
        file.seek(end - 1)
        if file.read(1) == b"\n":
            return
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)
