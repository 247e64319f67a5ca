"""Forms of a few functions that give the same, up to rounding, and are faster where a model trains
on a CPU. Exported graphs and evaluations keep the plain forms.

Letters: I any number of rows, L positions, D width, Q inner width, H heads, E = D / H.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


# Of fewer keys torch computes a softmax, and its gradient, without vector instructions: 13 times as
# long for each of them.
KEYS = 16
# Rows of additive attention at a time: 256 numbers of each are half a megabyte.
ROWS = 512


def trains_on_cpu(x: Tensor) -> bool:
    """Whether gradients are wanted on a CPU, and nobody traces the computation."""
    return torch.is_grad_enabled() and x.device.type == "cpu" and not torch.compiler.is_compiling()


def clear_rows(x_ILD: Tensor, mask_IL: Tensor) -> Tensor:
    """`masking.cleared` by the numbers of the rows to clear, which are few; `x` itself where there
    are none. A mask that is broadcast costs as much as the values it leaves alone."""
    rows = (~mask_IL).flatten().nonzero().flatten()
    if not len(rows):
        return x_ILD
    return x_ILD.flatten(0, 1).index_fill(0, rows, 0.0).view(x_ILD.shape)


def wide_softmax(scores: Tensor) -> Tensor:
    """Softmax over the last axis, padded to what vector instructions need."""
    length = scores.shape[-1]
    if length >= KEYS:
        return scores.softmax(-1)
    lowest = torch.finfo(scores.dtype).min
    return functional.pad(scores, (0, KEYS - length), value=lowest).softmax(-1)[..., :length]


def attend_wide(
    query_IHLE: Tensor, key_IHLE: Tensor, value_IHLE: Tensor, allowed: Tensor, dropout: nn.Module
) -> Tensor:
    """`attention.attend` over at least `KEYS` keys, those that are not there being of no weight.
    The scale and the mask are parts of the product."""
    count, heads, length, width = query_IHLE.shape
    there = key_IHLE.shape[2]
    more = max(KEYS - there, 0)
    if more:
        key_IHLE = functional.pad(key_IHLE, (0, 0, 0, more))
        value_IHLE = functional.pad(value_IHLE, (0, 0, 0, more))
    lowest = torch.finfo(query_IHLE.dtype).min
    bias = query_IHLE.new_full((*allowed.shape[:-1], there + more), lowest)
    bias[..., :there].masked_fill_(allowed, 0.0)
    queries = bias.shape[-2]
    weights = torch.baddbmm(
        bias.expand(count, heads, queries, -1).reshape(count * heads, queries, -1),
        query_IHLE.reshape(count * heads, length, width),
        key_IHLE.reshape(count * heads, there + more, width).transpose(1, 2),
        alpha=1.0 / math.sqrt(width),
    ).softmax(-1)
    values = value_IHLE.reshape(count * heads, there + more, width)
    mixed_IHLE = torch.bmm(dropout(weights), values).view(count, heads, length, width)
    sees = allowed.any(-1, keepdim=True)
    return mixed_IHLE if bool(sees.all()) else mixed_IHLE.masked_fill(~sees, 0.0)


class AdditiveScores(torch.autograd.Function):
    """v·tanh(W x + b) + Σ v, which a softmax cannot tell from v·tanh(W x + b).

    tanh(z) is 2 sigmoid(2 z) - 1, and a sigmoid is a sixth of the work. Rows go through all steps a
    part at a time, so that what lies between the steps stays in the cache of a core.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight_QD: Tensor, bias_Q: Tensor, v_Q: Tensor) -> Tensor:  # type: ignore[override]
        """[..., D] -> [...]."""
        x_ID, double_QD = x.flatten(0, -2), 2 * weight_QD
        bias_Q, v_Q = 2 * bias_Q, 2 * v_Q
        share_IQ, scores_I = x.new_empty(len(x_ID), len(v_Q)), x.new_empty(len(x_ID))
        for part in parts(len(x_ID)):
            share = torch.addmm(bias_Q, x_ID[part], double_QD.t(), out=share_IQ[part]).sigmoid_()
            torch.mv(share, v_Q, out=scores_I[part])
        ctx.save_for_backward(x_ID, share_IQ, double_QD, v_Q)
        return scores_I.view(x.shape[:-1])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # type: ignore[override]
        x_ID, share_IQ, double_QD, v_Q = ctx.saved_tensors
        gradient_I = gradient.flatten()
        of_x_ID, of_weight_QD = torch.empty_like(x_ID), torch.zeros_like(double_QD)
        of_bias_Q, of_v_Q = torch.zeros_like(v_Q), torch.zeros_like(v_Q)
        for part in parts(len(x_ID)):
            share, inner = share_IQ[part], gradient_I[part].unsqueeze(-1) * v_Q
            torch.ops.aten.sigmoid_backward(inner, share, grad_input=inner)
            torch.mm(inner, double_QD, out=of_x_ID[part])
            of_weight_QD.addmm_(inner.t(), x_ID[part])
            of_bias_Q += inner.sum(0)
            of_v_Q.addmv_(share.t(), gradient_I[part])
        of_x = of_x_ID.view(*gradient.shape, -1)
        return of_x, 2 * of_weight_QD, 2 * of_bias_Q, 2 * of_v_Q


def parts(rows: int) -> Iterator[slice]:
    """`ROWS` rows at a time."""
    return (slice(start, start + ROWS) for start in range(0, rows, ROWS))


class Windows(torch.autograd.Function):
    """The neighbours of every position side by side, zeros beyond the ends: [I, L, D] ->
    [I, L, k D] for an odd window of k. Written and read back in place, without a padded copy and
    without one as large for the gradient of each neighbour."""

    @staticmethod
    def forward(ctx: Any, x_ILD: Tensor, kernel: int) -> Tensor:  # type: ignore[override]
        ctx.kernel = kernel
        wide_ILW = x_ILD.new_zeros(*x_ILD.shape[:2], kernel * x_ILD.shape[2])
        for there, here, columns in shifts(x_ILD.shape[1], x_ILD.shape[2], kernel):
            wide_ILW[:, here, columns] = x_ILD[:, there]
        return wide_ILW

    @staticmethod
    def backward(ctx: Any, gradient_ILW: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        length, width = gradient_ILW.shape[1], gradient_ILW.shape[2] // ctx.kernel
        of_x_ILD = gradient_ILW.new_zeros(gradient_ILW.shape[0], length, width)
        for there, here, columns in shifts(length, width, ctx.kernel):
            of_x_ILD[:, there] += gradient_ILW[:, here, columns]
        return of_x_ILD, None


def shifts(length: int, width: int, kernel: int) -> Iterator[tuple[slice, slice, slice]]:
    """For each neighbour that a sequence is long enough for: the positions that are one, the
    positions they are that of, and its columns."""
    for place in range(kernel):
        by = place - kernel // 2
        if abs(by) < length:
            yield (
                slice(max(by, 0), length + min(by, 0)),
                slice(max(-by, 0), length + min(-by, 0)),
                slice(place * width, (place + 1) * width),
            )
