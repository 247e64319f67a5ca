"""Every operator declares itself completely and keeps the signature it declares."""

import re

import pytest
import torch

from legoc.language.declaring.types import Many, Seq, Vec, parse_signature
from tests.operators import predict_cases
from tests.operators.cases import (
    FORMS,
    build,
    cases,
    inputs,
    is_counted,
    item_width,
    key,
    lay,
    name,
    operators,
)
from tests.operators.cases import settings as settings_of
from tests.operators.oracles import ORACLES
from tests.operators.predict_oracles import PREDICT


# Another value of each kind of setting, to see that it matters.
OTHERS = {
    "hidden": 16, "kernel": 5, "dim": 5, "heads": 4, "dropout": 0.5, "kind": "max",
    "fuse": "concat", "units": (7,), "attention": (9,), "cross": 1, "softmax": True,
    "item_sep": False, "window": 2, "frozen": True, "size": 5,
    "cold": "zero", "layers": 1, "project": False, "form": "con", "mask": 0.9, "codes": 3,
    **predict_cases.OTHERS,
}  # fmt: skip
WANTED = {
    "content": {
        "Null",
        "Pooling",
        "CNN",
        "Additive",
        "Attention",
        "GRU",
        "Transformer",
        "Fastformer",
    },
    "behavior": {
        "Null",
        "Pooling",
        "Additive",
        "Attention",
        "GRU",
        "LSTUR",
        "Transformer",
        "Fastformer",
        "SASRec",
        "PolyAttention",
    },
    "predict": {title for _, title in PREDICT},
}


def test_every_brick_is_declared_once():
    found = [key(operator) for operator in operators()]
    assert len(found) == len(set(found))
    for role, names in WANTED.items():
        assert names <= {title for r, title in found if r == role}


def test_every_brick_has_an_oracle():
    plain = {("behavior", "Null")}
    assert {key(operator) for operator in operators()} == {*ORACLES, *PREDICT} | plain
    assert set(FORMS) <= {*ORACLES, *PREDICT}


@pytest.mark.parametrize("operator", list(operators()), ids=name)
def test_declaration_is_complete(operator):
    declaration = operator.declaration
    role, title = key(operator)
    assert declaration.example.startswith(f"{role} {title}")
    assert declaration.doc.splitlines()[0].endswith(".")
    assert declaration.module == f"{operator.__module__}:{title}"
    assert operator.__module__ == f"legoc.operators.{role}.{title.lower()}"
    assert all(p.doc for p in declaration.params)
    if role == "content" and declaration.signature.startswith("Tokens"):
        assert declaration.layout in ("fields", "sequence")
    if role == "predict":
        assert declaration.tasks
    for named in re.findall(r"(\w+)=", declaration.example):
        assert declaration.param(named), named


@pytest.mark.parametrize(("operator", "width", "form"), cases(), ids=name)
def test_output_is_what_the_signature_says(operator, width, form):
    signature = parse_signature(operator.declaration.signature)
    made = build(operator, width, form)
    lengths = (4, 2, 3)
    with torch.no_grad():
        found = made(*lay(operator, inputs(operator, width, lengths)))
    widths = {"d": width, **settings_of(operator, width, form)}
    wanted = signature.output
    if isinstance(wanted, Vec):
        expected = (3, widths[wanted.width])
    elif isinstance(wanted, Many):
        expected = (3, widths[wanted.count], width)
    elif isinstance(wanted, Seq):
        expected = (3, 4, width)
    else:
        expected = (3,)
    assert found.shape == expected
    assert found.dtype == torch.float32
    assert item_width(operator, width) >= width


@pytest.mark.parametrize("operator", list(operators()), ids=name)
def test_every_setting_matters(operator):
    title = operator.declaration.name
    if is_counted(operator):
        return  # what its settings change is counted before: tests/model/test_counting.py
    for p in operator.declaration.params:
        # What a file holds is not the operator's to show.
        if (title, p.name) in predict_cases.SAME or p.name == "file":
            continue
        own = {("LSTUR", "form"): "con", **predict_cases.OWN_OTHERS}
        other = own.get((title, p.name), OTHERS.get(p.name))
        if p.kind.name == "bool":
            other = not p.default
        ours, theirs = (trained(operator, form) for form in ({}, {p.name: other}))
        assert ours.keys() != theirs.keys() or any(
            ours[path].shape != theirs[path].shape or not torch.equal(ours[path], theirs[path])
            for path in ours
        ), p.name


def trained(operator, form):
    """Weights and the output in training mode of an operator built from one seed."""
    # A content operator's tokens are as wide as its result; other inputs have a width of their own.
    width = form.get("hidden", 8) if operator.declaration.layout else 8
    made = build(operator, width, form).train()
    given = lay(operator, inputs(operator, width, (4, 2, 3)))
    torch.manual_seed(2)
    trainable = torch.tensor(sum(p.numel() for p in made.parameters() if p.requires_grad))
    found = {**made.state_dict(), "trainable": trainable, "output": made(*given)}
    if hasattr(made, "losses"):
        found["losses"] = torch.tensor([value.item() for value in made.losses(given[0]).values()])
    return found
