"""The message mock-ups of LANGUAGE section 8, character for character."""

from pathlib import Path

import pytest

from legoc.language.checking import check
from legoc.language.diagnosing.render import full
from tests.language.declared import CATALOG


COMMON = """## Shared pieces.

data mind {
  source = MIND("MINDsmall")
  content = [title(30), category]  # item attributes, in reading order
  history = 50  # clicks kept per user
}

## The same table joined with LLM-written titles.
data mind_gpt = mind(augment="mind_gpt.parquet", content=[gen_title(40), category])

train base {
  task = matching(negatives=4)
}

train ranking = base(task=ranking)
"""
MOCKUPS = {
    "nrms.lego": (
        "model nrms = content Attention(hidden=256, head=8) -> behavior Attention -> predict Dot",
        """\
error[E0302]: `Attention` has no parameter `head`
 --> nrms.lego:1:44
  |
1 | model nrms = content Attention(hidden=256, head=8) -> behavior Attention -> predict Dot
  |                                            ^^^^ unknown parameter
  = help: did you mean `heads`? parameters: hidden, heads, dropout
  = docs: legoc explain E0302""",
    ),
    "heads.lego": (
        """model nrms =
  content CNN(hidden=250)
  -> behavior Attention(heads=8)
  -> predict Dot""",
        """\
error[E0402]: `heads` of Attention must divide its width
 --> heads.lego:3:31
  |
2 |   content CNN(hidden=250)
  |                      --- the width 250 comes from here
3 |   -> behavior Attention(heads=8)
  |                               ^ 8 does not divide 250
  = help: nearby choices that do: 5, 10
  = docs: legoc explain E0402""",
    ),
    "din.lego": (
        "model din_text = content Pooling -> behavior Additive -> predict DIN",
        """\
error[E0403]: `predict DIN` cannot read what `behavior Additive` makes
 --> din.lego:1:66
  |
1 | model din_text = content Pooling -> behavior Additive -> predict DIN
  |                                              --------            ^^^ wants Seq[Vec[d]]: the \
clicks themselves
  |                                              makes Vec[64]: one user vector
  = help: use `behavior Null`, or a predictor that reads one vector: Dot, Cosine, DNN, DCN
  = docs: legoc explain E0403""",
    ),
    "m.lego": (
        "model m = content CNN(hidden=256) -> behavior GRU(hidden=128) -> predict Dot",
        """\
error[E0404]: `predict Dot` needs user and item of one width
 --> m.lego:1:74
  |
1 | model m = content CNN(hidden=256) -> behavior GRU(hidden=128) -> predict Dot
  |                              ---                         ---             ^^^ item is Vec[256], \
user is Vec[128]
  = help: drop `hidden` from the behavior stage to inherit 256, or use `predict DCN`, which takes \
two widths
  = docs: legoc explain E0404""",
    ),
    "lora.lego": (
        "model m = content CNN(lora=32) -> behavior Additive -> predict Dot",
        """\
error[E0302]: `CNN` has no parameter `lora`
 --> lora.lego:1:23
  |
1 | model m = content CNN(lora=32) -> behavior Additive -> predict Dot
  |                       ^^^^ unknown parameter
  = note: `lora` is a parameter of `BERT`, `Llama`, `OPT` and `GLM`
  = help: parameters of CNN: hidden, kernel, dropout, fuse
  = docs: legoc explain E0302""",
    ),
    "task.lego": (
        """use "common.lego" (mind, base)
model din = content Pooling -> behavior Null -> predict DIN
run din on mind with base""",
        """\
error[E0501]: `predict DIN` cannot be trained for matching
 --> task.lego:2:57
  |
2 | model din = content Pooling -> behavior Null -> predict DIN
  |                                                         ^^^ supports `ranking`
 ::: common.lego:13:10
   |
13 |   task = matching(negatives=4)
   |          --------------------- the task is set here
  = help: `run din on mind with base(task=ranking)`
  = docs: legoc explain E0501""",
    ),
    "arrow.lego": (
        "model m = content CNN behavior Additive -> predict Dot",
        """\
error[E0102]: unexpected `behavior`
 --> arrow.lego:1:23
  |
1 | model m = content CNN behavior Additive -> predict Dot
  |                       ^^^^^^^^ a pipeline needs `->` between stages
  = fix (safe): insert `-> `
  = docs: legoc explain E0102""",
    ),
    "zoo.lego": (
        """use "common.lego" (mind, ranking)

param hidden in [64, 128, 256, 512]

model zoo = content in [Pooling(hidden=$hidden), CNN(hidden=$hidden)]
  -> behavior in [Attention, Additive, PolyAttention]
  -> predict MINER

run zoo on mind with ranking where valid""",
        """\
error[E0701]: no point of `zoo` is well typed
 --> zoo.lego:9:1
  |
9 | run zoo on mind with ranking where valid
  | ^^^^^^^ 24 points, 0 kept
  = note: 16 dropped by E0403: first, `predict MINER` cannot read what `behavior Attention` makes
  = note:  8 dropped by E0501: first, `predict MINER` cannot be trained for ranking
  = help: `legoc check zoo.lego --points` lists them
  = docs: legoc explain E0701""",
    ),
}


@pytest.mark.parametrize("name", MOCKUPS)
def test_the_messages_of_the_language_page(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, wanted = MOCKUPS[name]
    (tmp_path / "common.lego").write_text(COMMON)
    (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    checked = check(name, known=CATALOG)
    assert [full(diagnostic) for diagnostic in checked.errors] == [wanted]
