"""The exported schema is valid, and reading it back gives every declaration exactly."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from legoc.language.checking import check, load
from legoc.language.declaring import catalog
from legoc.language.declaring.catalog import catalog_of
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.schema import emit
from legoc.language.diagnosing.document import Document
from legoc.language.ir.form import to_json, validate
from tests.language.declared import DECLARATIONS, SCHEMA


def by_name(declarations: object) -> dict[tuple[str, str], object]:
    return {(d.role, d.name): d for d in declarations}  # type: ignore[attr-defined]


def test_the_schema_is_valid_draft_2020_12() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_declaration_round_trips_through_json() -> None:
    given = by_name(DECLARATIONS)
    read_back = by_name(catalog_of(json.loads(json.dumps(SCHEMA))))
    assert read_back.keys() == given.keys()
    for key, declaration in given.items():
        found = read_back[key]
        for field in declaration.__dataclass_fields__:
            left, right = getattr(declaration, field), getattr(found, field)
            if field == "params":
                for p, q in zip(left, right, strict=True):
                    default = tuple(p.default) if isinstance(p.default, list) else p.default
                    assert q.default == default, (key, p.name)
                    assert {**vars(q), "default": 0} == {**vars(p), "default": 0}
            else:
                assert left == right, (key, field)


def test_the_order_of_the_declarations_is_kept() -> None:
    names = [d.name for d in catalog_of(SCHEMA).role("predict")]
    assert names == ["Dot", "Cosine", "DNN", "DCN", "DIN", "MINER", "YesNo", "API"]


def test_two_declarations_of_one_role_and_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two declarations of content Null"):
        emit((*DECLARATIONS, DECLARATIONS[0]))
    with pytest.raises(ValueError, match="two declarations of content Null"):
        catalog_of(SCHEMA, emit(DECLARATIONS[:1]))


def test_several_documents_make_one_catalog() -> None:
    joined = catalog_of(emit(DECLARATIONS[:3]), emit(DECLARATIONS[3:]))
    assert by_name(joined) == by_name(catalog_of(SCHEMA))


def test_arguments_are_judged_by_operator() -> None:
    content = Draft202012Validator({"$ref": "#/$defs/content", "$defs": SCHEMA["$defs"]})
    assert content.is_valid({"op": "CNN", "args": {"kernel": 3, "fuse": "concat"}})
    assert not content.is_valid({"op": "CNN", "args": {"heads": 8}})
    assert not content.is_valid({"op": "CNN", "args": {"kernel": 0}})
    assert not content.is_valid({"op": "CNN", "args": {"fuse": "sum"}})
    assert not content.is_valid({"op": "Attention", "args": {"kernel": 3}})
    assert content.is_valid({"op": "BERT", "args": {"lora": None}})
    assert content.is_valid({"op": "BERT", "args": {"lora": {"op": "LoRA", "args": {"r": 8}}}})
    assert not content.is_valid({"op": "BERT", "args": {"lora": {"op": "LoRA", "args": {"r": 0}}}})
    assert not content.is_valid({"op": "BERT", "args": {"lora": 8}})


def test_a_declaration_is_read_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading all of them took a twentieth of a check, which names a tenth of them."""
    taken: list[str] = []
    whole = catalog.read_declaration

    def note(role: str, name: str, schema: Mapping[str, Any]) -> Declaration:
        taken.append(f"{role} {name}")
        return whole(role, name, schema)

    monkeypatch.setattr(catalog, "read_declaration", note)
    known = catalog_of(SCHEMA)
    assert taken == []
    found = known.get("predict", "Dot")
    assert found is known.get("predict", "Dot") is known.role("predict")[0]
    assert taken.count("predict Dot") == 1
    assert known.get("predict", "Dott") is None
    assert len(list(known)) == len(taken) == len(DECLARATIONS)
    text = "content CNN -> behavior Additive -> predict Dot"
    taken.clear()
    assert not check(Document("m.lego", text), known=catalog_of(SCHEMA)).diagnostics
    assert len(taken) < len(DECLARATIONS) / 2


def test_whole_numbers_end_where_the_language_ends_them() -> None:
    """2**63 is refused by `check`, and so is an IR that holds it."""
    (spec,) = load(Document("m.lego", "content CNN -> behavior Additive -> predict Dot\n"))
    document = to_json(spec)
    for path in (("train", "epochs"), ("train", "samples"), ("data", "history")):
        for value, sound in ((2**63 - 1, True), (2**63, False)):
            record = {**document[path[0]], path[1]: value}
            changed = {**document, path[0]: record}
            if sound:
                validate(changed)
            else:
                with pytest.raises(ValidationError, match="maximum"):
                    validate(changed)
    title = {"attr": "title", "max": 2**63}
    with pytest.raises(ValidationError, match="maximum"):
        validate({**document, "data": {**document["data"], "content": [title]}})
