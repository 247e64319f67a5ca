"""What data the runs of a page read, as `legoc data` tells it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from legoc.data.prepare import prepare
from legoc.data.staging.report import Report
from legoc.data.survey.portrait import find_warnings
from legoc.experiments.results import Result
from legoc.experiments.systems import System
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.notation import write_call
from legoc.progress import SILENT, Progress


@dataclass(frozen=True, kw_only=True)
class DataRead:
    """One data set as some systems read it. report: None where it cannot be told now, and `why`."""

    source: str
    split: str
    digest: str
    systems: tuple[str, ...]
    report: Report | None = None
    warnings: tuple[str, ...] = ()
    why: str = ""


def find_data(
    systems: Sequence[System], cache: str | Path | None, progress: Progress = SILENT
) -> list[DataRead]:
    """Each state of the data once. Only what the runs were measured on is told: where the files
    have changed since, or are not here, that is said instead."""
    firsts: dict[str, Result] = {}
    named: dict[str, list[str]] = {}
    for system in systems:
        digest = system.results[0].about["data"]
        firsts.setdefault(digest, system.results[0])
        named.setdefault(digest, []).append(system.name)
    return [
        read(result, tuple(named[digest]), cache, progress) for digest, result in firsts.items()
    ]


def read(
    result: Result, systems: tuple[str, ...], cache: str | Path | None, progress: Progress
) -> DataRead:
    spec, digest = result.spec, result.about["data"]
    report, warnings, why = None, (), ""
    try:
        # Files that break off were accepted when the runs were made, or are refused by the digest.
        prepared = prepare(spec, cache=cache, truncated=True, progress=progress)
        if prepared.digest == digest:
            report, warnings = prepared.report, find_warnings(spec, prepared)
        else:
            why = f"the files have changed: their digest is now {prepared.digest[:12]}"
    except LegoError as error:
        why = f"they cannot be read here: {error.diagnostics[0].message}"
    return DataRead(
        source=write_call("source", spec.data.source), split=write_call("split", spec.data.split),
        digest=digest, systems=systems, report=report, warnings=warnings, why=why,
    )  # fmt: skip


def counts(report: Report) -> Iterator[tuple[str, ...]]:
    """A row per split under its titles, which come first."""
    grouped = report.group != "user"
    groups = (f"{report.group}s",) if grouped else ()
    yield ("split", *groups, "users", "rows", "clicks", "without clicks before", "new items")
    for name, part in report.parts.items():
        found = (f"{part.groups:,}",) if grouped else ()
        yield (
            name, *found, f"{part.users:,}", f"{part.rows:,}", f"{part.clicks:,}",
            f"{part.cold:,}", f"{part.new_items:.1%}",
        )  # fmt: skip
