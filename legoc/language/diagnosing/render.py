"""How diagnostics look: full, concise, json, github. The values are the same in all four."""

import json
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from legoc.language.diagnosing.diagnostics import Diagnostic, Label
from legoc.language.diagnosing.document import Document, Span


Format = Literal["full", "concise", "json", "github"]
FORMATS: tuple[Format, ...] = ("full", "concise", "json", "github")
RESET, BOLD, BLUE = "\x1b[0m", "\x1b[1m", "\x1b[1;34m"
SEVERITY = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m"}


def render(diagnostics: Sequence[Diagnostic], format: Format = "full", colour: bool = False) -> str:
    """The text of some diagnostics, without a last line break; empty for none but in JSON."""
    match format:
        case "full":
            return join([(d.brief, full(d, colour=colour)) for d in diagnostics])
        case "concise":
            return "\n".join(concise(diagnostic) for diagnostic in diagnostics)
        case "github":
            return "\n".join(github(diagnostic) for diagnostic in diagnostics)
        case "json":
            return json.dumps([to_json(d) for d in diagnostics], indent=2, ensure_ascii=False)


def join(texts: Sequence[tuple[bool, str]]) -> str:
    """Texts with an empty line between them, but for two brief ones."""
    lines: list[str] = []
    before = False
    for brief, text in texts:
        if lines and not (brief and before):
            lines.append("")
        lines.append(text)
        before = brief
    return "\n".join(lines)


class Paint:
    """Adds terminal colours, or nothing."""

    def __init__(self, severity: str, on: bool) -> None:
        self.on = on
        self.main = SEVERITY[severity]

    def __call__(self, text: str, style: str) -> str:
        return f"{style}{text}{RESET}" if self.on and text else text


def full(diagnostic: Diagnostic, *, colour: bool = False) -> str:
    """The message with the lines it is about, its notes and what to do."""
    paint = Paint(diagnostic.severity, colour)
    head = paint(f"{diagnostic.severity}[{diagnostic.code}]", paint.main)
    if diagnostic.brief:
        return f"{where(diagnostic)}{head}: {diagnostic.message}"
    lines = [f"{head}{paint(f': {diagnostic.message}', BOLD)}"]
    margin = 1
    for index, (document, labels) in enumerate(by_document(diagnostic.labels)):
        width = max(len(str(row(label.span))) for label in labels)
        if index == 0:
            margin = width
        lines += snippet(document, labels, width, margin, index == 0, paint)
    bar = paint("=", BLUE)
    for word, texts in (("note", diagnostic.notes), ("help", diagnostic.help)):
        lines += [f"{' ' * margin} {bar} {paint(word, BOLD)}: {text}" for text in texts]
    if diagnostic.fix is not None and shows_fix(diagnostic):
        fix = diagnostic.fix
        lines.append(f"{' ' * margin} {bar} {paint('fix', BOLD)} ({fix.grade}): {fix.title}")
    docs = f"legoc explain {diagnostic.code}"
    lines.append(f"{' ' * margin} {bar} {paint('docs', BOLD)}: {docs}")
    return "\n".join(lines)


def shows_fix(diagnostic: Diagnostic) -> bool:
    """A fix whose word the help already names is not said twice."""
    fix = diagnostic.fix
    if fix is None:
        return False
    return not any(f"`{fix.replacement}`" in help for help in diagnostic.help)


def by_document(labels: Sequence[Label]) -> list[tuple[Document, list[Label]]]:
    """Labels by document, that of the primary label first."""
    ordered = sorted(labels, key=lambda label: not label.primary)
    found: dict[int, tuple[Document, list[Label]]] = {}
    for label in ordered:
        document = label.span.document
        found.setdefault(id(document), (document, []))[1].append(label)
    return list(found.values())


def row(span: Span) -> int:
    return span.position[0]


def snippet(
    document: Document, labels: list[Label], width: int, margin: int, first: bool, paint: Paint
) -> list[str]:
    """The labelled lines of one document, under an arrow that says where it is."""
    anchor = next((label for label in labels if label.primary), labels[0])
    line, column = anchor.span.position
    arrow = paint("-->" if first else ":::", BLUE)
    lines = [f"{' ' * margin}{arrow} {document.path}:{line}:{column}"]
    lines.append(f"{' ' * width} {paint('|', BLUE)}")
    before = None
    for number in sorted({row(label.span) for label in labels}):
        if before is not None and number > before + 1:
            lines.append(paint("...", BLUE))
        text = document.line(number).expandtabs(1)
        prefix = paint(f"{number:>{width}} |", BLUE)
        lines.append(f"{prefix} {text}".rstrip())
        here = [label for label in labels if row(label.span) == number]
        for marks in mark(document.line(number), here, paint):
            lines.append(f"{' ' * width} {paint('|', BLUE)} {marks}")
        before = number
    return lines


def mark(text: str, labels: list[Label], paint: Paint) -> list[str]:
    """The line of `^` and `-` under a line of text, and the labels that follow it.

    The last label's text stands behind its marks, the others below at their own column.
    """
    ordered = sorted(labels, key=lambda label: label.span.position[1])
    canvas: list[tuple[str, str]] = []
    for label in ordered:
        column = label.span.position[1] - 1
        start = cells(text[:column])
        length = max(1, cells(text[column : column + label.span.end - label.span.start]))
        while len(canvas) < start:
            canvas.append((" ", ""))
        sign, style = ("^", paint.main) if label.primary else ("-", BLUE)
        canvas[start:] = [(sign, style)] * length
    marks = "".join(paint(sign, style) for sign, style in canvas)
    last = ordered[-1]
    lines = [f"{marks} {last.text}".rstrip()]
    for label in reversed(ordered[:-1]):
        if label.text:
            lines.append(f"{' ' * cells(text[: label.span.position[1] - 1])}{label.text}")
    return lines


def cells(text: str) -> int:
    """Columns of a terminal that a text takes: wide letters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def concise(diagnostic: Diagnostic) -> str:
    """One line: place, code, message."""
    place = where(diagnostic)
    return f"{place}{diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}"


def where(diagnostic: Diagnostic) -> str:
    span = diagnostic.primary or next((label.span for label in diagnostic.labels), None)
    if span is None:
        return ""
    line, column = span.position
    return f"{span.path}:{line}:{column}: "


def github(diagnostic: Diagnostic) -> str:
    """A workflow command, which GitHub shows beside the line."""
    properties = {"title": diagnostic.code}
    span = diagnostic.primary
    if span is not None:
        line, column = span.position
        end_line, end_column = span.document.position(max(span.start, span.end))
        properties = {
            "file": span.path, "line": str(line), "col": str(column),
            "endLine": str(end_line), "endColumn": str(end_column), **properties,
        }  # fmt: skip
    text = "\n".join((diagnostic.message, *diagnostic.notes, *diagnostic.help))
    named = ",".join(f"{name}={escape(value, ':,')}" for name, value in properties.items())
    return f"::{diagnostic.severity} {named}::{escape(text)}"


def escape(text: str, also: str = "") -> str:
    """Percent-encode what a workflow command gives a meaning."""
    for char in "%\r\n" + also:
        text = text.replace(char, f"%{ord(char):02X}")
    return text


def to_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """A diagnostic in JSON's types; lines and columns count from 1, offsets from 0."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "labels": [
            {**place(label.span), "text": label.text, "primary": label.primary}
            for label in diagnostic.labels
        ],
        "notes": list(diagnostic.notes),
        "help": list(diagnostic.help),
        "fix": None
        if diagnostic.fix is None
        else {
            "grade": diagnostic.fix.grade,
            "title": diagnostic.fix.title,
            "replacement": diagnostic.fix.replacement,
            **place(diagnostic.fix.span),
        },
        "docs": f"legoc explain {diagnostic.code}",
    }


def place(span: Span) -> dict[str, Any]:
    (line, column), (end_line, end_column) = (
        span.document.position(offset) for offset in (span.start, span.end)
    )
    return {
        "file": span.path,
        "start": {"offset": span.start, "line": line, "column": column},
        "end": {"offset": span.end, "line": end_line, "column": end_column},
    }


def count(diagnostics: Iterable[Diagnostic]) -> tuple[int, int]:
    """How many errors and warnings."""
    found = [diagnostic.severity for diagnostic in diagnostics]
    return found.count("error"), found.count("warning")
