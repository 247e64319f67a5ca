"""The code blocks of the language reference that stand outside its files and messages.

Its ten models and the zoo are in `texts.py`, its mock-ups in `test_messages.py`.
"""

import json
import re
from typing import Any

import pytest

from legoc.language.checking import check
from legoc.language.declaring.declare import Divides, operator, param
from legoc.language.declaring.shipped import shipped
from legoc.language.diagnosing.document import Document
from legoc.language.ir import form
from legoc.language.syntax.fmt import format
from legoc.language.syntax.parse import parse
from tests.language.declared import CATALOG
from tests.language.specs import checked, specs_of
from tests.language.texts import EXAMPLES


ONE_LINE = "content Llama(lora=32) -> behavior Attention(heads=8) -> predict Dot\n"


def test_the_one_line_is_a_complete_file() -> None:
    assert format(Document("llama.lego", ONE_LINE)) == ONE_LINE
    (spec,) = specs_of(ONE_LINE)
    assert spec.data.source.op == "Demo"
    assert spec.train is not None
    assert (spec.train.epochs, spec.train.batch, spec.train.lr, spec.train.patience) == (
        50, 64, 3e-3, 5,
    )  # fmt: skip
    assert spec.train.task.op == "matching"
    assert [metric.op for metric in spec.train.metrics] == ["GAUC", "MRR", "NDCG", "NDCG"]
    assert str(spec.types.user) == "Vec[64]"


DATA = """\
data mind {
  source = MIND("MINDsmall")
  content = ["News. Title: ", title(30), " Category: ", category]
  history = 50
  split = publisher
  group = impression
}
"""
EXPORT = """\
export edge {
  opset = 20
  precision = int8
  budget = 64MiB  # refuse to write a bigger predictor
  parity = 1e-4  # largest |torch - onnx| on the probe batch
}

run naml on mind with base(warmup=10%, limit=2h, samples=500k) as edge
"""


def test_the_record_of_data() -> None:
    assert format(Document("d.lego", DATA)) == DATA
    found = checked(
        DATA + "model m = content BERT -> behavior Additive -> predict Dot\nrun m on mind"
    )
    assert [d.code for d in found.diagnostics] == ["W104"]
    document = form.to_json(found.specs[0])["data"]
    assert document["content"] == [
        {"text": "News. Title: "}, {"attr": "title", "max": 30},
        {"text": " Category: "}, {"attr": "category"},
    ]  # fmt: skip
    assert (document["history"], document["group"]) == (50, "impression")
    assert document["split"] == {"op": "publisher", "args": {}}


def test_the_record_of_export_and_the_units() -> None:
    assert format(Document("e.lego", EXPORT)) == EXPORT
    head = EXAMPLES["01_naml.lego"].replace("run naml on mind with base\n", "")
    text = head.replace('use "common.lego" (mind, base)\n', EXAMPLES["common.lego"]) + EXPORT
    (spec,) = checked(text).specs
    assert spec.export.budget == 64 * 1024**2
    assert (spec.export.opset, spec.export.precision, spec.export.parity) == (20, "int8", 1e-4)
    assert spec.train is not None
    assert (spec.train.warmup, spec.train.limit, spec.train.samples) == (0.1, 7200, 500_000)


# One file with every form of the table in section 1.
FORMS = """\
data demo { source = Demo }
data long = demo(history=100)
train base { epochs = 3 }
export edge { precision = fp16 }
param hidden in [64, 128]

model naml = content CNN(hidden=$hidden) -> behavior Additive -> predict Dot
model gru = naml(behavior=GRU, content.kernel=5)

run naml, gru on demo, long with base as edge
  where valid
  except (model=gru, data=long)
"""


def test_the_forms_of_section_1() -> None:
    found = checked(FORMS)
    assert not found.diagnostics
    assert len(found.specs) == 2 * 4 - found.excluded
    assert found.excluded == 2


RULES = (
    "start", "bare", "item", "use", "param", "data", "train", "export", "model", "run", "body",
    "block", "field", "binding", "set", "axis", "pipeline", "stage", "role", "refs", "ref", "qname",
    "clause", "valid", "except", "args", "arg", "value", "call", "list", "path", "word",
)  # fmt: skip


def test_the_grammar_has_the_rules_of_section_4() -> None:
    text = shipped("grammar/lego.lark").read_text("utf-8")
    defined = set(re.findall(r"^[?!]*_?([a-z_]+)\b", text, re.MULTILINE))
    assert set(RULES) <= defined
    for text in (
        "param a = none",
        "param a = true",
        "param a = 7%",
        "param a = 1_000",
        "param a = -2",
    ):
        assert not parse(Document("g", text)).diagnostics


def test_the_declaration_of_section_5() -> None:
    @operator("behavior", "Attention", "Seq[Vec[d]] -> Vec[hidden]", paper="NRMS", version=1)
    class Attention:
        """Self-attention over the clicks, then additive attention."""

        class Config:
            heads: int = param(8, min=1, doc="attention heads")
            hidden: int = param(
                inherit="d", min=1, doc="output width; the input width unless given"
            )
            dropout: float = param(0.1, min=0, max=1)

        rules = (Divides("heads", "d"),)
        example = "behavior Attention(heads=8)"

    declaration: Any = Attention.declaration
    assert (declaration.role, declaration.name, declaration.version) == ("behavior", "Attention", 1)
    assert [p.name for p in declaration.params] == ["heads", "hidden", "dropout"]
    assert [p.inherit for p in declaration.params] == [None, "d", None]
    assert declaration.rules[0].args == ("heads", "d")


IR = """
{"legoc": 1,
 "model": {
   "content":  {"op": "BERT", "args": {"size": "base", "hidden": 256, "split": -2, "page": 0, "side": null,
                "lora": {"op": "LoRA", "args": {"r": 8, "alpha": 32, "dropout": 0.1}}}},
   "behavior": {"op": "PolyAttention", "args": {"codes": 32, "dim": 200}},
   "predict":  {"op": "MINER", "args": {"score": "weighted"}}},
 "data":  {"source": {"op": "MIND", "args": {}},
           "content": [{"attr": "title", "max": 30}, {"attr": "category"}],
           "history": 50, "split": {"op": "publisher", "args": {}}, "group": "impression",
           "tokenizer": null, "vectors": null, "augment": null},
 "train": {"task": {"op": "matching", "args": {"negatives": 4}}, "epochs": 50, "lr": 0.0001},
 "types": {"item": "Vec[256]", "user": "Many[32, Vec[256]]"}}
"""  # noqa: E501


def contains(found: Any, wanted: Any) -> bool:
    """Whether a document holds all of another."""
    if isinstance(wanted, dict):
        return all(key in found and contains(found[key], value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(contains, found, wanted))
    return found == wanted


def test_the_ir_of_section_7() -> None:
    text = EXAMPLES["04_miner.lego"].replace('use "common.lego" (mind, base)\n', "")
    document = form.to_json(checked(EXAMPLES["common.lego"] + text).specs[0])
    assert contains(document, json.loads(IR))


# The messages of rule 3 of section 4, of its traps, and the fixes of section 8.
SENTENCES = [
    ("train t { limit = 500k }", "E0306", "`limit` is not measured in count"),
    ("param data = 3", "E0209", "`data` is a word of the language"),
    ("content CNN(hidden=64.0) -> behavior GRU -> predict Dot", "E0303", "must be a whole number"),
    ("content CNN(lora=8) -> behavior GRU -> predict Dot", "E0302", "has no parameter `lora`"),
]


@pytest.mark.parametrize(("text", "code", "part"), SENTENCES)
def test_what_the_page_quotes(text: str, code: str, part: str) -> None:
    (found,) = check(Document("m.lego", text), known=CATALOG).diagnostics
    assert found.code == code
    assert part in found.message
