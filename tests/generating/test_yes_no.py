"""Yes or No from what a model says, against RecBench's rule and the arithmetic of chances."""

import math

import pytest

from legoc.generating.answering import Reply
from legoc.generating.yes_no import Verdict, read_verdict


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("YES", 1.0), ("no", 0.0), (" Yes.", 1.0), ('"NO"', 0.0), ("Yes, I think so", 1.0),
        ("I would say no", 0.0), ("yes or no", None), ("maybe", None), ("", None),
        # As the rule has it, a part of a word counts.
        ("I know", 0.0),
    ],
)  # fmt: skip
def test_a_text(text: str, score: float | None) -> None:
    assert read_verdict(Reply(text=text)) == Verdict(score=score, by="text")


def test_chances_of_several_spellings_are_summed() -> None:
    told = {"YES": 0.3, " yes": 0.2, "\u0120No": 0.1, "NO": 0.05, "other": 0.35}
    chances = tuple((token, math.log(chance)) for token, chance in told.items())
    found = read_verdict(Reply(text="other", chances=chances))
    assert found.by == "chances"
    assert found.score == pytest.approx(math.log(0.5 / 0.15))


def test_a_word_that_is_not_told_has_the_least_chance_that_is() -> None:
    chances = (("YES", math.log(0.6)), ("perhaps", math.log(0.1)))
    found = read_verdict(Reply(text="YES", chances=chances))
    assert found.score == pytest.approx(math.log(0.6 / 0.1))
    # And no more than what is left over.
    alone = read_verdict(Reply(text="NO", chances=(("NO", math.log(0.75)),)))
    assert alone.score == pytest.approx(math.log(0.25 / 0.75))
    assert read_verdict(Reply(text="YES", chances=(("YES", 0.0),))).score == pytest.approx(
        27.63, abs=0.01
    )


def test_chances_of_other_words_leave_the_text() -> None:
    chances = (("Well", -0.1), ("perhaps", -3.0))
    assert read_verdict(Reply(text="YES", chances=chances)) == Verdict(score=1.0, by="text")


def test_other_words() -> None:
    assert read_verdict(Reply(text="oui"), yes=("OUI",), no=("NON",)).score == 1.0
