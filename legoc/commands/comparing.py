"""What counting alone reaches, beside what was trained."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from legoc.commands.printing import figure, show_warnings, table


if TYPE_CHECKING:
    from rich.console import Console

Reported = Mapping[str, Any]


def show_baselines(out: "Console", reports: Sequence[tuple[str, Reported]]) -> None:
    """One table of models measured on the same rows with the counted ones below them: each metric
    over all rows, then the first one on each part; and a line for each model that does not beat
    them. The reports are in JSON's types."""
    from legoc.evaluation.baselines import find_better

    _, first = reports[0]
    metrics, slices = list(first["metrics"]), list(first["slices"])
    columns = [*metrics, *(f"{metrics[0]}, {name}" for name in slices)]
    counted = [(name, found) for name, found in first["baselines"].items()]
    rows = [
        (name, *(figure(value) for value in figures(found, metrics, slices)))
        for name, found in [*reports, *counted]
    ]
    title = f"beside what counting alone reaches on {first['split']}"
    out.print(table(title, ("model", *columns), rows))
    show_warnings([f"{name}: {line}" for name, found in reports for line in find_better(found)])


def figures(found: Reported, metrics: Sequence[str], slices: Sequence[str]) -> Iterator[Any]:
    for name in metrics:
        yield found["metrics"].get(name)
    for part in slices:
        yield found["slices"].get(part, {}).get(metrics[0])
