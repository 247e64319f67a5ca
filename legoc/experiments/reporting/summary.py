"""The head of the page: what it is of, and in sentences what follows from it."""

from collections.abc import Sequence
from datetime import datetime

from legoc import __version__
from legoc.experiments.free import Standing
from legoc.experiments.reporting.markup import folded, items, paragraph, plain, said, section
from legoc.experiments.reporting.material import Material


# Sentences that are read before one has to unfold the rest.
SHOWN = 8


def write_head(material: Material, title: str, when: datetime) -> str:
    table = material.table
    runs = sum(len(system.results) for system in material.systems)
    told = [
        f"{count(runs, 'run')} of {count(len(material.systems), 'system')}, measured on "
        f"{table.part}: {table.groups:,} {table.group}s of {table.users:,} users"
        if table.users
        else f"{count(runs, 'run')} of {count(len(material.systems), 'system')}, measured on "
        f"{table.part}: {table.groups:,} {table.group}s",
        *(f"data {plain(data.source)}, digest {data.digest[:12]}" for data in material.data),
        stamp(material, when),
    ]
    return f"<header><h1>{plain(title)}</h1>{''.join(map(paragraph, told))}</header>"


def stamp(material: Material, when: datetime) -> str:
    """When a page was written, and by which versions its runs were made."""
    return (
        f"written {when:%Y-%m-%d %H:%M} UTC by legoc {__version__}; the runs were made with "
        + "; ".join(versions(material))
    )


def versions(material: Material) -> list[str]:
    """The versions that made the runs, each set of them once."""
    found: dict[str, None] = {}
    for system in material.systems:
        for result in system.results:
            known = result.run.environment.get("versions", {})
            told = [f"{name} {known[name]}" for name in ("legoc", "torch", "onnxruntime")
                    if name in known]  # fmt: skip
            found[plain(", ".join(told) or "versions that were not kept")] = None
    return list(found)


def write_summary(material: Material) -> str:
    """Which differences are real, who beats what costs nothing, and what to doubt."""
    parts: list[str] = []
    if material.compared:
        parts += ["<h3>Which differences are real</h3>", write_verdicts(material)]
    elif len(material.systems) == 1:
        parts.append(paragraph("One system alone: there is nothing to compare it with."))
    else:
        parts.append(paragraph(
            "No metric of all systems adds up from groups, so differences cannot be tested."
        ))  # fmt: skip
    if material.standings:
        parts += ["<h3>Against what costs nothing</h3>", write_standings(material.standings)]
    warnings = [f"<b>Warning:</b> {said(text)}" for text in material.table.warnings]
    if warnings:
        parts.append(items(warnings, "warnings"))
    return section("summary", "In short", *parts)


def write_verdicts(material: Material) -> str:
    """The sentences of `legoc compare`, those of real differences first."""
    found = material.contrasts
    order = {metric: place for place, metric in enumerate(material.table.metrics)}
    lines = [
        f"<b>{plain(each.metric)}:</b> {plain(each.verdict())}"
        for each in sorted(found, key=lambda each: (not each.real, order[each.metric]))
    ]
    real = sum(each.real for each in found)
    first = found[0]
    basis = (
        f"Paired comparison over {first.clusters:,} users: intervals by bootstrap, p by "
        f"permutation, corrected (Holm) over {count(len(found), 'comparison')}. “Not "
        "distinguishable” does not say equal: the intervals say how much may still lie between."
    )
    total = paragraph(f"{real} of {count(len(found), 'comparison')} show a real difference.")
    return (total if len(found) > SHOWN else "") + listed(lines) + paragraph(basis, "dim")


def listed(lines: Sequence[str]) -> str:
    """Sentences, the first of which are read before one unfolds the rest."""
    more = len(lines) - SHOWN
    rest = folded(f"{more} more", items(lines[SHOWN:])) if more > 0 else ""
    return items(lines[:SHOWN], "verdicts") + rest


def write_standings(standings: Sequence[Standing]) -> str:
    lines = [said(each.sentence()) for each in standings]
    basis = (
        "By means over seeds, and not by a test: free baselines are counted and keep no values "
        "per group."
    )
    return listed(lines) + paragraph(basis, "dim")


def count(number: int, name: str) -> str:
    return f"{number:,} {name}" if number == 1 else f"{number:,} {name}s"
