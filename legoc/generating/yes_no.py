"""Yes or No from what a model says: by the chances of its first token, else by its text.

As in RecBench a text counts where it is one of the two words, or holds exactly one of them; where
it holds neither or both there is no score. A server that tells log-probabilities gives more than
two different scores, so figures of the two kinds do not stand beside each other unsaid.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from legoc.generating.answering import Reply


# No chance is taken for less, so that no score is infinite.
LEAST = 1e-12


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`score` is the logarithm of the odds of Yes from chances, 1 or 0 from a text, None where the
    reply says neither. by: what it was told by."""

    score: float | None
    by: str


def read_verdict(
    reply: Reply, yes: Sequence[str] = ("YES",), no: Sequence[str] = ("NO",)
) -> Verdict:
    """What a reply says of one pair."""
    found = by_chances(reply, yes, no)
    if found is not None:
        return Verdict(score=found, by="chances")
    return Verdict(score=by_text(reply.text, yes, no), by="text")


def by_chances(reply: Reply, yes: Sequence[str], no: Sequence[str]) -> float | None:
    """log P(yes) - log P(no) of the first token, spellings summed; None where the server told the
    chance of neither. A word that is not told has at most the least chance that is, and at most
    what all that are leave over."""
    told = [
        [chance for token, chance in reply.chances if spelt(token) in set(map(spelt, words))]
        for words in (yes, no)
    ]
    if not any(told):
        return None
    every = [math.exp(chance) for _, chance in reply.chances]
    rest = max(min(*every, 1 - math.fsum(every)) if every else 0.0, LEAST)
    sums = [
        math.fsum(math.exp(chance) for chance in chances) if chances else rest for chances in told
    ]
    return math.log(max(sums[0], LEAST)) - math.log(max(sums[1], LEAST))


def by_text(text: str, yes: Sequence[str], no: Sequence[str]) -> float | None:
    upper = spelt(text)
    exact = [upper in set(map(spelt, words)) for words in (yes, no)]
    if any(exact):
        return None if all(exact) else float(exact[0])
    held = [any(spelt(word) in upper for word in words) for words in (yes, no)]
    return float(held[0]) if held[0] != held[1] else None


def spelt(text: str) -> str:
    """As it is compared: in capitals, without blanks and the marks that tokenizers put before."""
    return text.replace("\u0120", " ").replace("\u2581", " ").strip(" \t\r\n.!\"'").upper()
