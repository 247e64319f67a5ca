"""Requests that come at about the same time are answered by one call of the model."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any

from legoc_runtime.serving.answers import Refused
from legoc_runtime.serving.asking import Ask
from legoc_runtime.serving.limits import Limits


class Joiner:
    """Collects requests for a moment and has them answered together by threads of `executor`.

    answer: gives an answer, or what is wrong, for each of several requests.
    """

    def __init__(
        self, answer: Callable[[Sequence[Ask]], Sequence[Any]], executor: Executor, limits: Limits
    ) -> None:
        self.answer, self.executor, self.limits = answer, executor, limits
        self.waiting: list[tuple[Ask, asyncio.Future[Any]]] = []
        self.running = 0
        self.timer: asyncio.TimerHandle | None = None

    @property
    def load(self) -> int:
        """Requests that have no answer yet."""
        return len(self.waiting) + self.running

    async def ask(self, ask: Ask) -> Any:
        """The answer to a request. Refused with 503 where too many wait already."""
        if self.load >= self.limits.waiting:
            raise Refused(503, f"{self.load:,} requests are waiting", "come again in a moment")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self.waiting.append((ask, future))
        if len(self.waiting) >= self.limits.together:
            self.start()
        elif self.timer is None:
            self.timer = loop.call_later(self.limits.window, self.start)
        return await future

    def start(self) -> None:
        """Have what waits answered."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        taken, self.waiting = self.waiting, []
        # Whoever has hung up is not answered.
        taken = [(ask, future) for ask, future in taken if not future.done()]
        if not taken:
            return
        self.running += len(taken)
        asks = [ask for ask, _ in taken]
        done = asyncio.get_running_loop().run_in_executor(self.executor, self.answer, asks)
        done.add_done_callback(lambda made: self.finish(taken, made))

    def finish(
        self, taken: Sequence[tuple[Ask, asyncio.Future[Any]]], made: asyncio.Future[Any]
    ) -> None:
        self.running -= len(taken)
        error = made.exception()
        answers: Sequence[Any] = made.result() if error is None else [error] * len(taken)
        for (_, future), answer in zip(taken, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, BaseException):
                future.set_exception(answer)
            else:
                future.set_result(answer)
