"""One item graph: adapters folded, frozen and tuned parts together, equal to torch."""

import numpy as np
import pytest
import torch

from legoc.data.indexing.rows import Rows
from legoc.exporting.graph_files import write_graph
from legoc.exporting.graphs import reference_copy
from legoc.model import compile
from tests.lm.tiny import FAMILIES, stir
from tests.lm_data.folders import ROWS


FORMS = {
    "BERT": "split=-2, lora=4",
    "RoBERTa": "pooling=cls",
    "DistilBERT": "lora=4",
    "ModernBERT": "split=1",
    "E5": "split=-1",
    "MiniLM": "split=-2, lora=4, hidden=16",
    "OPT": "lora=4",
    "GPT2": "split=1, lora=4, pooling=last",
    "Llama": "split=-2, lora=LoRA(r=4, alpha=128)",
    "Qwen": "split=2, states=float16",
    "Mistral": "pooling=mean",
    "Phi": "lora=4, split=1",
    "Gemma": "split=-2",
    "GLM": "lora=4, page=2",
    "T5": "split=2, lora=4",
    "side": "side=IISAN(step=2, proj=6)",
}


@pytest.mark.parametrize("family", [*FAMILIES, "side"])
def test_the_exported_graph_is_the_model(family, whole, make_spec, tmp_path):
    name = "BERT" if family == "side" else family
    form = FORMS[family] if "hidden" in FORMS[family] else f"{FORMS[family]}, hidden=8"
    spec = make_spec(f'{name}(path="{whole(name)}", {form})')
    rows = Rows(items=4, users=2, tokens=ROWS, longest=60)
    torch.manual_seed(2)
    compiled = compile(spec)
    recommender = compiled.build(rows)
    stir(recommender)
    made = write_graph(
        reference_copy(recommender), compiled.plan.graph("item_encoder"), spec, rows,
        tmp_path / "item_encoder.onnx", {},
    )  # fmt: skip
    assert {figure.probe for figure in made.figures} >= {"1x1", "3x5", "longest", "empty_row"}
    assert max(figure.difference for figure in made.figures) < 1e-5
    text = (tmp_path / "item_encoder.onnx").read_bytes()
    assert b"lora" not in text
    ids = np.zeros((2, 3), dtype=np.int64)
    vectors = made.run({"tokens": ids, "tokens_mask": np.zeros((2, 3), dtype=bool)})
    assert not vectors.any()
