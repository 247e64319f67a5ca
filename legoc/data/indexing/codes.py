"""The rows and histories of written tables as numbers, read in one pass and kept beside them.

Letters: R rows, M histories, T clicks, N items. Counting and indexing work on these; what texts say
is looked up once here.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc.data.indexing.log import F32, I32, I64


SPLITS = ("train", "valid", "test", "predict")


@dataclass(frozen=True, kw_only=True)
class Codes:
    """Tables by number, in the order of their rows; the arrays may be memory-mapped."""

    split: NDArray[np.int8]  # [R] place in SPLITS
    impression: I32  # [R] by first appearance
    history: I32  # [R] row of the histories
    item: I32  # [R] from 1, the order of the items
    label: F32  # [R] NaN where there is none
    person: I32  # [M] the users by first appearance among the histories
    starts: I64  # [M + 1] where each history begins in `clicks`
    clicks: I32  # [T] items from 1, oldest first

    def save(self, folder: Path) -> None:
        """Write the arrays beside the tables."""
        for field in fields(self):
            np.save(folder / f"codes.{field.name}.npy", getattr(self, field.name))

    @staticmethod
    def load(folder: Path) -> "Codes":
        """What `save` wrote, memory-mapped."""
        return Codes(
            **{
                field.name: np.load(folder / f"codes.{field.name}.npy", mmap_mode="r")
                for field in fields(Codes)
            }
        )


def encode(folder: Path) -> Codes:
    """Read the tables of a folder. A text that no other table has is an internal error."""
    import pyarrow.parquet as pq

    items = pq.read_table(folder / "items.parquet", columns=["item_id"]).column(0)
    return Codes(
        **encode_rows(folder, items.combine_chunks()),
        **encode_histories(folder, items.combine_chunks()),
    )


def encode_rows(folder: Path, items: Any) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = ("split", "impression_id", "history_id", "item_id", "label")
    with pq.ParquetFile(folder / "interactions.parquet") as file:
        count = file.metadata.num_rows
        split, item = np.empty(count, np.int8), np.empty(count, np.int32)
        label, head = np.empty(count, np.float32), np.zeros(count, np.int32)
        impressions: list[Any] = []
        histories: list[Any] = []
        first = 0
        for batch in file.iter_batches(1 << 20, columns=columns, use_threads=False):
            rows = slice(first, first + len(batch))
            split[rows] = find(batch["split"], pa.array(SPLITS))
            item[rows] = find(batch["item_id"], items) + 1
            label[rows] = batch["label"].to_numpy(zero_copy_only=False)
            # Rows of an impression are adjacent as a rule, so most texts need not be looked up.
            new = np.ones(len(batch), bool)
            new[1:] = differs(batch["impression_id"]) | differs(batch["history_id"])
            head[rows] = new
            impressions.append(batch["impression_id"].filter(pa.array(new)))
            histories.append(batch["history_id"].filter(pa.array(new)))
            first = rows.stop
    known = pq.read_table(folder / "histories.parquet", columns=["history_id"]).column(0)
    place = np.cumsum(head, dtype=np.int32) - 1
    return {
        "split": split, "item": item, "label": label,
        "impression": number(pa.chunked_array(impressions, pa.string()))[place],
        "history": find(pa.chunked_array(histories, pa.string()), known.combine_chunks())[place],
    }  # fmt: skip


def encode_histories(folder: Path, items: Any) -> dict[str, Any]:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    lengths, clicks = [np.zeros(1, np.int64)], [np.empty(0, np.int32)]
    with pq.ParquetFile(folder / "histories.parquet") as file:
        users = file.read(columns=["user_id"], use_threads=False).column(0)
        for batch in file.iter_batches(1 << 16, columns=["clicks"], use_threads=False):
            lengths.append(pc.list_value_length(batch["clicks"]).to_numpy(zero_copy_only=False))
            clicks.append(find(batch["clicks"].flatten(), items) + 1)
    return {
        "person": number(users),
        "starts": np.cumsum(np.concatenate(lengths), dtype=np.int64),
        "clicks": np.concatenate(clicks),
    }


def find(texts: Any, known: Any) -> I32:
    """I32: the place of each text among the known ones."""
    import pyarrow.compute as pc

    places = pc.index_in(texts, value_set=known)
    if places.null_count:
        raise RuntimeError(f"{places.null_count} of {len(texts)} texts are in no other table")
    return np.asarray(places, dtype=np.int32)


def number(texts: Any) -> I32:
    """I32: the texts numbered from 0 in the order of their first appearance."""
    return np.asarray(texts.combine_chunks().dictionary_encode().indices, dtype=np.int32)


def differs(texts: Any) -> NDArray[np.bool_]:
    """Bool: whether each text but the first differs from the one before."""
    import pyarrow.compute as pc

    return pc.not_equal(texts[1:], texts[:-1]).to_numpy(zero_copy_only=False)


def renumber(codes: I32) -> tuple[I32, I32]:
    """The distinct codes in the order of their first appearance, and the place of each in it."""
    first = place_first(codes)
    seen = codes[np.sort(first[first < len(codes)])]
    places = np.empty(len(first), dtype=np.int32)
    places[seen] = np.arange(len(seen), dtype=np.int32)
    return seen, places[codes]


def place_first(codes: I32) -> I64:
    """I64 by code: the place where it first appears; the number of places for one that does
    not."""
    first = np.full(int(codes.max(initial=-1)) + 1, len(codes), dtype=np.int64)
    # The last assignment stays, so backwards the first appearance does.
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return first


def number_trained(codes: Codes) -> I32:
    """I32 by person: the users of the training rows from 1 in the order in which these show them;
    0 is anybody else."""
    seen, _ = renumber(codes.person[codes.history[codes.split == SPLITS.index("train")]])
    numbers = np.zeros(int(codes.person.max(initial=-1)) + 1, dtype=np.int32)
    numbers[seen] = np.arange(1, len(seen) + 1, dtype=np.int32)
    return numbers
