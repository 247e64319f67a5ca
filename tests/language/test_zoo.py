"""The reference counts of LANGUAGE section 3, and the cost of checking thousands of points."""

from collections import Counter
from pathlib import Path

from legoc.language.checking import check
from legoc.language.ir import form
from tests.language.declared import CATALOG, SCHEMA


COMMON = """
data mind {
  source = MIND("MINDsmall")
  content = [title(30), category]
}
data mind_gpt = mind(augment="mind_gpt.parquet", content=[gen_title(40), category])
train base {
  task = matching(negatives=4)
}
train ranking = base(task=ranking)
"""
ZOO = """
use "common.lego" (mind, mind_gpt, base, ranking)

param hidden in [64, 256]

model zoo =
  content in [
    Null(hidden=$hidden),
    Pooling(hidden=$hidden),
    CNN(hidden=$hidden),
    CNN(hidden=$hidden, fuse=concat),
    Attention(hidden=$hidden),
    Transformer(hidden=$hidden),
    Fastformer(hidden=$hidden, heads=16),
    BERT(hidden=$hidden, lora=8),
    BERT(hidden=$hidden, split=-2, lora=8),
    Llama(version=1, hidden=$hidden, lora=32, split=-2),
    Llama(version=3, hidden=$hidden, lora=32, split=-2),
  ]
  -> behavior in [
    Null,
    Pooling,
    Additive,
    Attention,
    GRU,
    Transformer,
    Fastformer,
    PolyAttention,
  ]
  -> predict in [Dot, DNN, DCN, DIN, MINER]

run zoo on mind, mind_gpt with base(lr in [1e-3, 1e-4]), ranking
  where valid
"""
EXCEPT = "  except (content=Null, predict=Dot)\n"


def test_the_reference_counts(tmp_path: Path) -> None:
    (tmp_path / "common.lego").write_text(COMMON)
    (tmp_path / "mind_gpt.parquet").write_bytes(b"")
    (tmp_path / "zoo.lego").write_text(ZOO + EXCEPT)
    (tmp_path / "whole.lego").write_text(ZOO)

    whole = check(tmp_path / "whole.lego", known=CATALOG)
    assert not whole.errors
    assert len(whole.points) == 5280
    assert whole.dropped == {"E0403": 2640, "E0501": 132}

    found = check(tmp_path / "zoo.lego", known=CATALOG)
    assert not found.errors
    assert len(found.specs) == 2436
    excluded = {spec.keys.spec for spec in whole.specs} - {spec.keys.spec for spec in found.specs}
    assert len(excluded) == 72

    architectures = {str(form.to_json(spec)["model"]) for spec in found.specs}
    assert len(architectures) == 428
    assert len({spec.keys.item for spec in found.specs}) == 44
    assert len({spec.keys.spec for spec in found.specs}) == 2436
    assert len({spec.name for spec in found.specs}) == 2436
    forms = Counter(spec.types.user.partition("[")[0] for spec in found.specs)
    assert forms.keys() == {"Vec", "Seq", "Many"}
    for spec in found.specs[::600]:
        form.validate(form.to_json(spec), SCHEMA)
