"""The losses of the tasks, on logits (OPERATORS section 7). Shapes: B samples, K candidates."""

import torch
from torch import Tensor
from torch.nn import functional


def cross_entropy(scores_BK: Tensor) -> Tensor:
    """Mean over samples of -log softmax of the positive, which stands at index 0."""
    target_B = torch.zeros(len(scores_BK), dtype=torch.int64, device=scores_BK.device)
    return functional.cross_entropy(scores_BK, target_B)


def binary_cross_entropy(scores_BK: Tensor, labels_BK: Tensor) -> Tensor:
    """Mean over rows of the binary cross-entropy of sigmoid(score)."""
    return functional.binary_cross_entropy_with_logits(scores_BK, labels_BK)


def squared_error(scores_BK: Tensor, labels_BK: Tensor, *, bounded: bool) -> Tensor:
    """Mean over rows of (p - y)^2, where p is the score itself if it is `bounded` (a cosine), else
    sigmoid(score)."""
    p_BK = scores_BK if bounded else torch.sigmoid(scores_BK)
    return functional.mse_loss(p_BK, labels_BK)
