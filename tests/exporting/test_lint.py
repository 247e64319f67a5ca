"""Planted constants that the optimiser would delete are found; sound guards are not."""

import pytest
import torch
from torch import nn

from legoc.exporting.graphs import emit_graph, reference_copy
from legoc.exporting.lint import find_vanishing
from legoc.language.diagnosing.diagnostics import LegoError
from tests.exporting.small_models import Small, predictor_graph


class Written(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def found(function):
    module = function if isinstance(function, nn.Module) else Written(function)
    program = torch.export.export(module.eval(), (torch.ones(3, 4),))
    return [(v.operation, v.constant) for v in find_vanishing(program)]


@pytest.mark.parametrize(
    ("function", "operation", "constant"),
    [
        (lambda x: x / (x.norm(dim=-1, keepdim=True) + 1e-9), "add", 1e-9),
        (lambda x: x - 1e-8, "sub", 1e-8),
        (lambda x: 1e-12 + x, "add", 1e-12),
        (lambda x: x + torch.tensor(1e-10), "add", 1e-10),
        (lambda x: x * (1 + 1e-7), "mul", 1 + 1e-7),
        (lambda x: x / (1 - 1e-6), "div", 1 - 1e-6),
    ],
)
def test_a_planted_constant_is_found(function, operation, constant):
    ((name, value),) = found(function)
    assert name == operation
    assert value == pytest.approx(constant, rel=1e-6)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x / x.norm(dim=-1, keepdim=True).clamp_min(1e-9),
        lambda x: x + 1e-6,
        lambda x: x + 0.0,
        lambda x: x * 1.0,
        lambda x: x * 1e-9,
        nn.LayerNorm(4, eps=1e-12),
        nn.BatchNorm1d(4, eps=1e-9),
    ],
)
def test_a_sound_guard_is_not(function):
    assert found(function) == []


class Cosine(nn.Module):
    def forward(self, a, b):
        return (a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1) + 1e-9)


class Guarded(Small):
    def __init__(self):
        super().__init__()
        self.cosine = Cosine()

    def score(self, users, items, owner, mask):
        return self.cosine(users.index_select(0, owner), items)


def test_the_exporter_refuses_it_and_says_where():
    with pytest.raises(LegoError) as caught:
        emit_graph(reference_copy(Guarded()), predictor_graph(), opset=20)
    diagnostic = caught.value.diagnostics[0]
    assert diagnostic.code == "E0821"
    assert "predictor" in diagnostic.message
    assert "1e-9" in diagnostic.notes[0]
