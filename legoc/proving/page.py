"""The matrix as one HTML file that needs nothing else: no script, no font, no network."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from legoc import __version__
from legoc.language.diagnosing.paths import shorten_paths
from legoc.proving.matrix import MEANING, RANK, Cell, Matrix, State
from legoc.training.files import write_text


# Each state has its sign, so that none hangs on a colour; the colours are those of Okabe and Ito.
SIGNS: Mapping[State, str] = {"green": "✓", "red": "✗", "open": "?", "illegal": "·", "absent": ""}
STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1c1e; --dim: #55585e; --line: #c3c6cc;
  --yes: #0072b2; --no: #b34700; --grey: #ececef }
@media screen and (prefers-color-scheme: dark) { :root { --paper: #16181b; --ink: #e8e9eb;
  --dim: #a9adb5; --line: #4a4e55; --grey: #26292e } }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: var(--ink);
  background: var(--paper); margin: 0 auto; max-width: 78rem; padding: 1rem 14px 3rem;
  overflow-wrap: anywhere }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin: 1.8rem 0 .4rem } p { max-width: 46rem }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: .9rem }
th { font-weight: 500; text-align: left; padding: 2px 8px; white-space: nowrap;
  overflow-wrap: normal } tbody th { position: sticky; left: 0; background: var(--paper) }
thead th { vertical-align: bottom; padding: 2px 0 }
thead th span { writing-mode: vertical-rl; transform: rotate(180deg); padding: 4px 2px }
thead th.corner { padding: 2px 8px; color: var(--dim); font-weight: 400 }
td { border: 1px solid var(--line); min-width: 1.9rem; height: 1.7rem; text-align: center;
  padding: 0 2px; white-space: nowrap } small { font-size: .72rem }
.green { background: var(--yes); color: #fff } .red { background: var(--no); color: #fff;
  font-weight: 700; border: 3px double #fff } .open { border: 2px dashed var(--ink) }
.illegal { background: var(--grey); color: var(--dim) } td.absent { border-color: transparent }
.key { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .4rem 1.4rem }
.key b { display: inline-block; width: 1.9rem; text-align: center; margin-right: .5rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; font-size: .92rem }
dt { color: var(--dim) } dd { margin: 0 } li { margin: .3rem 0; max-width: 60rem }
code { font-size: .9em } summary { cursor: pointer }
@media (max-width: 520px) { dl { grid-template-columns: 1fr } dd { margin-bottom: .3rem } }
@media print { * { print-color-adjust: exact; -webkit-print-color-adjust: exact }
  body { font-size: 10pt; max-width: none; padding: 0 } .wide { overflow: visible }
  table { font-size: 7.5pt } td { min-width: 1.3rem } tr, li { break-inside: avoid }
  h2 { break-after: avoid } tbody th { position: static } }
"""


def write_page(path: Path, matrix: Matrix) -> None:
    write_text(path, "\n".join(page(matrix)) + "\n")


def page(matrix: Matrix, when: datetime | None = None) -> Iterator[str]:
    """The lines of the page. when: the time that it says it was written, now unless it is given."""
    title = text(f"legoc prove: {matrix.name}")
    yield "<!doctype html>"
    yield f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{STYLE}</style></head><body><h1>{title}</h1>"
    yield (
        "<p>What is proved was built at small widths, trained two steps, exported, "
        "reloaded, and scored by torch and by onnxruntime, each with and without caches, on a "
        "small generated world. A number is that of the architectures and tasks of a cell.</p>"
    )
    yield from figures(matrix, when or datetime.now(UTC))
    yield '<ul class="key">'
    yield from (
        f'<li><b class="{state}">{SIGNS[state]}</b>{MEANING[state]}</li>'
        for state in RANK
        if state != "absent"
    )
    yield "</ul>"
    if matrix.failures:
        yield "<h2>Refuted</h2><ol>"
        for failure in matrix.failures:
            stages = text(" -> ".join(failure["labels"].values()))
            yield f"<li><code>{stages}</code><br>{text(failure['reason'])}</li>"
        yield "</ol>"
    for encoder in matrix.encoders:
        yield from grid(matrix, encoder)
    yield from refusals(matrix)
    yield "</body></html>"


def grid(matrix: Matrix, encoder: str) -> Iterator[str]:
    """One content stage: its behaviors below one another, the predictors that it meets beside."""
    table = matrix.table()
    met = {key[1:] for key in table if key[0] == encoder}
    users = [user for user in matrix.users if any(user == own for own, _ in met)]
    predictors = [name for name in matrix.predictors if any(name == own for _, own in met)]
    yield f"<h2>content {text(encoder)}</h2>"
    yield f'<div class="wide" tabindex="0" role="region" aria-label="content {text(encoder)}">'
    yield '<table><thead><tr><th scope="col" class="corner">behavior ↓ predict →</th>'
    yield from (f'<th scope="col"><span>{text(name)}</span></th>' for name in predictors)
    yield "</tr></thead><tbody>"
    for user in users:
        cells = (table.get((encoder, user, predict)) for predict in predictors)
        yield f'<tr><th scope="row">{text(user)}</th>{"".join(map(show, cells))}</tr>'
    yield "</tbody></table></div>"


def show(cell: Cell | None) -> str:
    if cell is None:
        return '<td class="absent"></td>'
    stages = f"{cell.encoder} -> {cell.user} -> {cell.predict}"
    title = text(f"{stages}: {cell.why or MEANING[cell.state]}")
    count = f" <small>{cell.cases}</small>" if cell.cases > 1 else ""
    return f'<td class="{cell.state}" title="{title}">{SIGNS[cell.state]}{count}</td>'


def refusals(matrix: Matrix) -> Iterator[str]:
    """Why the check refuses what it refuses, for those who cannot hover over a cell."""
    found = Counter(cell.why for cell in matrix.cells if cell.state == "illegal" and cell.why)
    if not found:
        return
    yield "<h2>Refused by the check</h2><details><summary>the reasons, with their cells</summary>"
    yield "<ul>"
    yield from (f"<li>{text(why)}: {count:,}</li>" for why, count in found.most_common())
    yield "</ul></details>"


def text(said: str) -> str:
    """A text as the page has it: without the folders of the machine."""
    return escape(shorten_paths(said))


def figures(matrix: Matrix, when: datetime) -> Iterator[str]:
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
    rows["written"] = f"{when:%Y-%m-%d %H:%M} UTC by legoc {__version__}"
    yield "<dl>"
    yield from (f"<dt>{text(k)}</dt><dd>{text(v)}</dd>" for k, v in rows.items())
    yield "</dl>"
    yield from (f"<p>Note: {text(note)}.</p>" for note in matrix.notes)
