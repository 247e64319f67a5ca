"""Proposals of a search, on objectives that cost nothing, and the file that keeps them."""

import math
import random
from collections import Counter

import numpy as np
import pytest

from legoc.experiments.proposing import hopeless, propose
from legoc.experiments.recipe import write_best
from legoc.experiments.search import Choice, Trial, every, settled, size, spaces
from legoc.experiments.study import TRIALS, Identity, open_study
from legoc.language.checking import check
from legoc.language.declaring.catalog import catalog
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.diagnosing.document import Document
from legoc.language.typing.lower import Lowering


WIDE = """data d { source = Demo }
model m =
  content in {CNN(hidden in 16..256 log, kernel in {3, 5}), Attention(hidden in {32, 64})}
  -> behavior Attention(heads in {3, 4})
  -> predict Dot
train base { lr in 1e-5..1e-2 log  warmup in 0%..20% }
run m on d with base(seed in 1..2) where valid
"""


def spaces_of(text):
    found = check(Document("m.lego", text))
    assert not found.errors, found.errors
    return spaces(found.points)


def tried(space, count, judge, known=(), seed=3):
    """So many proposals, each ended by `judge`: its value, or None for no model."""
    known = list(known)
    while len(known) < count:
        choices = propose(space, known, seed=seed, lower=False)
        if choices is None:
            break
        value = judge({choice.key: choice.value for choice in choices})
        state = "no model" if value is None else "trained"
        known.append(Trial(number=len(known), name="m", choices=choices, state=state, value=value))
    return known


def near(chosen):
    if chosen["heads"] == "3":
        return None
    return -abs(math.log10(chosen["lr"]) + 3) + (0.5 if chosen["content"].startswith("CNN") else 0)


def test_axes_are_searches_of_their_own():
    found = spaces_of(WIDE)
    assert [space.name for space in found] == ["m[seed=1]", "m[seed=2]"]
    assert found[0].keys == ["lr", "warmup", "content", "hidden", "kernel", "heads"]
    # 2 kernels or 2 widths, by 2 numbers of heads
    assert [len(space.points) for space in found] == [4 + 4, 4 + 4]
    plain = WIDE[: WIDE.index("model")] + "model m = content CNN -> behavior GRU -> predict Dot\n"
    assert not spaces_of(
        f"{plain}train t {{ seed in 1..2  lr in [1e-3, 1e-4] }}\nrun m on d with t"
    )


def test_proposals_follow_from_what_was_before_and_nothing_else():
    (space, _) = spaces_of(WIDE)
    straight = tried(space, 30, near)
    # As by another process at any place, which draws something in between.
    for cut in (1, 7, 12, 29):
        random.seed(cut)
        np.random.seed(cut)
        again = tried(spaces_of(WIDE)[0], 30, near, known=straight[:cut])
        assert [t.choices for t in again] == [t.choices for t in straight]
    assert [t.choices for t in tried(space, 5, near, seed=4)] != [t.choices for t in straight[:5]]
    assert len({trial.asked for trial in straight}) == 30


def test_what_is_chosen_lies_in_the_space_and_the_lines_to_paste_are_it():
    (space, _) = spaces_of(WIDE)
    lowering = Lowering(catalog())
    for trial in tried(space, 25, near):
        chosen = {choice.key: choice.value for choice in trial.choices}
        point = settled(space, trial.choices)
        spec = lowering.lower(point).spec
        width = int(chosen["hidden"])
        assert (spec is None) == (width % int(chosen["heads"]) != 0)
        if spec is None:
            continue
        assert 1e-5 <= spec.train.lr <= 1e-2
        assert spec.train.lr == chosen["lr"]
        assert spec.train.warmup == pytest.approx(chosen["warmup"] / 100)
        assert (spec.train.seed, spec.model["content"]["hidden"]) == (1, width)
        lines = write_best(point)
        text = WIDE[: WIDE.index("run m")] + lines
        (written,) = check(Document("m.lego", text)).specs
        assert written.keys == spec.keys, lines


def test_the_search_learns():
    (space, _) = spaces_of(WIDE)
    found = tried(space, 60, near)
    early, late = found[:10], found[-20:]
    refused = Counter(trial.state for trial in late)["no model"]
    assert refused <= 5  # half of them at random

    def distance(trials):
        rates = [c.value for t in trials for c in t.choices if c.key == "lr"]
        return np.median([abs(math.log10(rate) + 3) for rate in rates])

    assert distance(late) < 0.3 < distance(early)


def test_a_space_with_an_end_is_tried_whole_and_once():
    text = """data d { source = Demo }
model m = content in {CNN(kernel in {3, 5}), Pooling} -> behavior Additive -> predict Dot
train base { epochs in 2..5 log }
run m on d with base
"""
    (space,) = spaces_of(text)
    whole = list(every(space))
    assert size(space) == len(whole) == 4 * 3
    found = tried(space, 100, lambda chosen: float(chosen["epochs"]))
    assert len(found) == 12
    assert {t.asked for t in found} == {tuple((c.name, c.value) for c in each) for each in whole}


def test_a_namesake_within_another_option_is_another_choice():
    text = """data d { source = Demo }
model m =
  content in {CNN(hidden in 8..16 log), Pooling(hidden in 100..200 log)}
  -> behavior Additive
  -> predict Dot
run m on d
"""
    (space,) = spaces_of(text)
    for trial in tried(space, 20, lambda chosen: float(chosen["hidden"])):
        kind, width = (choice.value for choice in trial.choices)
        assert (8 <= width <= 16) if kind.startswith("CNN") else (100 <= width <= 200)


def test_giving_up_is_by_the_median_of_the_others():
    choice = Choice(key="lr", value=0.1, low=0.0, high=1.0)
    rng = np.random.default_rng(0)
    curves = rng.normal(size=(9, 6)).cumsum(1)
    known = [
        Trial(
            number=n, name="m", choices=(choice,), state="trained", value=float(curve.max()),
            by_epoch={epoch + 1: float(value) for epoch, value in enumerate(curve)},
        )
        for n, curve in enumerate(curves)
    ]  # fmt: skip
    for lower in (False, True):
        told = 0
        for own in rng.normal(size=(40, 6)).cumsum(1):
            for epoch in range(1, 7):
                said = hopeless(known, {e + 1: float(own[e]) for e in range(epoch)}, lower=lower)
                median = np.median(curves[:, epoch - 1])
                best = own[:epoch].min() if lower else own[:epoch].max()
                behind = best > median if lower else best < median
                assert said == (bool(behind) and epoch >= 2)
                told += said
        assert 20 < told < 200
    # Too few have been trained in full to judge by.
    assert not hopeless(known[:4], {1: -99.0, 2: -99.0}, lower=False)


HERE = Identity(name="m", spec="a" * 64, data="b" * 64, seed=0)


def test_a_file_of_trials_survives_a_kill_at_any_byte(tmp_path):
    study = open_study(tmp_path / "whole", HERE)
    choices = (
        Choice(key="lr", value=1e-3, low=1e-5, high=1e-2, log=True),
        Choice(key="content", value="CNN", of=("CNN", "GRU")),
    )
    study.end(study.enter("m[1]", choices), "no model", why="E0402: no")
    study.end(
        study.enter("m[2]", choices), "trained", value=0.25, by_epoch={1: 0.1, 2: 0.25}, cpu=2.5,
        folder="m-0",
    )  # fmt: skip
    study.enter("m[3]", choices)
    text = (tmp_path / "whole" / TRIALS).read_bytes()
    assert open_study(tmp_path / "whole", HERE).trials == study.trials
    place = open_study(tmp_path / "cut", HERE).folder
    for cut in range(len(text) + 1):
        (place / TRIALS).write_bytes(text[:cut])
        again = open_study(place, HERE)
        lines = text[:cut].count(b"\n")
        assert len(again.trials) == (lines + 1) // 2
        assert len(again.open) == lines % 2
        assert (place / TRIALS).read_bytes() == text[: text.rfind(b"\n", 0, cut) + 1]
    assert study.open == [study.trials[2]]
    assert [trial.number for trial in study.trained] == [1]
    assert study.cpu == 2.5


def test_the_search_of_another_spec_and_a_damaged_one_are_refused(tmp_path):
    open_study(tmp_path, HERE)
    other = Identity(name="m", spec="c" * 64, data="b" * 64, seed=0)
    with pytest.raises(LegoError) as error:
        open_study(tmp_path, other)
    (found,) = error.value.diagnostics
    assert found.code == "E0570"
    assert "aaaaaaaaaaaa" in found.notes[0]
    assert "cccccccccccc" in found.notes[1]
    for name, text in (("trials.jsonl", "{}\n"), ("study.json", "{"), ("study.json", "[]")):
        (tmp_path / name).write_text(text)
        with pytest.raises(LegoError) as error:
            open_study(tmp_path, HERE)
        assert error.value.diagnostics[0].code == "E0571"
