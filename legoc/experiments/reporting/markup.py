"""Elements of HTML from texts. Every text is escaped here, and told without the folders of the
machine it was written on."""

import re
from collections.abc import Iterable, Sequence
from html import escape

from legoc.language.diagnosing.paths import shorten_paths


def plain(text: str) -> str:
    """A text as HTML shows it."""
    return escape(shorten_paths(text))


def said(text: str) -> str:
    """A sentence of a message, where what is in backticks is code."""
    parts = re.split(r"(`[^`\n]+`)", shorten_paths(text))
    return "".join(
        f"<code>{escape(part[1:-1])}</code>" if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


def table(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1,
    classes: Sequence[str] = (),
) -> str:  # fmt: skip
    """A table in a box that scrolls by itself. The cells are HTML, the first of a row names it;
    words: how many columns hold words, the others figures; classes: one per row."""
    kinds = ["word" if place < words else "figure" for place in range(len(columns))]
    head = "".join(
        f'<th scope="col" class="{kind}">{column}</th>'
        for kind, column in zip(kinds, columns, strict=True)
    )
    body: list[str] = []
    for place, row in enumerate(rows):
        first, *others = row
        named = f' class="{classes[place]}"' if place < len(classes) and classes[place] else ""
        cells = "".join(
            f'<td class="{kind}">{cell}</td>' for kind, cell in zip(kinds[1:], others, strict=True)
        )
        body.append(f'<tr{named}><th scope="row" class="word">{first}</th>{cells}</tr>')
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def items(texts: Iterable[str], kind: str = "") -> str:
    """A list of HTML."""
    named = f' class="{kind}"' if kind else ""
    return f"<ul{named}>{''.join(f'<li>{text}</li>' for text in texts)}</ul>"


def folded(summary: str, body: str) -> str:
    """What a reader opens who wants to; on paper only its title."""
    return f"<details><summary>{summary}</summary>{body}</details>"


def figure(svg: str, caption: str) -> str:
    return f"<figure><figcaption>{caption}</figcaption>{svg}</figure>"


def figures(drawn: Iterable[str]) -> str:
    return f'<div class="figures">{"".join(drawn)}</div>'


def paragraph(html: str, kind: str = "") -> str:
    return f'<p class="{kind}">{html}</p>' if kind else f"<p>{html}</p>"


def section(name: str, title: str, *parts: str) -> str:
    """A part of the page that can be linked to; nothing where it would be empty."""
    body = "".join(part for part in parts if part)
    if not body:
        return ""
    return f'<section id="{name}"><h2>{escape(title)}</h2>{body}</section>'
