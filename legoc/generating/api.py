"""A model behind an interface: several questions open at a time, asked again with patience.

Nothing is sent but to the address that a spec names. The key is read from the environment when the
client is made; it is in no message, no journal and no digest.
"""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from legoc.generating.answering import Question, Reply
from legoc.generating.exchange import Busy, Closed, Refused, Server, read_completion
from legoc.generating.prompts import Messages
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.ir.spec import Call
from legoc.progress import SILENT, Progress


COMPLETIONS = "/chat/completions"
# Seconds before the first repetition, doubled for each further one up to the longest.
FIRST, LONGEST = 0.5, 60.0
# So many questions that fail in a row, each after all its repetitions, and the server is gone.
GONE = 3


@dataclass(eq=False)
class Pace:
    """Lets through so many questions a minute, evenly; all of them without a rate."""

    rate: float | None
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    lock: threading.Lock = field(default_factory=threading.Lock)
    free: float = 0.0

    def wait(self) -> None:
        if self.rate is None:
            return
        with self.lock:
            now = self.now()
            start = max(now, self.free)
            self.free = start + 60 / self.rate
        if start > now:
            self.sleep(start - now)


@dataclass(eq=False)
class Client:
    """Asks one model of one server. `stopped` ends the waiting of every question."""

    settings: Call
    server: Server
    pace: Pace
    progress: Progress = SILENT
    chances: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def of(cls, settings: Call, progress: Progress = SILENT, *, chances: int = 0) -> "Client":
        """The client of an `API(...)`. chances: how many log-probabilities of the first token are
        asked for, 0 for none."""
        key = os.environ.get(settings["key"]) or None
        if key is not None and (not key.isascii() or not key.isprintable()):
            raise fail(
                "E0929",
                f"the key in `{settings['key']}` has characters that no key has",
                "set the variable again, without blanks and line ends around it",
            )
        server = Server(base=settings["base"], key=key, timeout=settings["timeout"])
        return cls(settings, server, Pace(settings["rate"]), progress, chances)

    def fits(self, messages: Messages) -> bool:
        """The server knows, and says so of a question that is too long."""
        return True

    def ask(self, messages: Messages) -> Reply:
        """One reply, asked for again while the server is busy. Raises Busy where it stays so,
        Refused, Closed."""
        body = self.body(messages)
        for attempt in range(self.settings["retries"] + 1):
            self.pace.wait()
            try:
                return read_completion(self.server.post(COMPLETIONS, body, self.settings["max"]))
            except Busy as error:
                last = error
                if attempt == self.settings["retries"]:
                    break
                # Questions that failed together do not come again together.
                delay = min(FIRST * 2**attempt, LONGEST) * random.uniform(0.8, 1.2)
                if self.stopped.wait(min(max(delay, error.wait or 0.0), LONGEST)):
                    break
        raise last

    def body(self, messages: Messages) -> dict[str, Any]:
        """What is sent."""
        body: dict[str, Any] = {
            "model": self.settings["name"],
            "messages": [dict(message) for message in messages],
            "max_tokens": self.settings["max"],
            "temperature": self.settings["temperature"],
            "seed": self.settings["seed"],
            "stream": False,
        }
        return body | ({"logprobs": True, "top_logprobs": self.chances} if self.chances else {})

    def answers(self, questions: Sequence[Question]) -> Iterator[tuple[Question, Reply]]:
        """Each question with its reply, as they come. Where the server is gone, what was on its way
        is waited for and E0928 raised; so it is for a wrong key or model (E0929)."""
        width = self.settings["concurrency"]
        left = iter(questions)
        failures = 0
        end: LegoError | None = None
        with ThreadPoolExecutor(width, thread_name_prefix="ask") as pool:
            try:
                open_: dict[Future[Reply], Question] = {}

                def more() -> None:
                    for question in left:
                        open_[pool.submit(self.ask, question.messages)] = question
                        if len(open_) >= width:
                            return

                more()
                while open_:
                    done, _ = wait(open_, return_when=FIRST_COMPLETED)
                    for each in done:
                        question = open_.pop(each)
                        try:
                            reply = each.result()
                        except Refused as error:
                            failures = 0
                            yield question, Reply(text="", refused=str(error))
                        except Closed as error:
                            end = end or self.closed(error)
                        except Busy as error:
                            failures += 1
                            if failures >= min(GONE, len(questions)) or not open_:
                                end = end or self.gone(error)
                        else:
                            failures = 0
                            yield question, reply
                    if end is not None:
                        # What waits to ask again gives up; what is under way is kept.
                        self.stopped.set()
                    else:
                        more()
            finally:
                self.stopped.set()
        self.stopped.clear()
        if end is not None:
            raise end

    def gone(self, error: Busy) -> LegoError:
        return fail(
            "E0928",
            f"`{self.settings['base']}` does not answer: {error}",
            "what was answered is kept: the same command goes on there",
            notes=(f"asked {self.settings['retries'] + 1} times, more slowly each time",),
        )

    def closed(self, error: Closed) -> LegoError:
        variable = self.settings["key"]
        state = "is set" if self.server.key else "is not set"
        return fail(
            "E0929",
            f"`{self.settings['base']}` refuses `{self.settings['name']}`: {error}",
            f"look at `name` and `base`, and at the key: the variable `{variable}` {state}",
        )

    def close(self) -> None:
        self.stopped.set()


def settings_of(name: str, base: str, given: Mapping[str, Any]) -> Call:
    """An `API(...)` with the defaults of its declaration, for who has no spec."""
    from legoc.generating.writers import API

    params: Any = API.declaration.params  # type: ignore[attr-defined]
    defaults = {p.name: p.default for p in params if not p.required}
    return Call(op="API", args={**defaults, "name": name, "base": base, **given})
