"""Counters on the disk: those of a bundle, and those that `items.save_counters` wrote."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from legoc_runtime.bundle import Bundle
from legoc_runtime.counters import Counters, share_columns
from legoc_runtime.errors import BundleError
from legoc_runtime.manifest import Number
from legoc_runtime.table import read_ids
from legoc_runtime.tensors import Array, parse_tensors, read_tensors


def verify_kept(
    tensors: dict[str, Array], numbers: Sequence[Number], rows: int, *, reported: bool
) -> bool:
    """Whether tensors have the form of what counters keep of so many rows; reported: whether they
    tell what was reported while serving."""
    shares = len(share_columns(numbers))
    forms = {
        "values": (np.float64, (rows, len(numbers))), "moments": (np.int64, (rows,)),
        "first": (np.int64, (rows,)), "last": (np.int64, (1,)),
    }  # fmt: skip
    for name in ("showings", *(["surplus"] if reported else [])) if shares else ():
        forms[name] = (np.float64, (rows, shares))
    fits = all(
        name in tensors and tensors[name].dtype == kind and tensors[name].shape == shape
        for name, (kind, shape) in forms.items()
    )
    return fits and all(
        bool(np.isfinite(tensors[name]).all())
        and (name == "surplus" or bool((tensors[name] >= 0).all()))
        for name in ("values", "showings", "surplus")
        if name in forms
    )


def read_counters(
    path: Path, numbers: Sequence[Number]
) -> tuple[tuple[str, ...], dict[str, Array]]:
    """The ids of a file of counters and what it keeps of them. Raises BundleError for another file,
    and for one of other numbers."""
    help = "give a file that `items.save_counters` wrote for a model of the same `context`"
    try:
        tensors = read_tensors(path)
    except OSError as error:
        raise BundleError(f"`{path}` cannot be read ({error.strerror})", help) from None
    names = [number.name for number in numbers]
    named = tensors.get("numbers", np.zeros(0, dtype=np.uint8)).tobytes().decode(errors="replace")
    if named.split("\n") != names:
        raise BundleError(
            f"`{path.name}` counts {', '.join(named.split()) or 'nothing'}, this model reads "
            f"{', '.join(names)}",
            help,
        )
    rows = len(tensors.get("first", ()))
    if not {"ids", "offsets"} <= tensors.keys() or not verify_kept(
        tensors, numbers, rows, reported=True
    ):
        raise BundleError(f"`{path.name}` does not hold the clicks of its items", help)
    return read_ids(path.name, tensors["ids"], tensors["offsets"], rows), tensors


def load_counters(bundle: Bundle) -> Counters | None:
    """The counters of a bundle as they stood at the end of its data; None where it has none."""
    context = bundle.parts.context
    if context is None or context.file is None:
        return None
    tensors = parse_tensors(bundle.read(context.file), context.file)
    if not verify_kept(tensors, context.numbers, bundle.parts.rows, reported=False):
        raise BundleError(
            f"`{context.file}` does not hold the clicks of {bundle.parts.rows} items",
            "export the bundle again",
        )
    # What a file gives is read-only, and clicks are counted where they lie.
    return Counters(
        context.numbers, values=np.array(tensors["values"]), moments=np.array(tensors["moments"]),
        first=np.array(tensors["first"]), last=int(tensors["last"][0]),
        showings=np.array(tensors["showings"]) if "showings" in tensors else None,
    )  # fmt: skip
