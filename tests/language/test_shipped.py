"""The shipped declarations, as the front end reads them: each parses, and each example checks."""

import pytest

from legoc.language.checking import check
from legoc.language.declaring.catalog import catalog
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import STAGES
from legoc.language.declaring.types import parse_signature
from legoc.language.diagnosing.document import Document
from legoc.language.diagnosing.render import render
from legoc.language.ir.counted import stands_alone
from legoc.language.typing.attributes import read_default
from legoc.language.typing.rules import default_value
from legoc.language.typing.unify import variables


DECLARATIONS = tuple(catalog())
STAGED = tuple(d for d in DECLARATIONS if d.role in STAGES)
# A pipeline in which an example of each role has neighbours that fit it.
AROUND = {
    "content": "{} -> behavior Additive -> predict Dot",
    "behavior": "content Pooling -> {} -> predict {}",
    "flatten": "{} -> predict Dot",
    "predict": "content Pooling -> behavior {} -> {}",
}


def name(declaration: Declaration) -> str:
    return f"{declaration.role} {declaration.name}"


def pipeline(declaration: Declaration) -> str:
    """The example of a declaration among neighbours whose types it reads."""
    if " -> " in declaration.example:
        return declaration.example
    around = AROUND[declaration.role]
    signature = parse_signature(declaration.signature or "")
    match declaration.role:
        case "behavior":
            form = str(signature.output).partition("[")[0]
            predictor = {"Seq": "DIN", "Many": "MINER"}.get(form, "Dot")
            return around.format(declaration.example, predictor)
        case "predict" if stands_alone(declaration):
            return declaration.example
        case "predict":
            form = str(signature.input).removeprefix("(").partition("[")[0]
            behavior = {"Seq": "Null", "Many": "PolyAttention"}.get(form, "Additive")
            return around.format(behavior, declaration.example)
        case _:
            return around.format(declaration.example)


@pytest.mark.parametrize("declaration", STAGED, ids=name)
def test_the_example_of_every_stage_checks(declaration: Declaration) -> None:
    assert declaration.example
    checked = check(Document("example.lego", pipeline(declaration)))
    # The file an example names lies beside the reader's spec, not here.
    found = [diagnostic for diagnostic in checked.diagnostics if diagnostic.code != "W104"]
    assert not found, render(found)
    assert len(checked.specs) == 1


FILES = {
    "source": "data d {{ {} }}\ntrain t {{ }}\n",
    "split": "data d {{ source = Demo  {} }}\ntrain t {{ }}\n",
    "tokenizer": "data d {{ source = Demo  {} }}\ntrain t {{ }}\n",
    "task": "data d {{ source = Demo }}\n{}\ntrain t = base\n",
    "metric": "data d {{ source = Demo }}\ntrain t {{ metrics = [{}] }}\n",
}
SHIPPED = next(d for d in catalog().role("source") if d.name == "Demo")
RUN = "model m = content CNN -> behavior GRU -> predict DCN\nrun m on d with t\n"


@pytest.mark.parametrize("declaration", [d for d in DECLARATIONS if d.role in FILES], ids=name)
def test_the_example_of_everything_else_checks(declaration: Declaration) -> None:
    assert declaration.example
    text = FILES[declaration.role].format(declaration.example) + RUN
    if declaration.role == "split":
        # Some splits are for some sources only.
        able = [d for d in catalog().role("source") if declaration.name in d.splits]
        if able and declaration.name not in SHIPPED.splits:
            text = text.replace("source = Demo", able[0].example)
    checked = check(Document("example.lego", text))
    # Examples name files and folders that are not here.
    assert {d.code for d in checked.diagnostics} <= {"W104"}, render(checked.diagnostics)
    assert len(checked.specs) == 1


@pytest.mark.parametrize("declaration", DECLARATIONS, ids=name)
def test_a_declaration_is_sound(declaration: Declaration) -> None:
    params = {p.name for p in declaration.params}
    assert declaration.doc
    for p in declaration.params:
        assert p.doc, p.name
        if not p.required and p.inherit is None:
            default_value(p.kind, p.default, catalog())
    widths: frozenset[str] = frozenset()
    if declaration.signature is not None:
        signature = parse_signature(declaration.signature)
        assert str(signature) == declaration.signature
        widths = variables(signature.input)
        table = declaration.facts.get("widths", {})
        assert variables(signature.output) <= widths | params | set(table)
    for p in declaration.params:
        assert p.inherit is None or p.inherit in widths
    for rule in declaration.rules:
        assert rule.args[0] in params
        assert set(rule.args[1:]) <= params | widths
    for task in declaration.tasks:
        assert catalog().get("task", task) is not None
    if declaration.role == "predict":
        assert declaration.tasks
    for split in declaration.splits:
        assert catalog().get("split", split) is not None
    if declaration.content is not None:
        assert read_default(declaration.content, declaration.attributes)


def test_a_bad_default_list_is_refused() -> None:
    for text in ("title", "[title", "[nothing]", "[title) ]", '["open]'):
        with pytest.raises(ValueError, match=r"list|declared|attribute"):
            read_default(text, ())
