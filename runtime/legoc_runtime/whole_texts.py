"""Texts of pairs that are tokenised whole, as RecBench does where nothing is trained.

Letters: U users, S clicks, I items, L tokens of an item, P pairs, N tokens of a text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.errors import RequestError


if TYPE_CHECKING:
    from legoc_runtime.prompting import Prompt

I32 = NDArray[np.int32]
Bool = NDArray[np.bool_]

# Of a text that is too long with one click: how often and how far its longest items and its
# candidate are cut, in characters.
ROUNDS, SHARE, FEWEST = 5, 10, 10
NUMBER = "{k}"


@dataclass(frozen=True, kw_only=True)
class Whole:
    """A prompt as text. number: before click `{k}`. closing: behind the clicks where the candidate
    comes first. tokenizer: of the library `tokenizers`; it turns the tokens of an item into its
    text too."""

    before: str
    number: str
    between: str
    candidate: str
    after: str
    closing: str
    tokenizer: Any

    @staticmethod
    def of(value: Mapping[str, Any], tokenizer: Any) -> "Whole":
        """The texts that a reading describes."""
        names = ("before", "number", "between", "candidate", "after", "closing")
        return Whole(**{name: str(value[name]) for name in names}, tokenizer=tokenizer)

    def write(self, clicks: Sequence[str], candidate: str, *, first: bool) -> str:
        """The text of a pair; clicks are counted from 1 at the oldest."""
        listed = "".join(
            f"{self.number.replace(NUMBER, str(k))}{text}{self.between}"
            for k, text in enumerate(clicks, start=1)
        )
        asked = f"{self.candidate}{candidate}{self.after}"
        if first:
            return f"{asked}{self.before}{listed}{self.closing}"
        return f"{self.before}{listed}{asked}{self.closing}"

    def texts(self, tokens_IL: I32, mask_IL: Bool) -> list[str]:
        """What items say."""
        rows = [ids[real].tolist() for ids, real in zip(tokens_IL, mask_IL, strict=True)]
        return list(self.tokenizer.decode_batch(rows, skip_special_tokens=False))

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of texts, without special tokens."""
        made = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [each.ids for each in made]


def lay_whole(
    prompt: "Prompt", tokens_IL: I32, mask_IL: Bool, place_US: NDArray[np.integer], real_US: Bool,
    owner_P: NDArray[np.integer], chosen_P: NDArray[np.integer],
) -> tuple[I32, Bool]:  # fmt: skip
    """What `pair_texts.lay_pairs` gives, each text tokenised at once. Where one is longer than the
    limit its oldest clicks are left out, one after the other; where it is too long with one, that
    and the candidate are cut. Raises RequestError where not even this fits."""
    whole = prompt.whole
    assert whole is not None
    said = whole.texts(tokens_IL, mask_IL)
    kept = min(place_US.shape[1], len(prompt.numbers))
    clicks = [
        [said[place] for place in row[real][max(int(real.sum()) - kept, 0) :]]
        for row, real in zip(place_US, real_US, strict=True)
    ]
    pairs = [(clicks[owner], said[item]) for owner, item in zip(owner_P, chosen_P, strict=True)]
    found = whole.encode([whole.write(*pair, first=prompt.first) for pair in pairs])
    for number, ids in enumerate(found):
        if len(ids) > prompt.limit:
            found[number] = shorten(whole, prompt, *pairs[number])
    width = max(map(len, found), default=1) or 1
    rows = np.zeros((len(found), width), dtype=np.int32)
    for number, ids in enumerate(found):
        rows[number, : len(ids)] = ids
    lengths = np.array([len(ids) for ids in found], dtype=np.int64)
    return rows, np.arange(width) < lengths[:, None]


def shorten(whole: Whole, prompt: "Prompt", clicks: list[str], candidate: str) -> list[int]:
    """The ids of the text of a pair that does not fit as it is."""

    def encode(given: Sequence[str], asked: str) -> list[int]:
        return whole.encode([whole.write(given, asked, first=prompt.first)])[0]

    ids: list[int] = []
    # The newest `low` clicks fit or are one; so many clicks more cost more.
    low, high = 1, max(len(clicks), 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high)
            if len(encode(clicks[-middle:], candidate)) <= prompt.limit
            else (low, middle - 1)
        )
    left = clicks[-low:]
    for _ in range(ROUNDS + 1):
        ids = encode(left, candidate)
        if len(ids) <= prompt.limit:
            return ids
        longest = sorted(range(len(left)), key=lambda place: -len(left[place]))
        for place in longest[: max(len(left) // SHARE, 1)]:
            left[place] = halve(left[place])
        candidate = halve(candidate)
    raise RequestError(
        f"the text of a pair has {len(ids):,} tokens with one click of a few characters, and the "
        f"limit is {prompt.limit:,}",
        "write a prompt of fewer words, or a larger `limit`",
    )


def halve(text: str) -> str:
    """The first half of a text, of a short one its first characters."""
    return text[: max(len(text) // 2, FEWEST)]
