"""The formatter: one text for one tree, every comment kept."""

from pathlib import Path

import pytest

from legoc.language.diagnosing.diagnostics import SpecError
from legoc.language.diagnosing.document import Document
from legoc.language.syntax import fmt, tree
from legoc.language.syntax.fmt import format
from legoc.language.syntax.parse import parse
from tests.language.mutants import mutants
from tests.language.texts import EXAMPLES


SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.lego"))


def formatted(text: str) -> str:
    return format(Document("m.lego", text))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_formats_to_itself(name: str) -> None:
    assert formatted(EXAMPLES[name]) == EXAMPLES[name]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_every_shipped_spec_formats_to_itself(path: Path) -> None:
    text = path.read_text("utf-8")
    assert formatted(text) == text


TESTS = Path(__file__).parents[1]
# An input, a line `# output`, and what comes of it.
CASES = {path.stem: path.read_text("utf-8") for path in sorted((TESTS / "fmt").glob("*.lego"))}
OUTPUT = "# output\n"
# Every other text of the repository, broken ones included.
FILES = sorted([*(TESTS / "bad").rglob("*.lego"), *SPECS])


@pytest.mark.parametrize("name", CASES)
def test_layout(name: str) -> None:
    text, _, expected = CASES[name].partition(OUTPUT)
    assert formatted(text) == expected
    assert formatted(expected) == expected


def test_nothing_and_carriage_returns() -> None:
    assert formatted("") == ""
    assert formatted("param a = 1\r\nparam b = 2\r\n") == "param a = 1\nparam b = 2\n"
    assert len(CASES) >= 15


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_of_the_repository_is_formatted_or_refused(path: Path) -> None:
    text = path.read_bytes().decode("utf-8", errors="replace")
    if parse(Document("m.lego", text)).diagnostics:
        with pytest.raises(SpecError):
            formatted(text)
    else:
        assert formatted(formatted(text)) == formatted(text)


def test_no_line_is_wider_than_it_must_be() -> None:
    for text in EXAMPLES.values():
        for line in formatted(text).splitlines():
            assert len(line.partition("  #")[0]) <= fmt.WIDTH


@pytest.mark.parametrize("name", EXAMPLES)
def test_mutants_that_parse_are_formatted_or_left_alone(name: str) -> None:
    # `format` proves equivalence and stability itself, and raises AssertionError if they fail.
    kept = 0
    for text in list(mutants(EXAMPLES[name]))[:: 7 if name in ("zoo.lego", "07_dire.lego") else 3]:
        if parse(Document(name, text)).diagnostics:
            with pytest.raises(SpecError):
                formatted(text)
        else:
            formatted(text)
            kept += 1
    assert kept


@pytest.mark.parametrize("comment", [" # here\n", "\n\n# here\n\n", " # a\n # here\n"])
def test_a_comment_anywhere_is_kept(comment: str) -> None:
    text = EXAMPLES["07_dire.lego"]
    for at in [place for place, char in enumerate(text) if char in " \n"]:
        changed = text[:at] + comment + text[at:]
        if not parse(Document("m", changed)).diagnostics:
            assert "# here" in formatted(changed)


def test_damage_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    document = Document("m", "param a = 1  # kept")
    assert format(document) == "param a = 1  # kept\n"
    for wrong in ("param a = 2  # kept\n", "param a = 1\n", "param  a = 1  # kept\n"):
        monkeypatch.setattr(fmt, "lay_out", lambda parsed, wrong=wrong: wrong)
        if wrong.startswith("param  "):
            texts = iter([wrong, wrong.strip()])
            monkeypatch.setattr(fmt, "lay_out", lambda parsed, texts=texts: next(texts))
        with pytest.raises(AssertionError):
            format(document)


def test_formatting_keeps_the_outline() -> None:
    for text in EXAMPLES.values():
        before = tree.outline(parse(Document("a", text)).tree)
        assert tree.outline(parse(Document("b", formatted(text))).tree) == before
