"""Finding raw files and reading them line by line, plain or compressed, with located errors."""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from legoc.data.formats.truncation import meet_end
from legoc.language.diagnosing.diagnostics import LegoError, fail


def find_file(folder: Path, names: Sequence[str]) -> Path | None:
    """The first of several names that lies in a folder, plain or as `.gz`."""
    for name in names:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    return None


def need_file(folder: Path, names: Sequence[str], data: str, page: str) -> Path:
    """`find_file`, or E0620 with the publisher's page."""
    found = find_file(folder, names)
    if found is None:
        raise missing_file(folder / names[0], data, page, names[1:])
    return found


def missing_file(path: Path, data: str, page: str, others: Sequence[str] = ()) -> LegoError:
    """The error of a raw file that is not there; `others` are names it may also have."""
    known = ", ".join(f"`{name}`" for name in others)
    return fail(
        "E0620",
        f"`{path}` is missing",
        f"get {data} from its publisher, {page}, and name the folder that holds the file",
        "or try the model on the embedded data set: `--set data.source=Demo`",
        notes=(f"{known} would do as well, plain or as `.gz`",) if known else (),
    )


def read_lines(path: Path, shown: str) -> Iterator[tuple[int, bytes]]:
    """Number (from 1) and bytes of every line, its end included; a byte order mark is left out.

    `shown` is how messages call the file. Raises E0622 for a file that cannot be read and for a
    gzip file that is damaged or breaks off (`truncation`: unless the user asked to read on).
    """
    opened = gzip.open if path.suffix == ".gz" else open
    number = 0
    try:
        with opened(path, "rb") as file:
            for number, raw in enumerate(file, start=1):
                if number == 1 and raw.startswith(b"\xef\xbb\xbf"):
                    raw = raw[3:]
                yield number, raw
    except EOFError as error:
        meet_end(shown, number, error)
    except (gzip.BadGzipFile, zlib.error) as error:
        raise damaged(shown, number, error) from None
    except OSError as error:
        raise fail(
            "E0622",
            f"`{shown}` cannot be read ({error.strerror or error})",
            "check the file and its permissions",
        ) from None


def damaged(shown: str, number: int, error: Exception) -> LegoError:
    """The error of a gzip file whose content is not what was compressed: no line of it is sure."""
    return fail(
        "E0622",
        f"`{shown}` is a damaged gzip file, found at line {number + 1}",
        "fetch the file again: what it holds is not what was written",
        notes=(str(error),),
    )


def decode(raw: bytes, number: int, shown: str, encoding: str = "utf-8") -> str:
    """The text of a line, or E0622 with its place."""
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        name = "UTF-8" if encoding == "utf-8" else encoding
        raise fail(
            "E0622",
            f"`{shown}` line {number}, byte {error.start + 1} is not {name}",
            "save the file as UTF-8, or use the publisher's own file",
        ) from None
