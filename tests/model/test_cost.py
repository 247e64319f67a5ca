"""Costs are measured; here they are compared with counts made by hand."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from legoc.data.indexing.rows import Rows
from legoc.model import compile
from legoc.model.build import build
from legoc.model.cost import PROBE, longest, user_inputs
from tests.model.pipelines import PIPELINES, ROWS, spec


ROOT = Path(__file__).resolve().parents[2]
D, DIM, S = 16, 256, 5  # width, inner width of additive attention, clicks
TITLE, TOPIC = 6, 2


def linear(rows, given, made):
    return 2 * rows * given * made


def additive(rows, width):
    return linear(rows, width, DIM) + linear(rows, DIM, 1) + 2 * rows * width


def attention(rows, width, heads, hidden):
    # Heads share the width: the two products cost the same however it is split.
    projections = 4 * linear(rows, width, width) + linear(rows, width, hidden)
    return projections + 2 * (2 * rows * rows * width) + additive(rows, hidden)


def naml_item():
    text = linear(TITLE, 3 * D, D) + additive(TITLE, D)
    return text + linear(TOPIC, D, D) + linear(1, D, D) + additive(3, D)


EXPECTED = {
    "naml": (naml_item(), additive(S, D), 0),
    "nrms": (
        attention(TITLE + TOPIC + 1 + 3, D, 4, D),
        attention(S, D, 4, 12),
        linear(1, 12 + D, 12) + linear(1, 12, 8) + linear(1, 8, 1),
    ),
    "lstur": (
        linear(TITLE, 5 * D, D) + additive(TITLE, D)
        + linear(TOPIC + 1, D, D) + linear(1, 3 * D, D),
        S * (linear(1, D, 3 * D) + linear(1, D, 3 * D)),
        0,
    ),
    "dcn_id": (
        0,
        0,
        2 * linear(1, 2 * D, 1) + linear(1, 2 * D, 12) + linear(1, 12, 8) + linear(1, 2 * D + 8, 1),
    ),
    "din_text": (
        0,
        0,
        # What reads the candidate alone is computed once a pair, and c − k is not computed.
        linear(S, 2 * D, 64) + linear(1, D, 64) + linear(S, 64, 1) + 2 * S * D
        + linear(1, 2 * D, 12) + linear(1, 12, 8) + linear(1, 8, 1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_operations_equal_a_count_by_hand(name):
    cost = compile(spec(name)).cost
    assert (cost.item, cost.user, cost.pair) == EXPECTED[name]


@pytest.mark.parametrize("name", PIPELINES)
def test_parameters_equal_those_of_a_real_model(name):
    compiled = compile(spec(name))
    built = compiled.build(ROWS)
    cost = compiled.cost.sized(ROWS)
    assert cost.total == sum(p.numel() for p in built.parameters())
    assert cost.total_trainable == cost.total
    assert compiled.cost.total is None
    other = Rows(items=101, users=3, tokens=77)
    wanted = sum(p.numel() for p in compiled.build(other).parameters())
    assert compiled.cost.sized(other).total == wanted


def test_what_grows_with_a_table_is_given_per_row():
    table = compile(spec("naml")).cost.tables
    assert [(t.name, t.per_row, t.rows) for t in table] == [("tokens", D, None)]
    assert [t.name for t in compile(spec("din_id")).cost.tables] == ["items"]


def test_caches_have_the_size_of_their_rows():
    naml, din, nrms = (compile(spec(name)).cost for name in ("naml", "din_id", "nrms"))
    assert (naml.item_bytes, naml.user_bytes) == (4 * D, 4 * D)
    assert (din.item_bytes, din.user_bytes) == (4 * D, 0)
    assert nrms.user_bytes == 4 * 12


def test_saving_is_the_ratio_of_operations():
    cost = compile(spec("naml")).cost
    found = cost.saving(items=10, users=20, pairs=300, clicks=4)
    whole = 300 * (5 * cost.item + cost.user)
    assert found == pytest.approx(whole / (10 * cost.item + 20 * cost.user))


@pytest.mark.parametrize("name", PIPELINES)
def test_what_is_compiled_prints_as_json(name):
    found = json.loads(json.dumps(compile(spec(name)).to_json()))
    assert found["name"] == name
    assert found["cost"]["item"] == compile(spec(name)).cost.item
    assert [s["role"] for s in found["plan"]["stages"]] == ["content", "behavior", "predict"]


@pytest.mark.parametrize("name", PIPELINES)
def test_operations_are_those_that_torch_counts_without_values(name):
    made = spec(name)
    compiled = compile(made)
    with torch.device("meta"):
        model = build(made, compiled.plan, PROBE).eval()
    clicks, mask, user = user_inputs(made, compiled.plan)
    items, owner = (
        torch.ones(1, compiled.plan.width, device="meta"),
        torch.zeros(1, dtype=torch.int64, device="meta"),
    )
    found = []
    with torch.no_grad():
        users = model.encode_users(clicks, mask, user)
        for run in (
            lambda: model.encode_items(longest(made, compiled.plan)),
            lambda: model.encode_users(clicks, mask, user),
            lambda: model.score(users, items, owner, mask),
        ):
            with FlopCounterMode(display=False) as counter:
                run()
            found.append(counter.get_total_flops())
    assert found == [compiled.cost.item, compiled.cost.user, compiled.cost.pair]


def test_compiling_draws_no_number_and_loads_no_compiler():
    source = (
        "import sys, torch\n"
        "from legoc.language import load\n"
        "from legoc.model import compile\n"
        "before = torch.get_rng_state()\n"
        "assert compile(load('specs/naml_id.lego')[0]).cost.item == 0\n"
        "assert compile(load('specs/naml.lego')[0]).cost.item > 0\n"
        "assert torch.equal(before, torch.get_rng_state())\n"
        "assert 'torch._dynamo' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", source], check=True, cwd=ROOT)
