"""Files with a row per item: pre-trained vectors, or semantic codes.

A `.safetensors` file has `vectors` (floats [M, W]) or `codes` (integers [M, levels]) beside `ids`
and `offsets`, as a bundle's `cache/items.safetensors` does: the id of row i is the UTF-8 text
ids[offsets[i] : offsets[i + 1]]. A `.npy` file `x.npy` holds the rows alone, and `x.ids.txt` beside
it their ids, one per line. Letters: M rows of a file, N items with row 0, W width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from legoc.language.diagnosing.diagnostics import fail


Kind = Literal["vectors", "codes"]
FORMS = (
    "a `.safetensors` file with `{0}`, `ids` and `offsets`, or a `.npy` file with its `.ids.txt`"
)


@dataclass(frozen=True, kw_only=True)
class ItemRows:
    """Rows [M, W] of a file and the item of each."""

    path: Path
    ids: tuple[str, ...]
    values: NDArray[Any]

    def align(self, names: Sequence[str]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """The rows of items [N, W] given by their ids, zeros for row 0 and for items without a row,
        and which have one, Bool[N]. Raises E0646 for a row that is not of numbers."""
        places = {name: place for place, name in enumerate(self.ids) if name}
        found = np.array([places.get(name, -1) if name else -1 for name in names], dtype=np.int64)
        has = found >= 0
        rows = np.zeros((len(found), self.values.shape[1]), dtype=self.values.dtype)
        rows[has] = self.values[found[has]]
        broken = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        if len(broken):
            raise fail(
                "E0646",
                f"the row of item `{names[broken[0]]}` in `{self.path.name}` holds "
                f"{'NaN' if np.isnan(rows[broken[0]]).any() else 'infinity'}, as do "
                f"{len(broken) - 1} others",
                "make the file again, or leave these items out of it",
            )
        return rows, has

    def flat_columns(self, names: Sequence[str]) -> NDArray[np.intp]:
        """The columns that hold one value for all of these items that have a row. Of fewer than two
        rows nothing is said."""
        places = {name: place for place, name in enumerate(self.ids) if name}
        rows = self.values[[places[name] for name in names if name in places]]
        if len(rows) < 2:
            return np.zeros(0, dtype=np.intp)
        return np.flatnonzero((rows == rows[0]).all(axis=0))


def read_width(path: Path) -> int:
    """The width of a file's rows, without reading them. Errors as `read_rows`."""
    if path.suffix == ".npy":
        return int(load_matrix(path).shape[1])
    with open_tensors(path) as file:
        name = next((kind for kind in ("vectors", "codes") if kind in file.keys()), None)  # noqa: SIM118
        shape = [] if name is None else file.get_slice(name).get_shape()
    if len(shape) != 2:
        raise misshapen(path, "vectors", "it has no such matrix")
    return int(shape[1])


def read_rows(path: Path, kind: Kind) -> ItemRows:
    """The rows of a file and their ids. Raises E0645 where it is missing or of another form."""
    values, ids = read_matrix(path) if path.suffix == ".npy" else read_tensors(path, kind)
    wanted = np.floating if kind == "vectors" else np.integer
    if values.ndim != 2 or not np.issubdtype(values.dtype, wanted):
        raise misshapen(path, kind, f"it holds {values.dtype}{list(values.shape)}")
    if len(ids) != len(values):
        raise misshapen(path, kind, f"it has {len(values)} rows and {len(ids)} ids")
    if len(set(ids)) != len(ids):
        raise misshapen(path, kind, "an id stands twice")
    if kind == "vectors":
        values = values.astype(np.float32, copy=False)
    return ItemRows(path=path, ids=ids, values=values)


def read_matrix(path: Path) -> tuple[NDArray[Any], tuple[str, ...]]:
    beside = path.with_suffix(".ids.txt")
    values = load_matrix(path)
    if not beside.is_file():
        raise misshapen(path, "vectors", f"`{beside.name}` is not beside it")
    return values, tuple(beside.read_text(encoding="utf-8").splitlines())


def load_matrix(path: Path) -> NDArray[Any]:
    verify_there(path)
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError):
        raise misshapen(path, "vectors", "NumPy cannot read it") from None
    if values.ndim != 2:
        raise misshapen(path, "vectors", f"it holds {values.dtype}{list(values.shape)}")
    return values


def read_tensors(path: Path, kind: Kind) -> tuple[NDArray[Any], tuple[str, ...]]:
    from itertools import pairwise

    with open_tensors(path) as file:
        missing = {kind, "ids", "offsets"} - set(file.keys())
        if missing:
            raise misshapen(path, kind, f"it lacks `{min(missing)}`")
        values, text, offsets = (file.get_tensor(name) for name in (kind, "ids", "offsets"))
    try:
        whole = np.asarray(text, dtype=np.uint8).tobytes()
        ids = tuple(whole[start:stop].decode() for start, stop in pairwise(offsets.tolist()))
    except (ValueError, TypeError):
        raise misshapen(path, kind, "its ids are damaged") from None
    return values, ids


def open_tensors(path: Path) -> Any:
    from safetensors import SafetensorError, safe_open

    verify_there(path)
    try:
        return safe_open(path, framework="numpy")
    except (SafetensorError, OSError):
        raise misshapen(path, "vectors", "safetensors cannot read it") from None


def verify_there(path: Path) -> None:
    if not path.is_file():
        raise fail(
            "E0645",
            f"the file of item rows `{path}` is missing",
            "name a file relative to the spec, or leave `file` out",
        )


def misshapen(path: Path, kind: Kind, why: str) -> Exception:
    return fail("E0645", f"`{path.name}` does not hold rows of items: {why}", FORMS.format(kind))
