"""How a text is cut into words, in terms that every library of tokenizers reads alike.

The pre-tokenizer `Whitespace` is Unicode in Python and ASCII in JavaScript, and to lower a word
there gives its last sigma another letter. So the cut is a pattern of Unicode properties, and sigmas
are one letter before anything is lowered.
"""

from typing import Any


SPACES = r"\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000"
WORDS = r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200C\u200D"

SCRIPTS = ("Han", "Hiragana", "Katakana", "Bopomofo", "Yi", "Thai", "Lao", "Khmer", "Myanmar")
"""Scripts written without blanks between words."""

# With the marks of long vowels, which belong to both kanas.
UNSPACED = "".join(rf"\p{{{script}}}" for script in SCRIPTS) + r"\u30FC\uFF70"

PATTERN = "|".join(
    (
        rf"[{UNSPACED}]\p{{M}}*",
        rf"(?:(?![{UNSPACED}])[{WORDS}])+",
        rf"[^{WORDS}{SPACES}]+",
    )
)
"""One character of a script without blanks, with its marks; or letters, digits and marks in a row;
or whatever else stands in a row between blanks."""


def split_words() -> Any:
    """The pre-tokenizer that keeps what `PATTERN` matches."""
    from tokenizers import Regex, pre_tokenizers

    return pre_tokenizers.Split(Regex(PATTERN), behavior="removed", invert=True)


def lower_words() -> Any:
    """The normalizer of words: a letter and its accents are one character, every letter is lowered
    for itself, and a last sigma is a sigma."""
    from tokenizers import normalizers

    sigmas = [normalizers.Replace(sigma, "σ") for sigma in "Σς"]
    return normalizers.Sequence([normalizers.NFC(), *sigmas, normalizers.Lowercase()])


def lower_pieces() -> Any:
    """The normalizer before pieces of words: what Python and JavaScript do not both take for a
    blank is made one."""
    from tokenizers import normalizers

    blanks = [normalizers.Replace(blank, " ") for blank in "\u0085\ufeff"]
    return normalizers.Sequence([*blanks, normalizers.Replace("Σ", "σ"), normalizers.Lowercase()])
