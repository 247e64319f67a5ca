"""Batches and items as the texts that a language model reads, laid out on the host.

Letters: B rows of a batch, S clicks, K candidates, P pairs, U distinct items, L tokens of an item,
N tokens of a text.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from legoc.model.tensors import TensorBatch, to_tensor
from legoc_runtime.pair_texts import lay_pairs
from legoc_runtime.prompting import Prompt


def item_texts(prompt: Prompt, tokens_IL: Tensor, mask_IL: Tensor) -> tuple[Tensor, Tensor]:
    """The candidates' parts of items: int[I, N], Bool[I, N]."""
    made = prompt.candidates(*as_arrays(tokens_IL, mask_IL))
    return on(made, tokens_IL.device)


def user_texts(
    prompt: Prompt, tokens_NL: Tensor, mask_NL: Tensor, clicks_BS: Tensor
) -> tuple[Tensor, Tensor]:
    """The users' parts of a batch: int[B, N], Bool[B, N]. Row 0 of the items is the padding."""
    (clicks,) = as_arrays(clicks_BS)
    made = prompt.lay_users(*as_arrays(tokens_NL, mask_NL), clicks, clicks > 0)
    return on(made, tokens_NL.device)


def pair_texts(
    prompt: Prompt, tokens_NL: Tensor, mask_NL: Tensor, batch: TensorBatch
) -> tuple[Tensor, Tensor]:
    """The whole texts of a batch's pairs, row by row: int[P, N], Bool[P, N]."""
    clicks, candidates = as_arrays(batch.clicks, batch.candidates)
    tokens, mask = as_arrays(tokens_NL, mask_NL)
    owner = np.repeat(np.arange(len(clicks)), candidates.shape[1])
    made = lay_pairs(prompt, tokens, mask, clicks, clicks > 0, owner, candidates.reshape(-1))
    return on(made, tokens_NL.device)


def as_arrays(*given: Tensor) -> tuple[NDArray[Any], ...]:
    return tuple(tensor.detach().cpu().numpy() for tensor in given)


def on(made: tuple[Any, Any], device: torch.device) -> tuple[Tensor, Tensor]:
    ids, mask = made
    return to_tensor(ids, device).long(), to_tensor(mask, device)
