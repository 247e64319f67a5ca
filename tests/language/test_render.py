"""The four renderings show one value: places, labels in line order, notes and what to do."""

import json

import pytest

from legoc.language.diagnosing.diagnostics import Diagnostic, Fix, Label
from legoc.language.diagnosing.document import Document, Span
from legoc.language.diagnosing.render import FORMATS, concise, count, full, github, render, to_json


TEXT = "first line\nsecond line\n\n\nfifth: 100%\n"
DOCUMENT = Document("folder/a,b.lego", TEXT)


def span(word: str, document: Document = DOCUMENT) -> Span:
    start = document.text.index(word)
    return Span(document, start, start + len(word))


MESSAGE = Diagnostic(
    code="E0305",
    message="`x` must be 100%",
    labels=(
        Label(span=span("fifth"), text="main", primary=True),
        Label(span=span("first"), text="other"),
    ),
    notes=("a fact",),
    help=("type this",),
    fix=Fix(grade="ask", title="change it", span=span("fifth"), replacement="sixth"),
)


def test_lines_apart_are_shown_with_a_gap_in_line_order() -> None:
    assert full(MESSAGE) == (
        "error[E0305]: `x` must be 100%\n"
        " --> folder/a,b.lego:5:1\n"
        "  |\n"
        "1 | first line\n"
        "  | ----- other\n"
        "...\n"
        "5 | fifth: 100%\n"
        "  | ^^^^^ main\n"
        "  = note: a fact\n"
        "  = help: type this\n"
        "  = fix (ask): change it\n"
        "  = docs: legoc explain E0305"
    )


def test_a_message_without_a_place_is_a_head_and_what_to_do() -> None:
    text = full(Diagnostic(code="E0620", message="gone", severity="warning", help=("look",)))
    assert text == "warning[E0620]: gone\n  = help: look\n  = docs: legoc explain E0620"


def test_marks_stand_under_wide_letters() -> None:
    document = Document("w.lego", 'a = ["新闻", bad]')
    label = Label(span=span("bad", document), text="here", primary=True)
    lines = full(Diagnostic(code="E0303", message="m", labels=(label,))).splitlines()
    # Each of the two letters takes two columns of a terminal.
    assert lines[4] == "  | " + " " * 13 + "^^^ here"


def test_a_place_at_the_end_of_the_text_has_one_mark() -> None:
    document = Document("e.lego", "model")
    end = Label(span=Span(document, 5, 5), text="end", primary=True)
    assert full(Diagnostic(code="E0102", message="m", labels=(end,))).splitlines()[4] == (
        "  |      ^ end"
    )


def test_a_place_over_several_lines_is_marked_on_its_first() -> None:
    document = Document("l.lego", "data x {\n}\n")
    whole = Label(span=Span(document, 0, 10), text="all", primary=True)
    assert full(Diagnostic(code="E0304", message="m", labels=(whole,))).splitlines()[3:5] == [
        "1 | data x {",
        "  | ^^^^^^^^ all",
    ]


def test_colour_comes_only_when_asked_for() -> None:
    plain, coloured = full(MESSAGE), full(MESSAGE, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[1;31m" in coloured
    assert "\x1b[1;33m" in full(
        Diagnostic(code="W101", message="m", severity="warning"), colour=True
    )


def test_concise_is_one_line() -> None:
    assert concise(MESSAGE) == "folder/a,b.lego:5:1: error[E0305]: `x` must be 100%"
    assert concise(Diagnostic(code="E0620", message="gone")) == "error[E0620]: gone"


def test_github_escapes_what_a_workflow_command_means() -> None:
    assert github(MESSAGE) == (
        "::error file=folder/a%2Cb.lego,line=5,col=1,endLine=5,endColumn=6,title=E0305::"
        "`x` must be 100%25%0Aa fact%0Atype this"
    )


def test_json_holds_the_whole_value() -> None:
    found = json.loads(render([MESSAGE], "json"))[0]
    assert found == to_json(MESSAGE)
    assert found["labels"][0]["start"] == {"offset": 25, "line": 5, "column": 1}
    assert found["fix"]["replacement"] == "sixth"


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_renders_several(format: str) -> None:
    text = render([MESSAGE, MESSAGE], format)  # type: ignore[arg-type]
    assert text.count("E0305") >= 2


def test_errors_and_warnings_are_counted() -> None:
    warning = Diagnostic(code="W101", message="m", severity="warning")
    assert count([MESSAGE, warning, warning]) == (1, 2)
