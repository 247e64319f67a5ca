"""Pre-trained word vectors for the tokens at hand: found in a text file or in the token table of a
language model, and brought to the scale that a token table starts with.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from legoc.data.cache import digest, hash_file, obtain
from legoc.data.reading.glove import GloveFile
from legoc.data.reading.pieces import Piece, read_pieces
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.checkpoints import vectors_model
from legoc.progress import SILENT, Progress


# Raise when the same vectors would be read differently.
VERSION = 2


# The spread of the numbers of a fresh token table.
START = 0.1


class Vectors(Protocol):
    """A place where tokens have vectors."""

    @property
    def name(self) -> str: ...

    @property
    def width(self) -> int: ...

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the vectors depend on."""
        ...

    def words(self) -> Iterator[str]:
        """The words that have a vector, the frequent ones first as far as the files tell."""
        ...

    def look_up(
        self, pieces: Sequence[Piece], task: Any
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], int]:
        """Rows I32[n] of the pieces that have a vector, the vectors F[n, W], and a count of lines
        that could not be read."""
        ...


@dataclass(frozen=True, kw_only=True)
class WordVectors:
    """Vectors of some rows of the token table.

    rows: I32[n], ids of tokens, ascending. values: F[n, width]. words: tokens of the vocabulary
    without its special ones; their ids are below `ids`. bad: lines of the file that are no word
    with its numbers. digest: of the content of the files.
    """

    rows: NDArray[np.int32]
    values: NDArray[np.float32]
    words: int
    ids: int
    bad: int
    digest: str

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


def open_vectors(given: str, progress: Progress = SILENT) -> Vectors:
    """Where `vectors` of a data record are found. Raises E0641 for a file that is missing, E0650
    and E0651 for a language model that cannot be had or is not whole."""
    named = vectors_model(given)
    if named is None:
        return open_file(given)
    from legoc.data.reading.model_table import obtain_table

    return obtain_table(named, progress)


def open_file(given: str) -> GloveFile:
    path = Path(given)
    if not path.is_file():
        raise fail(
            "E0641",
            f"the word vectors `{path}` are missing",
            "name a text file such as `glove.6B.300d.txt`, or the folder of a language model, "
            "relative to the spec",
        )
    return GloveFile(path)


def read_width(given: str) -> int:
    """The width of `vectors` before any data is read. Raises as `open_vectors`; never uses the
    network."""
    named = vectors_model(given)
    if named is None:
        return open_file(given).width
    from legoc.data.reading.model_table import table_width

    return table_width(named)


def settle(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The vectors about zero and on the scale that a token table starts with: what they say is how
    words differ, and publishers' scales differ tenfold. F[n, W]."""
    wide = values.astype(np.float64)
    wide -= wide.mean(0)
    spread = float(wide.std())
    # Of one vector, or of equal ones, nothing is left to scale.
    return (wide * (START / spread) if spread else values).astype(np.float32)


def content_digest(vectors: Vectors, root: Path) -> str:
    """The digest of what the files hold. root: the cache folder."""
    return digest([hash_file(path, root) for path in vectors.files])


def read_vectors(
    vectors: Vectors,
    reading: Mapping[str, Any],
    folder: Path,
    root: Path,
    progress: Progress = SILENT,
) -> WordVectors:
    """The vectors of a reading's words, from the cache or read now.

    reading, folder: how items become ids, and where its tokenizers lie. root: the cache folder.
    Raises E0641 for vectors of no word at hand.
    """
    tokenizers = sorted({part["tokenizer"] for part in reading["parts"] if "tokenizer" in part})
    if not tokenizers:
        raise fail(
            "E0641",
            "`vectors` are of words, and `content` has no text",
            "add a text attribute to `content`, or leave `vectors` out",
        )
    # All texts of a reading share one tokenizer.
    tokenizer = folder / tokenizers[0]
    content = content_digest(vectors, root)
    key = digest([VERSION, content, hash_file(tokenizer, root)])

    def make(staging: Path) -> dict[str, Any]:
        pieces = read_pieces(tokenizer)
        with progress.task("vectors", None, "words") as task:
            rows, values, bad = vectors.look_up(pieces, task)
        if not len(rows):
            raise fail(
                "E0641",
                f"`{vectors.name}` has no vector for any of {len(pieces):,} words",
                "give vectors of the language of the texts",
            )
        np.save(staging / "rows.npy", rows)
        np.save(staging / "values.npy", settle(values))
        ids = max(piece.row for piece in pieces) + 1
        return {"words": len(pieces), "ids": ids, "bad": bad}

    place, manifest = obtain(root / "vectors" / key[:32], make)
    found = WordVectors(
        rows=np.load(place / "rows.npy"),
        values=np.asarray(np.load(place / "values.npy", mmap_mode="r")),
        words=manifest["words"], ids=manifest["ids"], bad=manifest["bad"], digest=content,
    )  # fmt: skip
    bad = f"; {found.bad:,} lines are no word with its numbers" * (found.bad > 0)
    progress.say(f"{vectors.name}: vectors for {found.coverage:.0%} of {found.words:,} words{bad}")
    return found
