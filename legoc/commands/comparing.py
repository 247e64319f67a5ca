"""What counting alone reaches, beside what was trained."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from legoc.commands.printing import figure, show_warnings, table


if TYPE_CHECKING:
    from rich.console import Console

    from legoc.language.ir.spec import Spec

Reported = Mapping[str, Any]
# Models of which each has its own lines.
FEW = 3


def show_baselines(
    out: "Console", reports: Sequence[tuple[str, Reported]], specs: Sequence["Spec"] = ()
) -> None:
    """One table of models measured on the same rows with the counted ones below them: each metric
    over all rows, then the one that decides on each part; and a line for each model that does not
    beat them, with what to write where its spec is at hand. The reports are in JSON's types."""
    from legoc.evaluation.baselines import deciding_metric, find_remedy

    _, first = reports[0]
    metrics, slices = list(first["metrics"]), list(first["slices"])
    decides = deciding_metric(first) or metrics[0]
    cells = [(name, "all") for name in metrics] + [(decides, part) for part in slices]
    columns = [name if part == "all" else f"{name}, {part}" for name, part in cells]
    counted = list(first["baselines"].items())
    rows = [
        (name, *(cell(found, metric, part) for metric, part in cells))
        for name, found in [*reports, *counted]
    ]
    title = f"beside what counting alone reaches on {first['split']}"
    out.print(table(title, ("model", *columns), rows))
    unknown = {name for _, found in counted for name, v in found["metrics"].items() if v is None}
    if any(first["metrics"][name] is not None for name in unknown & first["metrics"].keys()):
        out.print("-: what is counted orders items, and is no probability", style="dim")
    show_warnings(beaten_lines(reports))
    remedies = [
        remedy
        for spec, (_, found) in zip(specs, reports, strict=False)
        if (remedy := find_remedy(spec, found)) is not None
    ]
    for line in dict.fromkeys(remedies):
        out.print(line, style="dim")


def beaten_lines(reports: Sequence[tuple[str, Reported]]) -> list[str]:
    """A line for each model and part where a counted one is as good; one for all of them together
    where they are many."""
    from legoc.evaluation.baselines import WHERE, find_beaten

    found = [(name, each) for name, report in reports for each in find_beaten(report)]
    if len(reports) <= FEW:
        return [f"{name}: {each.sentence()}" for name, each in found]
    together: dict[tuple[str, str, str, float], list[float]] = {}
    for _, each in found:
        key = (each.part, each.best, each.metric, each.theirs)
        together.setdefault(key, []).append(each.ours)
    return [
        f"{best} ranks {'as well as or ' * (theirs in ours)}better than {len(ours)} of "
        f"{len(reports)} runs{WHERE.get(part, f', {part}')}: {metric} {theirs:.4f} against "
        f"{min(ours):.4f} to {max(ours):.4f}"
        for (part, best, metric, theirs), ours in together.items()
    ]


def cell(found: Reported, metric: str, part: str) -> str:
    """The figure of a metric on a part, with the mark where it says nothing of the model."""
    from legoc.evaluation.marks import MARK

    figures = found["metrics"] if part == "all" else found["slices"].get(part, {})
    return figure(figures.get(metric)) + MARK * (metric in marks_of(found))


def marks_of(found: Reported) -> Mapping[str, str]:
    """The metrics of a report that say nothing; one that was written before there were marks, and
    a counted model, have none."""
    return found.get("marks", {})
