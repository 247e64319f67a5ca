"""What kind a column of a table has, told by many of its values.

The same values give the same kind in every format: text that reads as a number counts as one, and
a list written out as a list. What is missing decides nothing. The standard library only: the check
of a spec calls it.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast
from unicodedata import category

from legoc_runtime.errors import RequestError
from legoc_runtime.lists import read_list
from legoc_runtime.values import PLAIN, Notation, is_missing, plain, read_categories, read_number


# A "word" is text where a length is written after the name, and a category elsewhere.
ColumnKind: TypeAlias = Literal["word", "category", "number"]

# Records that are looked at; a table with fewer is looked at as a whole.
LOOK = 10_000
# The share of items that must keep all values of a list: its length is chosen by it.
KEPT = 0.95
# From so many records on, a share of different values says something.
ENOUGH = 20
# The shares of different values from which on a column is no category, or may be none.
UNIQUE, MANY = 0.8, 0.5
# Scripts without blanks between words, as `legoc.data.reading.splitting` has them by their names:
# a character of them is a word.
UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0edf\u1000-\u109f\u1780-\u17f9\u19e0-\u19ff\u2e80-\u2fd5\u3005\u3007"
    "\u3021-\u3029\u3038-\u303b\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u312f\u31a0-\u31bf"
    "\u31f0-\u31ff\u32d0-\u32fe\u3300-\u3357\u3400-\u4dbf\u4e00-\ua4c6\ua9e0-\ua9fe\uaa60-\uaa7f"
    "\uf900-\ufad9\uff66-\uff9d\U0001aff0-\U0001b167\U00020000-\U000323af"
)
# Words and signs, as the tokenizer of words parts them.
WORD = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])\w)+|[^\w\s{UNSPACED}]+")
# Words of a value from which on it looks like a sentence.
WORDY = 4
# The share of numbers from which on what is no number is taken for a slip.
MOSTLY = 0.9
# Values that are shown.
EXAMPLES = 3
# Values of a list from which on they are only counted.
LONG = 64
# The shares of values with a bar in them from which on they may be lists, and from which on they
# are, where the bar is the separator.
BARRED, HALF = 0.05, 0.5


@dataclass(frozen=True, kw_only=True)
class Column:
    """What the values of a column look like.

    length: values of a category that 95 % of the records with any keep whole; cut: the share of
    these records that lose some; most: of the longest.
    words: of a text, signs among them, at the 95th percentile.
    speaks: nearly every record says something else, so it is text and no category; single: it has a
    text of its own, taken as a whole.
    odd: up to three values that are no numbers where most are.
    barred: some values may be lists with this sign between; mostly_barred: half of them and more.
    filled, looked: records with a value, and all.
    """

    kind: ColumnKind = "word"
    length: int = 1
    cut: float = 0.0
    most: int = 1
    words: int = 1
    speaks: bool = False
    odd: tuple[str, ...] = ()
    barred: str | None = None
    mostly_barred: bool = False
    single: bool = False
    filled: int = 0
    looked: int = 0
    notation: Notation = PLAIN


def is_code(text: str) -> bool:
    """Whether zeros before a number say that it is a name, as in `007`."""
    digits = text.lstrip("+-")
    return len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()


class Look:
    """The values of one column, seen one by one; `tell` is the result."""

    def __init__(self, notation: Notation = PLAIN) -> None:
        self.notation = notation
        self.looked = self.numbers = self.lists = self.divided = 0
        self.nothing: list[str] = []
        self.odd: list[str] = []
        self.cells: set[str] = set()
        self.seen: Counter[str] = Counter()
        self.counts: Counter[int] = Counter()
        self.words: Counter[int] = Counter()
        self.bars: Counter[str] = Counter()

    def see(self, given: object) -> None:
        """One value; one that cannot be read says nothing."""
        self.looked += 1
        try:
            value = plain("", given)
        except RequestError:
            return
        if is_missing(value, self.notation):
            return
        code = isinstance(value, str) and is_code(value.strip())
        try:
            number = None if code else read_number("", value, self.notation)
        except RequestError:
            code = True
            number = None
        if number is not None:
            # A year may be a category too, so numbers are counted among the values.
            self.numbers += 1
            self.count([repr(number)])
        elif code:
            self.see_word(value)
        elif isinstance(value, str):
            # `-` among numbers says that there is none; among words it is one.
            self.nothing.append(value)

    def see_word(self, value: object) -> None:
        if isinstance(value, list) and len(cast("list[object]", value)) > LONG:
            # A vector, or a history: how many there are says enough.
            self.lists += 1
            self.counts[len(cast("list[object]", value))] += 1
            return
        try:
            parts = read_categories("", value, self.notation)
        except RequestError:
            return
        text = value if isinstance(value, str) else ""
        if isinstance(value, list) or read_list(text) is not None:
            self.lists += 1
        elif len(parts) > 1:
            self.divided += 1
        elif parts:
            self.bars.update(sign for sign in "|;" if sign in parts[0][1:-1])
        if len(self.odd) < EXAMPLES:
            self.odd.append(str(value))
        self.cells.add(text)
        self.count(parts)

    def count(self, parts: list[str]) -> None:
        if parts:
            self.counts[len(parts)] += 1
            self.words[sum(map(count_words, parts))] += 1
            self.seen.update(parts)

    def tell(self) -> Column:
        filled = sum(self.counts.values())
        if self.nothing and self.numbers != filled:
            for word in self.nothing:
                self.count([word])
            filled, self.nothing = sum(self.counts.values()), []
        length = percentile(self.counts, KEPT)
        cut = sum(n for size, n in self.counts.items() if size > length) / filled if filled else 0.0
        values = sum(self.seen.values())
        share = len(self.seen) / values if values else 0.0
        wordy = percentile(self.words, 0.5) >= WORDY * max(percentile(self.counts, 0.5), 1)
        speaks = filled >= ENOUGH and (share >= UNIQUE or (share >= MANY and wordy))
        mostly = self.numbers >= MOSTLY * filled
        kind: ColumnKind = "word"
        if filled and self.numbers == filled:
            kind, speaks = "number", False
        elif (self.lists or self.divided >= HALF * filled > 0) and not (speaks and wordy):
            kind, speaks = "category", False
        sign, barred = max(self.bars.items(), key=lambda each: each[1], default=("", 0))
        if self.divided:
            sign, barred = self.notation.separator or "", self.divided
        return Column(
            kind=kind, length=max(length, 1), cut=cut, most=max(self.counts, default=1),
            words=max(percentile(self.words, KEPT), 1), speaks=speaks,
            odd=tuple(self.odd) if filled and mostly and kind == "word" else (),
            barred=sign if kind == "word" and barred > BARRED * filled else None,
            mostly_barred=barred >= HALF * filled,
            single=filled >= ENOUGH and len(self.cells) >= UNIQUE * filled,
            filled=filled, looked=self.looked, notation=self.notation,
        )  # fmt: skip


def count_words(text: str) -> int:
    """Words and signs of a text."""
    if not text.isascii():
        # A mark belongs to the letter before it.
        text = "".join(sign for sign in text if not category(sign).startswith("M"))
    return len(WORD.findall(text))


def percentile(counts: Counter[int], share: float) -> int:
    """The smallest number that so large a share of the counted ones does not exceed."""
    wanted, passed = share * sum(counts.values()), 0
    for size in sorted(counts):
        passed += counts[size]
        if passed >= wanted:
            return size
    return 0


def tell_kind(values: Iterable[object], notation: Notation = PLAIN) -> Column:
    """What a column of these values is."""
    look = Look(notation)
    for value in values:
        look.see(value)
    return look.tell()
