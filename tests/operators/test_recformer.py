"""Recformer at the length of its paper: 1,024 tokens through forward, export and probes."""

from dataclasses import replace

import numpy as np
import torch

from legoc.data.indexing.rows import Rows
from legoc.exporting.gates import TARGET
from legoc.exporting.graph_files import write_graph
from legoc.exporting.graphs import reference_copy
from legoc.language.declaring.declare import Attribute
from legoc.language.ir.plan import plan
from legoc.model import compile
from legoc.operators.blocks.laying import lay
from tests.exporting.tiny import call, make_spec
from tests.operators.cases import weights
from tests.operators.oracles import longformer


CLICKS, TOKENS = 32, 32
ROWS = Rows(items=12, users=2, tokens=30)


def test_a_thousand_tokens_are_read_as_few_are(tmp_path):
    title = Attribute(name="title", kind="text", length=TOKENS - 1)  # a separator follows it
    flatten = call("flatten", "Longformer", layers=2, window=64)
    spec = make_spec(flatten=flatten, predict=call("predict", "Cosine", temperature=0.05))
    spec = replace(spec, data=replace(spec.data, content=(title,), history=CLICKS))
    torch.manual_seed(0)
    reference = reference_copy(compile(spec).build(ROWS))
    graph = plan(spec).graph("user_encoder")
    made = write_graph(reference, graph, spec, ROWS, tmp_path / "graph.onnx", {})
    shapes = {probe.name: probe.inputs["tokens"].shape for probe in made.probes}
    assert shapes["longest"][1:] == (CLICKS, TOKENS)
    assert max(figure.difference for figure in made.figures) < TARGET
    # The whole length and nothing less: every click full, then one that is not.
    ids = np.random.default_rng(0).integers(3, ROWS.tokens, size=(2, CLICKS, TOKENS))
    mask = np.ones(ids.shape, dtype=bool)
    mask[1, 3:, 20:], mask[1, 30:] = False, False
    found = made.run({"tokens": ids, "tokens_mask": mask})
    with torch.no_grad():
        tokens, real = torch.from_numpy(ids), torch.from_numpy(mask)
        np.testing.assert_allclose(
            found, reference.encode_users(tokens, real).numpy(), rtol=1e-4, atol=1e-5
        )
        x = reference.tokens(tokens)
    assert int(lay(x, real).mask.sum(1).max()) == 1024
    for row in range(2):
        clicks = [x[row, s][real[row, s]].double().numpy() for s in range(CLICKS)]
        wanted = longformer(weights(reference.flatten), flatten.args, clicks)
        np.testing.assert_allclose(found[row], wanted, rtol=1e-4, atol=1e-5)
