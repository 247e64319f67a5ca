"""The portrait of prepared data as one HTML page that needs nothing else: no script, no link."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

from legoc import __version__
from legoc.data.staging.report import Report
from legoc.data.survey.bars import chart
from legoc.data.survey.portrait import Portrait
from legoc.language.diagnosing.paths import shorten_paths


# A word of light and one of dark ground; what tells bars apart is their length and their number.
STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1c1e; --dim: #55585e; --line: #c3c6cc;
  --bar: #0072b2; --warn: #b34700; --shade: #f4f5f7 }
@media screen and (prefers-color-scheme: dark) { :root { --paper: #16181b; --ink: #e8e9eb;
  --dim: #a9adb5; --line: #4a4e55; --bar: #56b4e9; --warn: #ff9d52; --shade: #1f2226 } }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: var(--ink);
  background: var(--paper); max-width: 70rem; margin: 0 auto; padding: 1rem 14px 3rem;
  overflow-wrap: anywhere }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1rem 0 .4rem }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem } p { max-width: 46rem; margin: .5rem 0 }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: .92rem;
  font-variant-numeric: tabular-nums } th, td { padding: .25rem .7rem; text-align: right;
  border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: normal }
thead th { border-bottom: 2px solid var(--ink) } tbody th { font-weight: 500 }
td:first-child, th:first-child, .word { text-align: left }
.charts { display: flex; flex-wrap: wrap; gap: 1.5rem 2rem } figure { margin: 0; width: 364px;
  max-width: 100% } figcaption { font-size: .92rem; margin-bottom: .3rem }
svg { display: block; max-width: 100%; height: auto } rect { fill: var(--bar) }
text { font: 11px Arial, Helvetica, sans-serif; fill: var(--ink) } .axis { fill: var(--dim) }
.warning { border-left: 4px solid var(--warn); background: var(--shade); padding: .3rem .8rem }
.dim { color: var(--dim); font-size: .9rem }
@media print { body { font-size: 10.5pt; max-width: none; padding: 0 } .wide { overflow: visible }
  figure, tr, .warning { break-inside: avoid } h1, h2 { break-after: avoid } }
"""


def render_page(
    sections: Sequence[tuple[str, Report, Portrait]], when: datetime | None = None
) -> str:
    """A page with a section for each data set: its source as written, counts and portrait. when:
    the time that it says it was written, now unless it is given."""
    written = f"{when or datetime.now(UTC):%Y-%m-%d %H:%M} UTC by legoc {__version__}"
    body = "\n".join(render_section(*section) for section in sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>legoc data</title><style>{STYLE}</style></head>\n<body>\n{body}\n"
        f'<footer class="dim"><p>Written {written}.</p></footer>\n</body></html>\n'
    )


def render_section(title: str, report: Report, portrait: Portrait) -> str:
    parts = [
        f"<h1>{text(title)}</h1>",
        f"<p>{report.items:,} items, {report.users:,} users, {report.histories:,} histories "
        f"({report.empty_histories:,} empty)</p>",
        *(f'<p class="warning"><b>Warning:</b> {text(said)}</p>' for said in portrait.warnings),
        "<h2>Splits</h2>",
        table(
            ("split", "impressions", "rows", "clicks", "users", "cold", "cold rows", "one class",
             "new items"),
            (
                (name, *(f"{n:,}" for n in (p.impressions, p.rows, p.clicks, p.users, p.cold)),
                 f"{p.cold_rows / p.rows:.1%}", f"{p.one_class:,}", f"{p.new_items:.1%}")
                for name, p in report.parts.items()
            ),
        ),
        "<h2>Clicks before an impression</h2>",
        '<div class="charts">',
        *(
            chart(
                name, figure, ("clicks before", "impressions"),
                f"median {figure.median:g}, mean {figure.mean:.1f}, at most {figure.largest:,}; "
                f"{portrait.longer[name]:.1%} longer than what the spec reads",
            )
            for name, figure in portrait.histories.items()
        ),
        "</div>",
        "<h2>Clicks of an item in training</h2>",
        '<div class="charts">',
        chart(
            "items", portrait.popularity, ("clicks of an item", "items"),
            f"median {portrait.popularity.median:g}, at most {portrait.popularity.largest:,}; "
            + ", ".join(f"the top {k} have {v:.1%} of the clicks" for k, v in portrait.top.items()),
        ),
        "</div>",
        *attributes(report, portrait),
        *losses(report),
        *(f'<p class="dim">{text(note)}</p>' for note in (*report.notes, report.licence) if note),
    ]  # fmt: skip
    return "\n".join(parts)


def attributes(report: Report, portrait: Portrait) -> Iterable[str]:
    """Coverage of every attribute, and the lengths of those the spec reads."""
    if not report.coverage:
        return
    lengths = {length.name: length for length in portrait.lengths}
    yield "<h2>Attributes</h2>"
    yield table(
        ("attribute", "items with a value", "limit", "median length", "longest", "cut"),
        (
            (name, f"{share:.1%}")
            + (
                (f"{lengths[name].limit}", f"{lengths[name].median:g}", f"{lengths[name].most:,}",
                 f"{lengths[name].cut:.1%}")
                if name in lengths
                else ("", "", "", "")
            )
            for name, share in report.coverage.items()
        ),
    )  # fmt: skip
    if portrait.words:
        yield "<h2>Words</h2>"
        yield table(
            ("part", "items with text", "unknown tokens", "items with no known token"),
            (
                (name, f"{known.items:,}", f"{known.unknown:.1%}", f"{known.silent:.1%}")
                for name, known in portrait.words.items()
            ),
        )
    if portrait.context:
        yield "<h2>Numbers of the moment</h2>"
        yield table(
            ("part", "number", "mean", "rows where it is 0"),
            (
                (part, number.name, f"{number.mean:.4g}", f"{number.zero:.1%}")
                for part, numbers in portrait.context.items()
                for number in numbers
            ),
        )
    if portrait.vectors is not None:
        words, spoken = portrait.vectors
        yield (
            f"<p>{words:.1%} of the vocabulary and {spoken:.1%} of the written words have a word "
            "vector.</p>"
        )


def losses(report: Report) -> Iterable[str]:
    yield "<h2>What is not as it should be</h2>"
    if not report.drops:
        yield "<p>Nothing was dropped.</p>"
        return
    yield table(
        ("what", "where", "how many", "what became of it", "first"),
        ((d.reason, d.part, f"{d.count:,}", d.policy, "; ".join(d.examples)) for d in report.drops),
        words=(1, 3, 4),
    )


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, words: Sequence[int] = ()
) -> str:
    """A table in a box that scrolls by itself; the first cell of a row names it. words: further
    columns of words."""

    kind = [' class="word"' if place in words else "" for place in range(len(columns))]

    def line(row: Sequence[str]) -> str:
        cells = zip(kind[1:], row[1:], strict=True)
        others = "".join(f"<td{own}>{text(cell)}</td>" for own, cell in cells)
        return f'<tr><th scope="row">{text(row[0])}</th>{others}</tr>'

    titles = zip(kind, columns, strict=True)
    head = "".join(f'<th scope="col"{own}>{text(column)}</th>' for own, column in titles)
    return (
        f'<div class="wide" tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(map(line, rows))}</tbody></table></div>"
    )


def text(said: str) -> str:
    """A text as the page has it: without the folders of the machine."""
    return escape(shorten_paths(said))
