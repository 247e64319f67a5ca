"""The matrix as one HTML file that needs nothing else: no script, no font, no network."""

from collections.abc import Iterator
from html import escape
from pathlib import Path

from legoc.proving.matrix import MEANING, RANK, Cell, Matrix
from legoc.training.files import write_text


STYLE = """
:root { color-scheme: light dark; --line: #8884; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.05rem; margin: 1.6rem 0 .4rem }
table { border-collapse: collapse } .wide { overflow-x: auto }
th { font-weight: 500; text-align: left; padding: 1px 6px; white-space: nowrap }
thead th { vertical-align: bottom; padding: 0 }
thead th div { writing-mode: vertical-rl; transform: rotate(180deg); padding: 4px 2px }
td { border: 1px solid var(--line); width: 1.5rem; height: 1.3rem; text-align: center; padding: 0;
     font-size: 11px }
.green { background: #2e9d58; color: #fff } .red { background: #d33a2c; color: #fff }
.open { background: #e8b93a; color: #000 } .illegal { background: #8882 }
.absent { border-color: transparent }
.key span { display: inline-block; padding: 0 .5rem; margin-right: .7rem; border-radius: 3px }
.key .absent { display: none }
dl { display: grid; grid-template-columns: max-content auto; gap: .1rem 1rem } dd { margin: 0 }
ol li { margin: .3rem 0 } code { font-size: 12px }
"""


def write_page(path: Path, matrix: Matrix) -> None:
    write_text(path, "\n".join(page(matrix)) + "\n")


def page(matrix: Matrix) -> Iterator[str]:
    """The lines of the page."""
    title = escape(f"legoc prove: {matrix.name}")
    yield "<!doctype html>"
    yield f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{STYLE}</style></head><body><h1>{title}</h1>"
    yield (
        "<p>What is green was built at small widths, trained two steps, exported, "
        "reloaded, and scored by torch and by onnxruntime, each with and without caches, on a "
        "small generated world. Hover over a cell for its reason.</p>"
    )
    yield from figures(matrix)
    yield '<p class="key">'
    yield from (f'<span class="{state}">{MEANING[state]}</span>' for state in RANK)
    yield "</p>"
    table = matrix.table()
    for encoder in matrix.encoders:
        users = [u for u in matrix.users if any(key[:2] == (encoder, u) for key in table)]
        yield f"<h2>content {escape(encoder)}</h2>"
        yield '<div class="wide"><table><thead><tr><th></th>'
        yield from (f"<th><div>{escape(name)}</div></th>" for name in matrix.predictors)
        yield "</tr></thead><tbody>"
        for user in users:
            cells = (table.get((encoder, user, predict)) for predict in matrix.predictors)
            yield f"<tr><th>{escape(user)}</th>{''.join(map(show, cells))}</tr>"
        yield "</tbody></table></div>"
    if matrix.failures:
        yield "<h2>Refuted</h2><ol>"
        for failure in matrix.failures:
            stages = " -&gt; ".join(escape(label) for label in failure["labels"].values())
            yield f"<li><code>{stages}</code><br>{escape(failure['reason'])}</li>"
        yield "</ol>"
    yield "</body></html>"


def show(cell: Cell | None) -> str:
    if cell is None:
        return '<td class="absent"></td>'
    stages = f"{cell.encoder} -> {cell.user} -> {cell.predict}"
    title = escape(f"{stages}: {cell.why or MEANING[cell.state]}", quote=True)
    count = str(cell.cases) if cell.cases > 1 else ""
    return f'<td class="{cell.state}" title="{title}">{count}</td>'


def figures(matrix: Matrix) -> Iterator[str]:
    """The counts, and what the proofs say together."""
    counts, facts = matrix.counts, matrix.facts
    rows = {
        "points of the file": f"{counts['points']:,}",
        "excluded by the file": f"{counts['excluded']:,}",
        "refused by the check": f"{counts['illegal']:,} "
        + " ".join(f"({code}: {n:,})" for code, n in sorted(matrix.dropped.items())),
        "legal": f"{counts['legal']:,}",
        "distinct architectures": f"{counts['architectures']:,}, {counts['cases']:,} with tasks",
        "proved": f"{counts['green']:,}",
        "refuted": f"{counts['red']:,}",
        "not proved yet": f"{counts['open']:,}",
    }
    if facts["largest difference"] is not None:
        rows["largest difference of the engines"] = f"{facts['largest difference']:.1e}"
    rows["graphs exported"] = (
        f"{facts['graphs exported']:,}; equal parts share one, with the weights of the first point "
        "that had it"
    )
    spent = ", ".join(f"{name} {seconds:,.0f} s" for name, seconds in facts["seconds"].items())
    if spent:
        rows["time"] = spent
    rows["code"] = matrix.code
    yield "<dl>"
    yield from (f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in rows.items())
    yield "</dl>"
    yield from (f"<p>Note: {escape(note)}.</p>" for note in matrix.notes)
