"""Metrics by brute force: every order of the tied rows is written out and averaged."""

from itertools import permutations, product

import numpy as np


def orders(scores):
    """Every ranking of the rows, best first, that the scores allow, all equally likely."""
    blocks = [np.flatnonzero(scores == value) for value in sorted(set(scores), reverse=True)]
    for parts in product(*(permutations(block) for block in blocks)):
        yield [row for part in parts for row in part]


def mrr(labels):
    return np.mean([1 / (place + 1) for place, label in enumerate(labels) if label])


def mrr0(labels):
    return 1 / (1 + labels.index(1))


def ndcg(k):
    def dcg(labels):
        return sum(label / np.log2(place + 2) for place, label in enumerate(labels[:k]))

    return lambda labels: dcg(labels) / dcg(sorted(labels, reverse=True))


def hit(k):
    return lambda labels: float(any(labels[:k]))


def recall(k):
    return lambda labels: sum(labels[:k]) / sum(labels)


def lrap(labels):
    return np.mean([sum(labels[: p + 1]) / (p + 1) for p, label in enumerate(labels) if label])


def average_precision(k):
    def measure(labels):
        found = [sum(labels[: p + 1]) / (p + 1) for p, label in enumerate(labels[:k]) if label]
        return sum(found) / min(sum(labels), k)

    return measure


def precision(k):
    return lambda labels: sum(labels[:k]) / k


def auc(labels):
    pairs = [(i, j) for i, a in enumerate(labels) for j, b in enumerate(labels) if a and not b]
    return np.mean([i < j for i, j in pairs])


def expected(metric, scores, labels):
    """The mean of a metric of ordered labels over the orders of ties."""
    return np.mean([metric([int(labels[row]) for row in order]) for order in orders(scores)])


METRICS = {
    "GAUC": auc, "MRR": mrr, "MRR0": mrr0, "LRAP": lrap,
    **{f"NDCG({k})": ndcg(k) for k in (1, 3, 10)},
    **{f"HitRatio({k})": hit(k) for k in (1, 3, 10)},
    **{f"Recall({k})": recall(k) for k in (1, 3, 10)},
    **{f"MAP({k})": average_precision(k) for k in (1, 3, 10)},
    **{f"Precision({k})": precision(k) for k in (1, 3, 10)},
}  # fmt: skip
