"""Word vectors as GloVe publishes them (Pennington et al., EMNLP 2014), for the words at hand.

A file may hold millions of words: a line is parsed only where the vocabulary has its word.
"""

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc.data.cache import digest, hash_file, obtain
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.progress import SILENT, Progress


# Raise when the same file would be read differently.
VERSION = 1

# How tokenizers mark a token that begins a word.
BEGINS = ("Ġ", "▁")


@dataclass(frozen=True, kw_only=True)
class WordVectors:
    """Vectors of some rows of the token table.

    rows: I32[n], ids of tokens, ascending. values: F[n, width]. words: tokens of the vocabulary
    without its special ones; their ids are below `ids`. bad: lines of the file that are no word
    with its numbers.
    """

    rows: NDArray[np.int32]
    values: NDArray[np.float32]
    words: int
    ids: int
    bad: int

    @property
    def width(self) -> int:
        return int(self.values.shape[1])

    @property
    def coverage(self) -> float:
        """The share of the vocabulary that has a vector."""
        return len(self.rows) / self.words if self.words else 0.0

    def spoken(
        self, matrices: Mapping[str, tuple[NDArray[np.int32], Any]], reading: Mapping[str, Any]
    ) -> float:
        """The share of the words in the items' texts that have a vector.

        matrices: token ids by attribute, as the reading made them. Ids of categories and bins are
        no words and do not count.
        """
        rows = int(reading["rows"])
        counts = np.zeros(rows, dtype=np.int64)
        for ids, _ in matrices.values():
            for first in range(0, len(ids), 65536):
                counts += np.bincount(ids[first : first + 65536].ravel(), minlength=rows)
        # An unknown word is one without a vector.
        marks = [reading[name] for name in ("padding", "separator")]
        counts[[mark for mark in marks if mark is not None]] = 0
        total = int(counts[: self.ids].sum())
        return float(counts[self.rows].sum() / total) if total else 0.0


def read_vectors(
    path: Path,
    reading: Mapping[str, Any],
    folder: Path,
    root: Path,
    progress: Progress = SILENT,
) -> WordVectors:
    """The vectors of a reading's words, from the cache or read now.

    reading, folder: how items become ids, and where its tokenizers lie. root: the cache folder.
    Raises E0641 for a file that is missing or holds no vector of any word.
    """
    check_file(path)
    tokenizers = sorted({part["tokenizer"] for part in reading["parts"] if "tokenizer" in part})
    if not tokenizers:
        raise fail(
            "E0641",
            "`vectors` are of words, and `content` has no text",
            "add a text attribute to `content`, or leave `vectors` out",
        )
    # All texts of a reading share one tokenizer.
    tokenizer = folder / tokenizers[0]
    key = digest([VERSION, hash_file(path, root), hash_file(tokenizer, root)])

    def make(staging: Path) -> dict[str, Any]:
        vocabulary = read_vocabulary(tokenizer)
        with progress.task("vectors", None, "words") as task:
            found, width, bad = collect(path, vocabulary, task)
        rows, values = align(found, vocabulary, width)
        if not len(rows):
            raise fail(
                "E0641",
                f"`{path.name}` has no vector for any of {len(vocabulary):,} words",
                "give vectors of the language of the texts, in GloVe's text form",
            )
        np.save(staging / "rows.npy", rows)
        np.save(staging / "values.npy", values)
        ids = max(vocabulary.values()) + 1
        return {"words": len(vocabulary), "ids": ids, "bad": bad}

    place, manifest = obtain(root / "vectors" / key[:32], make)
    return WordVectors(
        rows=np.load(place / "rows.npy"),
        values=np.asarray(np.load(place / "values.npy", mmap_mode="r")),
        words=manifest["words"], ids=manifest["ids"], bad=manifest["bad"],
    )  # fmt: skip


def check_file(path: Path) -> None:
    if not path.is_file():
        raise fail(
            "E0641",
            f"the word vectors `{path}` are missing",
            "name a text file such as `glove.6B.300d.txt`, unpacked, relative to the spec",
        )


def read_vocabulary(tokenizer: Path) -> dict[str, int]:
    """Id by token, without the special ones."""
    import tokenizers

    loaded = tokenizers.Tokenizer.from_file(str(tokenizer))
    special = set(loaded.get_added_tokens_decoder())
    return {word: row for word, row in loaded.get_vocab().items() if row not in special and row}


def plain(token: str) -> str:
    """The word a token stands for where it begins one."""
    return token[1:] if token[:1] in BEGINS and len(token) > 1 else token


def collect(
    path: Path, vocabulary: Mapping[str, int], task: Any
) -> tuple[dict[str, NDArray[np.float32]], int, int]:
    """The first vector of each wanted word, the width, and the number of bad lines."""
    wanted = {plain(token) for token in vocabulary}
    wanted |= {word.lower() for word in wanted}
    width = read_width(path)
    found: dict[str, NDArray[np.float32]] = {}
    bad = 0
    for number, line in read_lines(path):
        task.advance()
        if number == 1 and is_header(line):
            continue
        # A few words of the published files hold blanks, so the numbers are cut off at the end.
        word, *numbers = line.rsplit(" ", width)
        if len(numbers) != width:
            bad += 1
        elif word in wanted and word not in found:
            vector = parse(numbers)
            if vector is None:
                bad += 1
            else:
                found[word] = vector
    return found, width, bad


def align(
    found: Mapping[str, NDArray[np.float32]], vocabulary: Mapping[str, int], width: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Rows and vectors of the tokens; a token that is not there as it is takes the vector of its
    lower-case form."""
    rows: list[int] = []
    values: list[NDArray[np.float32]] = []
    for token, row in sorted(vocabulary.items(), key=lambda pair: pair[1]):
        word = plain(token)
        vector = found.get(word, found.get(word.lower()))
        if vector is not None:
            rows.append(row)
            values.append(vector)
    stacked = np.stack(values) if values else np.empty((0, width), dtype=np.float32)
    return np.asarray(rows, dtype=np.int32), stacked


def read_width(path: Path) -> int:
    """How many numbers each word of a file has, from its first lines. Raises E0641."""
    check_file(path)
    for number, line in read_lines(path):
        if number == 1 and is_header(line):
            return int(line.split()[1])
        fields = line.split(" ")
        width = 0
        for field in reversed(fields[1:]):
            if parse([field]) is None:
                break
            width += 1
        if width:
            return width
        break
    raise fail(
        "E0641",
        f"the first line of `{path.name}` is no word with its numbers",
        "give word vectors in GloVe's text form, such as `glove.6B.300d.txt`, unpacked",
        notes=(f"the file is {path}",),
    )


def is_header(line: str) -> bool:
    """Whether a first line is the count of words and the width, as word2vec writes them."""
    fields = line.split()
    return len(fields) == 2 and all(field.isdecimal() for field in fields) and int(fields[1]) > 1


def parse(numbers: list[str]) -> NDArray[np.float32] | None:
    try:
        vector = np.asarray([float(number) for number in numbers], dtype=np.float32)
    except ValueError:
        return None
    return vector if np.isfinite(vector).all() else None


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number and text of every line, split at line feeds only; bytes that are not UTF-8 are kept
    apart, so that such a word matches none."""
    opened = gzip.open if path.suffix == ".gz" else open
    number = 0
    try:
        with opened(path, "rb") as file:
            for number, raw in enumerate(file, start=1):
                yield number, raw.decode("utf-8", errors="surrogateescape").rstrip(" \r\n")
    except (EOFError, OSError) as error:
        raise broken(path, number, error) from None


def broken(path: Path, line: int, error: Exception) -> LegoError:
    return fail(
        "E0641",
        f"`{path.name}` breaks off after line {line}",
        "fetch the file again: the download was interrupted or the file is damaged",
        notes=(str(error),),
    )
