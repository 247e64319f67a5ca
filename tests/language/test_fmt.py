"""The formatter: one text for one tree, every comment kept."""

from pathlib import Path

import pytest

from legoc.language import fmt, tree
from legoc.language.diagnostics import SpecError
from legoc.language.document import Document
from legoc.language.fmt import format
from legoc.language.parse import parse
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


CASES = {
    "one line if it fits": (
        "content   CNN( hidden = 256,kernel=3, )->behavior Additive( )\n->predict Dot",
        "content CNN(hidden=256, kernel=3) -> behavior Additive -> predict Dot\n",
    ),
    "else one stage per line": (
        "content CNN(hidden=256, kernel=3) -> behavior Attention(heads=8, dim=200) -> predict "
        "DCN(cross=3)",
        "content CNN(hidden=256, kernel=3)\n"
        "-> behavior Attention(heads=8, dim=200)\n"
        "-> predict DCN(cross=3)\n",
    ),
    "a named pipeline is indented": (
        "model a_rather_long_name = content CNN(hidden=256) -> behavior Attention(heads=8)"
        " -> predict Dot",
        "model a_rather_long_name =\n"
        "  content CNN(hidden=256)\n"
        "  -> behavior Attention(heads=8)\n"
        "  -> predict Dot\n",
    ),
    "blocks are spaced, parentheses tight": (
        'data d{source=MIND("a") lr in[1,2] content=[title(30),category]}',
        'data d {\n  source = MIND("a")\n  lr in [1, 2]\n  content = [title(30), category]\n}\n',
    ),
    "an empty block": ("train t {\n\n}", "train t {}\n"),
    "long lists open": (
        "train t = base(metrics=[GAUC, MRR, NDCG(5), NDCG(10), HitRatio(5), HitRatio(10), "
        "Recall(5), F1(0.5)])",
        "train t = base(\n"
        "  metrics=[GAUC, MRR, NDCG(5), NDCG(10), HitRatio(5), HitRatio(10), Recall(5), F1(0.5)],\n"
        ")\n",
    ),
    "clauses of a run open": (
        "run zoo on mind, mind_gpt with base(lr in [1e-3, 1e-4]), ranking where valid "
        "except (content=Null)",
        "run zoo on mind, mind_gpt with base(lr in [1e-3, 1e-4]), ranking\n"
        "  where valid\n"
        "  except (content=Null)\n",
    ),
    "a run too long opens at its words": (
        "run zoo = a_model_with_a_name on a_data_set_with_a_name, another_data_set_with_a_name "
        "with a_recipe(epochs=10) as edge",
        "run zoo = a_model_with_a_name\n"
        "  on a_data_set_with_a_name, another_data_set_with_a_name\n"
        "  with a_recipe(epochs=10)\n"
        "  as edge\n",
    ),
    "use": ('use "a.lego"(b,c,)use "d.lego"as e', 'use "a.lego" (b, c)\nuse "d.lego" as e\n'),
    "blank lines the author left": (
        "\n\nparam a = 1\nparam b = 2\n\n\n\nparam c = 3\n\n",
        "param a = 1\nparam b = 2\n\nparam c = 3\n",
    ),
    "comments stay with their neighbours": (
        "# top\n\n## of a\nparam a = 1 # behind a\n# of b\nparam b = [1, # one\n 2]\n# end\n",
        "# top\n\n## of a\nparam a = 1  # behind a\n# of b\n"
        "param b = [\n  1,  # one\n  2,\n]\n# end\n",
    ),
    "comments in a pipeline": (
        "model m = # why\ncontent A # first\n-> behavior B( # open\nx=1)\n# of c\n-> predict C",
        "model m =\n  # why\n  content A  # first\n  -> behavior B(\n    # open\n    x=1,\n  )\n"
        "  # of c\n  -> predict C\n",
    ),
    "comments in a run": (
        "run m on d # head\n# clause\nwhere valid # behind",
        "run m on d  # head\n  # clause\n  where valid  # behind\n",
    ),
    "comments alone": ("# a\n\n\n# b", "# a\n\n# b\n"),
    "comments inside emptiness": (
        "train t {\n# nothing yet\n}\nparam p = f(# c\n)",
        "train t {\n  # nothing yet\n}\nparam p = f(\n  # c\n)\n",
    ),
    "nothing": ("", ""),
    "numbers, strings and params as written": (
        'param p = [1_000, 1e-3, 64.0, 10%, "\\u00e9", $q]',
        'param p = [1_000, 1e-3, 64.0, 10%, "\\u00e9", $q]\n',
    ),
    "carriage returns": ("param a = 1\r\nparam b = 2\r\n", "param a = 1\nparam b = 2\n"),
}


@pytest.mark.parametrize("name", CASES)
def test_layout(name: str) -> None:
    text, expected = CASES[name]
    assert formatted(text) == expected


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
