"""The examples of LANGUAGE section 3, each as the formatter writes it."""

from pathlib import Path


EXAMPLES = {
    "common.lego": """\
## common.lego: shared pieces. Other files `use` these.

data mind {
  source = MIND("MINDsmall")
  content = [title(30), category]  # item attributes, in reading order
  history = 50  # clicks kept per user
}

## The same table joined with LLM-written titles (the generative side of ONCE).
data mind_gpt = mind(augment="mind_gpt.parquet", content=[gen_title(40), category])

train base {
  task = matching(negatives=4)
  epochs = 50
  batch = 64
  lr = 1e-3
  seed = 2023
  metrics = [GAUC, MRR, NDCG(5), NDCG(10)]
  monitor = GAUC
  patience = 5
}

train ranking = base(task=ranking)
""",
    "01_naml.lego": """\
use "common.lego" (mind, base)

model naml = content CNN(hidden=256, kernel=3) -> behavior Additive -> predict Dot

run naml on mind with base
""",
    "02_nrms.lego": """\
use "common.lego" (mind, base)

param hidden = 256

model nrms =
  content Attention(hidden=$hidden, heads=8)
  -> behavior Attention(heads=8)
  -> predict Dot

run nrms on mind with base
""",
    "03_lstur.lego": """\
use "common.lego" (mind, base)

model lstur = content CNN(hidden=256, fuse=concat) -> behavior GRU -> predict Dot

run lstur on mind with base(epochs=10)
""",
    "04_miner.lego": """\
use "common.lego" (mind, base)

model miner =
  content BERT(lora=8, split=-2, hidden=256)
  -> behavior PolyAttention(codes=32, dim=200)
  -> predict MINER(score=weighted)

run miner on mind with base(lr=1e-4)
""",
    "05_fastformer.lego": """\
use "common.lego" (mind, base)

model fastformer =
  content Fastformer(hidden=256, heads=16)
  -> behavior Fastformer(heads=16)
  -> predict Dot

run fastformer on mind with base
""",
    "06_plmnr.lego": """\
use "common.lego" (mind, base)
use "02_nrms.lego" (nrms)

model plmnr = nrms(content=BERT(split=10, lora=LoRA(r=8, alpha=128), hidden=256))

run plmnr on mind with base(lr=1e-4)
""",
    "07_dire.lego": """\
use "common.lego" as common

# Strings in `content` are prompt fragments around the attributes.
data mind_prompt = common.mind(
  content=["News. Title: ", title(30), " Category: ", category],
)

data mind_once = common.mind_gpt(
  content=["News. Title: ", gen_title(40), " Category: ", category],
)

model dire =
  content Llama(version=1, split=-2, lora=LoRA(r=32, alpha=128), page=64, hidden=256)
  -> behavior Attention(heads=8)
  -> predict Dot

## Decoupled twin: the same vectors, extracted once and frozen.
model dire_null = dire(
  content=Null(file="mind/llama1.safetensors", frozen=true, hidden=256),
)

run dire = dire on mind_prompt with common.base(lr=1e-4)
run once = dire on mind_once with common.base(lr=1e-4)
run decoupled = dire_null on mind_prompt with common.base
""",
    "08_dcn.lego": """\
use "common.lego" (mind, ranking)

model dcn_id =
  content Null(hidden=64)
  -> behavior Pooling
  -> predict DCN(cross=3, units=[1000, 1000, 1000])

run dcn_id on mind with ranking
""",
    "09_din.lego": """\
use "common.lego" (mind, ranking)

model din_text =
  content Pooling(hidden=64)
  -> behavior Null
  -> predict DIN(units=[1000, 1000, 1000], attention=[64], dropout=0.1)

run din_text on mind with ranking
""",
    "10_recformer.lego": """\
use "common.lego" (mind, base)

model recformer =
  flatten Longformer(window=64, hidden=256, item_sep=true)
  -> predict Dot

run recformer on mind with base(batch=8)
""",
    "zoo.lego": """\
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
  except (content=Null, predict=Dot)
""",
}


def write_examples(folder: Path) -> Path:
    """Write every example into a folder."""
    for name, text in EXAMPLES.items():
        (folder / name).write_text(text, "utf-8")
    return folder
