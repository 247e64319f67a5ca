"""Syntax errors: each located, worded, and none invented."""

import pytest

from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Document
from legoc.language.syntax import tree
from legoc.language.syntax.labels import label_places
from legoc.language.syntax.parse import parse
from tests.language.mutants import mutants
from tests.language.texts import EXAMPLES


def only(text: str) -> Diagnostic:
    found = parse(Document("m.lego", text)).diagnostics
    assert len(found) == 1, found
    return found[0]


def repaired(text: str) -> str:
    fix = only(text).fix
    assert fix is not None
    assert fix.grade == "safe"
    return text[: fix.span.start] + fix.replacement + text[fix.span.end :]


def test_every_snippet_is_malformed_and_no_two_examples_claim_one_place() -> None:
    claimed: dict[object, tuple[object, str]] = {}
    for place, example, snippet in label_places():
        known = claimed.setdefault(place, (example, snippet))
        assert known[0] is example, (snippet, known[1])


# What is wrong; where; the label there.
LABELS = [
    ("model m = content CNN behavior A -> predict D", "behavior", "a pipeline needs `->`"),
    ("content CNN(a=1) predict Dot", "predict", "a pipeline needs `->`"),
    ("content CNN -> behaviour A -> predict Dot", "behaviour", "does not fit"),
    ("modle m = content CNN", "modle", "does not fit"),
    ("model m = contnet CNN -> predict Dot", "contnet", "does not fit"),
    ("content [A, B] -> predict Dot", "[", "follow `in`"),
    ("data d { a = 1, b = 2 }", ",", "without commas"),
    ("data d { history 50 }", "50", "`=` is missing"),
    ("param p 3", "3", "`=` is missing"),
    ("content CNN(hidden 64)", "64", "`=` is missing"),
    ("content CNN(units=[1 2])", "2", "`,` is missing"),
    ("content CNN(a=1 b=2)", "b", "`,` is missing"),
    ("data d { source: Demo }", ":", "bound by `=`"),
    ("param p = 'text'", "'text'", "double quotes"),
    ("param p = 64.", "64.", "decimal point"),
    ("param p = 30tokens", "30tokens", "`tokens` is no unit"),
    ("param p = 10GB", "10GB", "`GB` is no unit"),
    ('param p = "open', '"', "not closed"),
    (r'param p = "a\qb"', r'"a\qb"', "escape"),
    ("content A => predict B", "=>", "no sign"),
    ("content A → predict B", "→", "no sign"),
    ("content A | predict B", "|", "no sign"),
    ("param p = 3;", ";", "nothing separates"),
    ("param p = 2 * 3", "*", "no arithmetic"),
    ("param p = $", "$", "name of a param"),
    ("param größe = 3", "größe", "letters a to z"),
    ("run m", "", "data set of this run is missing"),
    ("run m with t", "with", "data set of this run is missing"),
    ("run m on", "", "data set of this run is missing"),
    ("run m on d with", "", "training recipe is missing"),
    ("run m on d where", "", "followed by `valid`"),
    ("run m on d as e with t", "with", "another order"),
    ("run on mind", "on", "a name is missing"),
    ("model m {", "{", "a model is a pipeline"),
    ("model m =", "", "a model is a pipeline"),
    ("use", "", "a file is missing"),
    ('use "a.lego"', "", "what to use"),
    ("param p = ", "", "a value is missing"),
    ("param p in 3", "", "a range lacks its end"),
    ("content A\nrun m on d", "run", "began with a pipeline"),
    ("run m on d\ncontent A", "content", "needs a name"),
    ("x = 3", "x", "no declaration begins"),
    ("param data = 3", "data", "used as a name"),
    ("param in = 3", "in", "used as a name"),
    ("param p = 1e999", "1e999", "larger than any"),
    (r'param p = "\ud800"', r'"\ud800"', "half a character"),
    ("[" * 70, "[", ""),
]


@pytest.mark.parametrize(("text", "place", "label"), LABELS)
def test_what_is_said_where(text: str, place: str, label: str) -> None:
    found = only(text)
    primary = next(each for each in found.labels if each.primary)
    assert label in primary.text
    assert primary.span.text == place
    assert found.help or found.fix


@pytest.mark.parametrize(
    ("text", "sign", "before"),
    [
        ("model m = content CNN(hidden=3 -> predict Dot", "(", "->"),
        ("data d { a = [1, 2 }", "[", "}"),
        ("data d { source = Demo\n\ntrain base { epochs = 3 }", "{", "train"),
        ("train t = base(a=1", "(", ""),
        ("run m on d except (a=b", "(", ""),
    ],
)
def test_an_open_bracket_is_shown_where_it_opens(text: str, sign: str, before: str) -> None:
    found = only(text)
    assert found.message == f"`{sign}` is not closed"
    opened, met = found.labels
    assert (opened.primary, opened.span.text) == (True, sign)
    assert met.span.text == before


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("content A behavior B -> predict C", "content A -> behavior B -> predict C"),
        ("content A -> behaviour B", "content A -> behavior B"),
        ("data d { a = 1, b = 2 }", "data d { a = 1 b = 2 }"),
        ("content A(b=[1 2])", "content A(b=[1 , 2])"),
        ("content A(b 3)", "content A(b = 3)"),
        ("param p = 'x'", 'param p = "x"'),
        ("param p: 3", "param p= 3"),
        ("content A => predict B", "content A -> predict B"),
        ("content [A]", "content in [A]"),
        ("model m = contnet A", "model m = content A"),
    ],
)
def test_a_safe_fix_mends_the_text(text: str, after: str) -> None:
    assert repaired(text) == after
    assert parse(Document("m", after)).diagnostics == ()


def test_every_error_of_a_file_is_told_and_the_rest_is_read() -> None:
    result = parse(
        Document(
            "m.lego",
            "data d { source: Demo }\n"
            "param hidden = 64\n"
            "model m = content A behavior B\n"
            "train t { epochs = 3 }\n"
            "modle n = content A\n"
            "run m on d with\n",
        )
    )
    assert [d.code for d in result.diagnostics] == ["E0101", "E0102", "E0102", "E0102"]
    assert [d.primary.position[0] for d in result.diagnostics if d.primary] == [1, 3, 5, 6]
    kept = [item.name.text for item in result.tree.items if isinstance(item, tree.Declared)]
    assert kept == ["t"]
    assert {"d", "m", "n"} <= result.lost
    assert "hidden" not in result.lost


def test_a_whole_declaration_before_a_misspelt_word_is_kept() -> None:
    result = parse(Document("m", "run m on d\nmodle n = content A\nparam p = 3"))
    assert [type(item).__name__ for item in result.tree.items] == ["Run", "Setting"]
    # In the middle of a line the mistake belongs to what stands before it.
    result = parse(Document("m", "model m = content A behavior B"))
    assert result.tree.items == ()


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "zoo.lego"])
def test_one_mistake_in_the_syntax_is_one_message(name: str) -> None:
    for text in mutants(EXAMPLES[name], "delete double"):
        found = parse(Document(name, text)).diagnostics
        assert len(found) <= 1, (text, found)


def test_a_broken_text_is_answered_in_any_state() -> None:
    # Every prefix of the zoo, and every suffix, ends or begins in the middle of something.
    text = EXAMPLES["zoo.lego"]
    for cut in range(0, len(text), 3):
        for part in (text[:cut], text[cut:]):
            for found in parse(Document("zoo", part)).diagnostics:
                assert found.primary is not None
                assert found.help or found.fix
                assert "\n" not in found.message
