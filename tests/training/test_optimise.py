"""Parameter groups, clipping, and the state of an optimiser by name."""

import pytest
import torch
from torch import nn

from legoc.operators.blocks.additive import AdditiveAttention
from legoc.operators.content.null import Null
from legoc.operators.sizes import Sizes
from legoc.training.optimise import build_optimiser, infer_paces, infer_pretrained


class Mixed(nn.Module):
    """A pre-trained part with a fresh adapter inside, and a fresh head."""

    def __init__(self):
        super().__init__()
        self.language = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
        self.language.pretrained = True
        self.language[1].pretrained = False
        self.head = nn.Linear(4, 1)
        self.frozen = nn.Linear(4, 4).requires_grad_(False)

    def forward(self, x):
        return self.head(self.language(x))


def loss_of(module):
    return module(torch.linspace(-1, 1, 12).reshape(3, 4)).square().sum()


def test_the_innermost_module_that_speaks_decides_what_is_pretrained():
    assert infer_pretrained(Mixed()) == {"language.0.weight", "language.0.bias"}


def test_two_rates_move_their_own_parameters(make_recipe):
    torch.manual_seed(0)
    module = Mixed()
    optimiser = build_optimiser(module, make_recipe(optimizer="sgd", lr=0.1, lr_pretrained=0.01))
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    loss_of(module).backward()
    gradients = {n: p.grad.clone() for n, p in module.named_parameters() if p.grad is not None}
    optimiser.update(0.5)
    for name, p in module.named_parameters():
        rate = 0.005 if name.startswith("language.0") else 0.05
        step = rate * gradients[name] if name in gradients else 0.0
        torch.testing.assert_close(p.detach(), before[name] - step)
        assert p.grad is None


def test_without_lr_pretrained_there_is_one_rate(make_recipe):
    module = Mixed()
    optimiser = build_optimiser(module, make_recipe(lr=0.1))
    assert set(optimiser.rates) == {0.1}
    assert "frozen.weight" not in optimiser.names


@pytest.mark.parametrize("clip", [0.5, 1e6])
def test_clip_bounds_the_norm_over_all_parameters(make_recipe, clip):
    torch.manual_seed(0)
    module = Mixed()
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    optimiser = build_optimiser(module, make_recipe(optimizer="sgd", lr=1.0, clip=clip))
    (100 * loss_of(module)).backward()
    norm = torch.stack([p.grad.norm() for p in module.parameters() if p.grad is not None]).norm()
    optimiser.update(1.0)
    moved = torch.stack([(p.detach() - before[n]).norm() for n, p in module.named_parameters()])
    assert moved.norm().item() == pytest.approx(min(clip, norm.item()), rel=1e-4)


class Everything(nn.Module):
    """One of each kind of parameter; its loss has no gradient."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(5, 4)
        self.linear, self.conv = nn.Linear(4, 1), nn.Conv1d(4, 4, 3)
        self.norm, self.batch = nn.LayerNorm(4), nn.BatchNorm1d(4)
        self.gru = nn.GRU(4, 4)
        self.attention = nn.MultiheadAttention(4, 2)
        self.gate = nn.Parameter(torch.ones(4))
        self.codes = nn.Parameter(torch.ones(3, 4))


@pytest.mark.parametrize("kind", ["adamw", "sgd"])
def test_matrices_decay_and_nothing_else(make_recipe, kind):
    torch.manual_seed(0)
    module = Everything()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(1.0)
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    optimiser = build_optimiser(module, make_recipe(optimizer=kind, lr=0.1, weight_decay=0.5))
    sum(p.sum() * 0 for p in module.parameters()).backward()
    optimiser.update(1.0)
    shrunk = {
        "linear.weight", "conv.weight", "codes", "gru.weight_ih_l0", "gru.weight_hh_l0",
        "attention.in_proj_weight", "attention.out_proj.weight",
    }  # fmt: skip
    for name, p in module.named_parameters():
        factor = 0.95 if name in shrunk else 1.0
        torch.testing.assert_close(p.detach(), before[name] * factor, rtol=1e-6, atol=0)


def test_rows_of_a_file_are_pretrained_and_learn_at_their_rate(make_recipe):
    sizes = Sizes(width=4, items=6, file=3)
    for file, wanted in (("rows.npy", {"table.weight"}), (None, set())):
        null = Null(Null.Config(hidden=4, file=file), sizes)
        assert infer_pretrained(null) == wanted
    null = Null(Null.Config(hidden=4, file="rows.npy"), sizes)
    before = {name: p.detach().clone() for name, p in null.named_parameters()}
    recipe = make_recipe(optimizer="sgd", lr=0.1, lr_pretrained=0.0, weight_decay=0.5)
    optimiser = build_optimiser(null, recipe)
    null(torch.tensor([1, 2, 5])).square().sum().backward()
    optimiser.update(1.0)
    moved = {name for name, p in null.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {"project.weight", "project.bias"}


def adam(p, g, m, v, t, *, lr, decay, decoupled):
    """Kingma and Ba (2015), with L2 or, decoupled, Loshchilov and Hutter (2019)."""
    if decoupled:
        p = p - lr * decay * p
    else:
        g = g + decay * p
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    return p - lr * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8), m, v


@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_adam_and_adamw_by_their_papers(make_recipe, kind):
    torch.manual_seed(0)
    module = nn.Linear(4, 1, bias=False)
    p = module.weight.detach().clone()
    optimiser = build_optimiser(module, make_recipe(optimizer=kind, lr=0.1, weight_decay=0.3))
    m, v = torch.zeros_like(p), torch.zeros_like(p)
    for t in range(1, 4):
        loss_of(module).backward()
        g = module.weight.grad.clone()
        p, m, v = adam(p, g, m, v, t, lr=0.1, decay=0.3, decoupled=kind == "adamw")
        optimiser.update(1.0)
    torch.testing.assert_close(module.weight.detach(), p)


def test_a_state_moves_to_another_optimiser(make_recipe):
    torch.manual_seed(0)
    one, other = nn.Linear(4, 2), nn.Linear(4, 2)
    recipe = make_recipe(lr=0.1)
    first = build_optimiser(one, recipe)
    for _ in range(2):
        loss_of(one).backward()
        first.update(1.0)
    other.load_state_dict(one.state_dict())
    second = build_optimiser(other, recipe)
    second.load({name: value.clone() for name, value in first.tensors().items()})
    for module, optimiser in ((one, first), (other, second)):
        loss_of(module).backward()
        optimiser.update(1.0)
    assert torch.equal(one.weight, other.weight)
    with pytest.raises(KeyError):
        second.load({"nobody/step": torch.zeros(())})


def test_a_module_may_slow_down_its_own_parameters_alone(make_recipe):
    class Slowed(nn.Module):
        def __init__(self):
            super().__init__()
            self.codes = nn.Parameter(torch.ones(3, 4))
            self.inner = nn.Linear(4, 4)
            self.pace = 0.25

        def forward(self, x):
            return self.inner(x) @ self.codes.T

    module = Slowed()
    assert infer_paces(module) == {"codes": 0.25}
    optimiser = build_optimiser(module, make_recipe(optimizer="sgd", lr=0.1))
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    loss_of(module).backward()
    gradients = {name: p.grad.clone() for name, p in module.named_parameters()}
    optimiser.update(1.0)
    for name, p in module.named_parameters():
        rate = 0.025 if name == "codes" else 0.1
        torch.testing.assert_close(p.detach(), before[name] - rate * gradients[name])


def test_the_vector_of_additive_attention_learns_as_one_divided_by_its_width(make_recipe):
    torch.manual_seed(0)
    ours = AdditiveAttention(6, 16)
    u = nn.Parameter(ours.weigh.weight.detach() * 16)
    inner = [p.detach().clone().requires_grad_() for p in ours.inner.parameters()]
    judge = torch.optim.Adam([u, *inner], lr=0.01)
    optimiser = build_optimiser(ours, make_recipe(lr=0.01))
    x, mask = torch.randn(5, 7, 6), torch.ones(5, 7, dtype=torch.bool)
    for _ in range(3):
        ours(x, mask).square().sum().backward()
        optimiser.update(1.0)
        keys = torch.tanh(nn.functional.linear(x, *inner))
        weights = torch.softmax(nn.functional.linear(keys, u / 16).squeeze(-1), 1)
        (weights.unsqueeze(1) @ x).square().sum().backward()
        judge.step()
        judge.zero_grad()
    torch.testing.assert_close(ours.weigh.weight.detach(), u.detach() / 16, rtol=1e-3, atol=1e-6)
