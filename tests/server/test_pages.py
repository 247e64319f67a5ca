"""Hover, signatures, symbols, folding, types on arrows, and texts that are open."""

import os
from pathlib import Path

import pytest

from legoc.language.checking import check
from legoc.language.codes import all_codes
from legoc.language.declaring.catalog import catalog
from legoc.language.declaring.kinds import STAGES
from legoc.language.diagnosing.document import Document
from legoc.language.editing.analysis import analyse
from legoc.language.editing.buffers import Buffers
from legoc.language.editing.explaining import explain, signature_at
from legoc.language.editing.outline import folds, symbols
from legoc.language.editing.pages import WORDS, documentation, operator_page, signature_of
from legoc.language.syntax.mistakes import WORDS as TERMINALS
from legoc.language.syntax.parse import parse
from tests.server.texts import KNOWN, SPECS, marked


DECLARED = (
    "## Two lines\n## of words.\ndata d { source = Demo content = [title(30)] }  # not this\n"
)


def page(text: str) -> str:
    document, place, buffers = marked(text)
    arrows = analyse(document, buffers, KNOWN).arrows
    found = explain(document, place, buffers.scope(document), KNOWN, arrows)
    return found.text if found is not None else ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("content C|NN(hidden=8) -> behavior Null -> predict DIN", "content operator"),
        ("content CNN(hid|den=8)", "of content CNN"),
        ("content CNN(|hidden=8)", "of content CNN"),
        ("content Null -> behavior Nul|l -> predict DIN", "behavior operator"),
        ("content CNN(fuse=conc|at)", "fuse=additive"),
        ("train t { epo|chs = 3 }", "passes over the training rows"),
        ("train t { optimizer = adam|w }", "of train"),
        ("train t { task = match|ing }", "*task*"),
        ("train t { monitor = AU|C }", "*metric*"),
        ("train t { metrics = [GAUC, M|RR] }", "*metric*"),
        ("data d { source = De|mo }", "attributes:"),
        ("data d { source = Demo content = [ti|tle(30)] }", "`title`: text attribute"),
        ("data d { sou|rce = Demo }", "*of data*"),
        (DECLARED + "run m on d|", "Two lines\nof words."),
        (DECLARED + "run m on d|", "data d { source = Demo"),
        ("param wide = 3\nmodel m = content CNN(hidden=$wi|de)", "param wide = 3"),
        ("mod|el m = content CNN", "declares a pipeline"),
        ("model m = cont|ent CNN", "turns what an item says"),
        ("model m = content CNN -> behavior GRU -> predict Dot\nmodel n = m(content.ker|nel=5)",
         "of content CNN"),
        ("model m = content CNN -> behavior GRU -> predict Dot\nmodel n = m(content|=GRU)",
         "content operator"),
        ("content CNN(hidden=32) -|> behavior Attention(hidden=16) -> predict DNN", "Vec[32]"),
        ("content CNN(hidden=32) -> behavior Attention(hidden=16) |-> predict DNN", "Vec[16]"),
        ("content in [CNN(hidden=8), CNN(hidden=9)] |-> behavior Null -> predict DIN",
         "Vec[8]\nVec[9]"),
    ],
)  # fmt: skip
def test_what_stands_at_a_place(text: str, said: str) -> None:
    assert said in page(text)


@pytest.mark.parametrize(
    "text", ["# content C|NN", 'data d { source = MIND("C|NN") }', "content Nothi|ng", "|", " | x"]
)
def test_nothing_to_say(text: str) -> None:
    assert page(text) == ""


def test_a_used_file_is_told_by_its_names(tmp_path: Path) -> None:
    (tmp_path / "common.lego").write_text("data mind { source = Demo }\nparam x = 1\n")
    for text in ('use "comm|on.lego" (mind)', 'use "comm|on.lego" as c'):
        document, place, buffers = marked(text, str(tmp_path / "t.lego"))
        found = explain(document, place, buffers.scope(document), KNOWN, ())
        assert found is not None
        assert "`mind`" in found.text
        assert found.span.text == '"common.lego"'


def test_every_declaration_has_a_page_with_all_its_parameters() -> None:
    for declaration in KNOWN:
        text = operator_page(declaration)
        for p in declaration.params:
            assert f"- `{p.name}`" in text
            assert p.doc in text
        # The signature is itself a call of the language where every parameter has a value.
        if declaration.role in STAGES and not any(
            p.required or p.inherit is not None for p in declaration.params
        ):
            call = signature_of(declaration)
            parsed = parse(Document("t", f"{declaration.role} {call} -> predict Dot"))
            assert not parsed.diagnostics, call


def test_every_word_of_the_language_is_explained() -> None:
    assert set(WORDS) == set(TERMINALS.values())


@pytest.mark.parametrize(
    ("text", "owner", "active"),
    [
        ("content CNN(|)", "CNN", None),
        ("content CNN(hidden=|)", "CNN", "hidden"),
        ("content CNN(hidden=3, kernel=|", "CNN", "kernel"),
        ("train t { task = matching(negatives=4, |) }", "matching", None),
        ("train t { metrics = [NDCG(|)] }", "NDCG", "k"),
        ("train t { metrics = [NDCG(k=|)] }", "NDCG", "k"),
        ("data d { source = MIND(|) }", "MIND", "path"),
        ("train t { }\ntrain u = t(epochs=|)", "train", "epochs"),
        ("content CNN|", None, None),
        ("content Nothing(|)", None, None),
        ("train t { epochs = | }", None, None),
    ],
)
def test_the_call_around_a_place(text: str, owner: str | None, active: str | None) -> None:
    document, place, buffers = marked(text)
    found = signature_at(document, place, buffers.scope(document), KNOWN)
    assert (found.owner.name if found else None) == owner
    assert (found.active.name if found and found.active else None) == active


def test_arrows_carry_the_types_of_the_spec() -> None:
    """Against what the check says of each point."""
    for path in SPECS:
        if path.name == "zoo.lego":
            continue
        buffers = Buffers()
        found = analyse(buffers.read(str(path)), buffers, KNOWN)
        shown = {type for arrow in found.arrows for type in arrow.types}
        specs = check(str(path)).specs
        own = [s for s in specs if s.origin["model.predict"].path == str(path)]
        # Without a content stage no arrow carries what an item is.
        types = {spec.types.user for spec in own}
        types |= {spec.types.item for spec in own if "content" in spec.model}
        assert types <= shown, path.name


def test_a_swept_arrow_is_cut_short() -> None:
    text = "content CNN(hidden in [8, 16, 24]) -> behavior Additive -> predict Dot"
    buffers = Buffers()
    first, last = analyse(buffers.open("t.lego", text), buffers, KNOWN).arrows
    assert first.types == ("Vec[8]", "Vec[16]", "Vec[24]")
    assert first.text == "Vec[8] | … 3 types"
    assert last.sign.start == text.rindex("->")


def test_a_stage_at_fault_leaves_its_arrow_bare() -> None:
    text = "model m = content CNN -> behavior Nope -> predict Dot"
    buffers = Buffers()
    (arrow,) = analyse(buffers.open("t.lego", text), buffers, KNOWN).arrows
    assert arrow.text == "Vec[64]"


def test_symbols_and_folds() -> None:
    text = (
        "# one\n# two\nuse \"a.lego\" (b)\nuse \"b.lego\" as c\nparam wide = 3\n"
        "data d {\n  source = Demo\n  content = [\n    title,\n  ]\n}\n"
        "model m =\n  content CNN\n  -> behavior Null\n  -> predict DIN\n"
        "model n = m(content=GRU)\nrun m, n on d\n"
    )  # fmt: skip
    parsed = parse(Document("t.lego", text))
    found = symbols(parsed)
    names = [(s.kind, s.name) for s in found]
    assert names == [
        ("use", "a.lego"), ("use", "b.lego"), ("param", "wide"), ("data", "d"), ("model", "m"),
        ("model", "n"), ("run", "m, n"),
    ]  # fmt: skip
    data, model = found[3], found[4]
    assert [(s.name, s.detail) for s in data.inside] == [
        ("source", "= Demo"), ("content", "= [ title, ]"),
    ]  # fmt: skip
    assert [s.detail for s in model.inside] == ["CNN", "Null", "DIN"]
    for each in found:
        assert each.span.start <= each.name_span.start <= each.name_span.end <= each.span.end
    lines = [(f.first, f.last, f.kind) for f in folds(parsed)]
    assert lines == [
        (1, 2, "comment"), (3, 4, "imports"), (6, 11, "region"), (8, 10, "region"),
        (12, 15, "region"),
    ]  # fmt: skip
    assert [s.name for s in symbols(parse(Document("t", "content CNN -> predict Dot")))] == [
        "content", "predict",
    ]  # fmt: skip


def test_comments_fold_where_they_follow_each_other() -> None:
    text = "# one\n\n# two\n# three\nparam x = 1  # four\n# five\nparam y = 1\n# six\n# seven"
    found = [(f.first, f.last) for f in folds(parse(Document("t", text)))]
    assert found == [(3, 4), (8, 9)]


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("## near\n", "near"), ("## far\n\n", ""), ("# plain\n", ""), ("param y = 1  ## its\n", ""),
        ("## a\n\n## b\n## c\n", "b\nc"), ("## a\n# b\n", ""),
    ],
)  # fmt: skip
def test_documentation_stands_directly_before(before: str, said: str) -> None:
    parsed = parse(Document("t", f"{before}param x = 1\n"))
    assert documentation(parsed.document, parsed.tree.items[-1]) == said


def test_symbols_of_all_shipped_specs_nest() -> None:
    for path in SPECS:
        for each in symbols(parse(Document(str(path), path.read_text("utf-8")))):
            for inner in each.inside:
                assert each.span.start <= inner.span.start <= inner.span.end <= each.span.end


def test_one_parse_for_each_version(tmp_path: Path) -> None:
    path = tmp_path / "a.lego"
    path.write_text("param x = 1\n")
    buffers = Buffers()
    first = buffers.read(str(path))
    assert buffers.read(str(path)) is first
    assert buffers.parse(first) is buffers.parse(first)
    opened = buffers.open(str(path), "param y = 1\n")
    assert buffers.read(str(path)) is opened
    assert buffers.find(str(path)) is opened
    again = buffers.open(str(path), "param y = 1\n")
    assert again is not opened
    assert buffers.parse(again).tree.span.document is again
    buffers.close(str(path))
    assert buffers.find(str(path)) is None
    assert buffers.read(str(path)) is first
    path.write_text("param z = 1\n")
    os.utime(path, ns=(1, 1))
    assert buffers.read(str(path)).text == "param z = 1\n"


def test_what_is_wrong_in_a_used_file_stands_at_its_use(tmp_path: Path) -> None:
    (tmp_path / "a.lego").write_text("data d { source = Demo histroy = 3 }\n")
    buffers = Buffers()
    text = 'param x = 1\nuse "a.lego" (d)\nrun m on d\n'
    text += "model m = content CNN -> behavior Null -> predict DIN\n"
    document = buffers.open(str(tmp_path / "b.lego"), text)
    found = analyse(document, buffers, KNOWN)
    assert all(d.primary is not None and d.primary.document is document for d in found.diagnostics)
    (foreign,) = [d for d in found.diagnostics if d.code == "E0302"]
    assert foreign.primary is not None
    assert foreign.primary.text == '"a.lego"'
    assert foreign.labels[0].text == "see a.lego:1:24"
    assert foreign.fix is None
    assert len(found.documents) == 2
    # Open, the used file is judged as it is typed.
    buffers.open(str(tmp_path / "a.lego"), "data d { source = Demo history = 3 }\n")
    codes = {d.code for d in analyse(document, buffers, KNOWN).diagnostics}
    assert codes == {d.code for d in found.diagnostics} - {"E0302"}


def test_the_analysis_says_what_the_check_says() -> None:
    for code in all_codes().values():
        if not code.code.startswith(("E01", "E02", "E03", "E04", "E050", "W")):
            continue
        buffers = Buffers()
        document = buffers.open("t.lego", code.bad)
        expected = [d.code for d in check(Document("t.lego", code.bad)).diagnostics]
        assert [d.code for d in analyse(document, buffers, catalog()).diagnostics] == expected


def test_an_attribute_in_quotes_has_a_page_and_a_prompt_none(tmp_path: Path) -> None:
    (tmp_path / "more.jsonl").write_text('{"item_id": "i1", "Product Title": "a"}\n', "utf-8")
    head = 'data d { source = Demo augment = "more.jsonl" content = ['
    for text, told in (('"Prod|uct Title"(16)', True), ('"Prod|uct Title"', False)):
        document, place, buffers = marked(f"{head}{text}] }}", str(tmp_path / "m.lego"))
        found = explain(document, place, buffers.scope(document), KNOWN, ())
        assert (found is not None) == told
        if found is not None:
            assert found.text.startswith("`Product Title`: ")
            assert found.span.text == '"Product Title"'
