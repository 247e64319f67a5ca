"""The tokens of a history as one sequence, whatever padding stands between them.

Letters: B batch, S clicks, L tokens of a click, N = S times L positions, D width.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn


# Groups of like length that a batch of histories is read in; each more saves less.
GROUPS = 4


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

    Rows are read in groups of like length, each cut to its longest row. Shapes then depend on data,
    which a graph cannot have: an exported one reads all rows as they are laid.
    """
    if torch.compiler.is_compiling() or laid.x.is_meta:
        return read(laid)
    count_B = laid.mask.sum(1)
    parts = count_B.argsort(stable=True).chunk(GROUPS)
    made = [read(pack(laid, rows, max(1, int(count_B[rows].max())))) for rows in parts]
    return torch.cat(made)[torch.cat(parts).argsort()]


def pack(laid: Laid, rows: Tensor, longest: int) -> Laid:
    """Some rows without the padding between their tokens: int[R] -> `longest` positions each."""
    mask_RN = laid.mask[rows]
    order_RN = (~mask_RN).to(torch.uint8).argsort(dim=1, stable=True)[:, :longest]
    each_RND = order_RN.unsqueeze(-1).expand(-1, -1, laid.x.shape[-1])
    return Laid(
        x=laid.x[rows].gather(1, each_RND),
        mask=mask_RN.gather(1, order_RN),
        place=laid.place[rows].gather(1, order_RN),
        item=laid.item[rows].gather(1, order_RN),
    )


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
