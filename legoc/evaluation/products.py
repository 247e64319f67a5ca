"""Full ranking through the item matrix, where scores are inner products: block by block.

A block of users times a tile of items is compared with the scores of the positives while it is in
the cache, and then overwritten; nothing else of it is kept. Letters: U users, N items, D width, n
items of the catalogue, Q queries, P positives, C classes, p positives of a block, m users of a
block, w items of a tile.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from legoc.data.indexing.log import F32, I32, I64
from legoc.evaluation.alike import first_alike
from legoc.evaluation.best import Running, join
from legoc.evaluation.catalogue import Queries
from legoc.evaluation.placed import Placed
from legoc.progress import Task


# Scores that are there at a time: 6 MiB. Fewer users make the product slower, fewer items the
# comparisons. Rows of flags are summed as words of eight, so many of them that no byte runs over.
USERS, ITEMS, WORDS = 256, 6144, 192
Room: TypeAlias = dict[int, tuple[F32, NDArray[np.bool_]]]
# From so many positives on, the scores of a list are sorted and not compared with each of them.
MANY = 12


@dataclass(frozen=True, kw_only=True)
class Tile:
    """Items `first` ... `last - 1` in the order of a matrix, all of one class, which is `kind`:
    their vectors [w, D], zeros behind the last, and their numbers I32[last - first]."""

    vectors: F32
    items: I32
    first: int
    last: int
    kind: int


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """The vectors of the catalogue in tiles. Within a class, equal vectors are neighbours.

    where I64[n]: by place in the catalogue, the place in this order. alike I64[n]: by place in this
    order, the place in the catalogue of the first equal vector, rising within a class.
    """

    tiles: list[Tile]
    where: I64
    alike: I64
    bounds: list[tuple[int, int]]

    @staticmethod
    def of(items: F32, queries: Queries) -> "Matrix":
        """items [N, D]."""
        catalogue = queries.catalogue
        alike = first_alike(items[catalogue.items])
        order = np.concatenate(
            [begin + np.argsort(alike[begin:end], kind="stable") for begin, end in catalogue.bounds]
        )
        where = np.empty(len(order), dtype=np.int64)
        where[order] = np.arange(len(order))
        numbers = catalogue.items[order]
        tiles: list[Tile] = []
        for kind, (begin, end) in enumerate(catalogue.bounds):
            for first in range(begin, end, ITEMS):
                last = min(first + ITEMS, end)
                some = numbers[first:last]
                tiles.append(
                    Tile(vectors=take(items, some), items=some, first=first, last=last, kind=kind)
                )
        return Matrix(tiles=tiles, where=where, alike=alike[order], bounds=catalogue.bounds)


def take(items: F32, some: I32) -> F32:
    """[w, D]: rows of items [N, D], as they lie where they are adjacent and fill a tile."""
    width = -(-len(some) // (8 * WORDS)) * 8 * WORDS
    if width == len(some) and (np.diff(some) == 1).all():
        return items[some[0] : some[-1] + 1]
    vectors = np.zeros((width, items.shape[1]), dtype=np.float32)
    vectors[: len(some)] = items[some]
    return vectors


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Single scores of a block that are written over, by their place: row I64[c], place I64[c],
    and what is written."""

    row: I64
    place: I64
    score: F32

    def write(self, scores: F32, tile: Tile) -> None:
        here = slice(*np.searchsorted(self.place, (tile.first, tile.last)))
        scores[self.row[here], self.place[here] - tile.first] = self.score[here]

    @staticmethod
    def of(row: I64, place: I64, score: F32) -> "Cells":
        order = np.argsort(place)
        return Cells(row=row[order], place=place[order], score=score[order])


@dataclass(frozen=True, kw_only=True)
class Block:
    """m users and what is asked of each.

    users [USERS, D]. number I64[p]: the positives, list by list; row I64[p] of the block; score
    F32[p]. own: the positives themselves and what is left out. runs: of items as a positive, where
    there are several: row, score, first and last place.
    """

    users: F32
    lists: int
    number: I64
    row: I64
    score: F32
    own: Cells
    out: Cells
    runs: list[tuple[int, np.float32, int, int]]


def build_block(matrix: Matrix, queries: Queries, chosen: I64, users: F32, items: F32) -> Block:
    """users [m, D] of the chosen queries, items [N, D]."""
    padded = np.zeros((USERS, users.shape[1]), dtype=np.float32)
    padded[: len(users)] = users
    number, row = queries.positives(chosen)
    positives = queries.item[number]
    score = np.einsum("pd,pd->p", users[row], items[positives])
    place = matrix.where[queries.catalogue.place[positives]]
    runs: list[tuple[int, np.float32, int, int]] = []
    for begin, end in matrix.bounds:
        of_class = matrix.alike[begin:end]
        first = begin + np.searchsorted(of_class, matrix.alike[place], side="left")
        last = begin + np.searchsorted(of_class, matrix.alike[place], side="right")
        several = np.flatnonzero((last > first) & ((first != place) | (last != place + 1)))
        runs += [(int(row[i]), score[i], int(first[i]), int(last[i])) for i in several]
    out_place, out_row = queries.left_out(chosen)
    lowest = np.full(len(out_place), -np.inf, dtype=np.float32)
    return Block(
        users=padded, lists=len(chosen), number=number, row=row, score=score,
        own=Cells.of(row, place, score),
        out=Cells.of(out_row, matrix.where[out_place], lowest), runs=runs,
    )  # fmt: skip


def place_by_products(
    users: F32, rows: I64, items: F32, queries: Queries, top: int | None, task: Task
) -> Placed:
    """Where the positives stand by the products of users [U, D] and items [N, D]; rows I64[Q]: the
    user of each query."""
    matrix = Matrix.of(items, queries)
    room = make_room(matrix.tiles)
    ends = queries.catalogue.ends
    shape = len(queries.item), len(ends)
    score = np.zeros(shape[0], dtype=np.float32)
    above, tied = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    ranked = np.tile(np.diff(ends, prepend=0), (len(queries), 1)).astype(np.int64)
    best: list[tuple[I64, Running]] = []
    # Lists of many positives together, so that a comparison is of whole blocks.
    order = np.argsort(-np.diff(queries.starts), kind="stable")
    for start in range(0, len(queries), USERS):
        chosen = order[start : start + USERS]
        block = build_block(matrix, queries, chosen, users[rows[chosen]], items)
        running = None if top is None else Running(block.lists, top)
        above[block.number], reach = compare(block, matrix.tiles, shape[1], room, running)
        tied[block.number] = reach - above[block.number]
        score[block.number] = block.score
        kinds = np.searchsorted(np.asarray(ends), block.out.place, side="right")
        gone = np.bincount(block.out.row * shape[1] + kinds, minlength=len(chosen) * shape[1])
        ranked[chosen] -= gone.reshape(len(chosen), shape[1])
        if running is not None:
            best.append((chosen, running))
        task.advance(block.lists)
    return Placed(
        score=score, above=above, tied=tied, rows=ranked,
        best=None if top is None else join(best),
    )  # fmt: skip


def make_room(tiles: list[Tile]) -> Room:
    """Scores [USERS, w] and flags of the same shape for the tiles of each width."""
    widths = {len(tile.vectors) for tile in tiles}
    return {
        width: (np.empty((USERS, width), dtype=np.float32), np.empty((USERS, width), dtype=bool))
        for width in widths
    }


def compare(
    block: Block, tiles: list[Tile], classes: int, room: Room, running: Running | None
) -> tuple[I64, I64]:
    """How many items of each class are above each positive, and how many at least at it, [p, C]."""
    above = np.zeros((classes, len(block.score)), dtype=np.int64)
    reach = np.zeros((classes, len(block.score)), dtype=np.int64)
    levels, many = list(cut_levels(block)), list(heavy(block))
    for tile in tiles:
        width, count = len(tile.vectors), tile.last - tile.first
        scores, flags = room[width]
        np.matmul(block.users, tile.vectors.T, out=scores)
        write_runs(block, tile, scores)
        block.own.write(scores, tile)
        block.out.write(scores, tile)
        if count < width:
            scores[:, count:] = -np.inf
        for numbers, rows, least in levels:
            part, some = scores[rows], flags[rows]
            np.greater(part, least, out=some)
            above[tile.kind, numbers] += count_flags(some)
            np.greater_equal(part, least, out=some)
            reach[tile.kind, numbers] += count_flags(some)
        for numbers, row in many:
            ordered, found = np.sort(scores[row]), block.score[numbers]
            above[tile.kind, numbers] += width - ordered.searchsorted(found, "right")
            reach[tile.kind, numbers] += width - ordered.searchsorted(found, "left")
        if running is not None:
            running.offer(scores[: block.lists, :count], tile.items)
    return above.T, reach.T


def write_runs(block: Block, tile: Tile, scores: F32) -> None:
    """What equals a positive has its score."""
    for row, score, first, last in block.runs:
        if first < tile.last and last > tile.first:
            scores[row, max(first - tile.first, 0) : last - tile.first] = score


def count_flags(flags: NDArray[np.bool_]) -> I64:
    """[m]: how many of each row [m, w] are set."""
    words = flags.view(np.uint64).reshape(len(flags), -1, WORDS).sum(axis=2)
    return words.view(np.uint8).reshape(len(flags), -1).sum(axis=1, dtype=np.int64)


def cut_levels(block: Block) -> Iterator[tuple[I64, slice, F32]]:
    """The first positive of each list, then the second of each that has two, and so on: their
    numbers in the block, the rows that they stand in, and their scores [m, 1]. Lists with many
    positives stand first, so the rows of a level are adjacent; those of too many are left out."""
    counts = np.bincount(block.row, minlength=block.lists)
    begins = np.cumsum(counts) - counts
    light = int(np.count_nonzero(counts >= MANY))
    for level in range(MANY - 1):
        end = int(np.count_nonzero(counts > level))
        if end <= light:
            return
        numbers = begins[light:end] + level
        yield numbers, slice(light, end), block.score[numbers, None]


def heavy(block: Block) -> Iterator[tuple[slice, int]]:
    """The lists of too many positives: their numbers in the block, and the row."""
    counts = np.bincount(block.row, minlength=block.lists)
    ends = np.cumsum(counts)
    for row in range(int(np.count_nonzero(counts >= MANY))):
        yield slice(int(ends[row] - counts[row]), int(ends[row])), row
