"""Resolved values as a person would write them, and as a file needs them."""

import pytest

from legoc.language.checking import load
from legoc.language.diagnosing.document import Document
from legoc.language.ir.notation import write_call, write_pipeline
from legoc.language.ir.spec import Call


MODELS = (
    "content CNN(hidden=32, kernel=5) -> behavior Null -> predict DIN(units=[16, 8], softmax=true)",
    "content Pooling(kind=max, hidden=8) -> behavior GRU -> predict Dot",
)


@pytest.mark.parametrize("text", MODELS)
def test_what_is_written_in_brief_is_the_same_spec(text: str) -> None:
    spec = load(Document("m.lego", text))[0]
    written = write_pipeline(spec.model)
    assert load(Document("m.lego", written))[0].keys == spec.keys
    assert "dropout" not in written, "a default has been written"


def test_in_full_every_setting_is_written_with_its_name() -> None:
    spec = load(Document("m.lego", MODELS[0]))[0]
    text = write_call("predict", spec.model["predict"], full=True)
    assert text.startswith("DIN(units=[16, 8], ")
    assert "softmax=true" in text
    assert text.count("=") == len(spec.model["predict"].args)


def test_the_primary_parameter_stands_without_its_name() -> None:
    assert write_call("metric", Call(op="NDCG", args={"k": 7})) == "NDCG(7)"
    assert write_call("metric", Call(op="NDCG", args={"k": 7}), full=True) == "NDCG(k=7)"


def test_an_operator_nobody_declared() -> None:
    with pytest.raises(LookupError, match="Nothing"):
        write_call("predict", Call(op="Nothing"))
