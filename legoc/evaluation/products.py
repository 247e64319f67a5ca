"""Full ranking through the item matrix, where scores are inner products: block by block.

A block of users times a tile of items is compared with the scores of the positives while it is in
the cache, and then overwritten; nothing else of it is kept. Letters: U users, N items, D width, Q
queries, P positives, C classes, p positives of a block, m users of a block, w items of a tile.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from legoc.data.indexing.log import F32, I64
from legoc.evaluation.best import Running, join
from legoc.evaluation.catalogue import Catalogue, Queries
from legoc.evaluation.placed import Placed
from legoc.progress import Task


# Scores that are there at a time: 2 MiB, about what a core keeps near. Rows of flags are summed as
# words of eight, 128 at a time, so that no byte of a sum runs over.
USERS, ITEMS, WORDS = 256, 2048, 128
# From so many positives on, the scores of a list are sorted and not compared with each of them.
MANY = 12


@dataclass(frozen=True, kw_only=True)
class Tile:
    """w items of one class: their vectors [ITEMS, D], zeros behind the last, and their places."""

    vectors: F32
    first: int
    last: int
    kind: int


def cut_tiles(items: F32, catalogue: Catalogue) -> list[Tile]:
    """The vectors [N, D] of the catalogue in tiles of one shape: the same product everywhere gives
    equal vectors equal scores."""
    tiles: list[Tile] = []
    for kind, (begin, end) in enumerate(catalogue.bounds):
        for first in range(begin, end, ITEMS):
            last = min(first + ITEMS, end)
            vectors = np.zeros((ITEMS, items.shape[1]), dtype=np.float32)
            vectors[: last - first] = items[catalogue.items[first:last]]
            tiles.append(Tile(vectors=vectors, first=first, last=last, kind=kind))
    return tiles


@dataclass(frozen=True, kw_only=True)
class Block:
    """m users and what is asked of each.

    users [USERS, D]. number I64[p]: the positives, list by list, row I64[p] of the block; place
    I64[p] in the catalogue. out_row, out_place: what is left out, by place.
    """

    users: F32
    lists: int
    number: I64
    row: I64
    place: I64
    out_row: I64
    out_place: I64


def build_block(queries: Queries, chosen: I64, users: F32) -> Block:
    """users [m, D] of the chosen queries."""
    padded = np.zeros((USERS, users.shape[1]), dtype=np.float32)
    padded[: len(users)] = users
    number, row = queries.positives(chosen)
    out_place, out_row = queries.left_out(chosen)
    order = np.argsort(out_place, kind="stable")
    return Block(
        users=padded, lists=len(chosen), number=number, row=row,
        place=queries.catalogue.place[queries.item[number]],
        out_row=out_row[order], out_place=out_place[order],
    )  # fmt: skip


def place_by_products(
    users: F32, rows: I64, items: F32, queries: Queries, top: int | None, task: Task
) -> Placed:
    """Where the positives stand by the products of users [U, D] and items [N, D]; rows I64[Q]: the
    user of each query."""
    catalogue = queries.catalogue
    tiles = cut_tiles(items, catalogue)
    count = len(queries.item), len(catalogue.ends)
    score = np.zeros(count[0], dtype=np.float32)
    above, tied = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    ranked = np.tile(np.diff(catalogue.ends, prepend=0), (len(queries), 1)).astype(np.int64)
    best: list[tuple[I64, Running]] = []
    # Lists of many positives together, so that a comparison is of whole blocks.
    order = np.argsort(-np.diff(queries.starts), kind="stable")
    for start in range(0, len(queries), USERS):
        chosen = order[start : start + USERS]
        block = build_block(queries, chosen, users[rows[chosen]])
        found = guess(block, items[queries.item[block.number]])
        for _ in range(2):
            running = None if top is None else Running(block.lists, top)
            own, higher, same = compare(block, tiles, found, count[1], catalogue, running)
            if np.array_equal(own, found):
                break
            # The product of another shape has rounded in another way: the tiles decide.
            found = own
        else:
            raise RuntimeError("the same product gave two results")
        score[block.number], above[block.number], tied[block.number] = found, higher, same
        kinds = np.searchsorted(np.asarray(catalogue.ends), block.out_place, side="right")
        np.subtract.at(ranked, (chosen[block.out_row], kinds), 1)
        if running is not None:
            best.append((chosen, running))
        task.advance(block.lists)
    return Placed(
        score=score, above=above, tied=tied, rows=ranked,
        best=None if top is None else join(best),
    )  # fmt: skip


def guess(block: Block, positives: F32) -> F32:
    """[p]: the scores of the positives [p, D], before the tiles are seen."""
    scores = np.empty(len(positives), dtype=np.float32)
    padded = np.zeros((USERS, positives.shape[1]), dtype=np.float32)
    for first in range(0, len(positives), USERS):
        part = positives[first : first + USERS]
        padded[: len(part)] = part
        products = block.users @ padded.T
        scores[first : first + USERS] = products[
            block.row[first : first + USERS], np.arange(len(part))
        ]
    return scores


def compare(
    block: Block, tiles: list[Tile], found: F32, classes: int, catalogue: Catalogue,
    running: Running | None,
) -> tuple[F32, I64, I64]:  # fmt: skip
    """The scores of the positives in the tiles [p]; and the items of each class above their scores
    `found`, and at them, [p, C]."""
    own = np.empty(len(found), dtype=np.float32)
    above = np.zeros((len(found), classes), dtype=np.int64)
    reach = np.zeros((len(found), classes), dtype=np.int64)
    scores = np.empty((USERS, ITEMS), dtype=np.float32)
    flags = np.empty((USERS, ITEMS), dtype=bool)
    by_place = np.argsort(block.place, kind="stable")
    places = block.place[by_place]
    levels, many = list(cut_levels(block, found)), list(heavy(block))
    for tile in tiles:
        np.matmul(block.users, tile.vectors.T, out=scores)
        scores[:, tile.last - tile.first :] = -np.inf
        out = slice(*np.searchsorted(block.out_place, (tile.first, tile.last)))
        scores[block.out_row[out], block.out_place[out] - tile.first] = -np.inf
        here = by_place[slice(*np.searchsorted(places, (tile.first, tile.last)))]
        own[here] = scores[block.row[here], block.place[here] - tile.first]
        for numbers, rows, least in levels:
            part, some = scores[rows], flags[rows]
            np.greater(part, least, out=some)
            above[numbers, tile.kind] += count_flags(some)
            np.greater_equal(part, least, out=some)
            reach[numbers, tile.kind] += count_flags(some)
        for numbers, row in many:
            ordered = np.sort(scores[row])
            above[numbers, tile.kind] += ITEMS - ordered.searchsorted(found[numbers], "right")
            reach[numbers, tile.kind] += ITEMS - ordered.searchsorted(found[numbers], "left")
        if running is not None:
            width = tile.last - tile.first
            running.offer(
                scores[: block.lists, :width], catalogue.items[tile.first : tile.last]
            )
    return own, above, reach - above


def count_flags(flags: "np.ndarray[tuple[int, int], np.dtype[np.bool_]]") -> I64:
    """[m]: how many of each row [m, ITEMS] are set."""
    words = flags.view(np.uint64).reshape(len(flags), -1, WORDS).sum(axis=2)
    return words.view(np.uint8).reshape(len(flags), -1).sum(axis=1, dtype=np.int64)


def cut_levels(block: Block, found: F32) -> Iterator[tuple[I64, slice, F32]]:
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
        yield numbers, slice(light, end), found[numbers, None]


def heavy(block: Block) -> Iterator[tuple[slice, int]]:
    """The lists of too many positives: their numbers in the block, and the row."""
    counts = np.bincount(block.row, minlength=block.lists)
    ends = np.cumsum(counts)
    for row in range(int(np.count_nonzero(counts >= MANY))):
        yield slice(int(ends[row] - counts[row]), int(ends[row])), row
