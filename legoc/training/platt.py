"""Platt scaling: the slope and the bias under which labels are likeliest, by Newton's method.

Platt, Probabilistic Outputs for Support Vector Machines, 1999; its targets keep the fit finite
where scores tell the classes apart without a mistake. R rows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


F64 = NDArray[np.float64]

# The smallest slope, of scores whose standard deviation is 1: enough for single precision to tell
# scores apart, too little to say anything.
LEAST = 1e-2
STEPS = 100
HALVINGS = 40
CLOSE = 1e-10


@dataclass(frozen=True, kw_only=True)
class Fit:
    """score / temperature + bias. idle: the labels do not rise with the scores, so the slope is the
    smallest that keeps their order."""

    temperature: float
    bias: float
    idle: bool = False


def fit(scores: NDArray[np.floating], labels: NDArray[np.floating]) -> Fit:
    """The temperature, above zero, and the bias of scores [R] with labels [R], 0 or 1, of which
    each occurs."""
    raw = scores.astype(np.float64)
    target = smooth(labels > 0.5)
    centre, spread = float(raw.mean()), float(raw.std())
    # Newton's steps are right sized whatever the scale of the scores.
    unit = (raw - centre) / spread if spread > 0 else np.zeros_like(raw)
    slope, bias = newton(np.stack([unit, np.ones_like(unit)]), target)
    idle = not slope > LEAST
    if idle:
        slope = LEAST
        bias = float(newton(np.ones((1, len(unit))), target, unit * slope)[0])
    temperature = spread / slope if spread > 0 else 1.0
    return Fit(temperature=temperature, bias=bias - centre / temperature, idle=idle)


def smooth(positive: NDArray[np.bool_]) -> F64:
    """Platt's targets: (n + 1) / (n + 2) for n clicks, 1 / (m + 2) for m non-clicks."""
    clicks = int(positive.sum())
    return np.where(positive, (clicks + 1) / (clicks + 2), 1 / (len(positive) - clicks + 2))


def newton(features: F64, target: F64, offset: F64 | float = 0.0) -> F64:
    """The weights [K] of features [K, R] under which the targets are likeliest, of logits that
    begin at `offset`. The loss is convex, so halving a step that overshoots ends at its least."""
    weights = np.zeros(len(features))
    loss = mean_loss(weights @ features + offset, target)
    for _ in range(STEPS):
        p = sigmoid(weights @ features + offset)
        gradient = features @ (p - target) / len(target)
        hessian = (features * (p * (1 - p))) @ features.T / len(target)
        # A feature that never varies has no curvature of its own, and no gradient either.
        step = np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        for _ in range(HALVINGS):
            found = mean_loss((weights - step) @ features + offset, target)
            if found <= loss:
                break
            step = step / 2
        else:
            break
        weights, loss = weights - step, found
        if float(np.abs(step).max()) < CLOSE:
            break
    return weights


def sigmoid(logits: F64) -> F64:
    # Beyond 700 the exponential overflows, and the probability has long been 0 or 1.
    return 1 / (1 + np.exp(-np.clip(logits, -700, 700)))


def mean_loss(logits: F64, target: F64) -> float:
    losses = np.maximum(logits, 0) - logits * target + np.log1p(np.exp(-np.abs(logits)))
    return float(losses.mean())
