"""Memory that will not last is said before a training begins, with the setting to change."""

from dataclasses import replace

import pytest

from legoc.data import prepare
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.model import compile
from legoc.training import sufficing, train
from legoc.training.jobs.memory import batch_sizes, beside, estimate
from legoc.training.ranks.world import ALONE, World
from legoc.training.sufficing import guess, verify_memory
from tests.training.test_train import build_spec


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    spec = build_spec(batch=64)
    prepared = prepare(spec, cache=tmp_path_factory.mktemp("cache"))
    return spec, prepared, compile(spec).build(prepared.rows)


@pytest.fixture
def need(made):
    spec, prepared, _ = made
    return estimate(spec, prepared, batch_sizes(spec, prepared))


def test_a_guess_is_above_what_is_counted(made, need):
    spec, prepared, model = made
    counted = need.weights + need.data + need.batch
    assert guess(spec.train, prepared, model, batch_sizes(spec, prepared)) > counted


def test_where_there_is_room_nothing_is_looked_at(made, make_words, monkeypatch):
    monkeypatch.setattr(sufficing, "estimate", None)
    words = make_words()
    verify_memory(*made, ALONE, words)
    assert not words.said


@pytest.mark.parametrize(
    ("share", "ends"), [(1.2, "nothing"), (0.9, "warning"), (0.5, "error")]
)  # fmt: skip
def test_what_is_a_little_more_is_a_warning(made, need, make_words, monkeypatch, share, ends):
    monkeypatch.setattr(sufficing, "resident", lambda: need.process)
    lasting = need.total - need.process
    monkeypatch.setattr(sufficing, "free_memory", lambda: int(share * lasting))
    words = make_words()
    if ends == "error":
        with pytest.raises(LegoError) as caught:
            verify_memory(*made, ALONE, words)
        (found,) = caught.value.diagnostics
        assert found.code == "E0576"
        assert found.help == (
            "lower `batch` (now 64): `--set train.batch=32` `--set train.accumulate=2`",
        )
        return
    verify_memory(*made, ALONE, words)
    assert len(words.said) == (ends == "warning")
    assert all("about" in said and "lower `batch` (now 64)" in said for said in words.said)


def test_processes_of_a_machine_need_it_together(made, need, make_words, monkeypatch):
    """Each has weights and data of its own, and its share of a batch."""
    monkeypatch.setattr(sufficing, "resident", lambda: need.process)
    monkeypatch.setattr(sufficing, "NEAR", 0.0)
    each = need.weights + need.data + (need.batch + 1) // 2
    monkeypatch.setattr(sufficing, "free_memory", lambda: 2 * each - 1)
    words = make_words()
    verify_memory(*made, World(size=2, locals=2), words)
    assert "2 processes on this machine together" in words.said[0]
    monkeypatch.setattr(sufficing, "free_memory", lambda: 2 * each)
    verify_memory(*made, World(size=2, locals=2), words)
    assert len(words.said) == 1


@pytest.mark.parametrize(
    ("part", "help"), [("weights", "lower `hidden`"), ("data", "shorten `history`")]
)  # fmt: skip
def test_the_largest_part_decides_what_to_change(made, need, part, help):
    spec, *_ = made
    _, said = sufficing.remedy(replace(need, **{part: need.batch + need.weights}), spec.train)
    assert said.startswith(help)


def test_a_training_asks_before_it_begins(made, tmp_path, monkeypatch):
    monkeypatch.setattr(sufficing, "free_memory", lambda: 1000)
    spec, *_ = made
    with pytest.raises(LegoError, match="training takes about"):
        train(spec, runs=tmp_path / "runs", cache=tmp_path / "cache", until="train", device="cpu")


@pytest.mark.parametrize(("optimizer", "average", "numbers"), [("adam", 1, 4), ("sgd", 300, 3)])
def test_what_is_kept_beside_a_weight_is_counted(make_recipe, optimizer, average, numbers):
    """Gradient, held row, two moments of Adam, and the mean where weights are averaged."""
    assert beside(make_recipe(optimizer=optimizer, average=average)) == numbers
