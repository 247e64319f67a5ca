"""The IR: the shape of LANGUAGE section 7, valid by the schema, read back to the same spec."""

import json

import pytest
from jsonschema import ValidationError

from legoc.language.ir import form
from tests.language.declared import CATALOG, SCHEMA
from tests.language.specs import run_of, spec_of


TEXTS = (
    "content CNN -> behavior Additive -> predict Dot",
    run_of("content BERT(lora=8, split=-2) -> behavior PolyAttention -> predict MINER"),
    run_of("content Null -> behavior Null -> predict DIN").replace("{ }", "{ task = ranking }"),
    run_of("flatten Longformer -> predict Dot"),
    run_of("content BERT -> behavior GRU -> predict DCN").replace(
        "content = [", 'content = ["News: ", abstract(7), '
    ),
)  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_a_spec_survives_json(text: str) -> None:
    spec = spec_of(text)
    document = json.loads(json.dumps(form.to_json(spec)))
    assert form.from_json(document, known=CATALOG) == spec
    assert form.to_json(form.from_json(document, known=CATALOG)) == document


@pytest.mark.parametrize("text", TEXTS)
def test_every_ir_validates(text: str) -> None:
    form.validate(form.to_json(spec_of(text)), SCHEMA)


def test_numbers_and_categories_of_other_sources_survive(tmp_path: object) -> None:
    fields = "content = [name, tags, price(16)]  user = [age]"
    data = f'data d {{ source = Shop("{tmp_path}")  {fields} }}'
    spec = spec_of(f"{data}\nmodel m = content CNN -> behavior GRU -> predict Dot\nrun m on d")
    assert form.from_json(form.to_json(spec), known=CATALOG) == spec


def test_the_shape_of_the_language_page() -> None:
    text = run_of(
        "content BERT(lora=8, split=-2, hidden=256) -> behavior PolyAttention(codes=32, dim=200) "
        "-> predict MINER(score=weighted)"
    )
    document = form.to_json(spec_of(text))
    assert document["legoc"] == 1
    assert document["model"]["behavior"] == {
        "op": "PolyAttention",
        "args": {"codes": 32, "dim": 200},
    }
    assert document["model"]["content"]["args"]["lora"]["args"]["alpha"] == 32
    assert document["data"]["content"] == [{"attr": "title", "max": 30}, {"attr": "category"}]
    assert document["data"]["split"] == {"op": "publisher", "args": {}}
    assert (document["data"]["vectors"], document["data"]["augment"]) == (None, None)
    assert document["train"]["task"]["op"] == "matching"
    assert document["types"] == {"item": "Vec[256]", "user": "Many[32, Vec[256]]"}
    assert list(document["keys"]) == ["item", "user", "prefix", "spec"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("model", "content", "op"), "CMN"),
        (("model", "content", "args", "heads"), 8),
        (("model", "content", "args", "kernel"), 0),
        (("data", "content", 0), {"attr": "title", "max": 3, "bins": 3}),
        (("data", "content", 0), {"text": "x", "attr": "title"}),
        (("train", "optimizer"), "lion"),
        (("train", "metrics", 0, "op"), "GAUK"),
        (("legoc",), 2),
        (("keys", "item"), "short"),
    ],
)
def test_the_schema_refuses_what_the_front_end_refuses(
    path: tuple[object, ...], value: object
) -> None:
    document = form.to_json(spec_of(TEXTS[0]))
    *way, last = path
    place = document
    for key in way:
        place = place[key]  # type: ignore[index]
    place[last] = value  # type: ignore[index]
    with pytest.raises(ValidationError):
        form.validate(document, SCHEMA)


def test_another_version_and_unknown_operators_are_refused() -> None:
    document = form.to_json(spec_of(TEXTS[0]))
    with pytest.raises(ValueError, match="version 2"):
        form.from_json({**document, "legoc": 2}, known=CATALOG)
    document["model"]["content"]["op"] = "CMN"
    with pytest.raises(ValueError, match="CMN"):
        form.from_json(document, known=CATALOG)
