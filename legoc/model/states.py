"""What the frozen part of an item encoder makes of every item, computed once and kept on disk.

A folder of the cache holds the values end to end, only those of real tokens, and where each item's
begin. Its name is a digest of all that the values depend on. It is built in a sibling that says how
far it has come, so that an interrupted build goes on, and nothing is read before it is finished.

Letters: I any number of items, N items with row 0, L tokens, K layers, W width.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from legoc.data.cache import digest, read_manifest, seal
from legoc.data.indexing.log import I32, I64
from legoc.data.reading.inputs import Array, ItemInputs
from legoc.language.declaring.catalog import catalog
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.checkpoints import content_model, has_prefix
from legoc.language.ir.plan import Port
from legoc.language.ir.spec import Spec
from legoc.model.recommender import Recommender
from legoc.model.state_files import (
    FIRSTS,
    PROGRESS,
    VALUES,
    locked,
    map_values,
    read_progress,
    reserve,
    write_progress,
)
from legoc.model.tensors import to_inputs
from legoc.progress import SILENT, Progress
from legoc.writing import put_folder


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared


# Raise when the stored values of the same model and tokens would differ from an older version's.
VERSION = 2

# NumPy has no bfloat16: its bits are kept as whole numbers.
STORED = {torch.float32: np.float32, torch.float16: np.float16, torch.bfloat16: np.uint16}

TOKENS_AT_ONCE = 4096
SAVE_EVERY = 30.0  # seconds


@dataclass(frozen=True, kw_only=True)
class StateTable:
    """Kept values as rows of an item encoder's input.

    values: [T, W], memory-mapped, those of item i from firsts[i] to firsts[i + 1]. tokens: I32[N],
    the real tokens of each item. by_token: an item has a row per token; else one per layer.
    """

    values: NDArray[Any]
    firsts: I64
    tokens: I32
    by_token: bool
    ports: tuple[Port, ...] = (
        Port(name="states", dtype="float32", dims=("item", "tokens", "width")),
        Port(name="states_mask", dtype="bool", dims=("item", "tokens")),
    )

    @property
    def lengths(self) -> I32:
        return self.tokens

    def rows(self, items: I32) -> Mapping[str, Array]:
        """`states` [I, L, W] with `states_mask` Bool[I, L], cut to the longest of these items, at
        least one token long; or [I, K, W] with Bool[I, 1], whether the item has a token."""
        first, last = self.firsts[items], self.firsts[np.asarray(items, dtype=np.int64) + 1]
        counts = last - first
        width = max(int(counts.max(initial=0)), 1)
        real = np.arange(width) < counts[:, None]
        states = np.zeros((len(items), width, self.values.shape[1]), dtype=self.values.dtype)
        states[real] = self.values[(first[:, None] + np.arange(width))[real]]
        mask = real if self.by_token else (self.tokens[items] > 0)[:, None]
        return {"states": states, "states_mask": mask}


def frozen_inputs(
    recommender: Recommender,
    spec: Spec,
    prepared: "Prepared",
    root: Path,
    *,
    progress: Progress = SILENT,
) -> ItemInputs:
    """What the item encoder reads in training: the values of its frozen part, where it has one,
    else the prepared inputs themselves.

    root: the cache folder. Values that were kept before for the same files of the language model,
    the same tokens and the same settings are used as they are. Errors: E0654 where a value is not
    finite.
    """
    found = content_model(spec)
    if found is None:
        return prepared.inputs
    call, _ = found
    declaration = catalog().get("content", call.op)
    if declaration is None or not has_prefix(declaration, call):
        return prepared.inputs
    content: Any = recommender.content
    folder = root / "states" / state_key(content, declaration.version, prepared)[:32]
    if read_manifest(folder) is None:
        write_states(content, prepared, folder, progress)
    return read_table(folder, prepared.inputs.lengths, content)


def state_key(content: Any, declared: int, prepared: "Prepared") -> str:
    """The digest of all that the kept values depend on: the files of the language model, where it
    is cut, the token ids of every item, number types and versions. By what name a spec calls the
    model, and what it trains above, does not matter."""
    from importlib.metadata import version

    assert prepared.reading_folder is not None
    return digest(
        [
            VERSION, declared, version("transformers"), prepared.rows.checkpoint,
            prepared.reading_folder.name, content.kept.key,
            content.kept.by_token, str(content.numbers.declared), str(content.stored),
        ]
    )  # fmt: skip


def write_states(content: Any, prepared: "Prepared", folder: Path, progress: Progress) -> None:
    """Compute the values of all items into `folder`, going on from where an earlier attempt came
    to."""
    lengths = prepared.inputs.lengths.astype(np.int64)
    each = lengths if content.kept.by_token else np.where(lengths > 0, len(content.kept.layers), 0)
    firsts = np.append(0, np.cumsum(each)).astype(np.int64)
    width, dtype = content.backbone.width, STORED[content.stored]
    part = folder.with_name(f".{folder.name}-part")
    part.mkdir(parents=True, exist_ok=True)
    with locked(part):
        if read_manifest(folder) is not None:
            return
        done = read_progress(part)
        if done == 0:
            np.save(part / FIRSTS, firsts)
            size = int(firsts[-1]) * width * np.dtype(dtype).itemsize
            reserve(part / VALUES, size)
        values = map_values(part / VALUES, dtype, width)
        count = len(lengths) - 1
        with progress.task("frozen states", count, "items") as task:
            task.advance(done)
            saved = time.monotonic()
            try:
                for items in blocks(lengths, done):
                    write_values(content, prepared, items, values, firsts)
                    done = int(items[-1])
                    task.advance(len(items))
                    if time.monotonic() - saved > SAVE_EVERY:
                        write_progress(part, values, done)
                        saved = time.monotonic()
            finally:
                # Whoever comes after an interruption goes on here.
                write_progress(part, values, done)
        del values
        (part / PROGRESS).unlink()
        seal(part, {"width": width, "dtype": np.dtype(dtype).name})
        # What lies there was damaged after it was finished: nothing may read it again.
        put_folder(part, folder)


def write_values(
    content: Any, prepared: "Prepared", items: I32, values: NDArray[Any], firsts: I64
) -> None:
    """The values of some items with tokens of like number, into their places. E0654 names the
    first item whose values are not finite."""
    device = next(content.parameters()).device
    order = items[np.argsort(prepared.inputs.lengths[items], kind="stable")]
    order = order[prepared.inputs.lengths[order] > 0]
    for start, stop in pages(prepared.inputs.lengths[order]):
        some = order[start:stop]
        inputs = to_inputs(prepared.inputs.rows(some), device)
        made = content.frozen(inputs["tokens"].long(), inputs["tokens_mask"]).to(content.stored)
        mask = inputs["tokens_mask"] if content.kept.by_token else None
        verify_finite(made, mask, some, prepared)
        rows = as_stored(made)
        for place, item in enumerate(some):
            first, last = int(firsts[item]), int(firsts[int(item) + 1])
            values[first:last] = rows[place, : last - first]


def verify_finite(made: Tensor, mask_IL: Tensor | None, items: I32, prepared: "Prepared") -> None:
    """E0654 where a value of a real token is not finite; what stands at padding does not count."""
    if bool(torch.isfinite(made).all()):
        return
    finite = torch.isfinite(made).flatten(2).all(2)
    if mask_IL is not None:
        finite = finite | ~mask_IL
    broken = torch.nonzero(~finite.all(1)).flatten().tolist()
    if broken:
        name = prepared.items.ids[int(items[broken[0]])]
        raise fail(
            "E0654",
            f"the frozen layers give numbers that are not finite for item `{name}`",
            "keep wider numbers, `states=bfloat16` or `states=float32`, or look at its text",
        )


def as_stored(made: Tensor) -> NDArray[Any]:
    """A tensor as an array of the type it is kept in."""
    made = made.cpu()
    return made.view(torch.uint16).numpy() if made.dtype == torch.bfloat16 else made.numpy()


def blocks(lengths: I64, done: int) -> Iterator[I32]:
    """The items after `done`, in order, so many at a time."""
    step = block_size(lengths)
    for first in range(done + 1, len(lengths), step):
        yield np.arange(first, min(first + step, len(lengths)), dtype=np.int32)


def block_size(lengths: I64) -> int:
    """Items at a time: enough that those of like length fill pages, few enough that little is lost
    with an interruption."""
    return max(64, 16 * TOKENS_AT_ONCE // max(int(lengths.mean()), 1))


def pages(lengths: I32) -> Iterator[tuple[int, int]]:
    """Runs of ascending lengths whose padded size stays below `TOKENS_AT_ONCE`."""
    start = 0
    for stop in range(1, len(lengths) + 1):
        if stop == len(lengths) or (stop + 1 - start) * int(lengths[stop]) > TOKENS_AT_ONCE:
            yield start, stop
            start = stop


def read_table(folder: Path, tokens: I32, content: Any) -> StateTable:
    values = map_values(folder / VALUES, STORED[content.stored], content.backbone.width)
    return StateTable(
        # A plain view: the subclass costs more than the gather of a small batch.
        values=np.asarray(values), firsts=np.load(folder / FIRSTS),
        tokens=tokens, by_token=content.kept.by_token,
    )  # fmt: skip
