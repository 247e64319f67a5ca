"""The portrait of prepared data as one HTML page that needs nothing else: no script, no link."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from legoc.data.staging.report import Report
from legoc.data.survey.portrait import Histogram, Portrait


# A chart is a row of bars on this canvas, with room below for the labels.
WIDTH, HEIGHT, BELOW = 360, 110, 34

STYLE = """
:root { color-scheme: light dark; --bar: #3b6ea5; --faint: #8884; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 64rem; }
body { margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; } td, th { padding: .2rem .8rem; text-align: right; }
td:first-child, th:first-child { text-align: left; } tr { border-bottom: 1px solid var(--faint); }
.charts { display: flex; flex-wrap: wrap; gap: 1.5rem; } figure { margin: 0; width: 310px; }
figcaption { font-size: .9rem; } svg { max-width: 100%; height: auto; } rect { fill: var(--bar); }
text { font: 9px system-ui, sans-serif; fill: currentColor; text-anchor: end; }
.warning { border-left: 4px solid #c77700; padding: .3rem .8rem; margin: .4rem 0; }
.dim { opacity: .75; font-size: .9rem; }
"""


def render_page(sections: Sequence[tuple[str, Report, Portrait]]) -> str:
    """A page with a section for each data set: its source as written, counts and portrait."""
    body = "\n".join(render_section(*section) for section in sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>legoc data</title><style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def render_section(title: str, report: Report, portrait: Portrait) -> str:
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{report.items:,} items, {report.users:,} users, {report.histories:,} histories "
        f"({report.empty_histories:,} empty)</p>",
        *(f'<p class="warning">{escape(text)}</p>' for text in portrait.warnings),
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
                name, figure,
                f"median {figure.median:g}, mean {figure.mean:.1f}, at most {figure.largest:,}; "
                f"{portrait.longer[name]:.1%} longer than what the spec reads",
            )
            for name, figure in portrait.histories.items()
        ),
        "</div>",
        "<h2>Clicks of an item in training</h2>",
        '<div class="charts">',
        chart(
            "items", portrait.popularity,
            f"median {portrait.popularity.median:g}, at most {portrait.popularity.largest:,}; "
            + ", ".join(f"the top {k} have {v:.1%} of the clicks" for k, v in portrait.top.items()),
        ),
        "</div>",
        *attributes(report, portrait),
        *losses(report),
        *(f'<p class="dim">{escape(note)}</p>' for note in (*report.notes, report.licence) if note),
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
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def line(tag: str, cells: Sequence[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return "<table>" + line("th", columns) + "".join(line("td", row) for row in rows) + "</table>"


def chart(name: str, histogram: Histogram, said: str) -> str:
    """Bars as inline SVG, the tallest over the whole height, each with its label and count."""
    count = len(histogram.counts)
    step = WIDTH / max(count, 1)
    tallest = max(histogram.counts, default=0) or 1
    bars: list[str] = []
    labels: Mapping[int, str] = dict(enumerate(histogram.labels))
    for place, value in enumerate(histogram.counts):
        height = HEIGHT * value / tallest
        middle = step * (place + 0.5)
        bars.append(
            f'<rect x="{step * place + 1:.1f}" y="{HEIGHT - height:.1f}" width="{step - 2:.1f}" '
            f'height="{height:.1f}"><title>{escape(labels[place])}: {value:,}</title></rect>'
            f'<text x="{middle + 4:.1f}" y="{HEIGHT + 10}" transform="rotate(-35 {middle + 4:.1f} '
            f'{HEIGHT + 10})">{escape(labels[place])}</text>'
        )
    return (
        f'<figure><svg viewBox="0 -4 {WIDTH} {HEIGHT + BELOW}" width="{WIDTH}" role="img" '
        f'aria-label="{escape(name)}">{"".join(bars)}</svg>'
        f"<figcaption><b>{escape(name)}</b>: {escape(said)}</figcaption></figure>"
    )
