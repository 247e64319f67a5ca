"""The token table of a pre-trained language model as word vectors: its first layer alone.

Of the weights one tensor is read; the model itself is never built.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc.data.reading.checkpoint import (
    INDEX,
    TOKENIZER,
    WEIGHTS,
    find_folder,
    obtain_folder,
    verify_folder,
)
from legoc.data.reading.own_tokenizer import find_unknown, load_tokenizer
from legoc.data.reading.pieces import Piece, continuation, read_pieces
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.ir.checkpoints import Named
from legoc.progress import SILENT, Progress


# How the families of transformers, and static models of sentences, call their token tables.
NAMES = (
    "word_embeddings.weight", "embed_tokens.weight", "tok_embeddings.weight", "wte.weight",
    "shared.weight", "word_embedding.weight", "embed_in.weight", "embeddings", "embedding.weight",
)  # fmt: skip

FOLDER = 'name a folder that holds it: `vectors = "FOLDER"`'

# How numbers are kept; NumPy has no bfloat16.
STORED = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


@dataclass(frozen=True, kw_only=True)
class ModelTable:
    """The token table of the language model in a folder.

    name: what messages call the model. weights: the file that holds the table. tensor: its name
    there. shape: rows and width.
    """

    name: str
    folder: Path
    weights: Path
    tensor: str
    shape: tuple[int, int]

    @property
    def width(self) -> int:
        return self.shape[1]

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the vectors depend on."""
        return self.weights, self.folder / TOKENIZER

    @cached_property
    def tokenizer(self) -> Any:
        found = load_tokenizer(self.folder / TOKENIZER, own=True)
        largest = max(found.get_vocab(with_added_tokens=True).values(), default=-1)
        if largest >= self.shape[0]:
            raise fail(
                "E0652",
                f"`{self.folder / TOKENIZER}` has ids up to {largest:,}, and `{self.tensor}` has "
                f"{self.shape[0]:,} rows",
                "use the tokenizer.json that was published with these weights",
            )
        return found

    def words(self) -> Iterator[str]:
        """The tokens of the model that are whole words, in the order of their ids: the frequent
        ones come first, as far as the training of its tokenizer tells."""
        yield from (p.text for p in read_pieces(self.folder / TOKENIZER) if p.begins)

    def look_up(
        self, pieces: Sequence[Piece], task: Any
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], int]:
        """Rows I32[n] of the pieces the model can spell, for each the mean F[n, W] of the vectors
        of the tokens it is spelt with, and no bad lines."""
        spelt = self.spell(pieces)
        known = [place for place, ids in enumerate(spelt) if ids]
        task.advance(len(pieces))
        rows = np.asarray([pieces[place].row for place in known], dtype=np.int32)
        if not known:
            return rows, np.empty((0, self.width), dtype=np.float32), 0
        counts = np.asarray([len(spelt[place]) for place in known])
        firsts = np.append(0, np.cumsum(counts)[:-1])
        ids = np.concatenate([spelt[place] for place in known])
        distinct, where = np.unique(ids, return_inverse=True)
        sums = np.add.reduceat(self.read(distinct)[where], firsts, axis=0)
        return rows, (sums / counts[:, None]).astype(np.float32), 0

    def spell(self, pieces: Sequence[Piece]) -> list[list[int]]:
        """The ids of the tokens of each piece, without those of what the model does not know."""
        vocabulary = self.tokenizer.get_vocab()
        prefix = continuation(self.folder / TOKENIZER)
        nothing = self.find_unknown()
        texts = [piece.text for piece in pieces]
        plain = self.tokenizer.encode_batch(texts, add_special_tokens=False)
        # Where a blank is part of the token behind it, a word within a text has one.
        after = self.tokenizer.encode_batch([f" {t}" for t in texts], add_special_tokens=False)
        found: list[list[int]] = []
        for piece, alone, within in zip(pieces, plain, after, strict=True):
            inner = vocabulary.get(prefix + piece.text) if prefix and not piece.begins else None
            first = piece.begins and len(within.ids) <= len(alone.ids)
            ids = [inner] if inner is not None else (within if first else alone).ids
            found.append([each for each in ids if each != nothing])
        return found

    def find_unknown(self) -> int | None:
        """The id of what the model does not know; None where it knows every byte."""
        found = find_unknown(self.folder / TOKENIZER, self.tokenizer)
        token = self.tokenizer.id_to_token(found)
        content = json.loads((self.folder / TOKENIZER).read_text(encoding="utf-8"))
        named = content["model"].get("unk_token") == token or "unk_id" in content["model"]
        return found if named else None

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Some rows of the table, and no others. Raises E0641 where one is not finite."""
        described = read_header(self.weights)[self.tensor]
        start = described["data_offsets"][0] + header_length(self.weights)
        kept = STORED[described["dtype"]]
        table = np.memmap(self.weights, dtype=kept, mode="r", offset=start, shape=self.shape)
        found = np.asarray(table[rows])
        if described["dtype"] == "BF16":
            # The upper half of a float32.
            found = (found.astype(np.uint32) << 16).view(np.float32)
        found = found.astype(np.float32)
        if not np.isfinite(found).all():
            raise fail(
                "E0641",
                f"`{self.tensor}` of `{self.weights}` holds numbers that are not finite",
                "fetch the weights again, or name another model",
            )
        return found


def obtain_table(named: Named, progress: Progress = SILENT) -> ModelTable:
    """The token table of a model, fetched from the hub where only a hub's name is given and it is
    not on this machine. Raises E0650 and E0651 for a model that cannot be had or is not whole, or
    that has no token table."""
    try:
        folder = obtain_folder(named, progress)
    except LegoError as error:
        # An operator would be told its `path`.
        said = error.diagnostics[0]
        own = said.code == "E0650"
        raise LegoError(replace(said, help=(FOLDER,)) if own else said) from None
    verify_folder(folder)
    return find_table(folder, named.hub or folder.name)


def table_width(named: Named) -> int:
    """The width of a model's token table. Raises as `obtain_table`; never uses the network."""
    folder = find_folder(named)
    if folder is None:
        raise fail(
            "E0650",
            f"the language model `{named.shown}` of `vectors` is not on this machine",
            f"{FOLDER}; `legoc train` fetches it",
        )
    verify_folder(folder)
    return find_table(folder, named.hub or folder.name).width


def find_table(folder: Path, name: str) -> ModelTable:
    """The token table in a whole folder: the tensor that has the name of one. Raises E0641 where
    there is none."""
    found: list[tuple[tuple[bool, int], Path, str, tuple[int, int]]] = []
    for path in tensor_files(folder):
        for tensor, described in read_header(path).items():
            shape = described.get("shape", ())
            if is_table(tensor) and len(shape) == 2 and described["dtype"] in STORED:
                found.append((rank(tensor), path, tensor, (shape[0], shape[1])))
    if not found:
        raise fail(
            "E0641",
            f"the weights in `{folder}` have no token table",
            "name the folder of a language model that reads text, or a file of word vectors",
            notes=(f"a token table is a matrix called one of {', '.join(NAMES)}",),
        )
    _, path, tensor, shape = min(found)
    return ModelTable(name=name, folder=folder, weights=path, tensor=tensor, shape=shape)


def header_length(path: Path) -> int:
    """Where the values of a safetensors file begin."""
    with path.open("rb") as file:
        return 8 + int.from_bytes(file.read(8), "little")


def read_header(path: Path) -> dict[str, Any]:
    """What a safetensors file says of its tensors, by name. The library has verified it."""
    with path.open("rb") as file:
        return json.loads(file.read(header_length(path))[8:])


def is_table(tensor: str) -> bool:
    """Whether a tensor has a name that token tables have."""
    return any(f".{tensor}".endswith(f".{ending}") for ending in NAMES)


def rank(tensor: str) -> tuple[bool, int]:
    """Tables of encoders come before those of decoders, which may be others."""
    place = next(i for i, ending in enumerate(NAMES) if f".{tensor}".endswith(f".{ending}"))
    return "decoder." in tensor, place


def tensor_files(folder: Path) -> list[Path]:
    """The files of weights of a whole folder, without their index."""
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    shards = json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values()
    return [folder / name for name in sorted(set(shards))]
