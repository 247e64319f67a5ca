"""Figures of a table that say nothing of a model, marked and explained below it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from legoc.evaluation.marks import MARK, reasons
from legoc.experiments.free import read_reports
from legoc.experiments.systems import System
from legoc.experiments.table import DOUBT, Table


def put_doubts(table: Table, systems: Sequence[System]) -> Table:
    """The table with what its figures of each system do not say, as training has found it."""
    doubted = find_doubted(systems, table.part, table.metrics)
    return replace(table, doubted=doubted, notes=(*table.notes, *doubt_lines(doubted)))


def find_doubted(
    systems: Sequence[System], part: str, metrics: Sequence[str]
) -> dict[str, Mapping[str, str]]:
    """The metrics whose figures say nothing, by system, with the reason."""
    found: dict[str, Mapping[str, str]] = {}
    for system in systems:
        reports = read_reports(system, part)
        marks = reports[0].get("marks", {}) if reports else {}
        shown = {metric: why for metric, why in marks.items() if metric in metrics}
        if shown:
            found[system.name] = shown
    return found


def doubt_lines(doubted: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Each reason once, with the systems it is of."""
    found: dict[str, list[str]] = {}
    for name, marks in doubted.items():
        for line in reasons(marks):
            found.setdefault(line.replace(MARK, DOUBT, 1), []).append(name)
    return [f"{line} ({', '.join(names)})" for line, names in found.items()]
