"""Where token ids come from: tokenizers of text, values of categories, bins of numbers.

All are learned from items that training shows, and share one space of ids: 0 padding, 1 unknown, 2
separator, then words, then the values of each category, then the bins of each number.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from legoc.data.reading.splitting import lower_pieces, lower_words, split_words
from legoc.language.declaring.declare import File, Quantity, operator, param
from legoc.language.diagnosing.diagnostics import fail


Count = Quantity["count"]

SPECIALS = ("[PAD]", "[UNK]", "[SEP]")
SEPARATORS = ("[SEP]", "</s>", "<sep>", "<eos>", "<|endoftext|>")
PADDINGS = ("[PAD]", "<pad>", "<PAD>", "<|pad|>")


class Space:
    """The ids a tokenizer has taken, and what the next ones are for."""

    def __init__(self, *, rows: int, unknown: int | None, separator: int | None) -> None:
        self.rows = rows
        self.unknown = self.take(1) if unknown is None else unknown
        self.separator = self.take(1) if separator is None else separator

    def take(self, count: int) -> int:
        """Reserve so many ids; the first of them."""
        first = self.rows
        self.rows += count
        return first


@operator("tokenizer", "words", primary="more", version=2)
class Words:
    """Lower-case words and punctuation marks, all that training items hold; single characters of
    scripts without blanks between words (Chinese, Japanese, Thai ...)."""

    class Config:
        more: Count = param(
            0, min=0, since=True,
            doc="Words beside these that `vectors` know, at most so many, so that new items are "
            "read with them.",
        )  # fmt: skip

    example = "tokenizer = words"
    name = "words"

    def __init__(self, config: Any = None) -> None:
        self.more = 0 if config is None else config.more

    def identity(self) -> Any:
        more = [self.more] if self.more else []
        return ["words", self.declaration.version, *more]  # type: ignore[attr-defined]

    def write(self, texts: Iterable[str], path: Path, known: Iterable[str] = ()) -> Space:
        """Learn from texts, write `tokenizer.json`, and say which ids it takes. known: the words
        of pre-trained vectors, of which the first `more` that no text holds have ids, too."""
        import tokenizers
        from tokenizers import models, trainers

        tokenizer = tokenizers.Tokenizer(models.WordLevel(unk_token="[UNK]"))
        tokenizer.normalizer = lower_words()
        tokenizer.pre_tokenizer = split_words()
        trainer = trainers.WordLevelTrainer(
            vocab_size=2**31, show_progress=False, special_tokens=list(SPECIALS)
        )
        tokenizer.train_from_iterator(texts, trainer)
        vocabulary = tokenizer.get_vocab()
        for word in islice(new_words(known, vocabulary, tokenizer), self.more):
            vocabulary[word] = len(vocabulary)
        tokenizer.model = models.WordLevel(vocabulary, unk_token="[UNK]")
        save(tokenizer, path)
        return Space(rows=tokenizer.get_vocab_size(), unknown=1, separator=2)


def new_words(known: Iterable[str], vocabulary: Mapping[str, int], tokenizer: Any) -> Iterator[str]:
    """The words that a text may be cut into and that have no id yet, each once."""
    normalizer, splitter = tokenizer.normalizer, tokenizer.pre_tokenizer
    for word in known:
        lowered = normalizer.normalize_str(word)
        pieces = [piece for piece, _ in splitter.pre_tokenize_str(lowered)]
        if pieces == [lowered] and lowered not in vocabulary:
            yield lowered


@operator("tokenizer", "subwords", primary="size", version=2)
class Subwords:
    """Pieces of words (byte pairs), so that no word is unknown."""

    class Config:
        size: Count = param(30000, min=300, doc="Entries of the vocabulary.")

    example = "tokenizer = subwords(size=30k)"
    name = "subwords"

    def __init__(self, config: Any) -> None:
        self.config = config

    def identity(self) -> Any:
        return ["subwords", self.declaration.version, self.config.size]  # type: ignore[attr-defined]

    def write(self, texts: Iterable[str], path: Path, known: Iterable[str] = ()) -> Space:
        """Learn from texts, write `tokenizer.json`, and say which ids it takes. No word is unknown,
        so none of `known` is added."""
        import tokenizers
        from tokenizers import decoders, models, pre_tokenizers, trainers

        tokenizer = tokenizers.Tokenizer(models.BPE(unk_token="[UNK]"))
        tokenizer.normalizer = lower_pieces()
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=self.config.size, show_progress=False, special_tokens=list(SPECIALS),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        )  # fmt: skip
        tokenizer.train_from_iterator(texts, trainer)
        save(tokenizer, path)
        return Space(rows=tokenizer.get_vocab_size(), unknown=1, separator=2)


@operator("tokenizer", "file", primary="path")
class TokenizerFile:
    """A `tokenizer.json` of the library `tokenizers`, used as it is."""

    class Config:
        path: File = param(doc="The tokenizer.json; its id 0 must be its padding token.")

    example = 'tokenizer = file("tokenizer.json")'
    name = "file"

    def __init__(self, config: Any) -> None:
        self.path = Path(config.path)

    def identity(self) -> Any:
        import hashlib

        self.read()
        return ["file", hashlib.sha256(self.path.read_bytes()).hexdigest()]

    def read(self) -> Any:
        """The tokenizer, or E0626."""
        import tokenizers

        if not self.path.is_file():
            raise fail(
                "E0626",
                f"the tokenizer `{self.path}` is missing",
                "name a `tokenizer.json` relative to the spec, or write `tokenizer = words`",
            )
        try:
            return tokenizers.Tokenizer.from_file(str(self.path))
        except Exception as error:  # the library raises bare exceptions
            raise fail(
                "E0626",
                f"`{self.path}` is not a tokenizer.json of the library `tokenizers`",
                "save it with `Tokenizer.save`",
                notes=(str(error),),
            ) from None

    def write(self, texts: Iterable[str], path: Path, known: Iterable[str] = ()) -> Space:
        """Copy the file, which has the words it has, and say which ids it takes."""
        tokenizer = self.read()
        known = tokenizer.get_vocab()
        if not any(known.get(name) == 0 for name in PADDINGS):
            raise fail(
                "E0626",
                f"id 0 of `{self.path}` is {tokenizer.id_to_token(0)!r} and not a padding token",
                f"give id 0 to one of {', '.join(PADDINGS)}: row 0 of the token table is padding",
            )
        save(tokenizer, path)
        content = json.loads(self.path.read_text(encoding="utf-8"))
        unknown = known.get(content.get("model", {}).get("unk_token") or "[UNK]")
        separator = next((known[name] for name in SEPARATORS if name in known), None)
        return Space(rows=max(known.values()) + 1, unknown=unknown, separator=separator)


CHOICES: dict[str, type] = {"words": Words, "subwords": Subwords, "file": TokenizerFile}


def save(tokenizer: Any, path: Path) -> None:
    """Write a tokenizer without padding and truncation: lengths are the reader's business."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    path.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(path), pretty=False)


def write_categories(name: str, values: Iterable[object], path: Path, space: Space) -> None:
    """Give an id to every value of the category `name`, the frequent ones first."""
    from legoc_runtime.values import read_categories

    counts: Counter[str] = Counter()
    for value in values:
        counts.update(read_categories(name, value))
    ordered = sorted(counts, key=lambda value: (-counts[value], value))
    first = space.take(len(ordered))
    write_json(path, {"values": {value: first + place for place, value in enumerate(ordered)}})


def write_bins(values: Sequence[float], bins: int, path: Path, space: Space) -> None:
    """Cut a number into bins that hold equally many training items; equal edges become one."""
    given = np.asarray([v for v in values if v is not None], dtype=np.float64)
    given = given[np.isfinite(given)]
    shares = np.arange(1, bins) / bins
    edges = np.unique(np.quantile(given, shares)) if len(given) else np.empty(0)
    write_json(path, {"edges": edges.tolist(), "first": space.take(len(edges) + 1)})


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False) + "\n", encoding="utf-8")
