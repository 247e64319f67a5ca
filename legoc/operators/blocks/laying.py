"""The tokens of a history as one sequence, whatever padding stands between them.

Letters: B batch, S clicks, L tokens of a click, N = S times L positions, D width.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn


# Groups of like length that a batch of histories is read in; each more saves less.
GROUPS = 4
# The share of all positions above which packing them costs more than it saves.
WORTH = 0.9


@dataclass(frozen=True, kw_only=True)
class Laid:
    """Tokens of all clicks end to end, with padding inside.

    x: [B, N, D]. mask: Bool[B, N]. place: int[B, N], the position of each real token among the real
    ones in reading order. item: int[B, N], which click a token belongs to in reading order. Both
    are 0 at padding.
    """

    x: Tensor
    mask: Tensor
    place: Tensor
    item: Tensor


def read_packed(read: Callable[[Laid], Tensor], laid: Laid) -> Tensor:
    """What `read` makes of each row, [B, D], at a cost that follows real tokens.

    Rows are read in groups of like length, each cut to its longest row, unless there is next to no
    padding. Shapes then depend on data, which a graph cannot have: an exported one reads all rows
    as they are laid.
    """
    if torch.compiler.is_compiling() or laid.x.is_meta:
        return read(laid)
    count_B = laid.mask.sum(1)
    parts = count_B.argsort(stable=True).chunk(GROUPS)
    longest = [max(1, int(count_B[rows].max())) for rows in parts]
    packed = sum(len(rows) * length for rows, length in zip(parts, longest, strict=True))
    if packed > WORTH * laid.mask.numel():
        return read(laid)
    made = [read(pack(laid, rows, length)) for rows, length in zip(parts, longest, strict=True)]
    return torch.cat(made)[torch.cat(parts).argsort()]


def pack(laid: Laid, rows: Tensor, longest: int) -> Laid:
    """Some rows without the padding between their tokens: int[R] -> `longest` positions each."""
    empty_RN = (~laid.mask[rows]).to(torch.uint8)
    order_RN = empty_RN.argsort(dim=1, stable=True)[:, :longest]
    # Whole vectors are taken: a gather would look up each of their numbers.
    flat = (rows.unsqueeze(1) * laid.mask.shape[1] + order_RN).flatten()

    def take(given: Tensor) -> Tensor:
        return given.flatten(0, 1).index_select(0, flat).unflatten(0, order_RN.shape)

    return Laid(x=take(laid.x), mask=take(laid.mask), place=take(laid.place), item=take(laid.item))


def lay(x_BSLD: Tensor, mask_BSL: Tensor, *, newest_first: bool = False) -> Laid:
    """Lay out [B, S, L, D], Bool[B, S, L], clicks oldest first.

    Nothing is moved: attention does not care where a token stands, only which place it is given, so
    a sequence is packed, or read from the newest click on, by its places alone.
    """
    mask_BN = mask_BSL.flatten(1)
    length_BS = mask_BSL.sum(2)
    filled_BS = (length_BS > 0).long()
    before_BS = earlier(length_BS, newest_first)
    within_BSL = mask_BSL.long().cumsum(2) - 1
    place_BSL = before_BS.unsqueeze(-1) + within_BSL
    item_BSL = earlier(filled_BS, newest_first).unsqueeze(-1).expand_as(place_BSL)
    return Laid(
        x=x_BSLD.flatten(1, 2).masked_fill(~mask_BN.unsqueeze(-1), 0.0),
        mask=mask_BN,
        place=place_BSL.flatten(1).masked_fill(~mask_BN, 0),
        item=item_BSL.flatten(1).masked_fill(~mask_BN, 0),
    )


def earlier(count_BS: Tensor, newest_first: bool) -> Tensor:
    """The sum over the clicks that are read before each: int[B, S] -> int[B, S]."""
    through_BS = count_BS.cumsum(1)
    if newest_first:
        return count_BS.sum(1, keepdim=True) - through_BS
    return through_BS - count_BS


class ItemSeparator(nn.Module):
    """A learned token after each click that has tokens, N(0, 0.1²) as embeddings are."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.vector = nn.Parameter(0.1 * torch.randn(width))

    def forward(self, x_BSLD: Tensor, mask_BSL: Tensor) -> tuple[Tensor, Tensor]:
        """[B, S, L, D], Bool[B, S, L] -> [B, S, L + 1, D], Bool[B, S, L + 1]."""
        mark_BS1D = self.vector.expand_as(x_BSLD[:, :, :1])
        has_BS1 = mask_BSL.any(2, keepdim=True)
        return torch.cat([x_BSLD, mark_BS1D], 2), torch.cat([mask_BSL, has_BS1], 2)


class HistoryPooling(nn.Module):
    """A pooling encoder over the tokens of all clicks, oldest first, with a learned separator after
    each click where `item_sep`.

    encode: (x [I, N, D], mask Bool[I, N], places int[I, N]) -> [I, hidden].
    """

    def __init__(self, encode: nn.Module, *, width: int, item_sep: bool) -> None:
        super().__init__()
        self.separate = ItemSeparator(width) if item_sep else None
        self.encode = encode

    def forward(self, x_BSLD: Tensor, mask_BSL: Tensor) -> Tensor:
        """Embedded tokens [B, S, L, hidden], Bool[B, S, L] -> [B, hidden]."""
        if self.separate is not None:
            x_BSLD, mask_BSL = self.separate(x_BSLD, mask_BSL)
        laid = lay(x_BSLD, mask_BSL)
        return read_packed(lambda given: self.encode(given.x, given.mask, given.place), laid)
