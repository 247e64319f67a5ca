"""The tree of a text: one to one, every part in its place."""

import logging

import lark
import pytest

from legoc.language.declaring.shipped import shipped
from legoc.language.diagnosing.document import Document
from legoc.language.syntax import grammar, tree
from legoc.language.syntax.parse import parse, parse_arguments, parse_value
from tests.language.texts import EXAMPLES


def parsed(text: str) -> tree.Tree:
    result = parse(Document("m.lego", text))
    assert result.diagnostics == ()
    return result.tree


def value(text: str) -> object:
    found = parse_value(Document("value", text), 0)
    assert not isinstance(found, tuple), found
    return found


def test_the_grammar_has_no_conflicts(caplog: pytest.LogCaptureFixture) -> None:
    # Lark settles a shift/reduce conflict in silence unless it is asked to tell.
    text = shipped("grammar/lego.lark").read_text("utf-8")
    logger = lark.logger
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(caplog.handler)
    try:
        lark.Lark(text, parser="lalr", start=list(grammar.STARTS), debug=True)
        assert not [r for r in caplog.records if "onflict" in r.getMessage()]
        lark.Lark('start: "a" start "a" | "a" start | "a"', parser="lalr", debug=True)
        assert [r for r in caplog.records if "onflict" in r.getMessage()]
    finally:
        logger.removeHandler(caplog.handler)
        logger.setLevel(level)


def test_every_terminal_has_a_name() -> None:
    names = {terminal.name for terminal in grammar.parser().terminals}
    assert not {name for name in names if name.startswith("__")}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_parses(name: str) -> None:
    found = parsed(EXAMPLES[name])
    assert found.items
    assert found.bare is None


def test_a_bare_pipeline_is_a_whole_file() -> None:
    found = parsed("content Llama(lora=32) -> behavior Attention(heads=8) -> predict Dot")
    assert found.bare is not None
    assert [stage.kind for stage in found.bare.stages] == ["content", "behavior", "predict"]


def test_every_part_spans_its_own_text() -> None:
    found = parsed('data d {\n  content = ["a: ", title(30)]  # c\n}\nrun r = m on d, e(x in [1])')
    data, run = found.items
    assert isinstance(data, tree.Declared)
    assert data.name.span.position == (1, 6)
    assert isinstance(data.body, tree.Block)
    (field,) = data.body.fields
    assert field.key.text == "content"
    assert field.binding.span.text == '= ["a: ", title(30)]'
    assert isinstance(run, tree.Run)
    assert run.head.text == "run r"
    assert [ref.span.text for ref in run.data] == ["d", "e(x in [1])"]


def test_parts_lie_within_their_parents() -> None:
    def check(part: tree.Part, outer: tree.Part) -> None:
        assert outer.span.start <= part.span.start <= part.span.end <= outer.span.end

    for text in EXAMPLES.values():
        root = parsed(text)
        for part in tree.walk(root):
            for below in tree.walk(part):
                check(below, part)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("64", 64),
        ("-2", -2),
        ("1_000", 1000),
        ("1e-3", 1e-3),
        ("64.0", 64.0),
        ("+3", 3),
        ("1E5", 1e5),
    ],
)
def test_numbers_keep_their_kind(text: str, expected: float) -> None:
    found = value(text)
    assert isinstance(found, tree.Number)
    assert found.value == expected
    assert type(found.value) is type(expected)


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [("64MiB", 64, "MiB"), ("10%", 10, "%"), ("2h", 2, "h"), ("30min", 30, "min"), ("5M", 5, "M"),
     ("1.5k", 1.5, "k"), ("90s", 90, "s")],
)  # fmt: skip
def test_quantities(text: str, number: float, unit: str) -> None:
    found = value(text)
    assert isinstance(found, tree.Quantity)
    assert (found.number, found.unit) == (number, unit)


def test_strings_undo_their_escapes() -> None:
    found = value(r'"a\"b\\\u00e9\n"')
    assert isinstance(found, tree.Text)
    assert found.value == 'a"b\\é\n'


def test_a_word_is_never_cut_in_two() -> None:
    # Where no name is accepted, `datamind` must not be read as `data mind`.
    for text in ("datamind { a = 1 }", "runm on d", "contentCNN -> predict Dot"):
        assert parse(Document("m", text)).diagnostics


def test_stage_words_may_be_keys_and_declaration_words_symbols() -> None:
    found = parsed("data d { content = [data, model] train = export }")
    (item,) = found.items
    assert isinstance(item, tree.Declared)
    assert isinstance(item.body, tree.Block)
    assert [field.key.text for field in item.body.fields] == ["content", "train"]


def test_empty_parentheses_have_the_outline_of_none() -> None:
    assert tree.outline(parsed("content A() -> predict B")) == tree.outline(
        parsed("content A\n->\npredict B(  )  # c")
    )
    assert tree.outline(parsed("content A(1)")) != tree.outline(parsed("content A(2)"))


def test_comments_are_kept_and_hashes_in_strings_are_not_comments() -> None:
    result = parse(Document("m", '# a\nparam p = "# b"  # c  \n## d'))
    assert [span.text for span in result.comments] == ["# a", "# c", "## d"]


def test_a_pattern_is_arguments() -> None:
    found = parse_arguments(Document("only", "(content=CNN, hidden in [64, 128])"), 0)
    assert isinstance(found, tree.Arguments)
    assert len(found.values) == 2
