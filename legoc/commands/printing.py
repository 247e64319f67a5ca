"""Results as the heavy commands print them: tables and figures for people, JSON for machines."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    # rich costs as much as the whole help of a command.
    from rich.console import Console
    from rich.table import Table


def console(*, aside: bool = False) -> "Console":
    """Results go to standard output, what stands beside them (`aside`) to standard error; markup is
    off because names hold brackets."""
    from rich.console import Console

    stream = sys.stderr if aside else sys.stdout
    # A file or pipe has no width: tables take the room their figures need.
    width = None if stream.isatty() else 160
    made = Console(file=stream, markup=False, highlight=False, soft_wrap=True, width=width)
    made.on_broken_pipe = raise_unread
    return made


def raise_unread() -> None:
    """Rich would end the process itself, with a code of its own."""
    raise BrokenPipeError


def print_json(value: Any) -> None:
    print(write_json(value, indent=1))


def write_json(value: Any, indent: int | None = None) -> str:
    """JSON that standard output can hold: letters as they are where it is UTF-8, else escaped."""
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("_", "-")
    return json.dumps(value, indent=indent, ensure_ascii=encoding not in ("utf-8", "utf8"))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> "Table":
    """A table whose first column is names and whose others are figures."""
    from rich.table import Table

    made = Table(title=title, title_justify="left", title_style="bold")
    for place, column in enumerate(columns):
        made.add_column(column, justify="left" if place == 0 else "right", no_wrap=place == 0)
    for row in rows:
        made.add_row(*row)
    return made


def count(number: float) -> str:
    """A count as a person reads it: 12,345, then 1.23 M."""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if number >= size:
            return f"{number / size:.2f} {unit}"
    return f"{number:,.0f}"


def memory(size: float) -> str:
    for limit, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= limit:
            return f"{size / limit:.1f} {unit}"
    return f"{size:.0f} B"


def figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def show_warnings(warnings: Sequence[str], *, aside: bool = False) -> None:
    """What a reader of results has to know, a sentence a line: below them, or `aside` where
    standard output is for machines."""
    if not warnings:
        return
    out = console(aside=aside)
    for text in warnings:
        out.print(f"warning: {text}", style="yellow")


def show_ports(out: "Console", graph: Mapping[str, Any]) -> None:
    """A line per tensor of a graph, inputs first."""
    ports = [("reads", p) for p in graph["inputs"]] + [("gives", p) for p in graph["outputs"]]
    width = max(len(port["name"]) for _, port in ports)
    for side, port in ports:
        dims = ", ".join(map(str, port["dims"]))
        out.print(f"    {side}  {port['name']:<{width}}  {port['dtype']}[{dims}]", style="dim")
