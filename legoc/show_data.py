"""What `legoc data` prints below the counts: distributions, lengths and warnings."""

from collections.abc import Sequence
from pathlib import Path

from legoc.data.staging.report import Report
from legoc.data.survey.page import render_page
from legoc.data.survey.portrait import Histogram, Portrait
from legoc.language.diagnosing.diagnostics import fail
from legoc.report import console, table
from legoc.show import write_whole


# How many bars of a text chart stand for the largest count.
BARS = " ▁▂▃▄▅▆▇█"


def show_portrait(portrait: Portrait) -> None:
    """The distributions as one line each, then what looks wrong."""
    out = console()
    rows = [
        (name, bars(h), f"{h.median:g}", f"{h.mean:.1f}", f"{h.largest:,}",
         f"{portrait.longer[name]:.1%}")
        for name, h in portrait.histories.items()
    ]  # fmt: skip
    columns = ("clicks before", "0, 1, 2–3, 4–7 ...", "median", "mean", "most", "cut")
    out.print(table("histories", columns, rows))
    popular = portrait.popularity
    tops = ", ".join(f"the top {k} have {share:.1%}" for k, share in portrait.top.items())
    out.print(
        f"clicks of an item in train: {bars(popular)}  median {popular.median:g}, "
        f"most {popular.largest:,}; {tops}"
    )
    if portrait.lengths:
        measured = (
            (n.name, f"{n.limit}", f"{n.median:g}", f"{n.most:,}", f"{n.cut:.1%}")
            for n in portrait.lengths
        )
        out.print(table("tokens", ("attribute", "limit", "median", "most", "cut"), measured))
    if portrait.words:
        known = (
            (name, f"{k.items:,}", f"{k.unknown:.1%}", f"{k.silent:.1%}")
            for name, k in portrait.words.items()
        )
        columns = ("part", "items with text", "unknown tokens", "items with no known token")
        out.print(table("words", columns, known))
    if portrait.vectors is not None:
        words, spoken = portrait.vectors
        out.print(f"word vectors: {words:.1%} of the vocabulary, {spoken:.1%} of the written words")
    for text in portrait.warnings:
        out.print(f"warning: {text}", style="yellow")


def bars(histogram: Histogram) -> str:
    """The counts as blocks; a range that holds anything shows at least the lowest."""
    most = max(histogram.counts, default=0) or 1
    steps = len(BARS) - 1
    return "".join(BARS[-(-n * steps // most)] for n in histogram.counts)


def write_page(path: str, sections: Sequence[tuple[str, Report, Portrait]]) -> None:
    """Write the page, whole or not at all. E0642 where that is not possible."""
    try:
        write_whole(path, render_page(sections))
    except OSError as error:
        raise fail(
            "E0642",
            f"`{path}` cannot be written ({error.strerror or error})",
            f"name a file in a folder that exists, such as `{Path(path).name or 'data.html'}`",
        ) from None
