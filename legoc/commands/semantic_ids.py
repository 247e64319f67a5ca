"""`legoc codes`: the semantic ids of a vector table, which `content SemanticID(file=...)` reads."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from legoc.commands.item_vectors import replaced
from legoc.data.reading.item_rows import read_rows
from legoc.progress import SILENT, Progress
from legoc.tensor_files import save_arrays


@dataclass(frozen=True, kw_only=True)
class CodeTable:
    """A written file of codes. empty: items left out because their vector is zero, which is an item
    that says nothing. left, moved, shared: see `legoc.data.reading.quantise.Quantised`."""

    path: Path
    items: int
    levels: int
    size: int
    empty: int
    left: tuple[float, ...]
    moved: int
    shared: int

    def to_json(self) -> dict[str, Any]:
        """What the command line prints for machines."""
        return {**asdict(self), "path": str(self.path), "left": list(self.left)}

    def text(self) -> str:
        """What it prints for people."""
        left = ", ".join(f"{share:.1%}" for share in self.left)
        lines = [
            f"{self.path}: {self.items:,} items, {self.levels} codes of {self.size} each",
            f"  left unexplained after each level: {left}",
            f"  {self.moved:,} items have another last code than the nearest, to be told apart",
        ]
        if self.empty:
            lines.append(f"  {self.empty:,} items without a vector have no codes")
        if self.shared:
            lines.append(
                f"  {self.shared:,} items share all codes with another: more levels or a larger "
                "size would tell them apart"
            )
        return "\n".join(lines)


def write_codes(
    source: str | Path,
    path: str | Path,
    *,
    levels: int = 4,
    size: int = 256,
    seed: int = 0,
    progress: Progress = SILENT,
) -> CodeTable:
    """Quantise a vector table (a `.safetensors` with `vectors`, `ids` and `offsets`, as `legoc
    embed` writes it, or a `.npy` with its `.ids.txt`) and write `codes` int32 [M, levels], `ids`
    and `offsets`.

    The same table, settings and seed give the same bytes. Raises E0645 for a source of another
    form or without a vector, E0646 for one with NaN or infinity, E0658 where `path` cannot be
    written, before anything is computed.
    """
    from legoc.data.reading.quantise import quantise
    from legoc.language.diagnosing.diagnostics import fail

    rows = read_rows(Path(source), "vectors")
    values, named = rows.align(rows.ids)
    real = named & values.any(axis=1)
    if not real.any():
        raise fail(
            "E0645",
            f"`{source}` holds no vector of an item: all its rows are zeros",
            "make the table again, such as with `legoc embed`",
        )
    with replaced(Path(path)) as place:
        made = quantise(values[real], levels=levels, size=size, seed=seed, progress=progress)
        texts = [name.encode() for name, kept in zip(rows.ids, real, strict=True) if kept]
        save_arrays(
            place,
            {
                "codes": made.codes.astype(np.int32),
                "ids": np.frombuffer(b"".join(texts), dtype=np.uint8),
                "offsets": np.cumsum([0, *map(len, texts)], dtype=np.int64),
            },
        )
    return CodeTable(
        path=Path(path), items=len(texts), levels=levels, size=size,
        empty=int(named.sum()) - len(texts), left=made.left, moved=made.moved, shared=made.shared,
    )  # fmt: skip
