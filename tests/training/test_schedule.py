"""Learning rate curves against their closed forms."""

import math

import pytest

from legoc.training.schedule import build_schedule


def test_constant_stays():
    schedule = build_schedule("constant", total=10, warmup=0.0)
    assert [schedule.factor(t) for t in range(10)] == [1.0] * 10


def test_linear_falls_evenly_to_the_last_share():
    schedule = build_schedule("linear", total=4, warmup=0.0)
    assert [schedule.factor(t) for t in range(4)] == pytest.approx([1, 0.75, 0.5, 0.25])


def test_cosine_is_half_a_wave():
    schedule = build_schedule("cosine", total=6, warmup=0.0)
    expected = [math.cos(math.pi * t / 12) ** 2 for t in range(6)]
    assert [schedule.factor(t) for t in range(6)] == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["constant", "linear", "cosine"])
def test_warmup_rises_to_the_full_rate_and_the_rest_starts_there(kind):
    schedule = build_schedule(kind, total=20, warmup=0.2)
    assert [schedule.factor(t) for t in range(5)] == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])
    last = {"constant": 1.0, "linear": 1 / 16, "cosine": math.cos(math.pi * 15 / 32) ** 2}
    assert schedule.factor(19) == pytest.approx(last[kind])


def test_all_warmup_never_divides_by_zero():
    schedule = build_schedule("cosine", total=3, warmup=1.0)
    assert [schedule.factor(t) for t in range(3)] == pytest.approx([1 / 3, 2 / 3, 1.0])


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="step"):
        build_schedule("step", total=3, warmup=0.0)
