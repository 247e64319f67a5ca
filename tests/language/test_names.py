"""Attributes whose names are no plain words: as they are, or in quotes."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legoc.language.checking import check
from legoc.language.declaring.declare import Attribute
from legoc.language.diagnosing.document import Document
from legoc.language.ir.spec import Prompt
from legoc.language.syntax import tree
from legoc.language.syntax.fmt import format
from legoc.language.syntax.names import written, written_call
from legoc.language.syntax.parse import parse, parse_value
from legoc.language.typing.attributes import read_default
from tests.language.declared import CATALOG


COLUMNS = ("title", "Product Title", "标题", "title:token_seq", "none", "größe", 'say "so"', "use")


def value(text: str) -> tree.Value:
    found = parse_value(Document("value", text), 0)
    assert not isinstance(found, tuple), found
    return found


@pytest.mark.parametrize(
    ("text", "name", "args"),
    [
        ('"Product Title"(16)', "Product Title", 1),
        ('"Product Category"()', "Product Category", 0),
        ('"a" (\n16 )', "a", 1),
        ("标题(20)", "标题", 1),
        ("标题", "标题", None),
        ("tïtle", "tïtle", None),
        ("_é1", "_é1", None),
        ('"\\u6807\\u9898"(3)', "标题", 1),
    ],
)
def test_a_name_in_quotes_or_in_other_letters(text: str, name: str, args: int | None) -> None:
    found = value(text)
    assert isinstance(found, tree.Invocation)
    assert [word.text for word in found.path.words] == [name]
    assert (None if found.args is None else len(found.args.values)) == args
    assert found.span.text == text


@pytest.mark.parametrize("text", ['"Product Title"', '""', '"标题"'])
def test_quotes_alone_hold_a_text(text: str) -> None:
    assert isinstance(value(text), tree.Text)


@pytest.mark.parametrize(
    ("text", "formatted"),
    [
        ('"Product Title"(16)', '"Product Title"(16)'),
        ('"Product Category"( )', '"Product Category"()'),
        ('"title"(16)', "title(16)"),
        ('"title"()', "title"),
        ('"标题"(3)', "标题(3)"),
        ('"none"()', '"none"()'),
        ('"run"(3)', '"run"(3)'),
        ('"data"(3)', "data(3)"),
        ('"a.b"(3)', '"a.b"(3)'),
    ],
)
def test_the_formatter_drops_quotes_that_nothing_needs(text: str, formatted: str) -> None:
    whole = f"data d {{ content = [{text}] }}"
    found = format(Document("m.lego", whole))
    assert found == f"data d {{\n  content = [{formatted}]\n}}\n"
    assert format(Document("m.lego", found)) == found


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
def test_every_name_can_be_written_and_read_again(name: str) -> None:
    for args in ((), ("7",)):
        found = value(written_call(name, args))
        assert isinstance(found, tree.Invocation)
        assert found.path.words[0].text == name
        assert [a.span.text for a in (found.args.values if found.args else ())] == list(args)
    assert written(name) in (name, json.dumps(name, ensure_ascii=False))
    parsed = parse(Document("m.lego", f"data d {{ content = [{written_call(name, ())}, x] }}"))
    assert parsed.diagnostics == ()


def table(folder: Path, name: str, header: list[str], row: list[str]) -> None:
    lines = [json.dumps(dict(zip(header, row, strict=True)), ensure_ascii=False)]
    (folder / name).write_text("\n".join(lines) + "\n", "utf-8")


def specs_of(folder: Path, content: str):  # type: ignore[no-untyped-def]
    text = (
        f'data d {{ source = Demo  augment = "more.jsonl"  content = [{content}] }}\n'
        "model m = content BERT -> behavior Additive -> predict Dot\nrun m on d"
    )
    return check(Document(str(folder / "m.lego"), text), known=CATALOG)


def test_such_attributes_are_read_written_and_told(tmp_path: Path) -> None:
    table(tmp_path, "more.jsonl", ["item_id", *COLUMNS[1:]], ["i1", *COLUMNS[1:]])
    content = ", ".join(written_call(name, ("9",)) for name in COLUMNS)
    found = specs_of(tmp_path, content)
    assert found.diagnostics == ()
    (spec,) = found.specs
    assert [(part.name, part.length) for part in spec.data.content] == [(n, 9) for n in COLUMNS]
    # The spec as text gives the same spec.
    again = check(Document(str(tmp_path / "again.lego"), spec.source_text), known=CATALOG)
    assert again.specs[0].keys == spec.keys
    # Without a length they are categories, and `"Product Title"` alone is text.
    content = '"Product Title": '.replace(": ", "()") + ', 标题, "largest"'
    (spec,) = specs_of(tmp_path, content).specs
    kinds = [part.text if isinstance(part, Prompt) else part.kind for part in spec.data.content]
    assert kinds == ["category", "category", "largest"]


def test_names_of_points_are_read_again(tmp_path: Path) -> None:
    table(tmp_path, "more.jsonl", ["item_id", "Product Title"], ["i1", "x"])
    text = (
        'data d { source = Demo  augment = "more.jsonl"\n'
        '  content in [["Product Title"(9)], ["Product Title"()], [title]] }\n'
        "model m = content CNN -> behavior Additive -> predict Dot\nrun m on d"
    )
    document = Document(str(tmp_path / "m.lego"), text)
    names = [spec.name for spec in check(document, known=CATALOG).specs]
    assert names == [
        'm[content=["Product Title"(9)]]', 'm[content=["Product Title"()]]', "m[content=[title]]",
    ]  # fmt: skip
    # A call without arguments fits one with any.
    for only, fitting in (
        ('["Product Title"(9)]', names[:1]), ('["Product Title"()]', names[:2]),
        ("[title]", names[2:]),
    ):  # fmt: skip
        found = check(document, only=f"data.content={only}", known=CATALOG)
        assert [spec.name for spec in found.specs] == fitting


def test_a_text_that_names_an_attribute_is_asked_about(tmp_path: Path) -> None:
    table(tmp_path, "more.jsonl", ["item_id", "Product Title"], ["i1", "x"])
    (found,) = specs_of(tmp_path, 'title, "Product Title"').diagnostics
    assert (found.code, found.severity) == ("W103", "warning")
    assert found.fix is not None
    assert found.fix.replacement == '"Product Title"()'
    assert specs_of(tmp_path, '"title", title, "Product Title: "').diagnostics == ()


def test_the_default_list_of_a_source_may_hold_them() -> None:
    declared = [
        Attribute(name="Product Title", kind="text", length=8),
        Attribute(name="标题", kind="category", length=1),
        Attribute(name="title", kind="text", length=5),
    ]
    found = read_default('["A: ", "Product Title"(4), 标题, "Product Title"(), title(3)]', declared)
    told = [part.text if isinstance(part, Prompt) else (part.name, part.length) for part in found]
    assert told == [
        "A: ", ("Product Title", 4), ("标题", 1), ("Product Title", 8), ("title", 3),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["lr = ３", "lr = 1٣"])
def test_numbers_have_the_digits_0_to_9(text: str) -> None:
    found = check(Document("m.lego", f"train t {{ {text} }}"), known=CATALOG)
    assert [each.code for each in found.errors][:1] == ["E0101"]
