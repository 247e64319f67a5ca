"""Long work on a terminal: bars that are drawn, plain lines elsewhere, nothing with `-q`."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from legoc.progress import SILENT, Progress, Task


def choose(quiet: bool, stream: TextIO | None = None) -> Progress:
    """The progress speaker for this process: everything it says goes to standard error."""
    stream = stream if stream is not None else sys.stderr
    if quiet:
        return SILENT
    return Drawn(stream) if stream.isatty() else Lines(stream)


class Line:
    """Prints how far a piece of work is, at most every `pause` seconds."""

    def __init__(
        self, stream: TextIO, name: str, total: int | None, unit: str, pause: float
    ) -> None:
        self.stream, self.name, self.total, self.unit, self.pause = stream, name, total, unit, pause
        self.done = 0
        self.figures = ""
        self.began = self.said = time.monotonic()

    def advance(self, count: int = 1, figures: str = "") -> None:
        self.done += count
        self.figures = figures or self.figures
        now = time.monotonic()
        # The end of the work has a line anyway.
        if now - self.said >= self.pause and self.done != self.total:
            self.said = now
            self.print()

    def print(self) -> None:
        seconds = time.monotonic() - self.began
        far = f"{self.done:,}" + (f"/{self.total:,}" if self.total else "")
        rate = f", {pace(self.done / seconds, self.unit)}" if seconds > 1 and self.done else ""
        figures = f", {self.figures}" if self.figures else ""
        print(
            f"{self.name}: {far} {self.unit}{rate}{figures}".rstrip(), file=self.stream, flush=True
        )


def pace(speed: float, unit: str) -> str:
    """How fast work goes: so many a second, or so many seconds each."""
    return f"{speed:,.0f} {unit or 'units'}/s" if speed >= 1 else f"{1 / speed:,.0f} s each"


class Lines:
    """One line when work ends, and one every half minute while it lasts."""

    def __init__(self, stream: TextIO, pause: float = 30.0) -> None:
        self.stream, self.pause = stream, pause

    def say(self, text: str) -> None:
        print(text, file=self.stream, flush=True)

    @contextmanager
    def task(self, name: str, total: int | None, unit: str = "") -> Iterator[Task]:
        line = Line(self.stream, name, total, unit, self.pause)
        yield line
        # Work of under a second needs no line of its own.
        if time.monotonic() - line.began >= 1:
            line.print()


class Drawn:
    """Bars with rate and time left, drawn by rich."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console

        self.console = Console(file=stream)

    def say(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False)

    @contextmanager
    def task(self, name: str, total: int | None, unit: str = "") -> Iterator[Task]:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bars

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
        )
        with Bars(*columns, console=self.console, transient=True) as bars:
            bar = bars.add_task(name, total=total, figures="", rate="")
            yield Bar(bars, bar, unit)


class Bar:
    def __init__(self, bars: object, number: object, unit: str) -> None:
        self.bars, self.number, self.unit = bars, number, unit

    def advance(self, count: int = 1, figures: str = "") -> None:
        bars, number = self.bars, self.number
        task = bars.tasks[bars.task_ids.index(number)]  # type: ignore[attr-defined]
        rate = pace(task.speed, self.unit) if task.speed else ""
        fields = {"figures": figures} if figures else {}
        bars.update(number, advance=count, rate=rate, **fields)  # type: ignore[attr-defined]
