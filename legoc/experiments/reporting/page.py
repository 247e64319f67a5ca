"""The page of runs: one HTML file that needs nothing else, at any width and on paper."""

from datetime import UTC, datetime
from html import escape

from legoc.experiments.reporting.details import (
    write_colophon,
    write_courses,
    write_data,
    write_reliability,
    write_specs,
)
from legoc.experiments.reporting.figures import write_table
from legoc.experiments.reporting.material import Material
from legoc.experiments.reporting.pictures import write_costs, write_forests, write_slices
from legoc.experiments.reporting.summary import write_head, write_summary
from legoc.language.diagnosing.paths import shorten_paths


# Colours of Okabe and Ito, those that stand out on white first; on dark ground the lighter ones.
STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1c1e; --dim: #55585e; --grid: #d9dbdf;
  --line: #c3c6cc; --shade: #f4f5f7; --warn: #b34700;
  --c1: #0072b2; --c2: #d55e00; --c3: #00805d; --c4: #a8527e; --c5: #b07800; --c6: #3a3d42 }
@media screen and (prefers-color-scheme: dark) { :root { --paper: #16181b; --ink: #e8e9eb;
  --dim: #a9adb5; --grid: #3a3d43; --line: #4a4e55; --shade: #1f2226; --warn: #ff9d52;
  --c1: #56b4e9; --c2: #e69f00; --c3: #2fc79a; --c4: #e29bc2; --c5: #f0e442; --c6: #d5d7db } }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: var(--ink);
  background: var(--paper); margin: 0 auto; max-width: 74rem; padding: 1rem 14px 3rem;
  overflow-wrap: anywhere }
header p { margin: .15rem 0; color: var(--dim); font-size: .92rem }
h1 { font-size: 1.6rem; line-height: 1.2; margin: .4rem 0 .6rem }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem; border-bottom: 1px solid var(--line) }
h3 { font-size: 1rem; margin: 1rem 0 .3rem }
p { margin: .5rem 0; max-width: 46rem } li { margin: .15rem 0; max-width: 46rem }
ul { margin: .4rem 0; padding-left: 1.2rem }
.dim, .legend, .key, caption { color: var(--dim); font-size: .88rem }
.legend, .key, .warnings, .verdicts { list-style: none; padding: 0 }
.warnings li { border-left: 4px solid var(--warn); padding: .25rem .7rem; margin: .4rem 0;
  background: var(--shade) }
.wide { overflow-x: auto; margin: .6rem 0 } .wide:focus-visible { outline: 2px solid var(--c1) }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums }
caption { text-align: left; padding-bottom: .3rem }
th, td { padding: .28rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: normal }
thead th { border-bottom: 2px solid var(--ink); white-space: nowrap }
.word { text-align: left } .figure { text-align: right; white-space: nowrap }
tbody th { font-weight: 500; min-width: 6rem; max-width: 16rem } td.word { min-width: 7rem }
.free th, .free td { font-style: italic; color: var(--dim) }
.interval { display: block; font-size: .8rem; color: var(--dim) }
u { text-decoration-thickness: 2px; text-underline-offset: 3px }
.figures { display: flex; flex-wrap: wrap; gap: 1.4rem 1.8rem; margin: .8rem 0 }
figure { margin: 0; width: 364px; max-width: 100% } figcaption { margin-bottom: .35rem;
  font-size: .92rem }
svg text { paint-order: stroke; stroke: var(--paper); stroke-width: 3px }
svg { display: block; overflow: visible; max-width: 100%; height: auto;
  font-family: Arial, Helvetica, sans-serif }
details { border: 1px solid var(--line); border-radius: 4px; padding: .35rem .7rem;
  margin: .4rem 0 } summary { cursor: pointer }
pre { overflow-x: auto; background: var(--shade); padding: .6rem; font-size: .8rem }
code { font-size: .9em } nav { font-size: .9rem; margin: .8rem 0 } nav a { color: var(--c1);
  margin-right: .9rem; white-space: nowrap; display: inline-block }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; font-size: .9rem }
dt { color: var(--dim) } dd { margin: 0 }
@media (max-width: 520px) { h1 { font-size: 1.35rem } dl { grid-template-columns: 1fr }
  dd { margin-bottom: .3rem } }
@media print { body { font-size: 10.5pt; max-width: none; padding: 0 } nav { display: none }
  figure, tr, .warnings li { break-inside: avoid } h2, h3, figcaption, caption {
  break-after: avoid } h2 + .dim, h3 + .dim { break-after: avoid }
  .wide { overflow: visible } table { font-size: 8.5pt }
  th, td { padding: .2rem .35rem } details:not([open]) { border-style: dashed }
  pre { white-space: pre-wrap } }
"""

LINKS = {
    "summary": "In short", "figures": "Figures", "differences": "Differences",
    "slices": "Known and new", "costs": "Cost", "training": "Training",
    "reliability": "Probabilities", "data": "Data", "specs": "Specs", "contract": "Contract",
}  # fmt: skip


def write_page(material: Material, title: str, when: datetime | None = None) -> str:
    """The page as a text. when: the time that it says it was written, now unless it is given."""
    body = write_sections(material)
    links = "".join(
        f'<a href="#{name}">{text}</a>'
        for name, text in LINKS.items()
        if f'<section id="{name}">' in body
    )
    return write_document(
        title, write_head(material, title, when or datetime.now(UTC)), links, body
    )


def write_sections(material: Material) -> str:
    """All that is told of the systems of one data set."""
    sections = [
        write_summary(material),
        write_table(material),
        write_forests(material),
        write_slices(material),
        write_costs(material),
        write_courses(material),
        write_reliability(material),
        write_data(material),
        write_specs(material),
        write_colophon(material),
    ]
    return "\n".join(part for part in sections if part)


def write_document(title: str, head: str, links: str, body: str) -> str:
    """The file around a head, links to its parts, and a body."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(shorten_paths(title))}</title><style>{STYLE}</style></head>\n<body>\n"
        f'{head}<nav aria-label="sections">{links}</nav>\n<main>\n{body}\n</main>\n</body></html>\n'
    )
