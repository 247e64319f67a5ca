"""Few rows at a time, for work whose values between would not fit."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint


def paged(run: Callable[..., Tensor], rows: Tensor, mask: Tensor, page: int) -> Tensor:
    """`run` of rows and their mask, `page` of them at a time; 0: all at once. Only what is made of
    a page is kept for the backward pass, which runs it again."""
    if not page or rows.shape[0] <= page:
        return run(rows, mask)
    pages = zip(rows.split(page), mask.split(page), strict=True)
    made = [checkpoint(run, *each, use_reentrant=False) for each in pages]
    return torch.cat([each for each in made if each is not None])
