"""Files that stand in for the user's: random rows for the items of the small world."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import numpy as np

from legoc.language.declaring.catalog import catalog
from legoc.language.ir.spec import Call
from legoc.writing import replacing, write_text


WIDTH, LEVELS = 12, 3
GAP = 7
"""Every so many items have no row."""


def stand_in_file(content: Call, ids: Sequence[str], folder: Path) -> Path:
    """The file a content operator reads its items from: vectors, or codes that it can hold."""
    kind = row_kind(content)
    path = folder / f"{kind}-{content.args.get('size', 0)}.npy"
    if not path.is_file():
        names = [name for place, name in enumerate(ids) if place and place % GAP]
        random = np.random.Generator(np.random.Philox(key=len(names)))
        rows = random.standard_normal((len(names), WIDTH)).astype(np.float32)
        if kind == "codes":
            rows = random.integers(0, content["size"], (len(names), LEVELS))
        folder.mkdir(parents=True, exist_ok=True)
        # The rows come last, for another process may be waiting for them.
        write_text(path.with_suffix(".ids.txt"), "".join(f"{n}\n" for n in names))
        with replacing(path) as made:
            np.save(made, rows)
    return path


def row_kind(content: Call) -> str:
    """`vectors` or `codes`: what the operator says its file holds."""
    declaration = catalog().get("content", content.op)
    if declaration is None:
        raise LookupError(f"no content operator {content.op!r} in the catalog")
    module, _, name = declaration.module.partition(":")
    return getattr(import_module(module), name).rows
