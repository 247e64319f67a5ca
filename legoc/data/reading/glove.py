"""Word vectors as text: a word and its numbers on each line, as GloVe publishes them (Pennington et
al., EMNLP 2014), word2vec and fastText with a line of their count and width before.

A file may hold millions of words: a line is parsed only where a word of it is wanted.
"""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from legoc.data.reading.pieces import Piece
from legoc.language.diagnosing.diagnostics import LegoError, fail


FORM = "give word vectors as text, such as `glove.6B.300d.txt`"

# How files begin that hold vectors in another form: what they are, and what to type.
STRANGE = {
    b"\xba\x16\x4f\x2f": ("a model of fastText", "name the `.vec` that is published beside it"),
    b"\x93NUMPY": ("an array of NumPy, which has no words", FORM),
    b"PAR1": ("a Parquet file", FORM),
}
# Files of a language model, which is named by its folder.
OF_A_MODEL = (".safetensors", ".json", ".pt", ".pth", ".ckpt")
PACKED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
ZIP = b"PK\x03\x04"
# More numbers than a word has anywhere; a first line that says so is damaged.
WIDEST = 1_000_000


@dataclass(frozen=True)
class GloveFile:
    """A text file of word vectors, packed or not."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.path,)

    @cached_property
    def width(self) -> int:
        """How many numbers each word has, from the first lines. Raises E0641."""
        for number, line in read_lines(self.path):
            if number == 1 and is_header(line):
                width = int(line.split()[1])
                if width > WIDEST:
                    break
                return width
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
            f"the first line of `{self.name}` is no word with its numbers",
            FORM,
            notes=(f"the file is {self.path}",),
        )

    def words(self) -> Iterator[str]:
        """The words of the file in order: the frequent ones come first."""
        for number, line in read_lines(self.path):
            if number > 1 or not is_header(line):
                yield line.rsplit(" ", self.width)[0]

    def look_up(
        self, pieces: Sequence[Piece], task: Any
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], int]:
        """Rows I32[n] of the pieces that have a vector, the vectors F[n, W], and the number of bad
        lines. A piece that is not there as it is takes the vector of its lower-case form."""
        wanted = {piece.text for piece in pieces}
        wanted |= {word.lower() for word in wanted}
        found, bad = self.collect(wanted, task)
        rows: list[int] = []
        values: list[NDArray[np.float32]] = []
        for piece in pieces:
            vector = found.get(piece.text, found.get(piece.text.lower()))
            if vector is not None:
                rows.append(piece.row)
                values.append(vector)
        stacked = np.stack(values) if values else np.empty((0, self.width), dtype=np.float32)
        return np.asarray(rows, dtype=np.int32), stacked, bad

    def collect(self, wanted: set[str], task: Any) -> tuple[dict[str, NDArray[np.float32]], int]:
        """The first vector of each wanted word, and the number of bad lines."""
        found: dict[str, NDArray[np.float32]] = {}
        bad = 0
        for number, line in read_lines(self.path):
            task.advance()
            if number == 1 and is_header(line):
                continue
            # A few words of the published files hold blanks, so the numbers are cut off at the end.
            word, *numbers = line.rsplit(" ", self.width)
            if len(numbers) != self.width:
                bad += 1
            elif word in wanted and word not in found:
                vector = parse(numbers)
                if vector is None:
                    bad += 1
                else:
                    found[word] = vector
        return found, bad


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
    number = 0
    try:
        with open_text(path) as file:
            for number, raw in enumerate(file, start=1):
                if number == 2 and b"\0" in raw:
                    raise fail(
                        "E0641",
                        f"`{path.name}` is word2vec's binary form",
                        "write it as text: gensim's `KeyedVectors.load_word2vec_format(FILE, "
                        "binary=True).save_word2vec_format(TEXT)`",
                    )
                yield number, raw.decode("utf-8", errors="surrogateescape").rstrip(" \r\n")
    except RuntimeError as error:
        # What `zipfile` says of a password, and (a NotImplementedError) of an unknown method.
        raise fail(
            "E0641", f"`{path.name}` cannot be unpacked: {error}", "unpack it and name the text"
        ) from None
    except (EOFError, OSError, zipfile.BadZipFile, lzma.LZMAError, zlib.error) as error:
        raise broken(path, number, error) from None


@contextmanager
def open_text(path: Path) -> Iterator[IO[bytes]]:
    """The lines of a file as bytes, unpacked where it is packed, as its first bytes say. Raises
    E0641 for a file of another form, by its name."""
    if path.suffix.lower() in OF_A_MODEL:
        raise fail(
            "E0641",
            f"`{path.name}` is no file of word vectors but, it seems, of a language model",
            f'name its folder: `vectors = "{path.parent}"`',
        )
    with path.open("rb") as file:
        head = file.read(8)
    for start, (what, help) in STRANGE.items():
        if head.startswith(start):
            raise fail("E0641", f"`{path.name}` is {what}", help)
    opened = next((way for start, way in PACKED.items() if head.startswith(start)), None)
    if head.startswith(ZIP):
        with zipfile.ZipFile(path) as archive, archive.open(only_text(path, archive)) as inner:
            yield io.BufferedReader(inner)  # type: ignore[type-var]
        return
    with path.open("rb") if opened is None else opened(path, "rb") as inner:
        yield inner  # type: ignore[misc]


def only_text(path: Path, archive: zipfile.ZipFile) -> str:
    """The one file of an archive; E0641 where there are several to choose from."""
    names = [each.filename for each in archive.infolist() if not each.is_dir()]
    if len(names) == 1:
        return names[0]
    raise fail(
        "E0641",
        f"`{path.name}` holds {len(names)} files: {', '.join(names[:4])}"
        f"{', ...' * (len(names) > 4)}",
        "unpack it and name one of them",
    )


def broken(path: Path, line: int, error: Exception) -> LegoError:
    return fail(
        "E0641",
        f"`{path.name}` breaks off after line {line}",
        "fetch the file again: the download was interrupted or the file is damaged",
        notes=(str(error),),
    )
