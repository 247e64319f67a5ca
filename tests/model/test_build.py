"""A spec builds the model it names, from nothing it does not name."""

import subprocess
import sys

import torch

from legoc.model import compile
from tests.model.pipelines import ROWS, WIDTH, spec


def test_one_seed_gives_one_model():
    def weights():
        torch.manual_seed(5)
        return compile(spec("naml")).build(ROWS).state_dict()

    first, second = weights(), weights()
    assert first.keys() == second.keys()
    assert all(torch.equal(first[path], second[path]) for path in first)


def test_tables_have_the_rows_of_the_data():
    text = compile(spec("din_text")).build(ROWS)
    assert text.tokens.table.weight.shape == (ROWS.tokens, WIDTH)
    assert 0.08 < text.tokens.table.weight[1:].std() < 0.12
    assert not text.tokens.table.weight[0].any()
    plain = compile(spec("din_id")).build(ROWS)
    assert plain.tokens is None
    assert plain.content.table.weight.shape == (ROWS.items, WIDTH)


def test_widths_of_user_and_candidate_may_differ():
    model = compile(spec("nrms")).build(ROWS)
    assert model.width == WIDTH
    assert model.predict.mlp.layers.linears[0].in_features == WIDTH + 12


def test_only_the_operators_of_a_spec_are_imported():
    code = (
        "import sys; from legoc.model import compile; from tests.model.pipelines import ROWS, spec;"
        "compile(spec('naml')).build(ROWS);"
        "print([m for m in sys.modules if m.startswith('legoc.operators.') and m.count('.') == 3])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert "legoc.operators.content.cnn" in found
    for other in ("content.null", "behavior.gru", "predict.din"):
        assert other not in found
