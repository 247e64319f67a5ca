"""Points that have no figures, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from legoc.experiments.blocks import bare_name
from legoc.experiments.listing import Entry, explain_point
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Spec


NOT_TRAINED = "no run"
# Rows that a sentence has room for.
SHOWN = 4


@dataclass(frozen=True, kw_only=True)
class Absent:
    """A cell that stays empty: the row and the data set, and a phrase that says why."""

    name: str
    data: str
    why: str


def explain_absent(spec: Spec, data: str, entries: Sequence[Entry]) -> Absent:
    """Why a point has no run: its data or its model is not on this machine, or what `legoc runs`
    says."""
    why = explain_point(spec, entries)
    if why.startswith(NOT_TRAINED):
        why = lacking_data(spec) or lacking_model(spec) or why
    return Absent(name=bare_name(spec.name), data=data, why=why)


def lacking_data(spec: Spec) -> str | None:
    """What is said of raw files that are not here."""
    from legoc.data.cache import cache_root
    from legoc.data.prepare import build_source
    from legoc.language.diagnosing.paths import shorten_paths
    from legoc.language.ir.notation import write_call

    if spec.data.source.op == "Demo":
        return None  # made when it is asked for
    try:
        files = build_source(spec.data, cache_root(None)).files()
        here = all(path.exists() for path in files)
    except LegoError:
        here = False
    written = shorten_paths(write_call("source", spec.data.source))
    return None if here else f"{written} is not on this machine"


def lacking_model(spec: Spec) -> str | None:
    """What is said of a language model that is not here."""
    from legoc.data.reading.model_hub import find_download
    from legoc.language.ir.checkpoints import reading_model

    found = reading_model(spec)
    if found is None or found[1].hub is None or find_download(found[1].hub) is not None:
        return None
    return f"{found[1].hub} is not on this machine"


def list_absent(absent: Sequence[Absent], rows: Sequence[str]) -> list[str]:
    """A sentence for each reason, with the cells it is of. rows: all names, so that a data set
    without any figure is told as such."""
    found: dict[str, dict[str, list[str]]] = {}
    for each in absent:
        own = found.setdefault(each.why, {}).setdefault(each.data, [])
        if each.name not in own:
            own.append(each.name)
    lines: list[str] = []
    for why, cells in found.items():
        together: dict[tuple[str, ...], list[str]] = {}
        for data, names in cells.items():
            together.setdefault(tuple(names), []).append(data)
        told = "; ".join(
            f"{name_rows(names, rows)} on {', '.join(data)}" for names, data in together.items()
        )
        lines.append(f"empty: {told}: {why}")
    return lines


def name_rows(names: Sequence[str], rows: Sequence[str]) -> str:
    """Some rows, as many as a line has room for."""
    if len(names) > 1 and {*rows} <= {*names}:
        return "every row"
    more = len(names) - SHOWN
    told = ", ".join(names[:SHOWN] if more > 1 else names)
    return f"{told} and {more} more" if more > 1 else told
