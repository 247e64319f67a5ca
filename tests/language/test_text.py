"""A spec written back as a file of its own means the same."""

import dataclasses

import pytest

from legoc.language.diagnosing.document import Document
from legoc.language.ir.text import resolved_text, title
from legoc.language.syntax.fmt import format
from tests.language.declared import CATALOG
from tests.language.specs import run_of, spec_of


TEXTS = (
    "content CNN -> behavior Additive -> predict Dot",
    run_of("content BERT(lora=8, split=-2) -> behavior PolyAttention -> predict MINER"),
    run_of("content Null(hidden=8) -> behavior Null -> predict DIN(units=[8, 8])").replace(
        "{ }", "{ task = ranking  limit = 1.5h  warmup = 7%  samples = 5k  lr = 1e-5  clip = 0.3 }"
    ),
    'export e { budget = 1.5MiB  parity = 1e-5 }\n'
    + run_of("flatten Longformer(item_sep=true) -> predict Dot").rstrip() + " as e\n",
    run_of("content BERT -> behavior GRU(hidden=3) -> predict DCN").replace(
        "content = [", 'content = ["News \\"of\\" \\u00e9: ", abstract(7), '
    ),
)  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_the_resolved_text_checks_to_the_same_spec(text: str) -> None:
    spec = spec_of(text)
    again = spec_of(spec.source_text)
    assert again.keys == spec.keys
    assert dataclasses.replace(again, name=spec.name) == spec
    assert resolved_text(spec, known=CATALOG) == spec.source_text
    format(Document("model.lego", spec.source_text))


def test_a_source_outside_keeps_its_grouping_and_users(tmp_path: object) -> None:
    text = f'data d {{ source = Shop("{tmp_path}")  user = [age(4)]  split = leave_one_out }}\n'
    spec = spec_of(text + "model m = content CNN -> behavior GRU -> predict Dot\nrun m on d")
    assert spec_of(spec.source_text).data == spec.data


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("zoo[content=CNN(hidden=64)]", "zoo"),
        ("my-model", "my_model"),
        ("02_nrms", "model_02_nrms"),
        ("corpus", "model_corpus"),
        ("run", "model_run"),
        ("été", "_t_"),
    ],
)
def test_any_name_becomes_one_of_the_language(name: str, wanted: str) -> None:
    assert title(name) == wanted
