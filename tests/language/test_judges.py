"""The front end's own code and JSON Schema judge arguments alike (LANGUAGE section 5).

Every parameter of every declaration is given values right and wrong: in the text, judged by the
front end, and in the IR, judged by the schema. Rules between parameters (odd, divides, needs,
excludes) and the notation itself (quotes, units, shorthands) have no word in a schema.
"""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from legoc.language.declaring.catalog import Catalog, catalog, load_schema
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.kinds import Kind, Param
from legoc.language.declaring.records import RECORDS
from legoc.language.diagnosing.document import Document, Span
from legoc.language.ir import form
from legoc.language.resolving.points import Argument, Given, Measure, Settings
from legoc.language.typing.arguments import Judge
from tests.language.declared import CATALOG, SCHEMA
from tests.language.specs import codes, run_of, spec_of


DOCUMENT = Document("m.lego", "value")
SPAN = Span(DOCUMENT, 0, 5)
# What both judge; the rest are rules between parameters.
JUDGED = {"E0302", "E0303", "E0304", "E0305", "E0306", "E0206"}


def given(value: Any) -> Given:
    return Given(value, SPAN)


def word(name: str) -> Settings:
    return Settings(name, SPAN)


def call(name: str, **args: Any) -> tuple[Settings, dict[str, Any]]:
    """An operator as the text has it, and as the IR does."""
    arguments = {key: Argument(key, SPAN, given(value)) for key, value in args.items()}
    return Settings(name, SPAN, arguments, (), True), {"op": name, "args": args}


def pairs(kind: Kind, p: Param, known: Catalog) -> Iterator[tuple[Any, Any]]:
    """Values of the text, each with what the IR would hold."""
    if kind.name != "list":
        # A list given where a value is wanted has no form in the IR that could be right.
        yield (given(1), given(2)), [1, 2]
    if not (kind.name == "list" and kind.element and kind.element.name in ("content", "attribute")):
        yield None, None
    bounds = [bound for bound in (p.min, p.max, p.above) if bound is not None]
    edges = {bound + step for bound in bounds for step in (-1, 0, 1)}
    match kind.name:
        case "int":
            for number in sorted({-7, 0, 1, 2, 3, *(int(edge) for edge in edges)}):
                yield number, number
            yield 2.5, 2.5
            yield True, True
            yield word("three"), "three"
        case "float":
            for number in sorted({-0.5, 0.0, 0.5, 1.0, 1e9, *(float(edge) for edge in edges)}):
                yield number, number
            yield 3, 3
            yield False, False
            yield word("fast"), "fast"
        case "bool":
            yield from ((True, True), (False, False), (1, 1), (word("yes"), "yes"))
        case "str" | "file" | "folder":
            yield from (("text", "text"), (3, 3), (True, True))
        case "enum":
            yield from ((word(name), name) for name in kind.values)
            yield from ((word("nothing_like_it"), "nothing_like_it"), (1, 1), (True, True))
        case "quantity":
            if kind.unit == "share":
                yield from (
                    (Measure(10, "%"), 0.1),
                    (Measure(150, "%"), 1.5),
                    (0.25, 0.25),
                    (-1, -1),
                )
            if kind.unit == "count":
                yield from ((Measure(2, "k"), 2000), (7, 7), (0, 0), (2.5, 2.5))
            yield word("many"), "many"
            yield True, True
        case "operator":
            for d in known.role(kind.role or ""):
                text, document = call(d.name)
                yield text, document
                yield call(d.name, nothing_like_it=1)
            yield call("NothingLikeIt")
            yield True, True
        case "list" if kind.element is not None and kind.element.name not in (
            "content",
            "attribute",
        ):
            yield (), []
            yield 3, 3
            for text, document in pairs(kind.element, p, known):
                yield (given(text),), [document]
        case _:
            return


def accepted_by_the_front_end(d: Declaration, p: Param, value: Any, known: Catalog) -> bool:
    judge = Judge(known)
    others = [each.name for each in d.params if each.name != p.name]
    judge.arguments(d, SPAN, {p.name: Argument(p.name, SPAN, given(value))}, skip=others)
    return not [x for x in judge.problems if x.code in JUDGED and not x.message.endswith("be odd")]


def schema_of(d: Declaration, p: Param, schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    """The schema of one parameter."""
    if d.role in RECORDS:
        found = schema["$defs"][f"{d.role}-record"]["properties"][p.name]
    else:
        branches = schema["$defs"][d.role]["allOf"]
        mine = next(b for b in branches if b["if"]["properties"]["op"]["const"] == d.name)
        found = mine["then"]["properties"]["args"]["properties"][p.name]
    return jsonschema.Draft202012Validator({**found, "$defs": schema["$defs"]})


def disagreements(known: Catalog, schema: dict[str, Any]) -> tuple[int, list[str]]:
    count, found = 0, []
    for d in (*known, *RECORDS.values()):
        for p in d.params:
            validator = schema_of(d, p, schema)
            for value, document in pairs(p.kind, p, known):
                count += 1
                ours = accepted_by_the_front_end(d, p, value, known)
                theirs = validator.is_valid(document)
                if ours != theirs:
                    found.append(
                        f"{d.role} {d.name}.{p.name} = {document!r}: {ours} against {theirs}"
                    )
    return count, found


def test_the_two_judges_agree_on_every_parameter_of_these_tests() -> None:
    count, found = disagreements(CATALOG, SCHEMA)
    assert not found, "\n".join(found)
    assert count > 500


def test_the_two_judges_agree_on_every_shipped_parameter() -> None:
    count, found = disagreements(catalog(), dict(load_schema()))
    assert not found, "\n".join(found)
    assert count > 500


# A way into the IR, what stands there instead, and the text that says the same.
BROKEN = [
    (("model", "content", "args", "kernel"), 0, ("kernel=3", "kernel=0"), "E0305"),
    (("model", "content", "args", "kernel"), "three", ("kernel=3", "kernel=three"), "E0303"),
    (("model", "content", "args", "heads"), 8, ("kernel=3", "kernel=3, heads=8"), "E0302"),
    (("model", "content", "op"), "CMN", ("CNN", "CMN"), "E0206"),
    (("model", "predict", "op"), "Dott", ("Dot", "Dott"), "E0206"),
    (("train", "epochs"), 2.5, ("train base { ", "train base { epochs = 2.5 "), "E0303"),
    (("train", "optimizer"), "lion", ("train base { ", "train base { optimizer = lion "), "E0303"),
    (("train", "warmup"), 1.5, ("train base { ", "train base { warmup = 150% "), "E0305"),
    (("train", "metrics", 0), {"op": "NDCG", "args": {}},
     ("train base { ", "train base { metrics = [NDCG] "), "E0304"),
    (("data", "history"), 0, ("source = Demo", "source = Demo history = 0"), "E0305"),
    (("data", "split"), {"op": "time", "args": {"valid": 2}},
     ("source = Demo", "source = Demo split = time(valid=200%)"), "E0305"),
]  # fmt: skip
TEXT = run_of("content CNN(kernel=3) -> behavior GRU -> predict Dot")


@pytest.mark.parametrize(("way", "value", "change", "code"), BROKEN)
def test_a_broken_ir_and_the_broken_text_are_both_refused(
    way: tuple[Any, ...], value: Any, change: tuple[str, str], code: str
) -> None:
    assert codes(TEXT.replace(*change)) == [code]
    document = form.to_json(spec_of(TEXT))
    form.validate(document, SCHEMA)
    place: Any = document
    for key in way[:-1]:
        place = place[key]
    place[way[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        form.validate(document, SCHEMA)
