"""The numeric contracts that every operator keeps: padding, emptiness, batches, gradients."""

import copy

import pytest
import torch

from tests.operators.cases import (
    LENGTHS,
    build,
    cases,
    inputs,
    key,
    lay,
    name,
    operators,
    reads_id,
    reads_user,
)


BEHAVIOR = [
    operator
    for operator in operators()
    if key(operator)[0] == "behavior" and operator.declaration.param("cold") is not None
]
EVERY = pytest.mark.parametrize(("operator", "width", "form"), cases(), ids=name)


def close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def only_real(operator, found, given):
    """The output without what stands at padding, for the one operator that gives a sequence."""
    if operator.declaration.signature.endswith("-> Seq[T]"):
        return torch.cat([found[i, : len(row)] for i, row in enumerate(given)])
    return found


@EVERY
@torch.no_grad()
def test_padding_changes_nothing(operator, width, form):
    made = build(operator, width, form)
    for lengths in LENGTHS:
        given = inputs(operator, width, lengths)
        plain = only_real(operator, made(*lay(operator, given)), given)
        assert plain.isfinite().all()
        for more, hold in ((0, 1e4), (7, 0.0), (3, float("nan"))):
            found = only_real(operator, made(*lay(operator, given, more=more, hold=hold)), given)
            close(found, plain)


@EVERY
@torch.no_grad()
def test_what_is_empty_is_zero(operator, width, form):
    if key(operator)[0] == "predict":
        return
    made = build(operator, width, form)
    given = inputs(operator, width, (0, 0))
    if reads_user(operator):
        given = given[0], given[1] * 0  # a known user has a vector without any click
    found = made(*lay(operator, given, more=2))
    if reads_id(operator):
        found = found[:1]  # row 1 of the inputs is a real item
    if hasattr(made, "cold"):
        # What an operator learns of newcomers stands alone where there are no clicks.
        assert found.any()
        found = found - made.cold.vector
    assert not found.any()


@pytest.mark.parametrize("operator", BEHAVIOR, ids=name)
def test_newcomers_are_learned_or_zero(operator):
    learned, zero = (build(operator, 8, {"cold": kind}).train() for kind in ("learned", "zero"))
    given = inputs(operator, 8, (3, 0, 0))
    if reads_user(operator):
        given = given[0], given[1] * 0
    learned(*lay(operator, given)).sum().backward()
    assert learned.cold.vector.grad.flatten().tolist() == [2.0] * learned.cold.vector.numel()
    assert not zero(*lay(operator, given))[1:].any()
    assert not any("cold" in path for path in zero.state_dict())


@EVERY
@torch.no_grad()
def test_rows_do_not_see_each_other(operator, width, form):
    made = build(operator, width, form)
    given = inputs(operator, width, LENGTHS[0])
    arguments = lay(operator, given)
    together = made(*arguments)
    for place in range(len(LENGTHS[0])):
        alone = made(*take(arguments, place))
        close(alone, together[place : place + 1])


def take(arguments, place):
    """One row of the arguments, as a batch of one."""
    return [
        take(given, place) if isinstance(given, list) else given[place : place + 1]
        for given in arguments
    ]


@EVERY
def test_inputs_are_left_alone(operator, width, form):
    made = build(operator, width, form).train()
    arguments = lay(operator, inputs(operator, width, LENGTHS[0]), more=2, hold=3.0)
    before = copy.deepcopy(arguments)
    made(*arguments)
    torch.testing.assert_close(arguments, before, rtol=0, atol=0)


@EVERY
def test_gradient_reaches_every_parameter(operator, width, form):
    made = build(operator, width, form).train()
    if not any(p.requires_grad for p in made.parameters()):
        return
    # LSTUR draws whose users are left out: not those of all rows.
    torch.manual_seed(1)
    found = made(*lay(operator, inputs(operator, width, (9, 4, 6, 5, 0)), more=1))
    (found * torch.randn_like(found)).sum().backward()
    for path, value in made.named_parameters():
        if not value.requires_grad:
            continue
        assert value.grad is not None, path
        assert value.grad.isfinite().all(), path
        assert value.grad.any(), path


@EVERY
def test_training_on_emptiness_stays_finite(operator, width, form):
    made = build(operator, width, form).train()
    for lengths in ((0, 0), (1,), (0,)):
        found = made(*lay(operator, inputs(operator, width, lengths), more=1))
        if found.requires_grad:
            found.square().sum().backward()
        assert found.isfinite().all()
        for path, value in made.named_parameters():
            assert value.grad is None or value.grad.isfinite().all(), path
