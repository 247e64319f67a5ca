"""What each operator is measured against: plain torch modules with as many multiply-adds.

An operator's work is written down here as products of matrices. `flops` sums them, two operations
per multiply-add; the benchmark compares the sum with torch's own counter, for the operator and for
its counterpart. A counterpart is what torch offers for the job (`nn.GRU`, `nn.Conv1d`,
`nn.MultiheadAttention`, `nn.TransformerEncoder`), with Linears for what it lacks; those of
predictors are in `plain_predictors`.

Letters: D width.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


ITEMS, TOKENS, USERS, CLICKS, PAIRS, D = 128, 32, 64, 50, 320, 64
# Clicks and tokens of a flattened history, which are many fewer users: attention is quadratic.
FLAT_USERS, FLAT_CLICKS, FLAT_TOKENS = 8, 10, 12
UNITS = (1000, 1000, 1000)
QUERY = 256  # inner width of additive attention
DROPOUT = 0.1


@dataclass(frozen=True, kw_only=True)
class Counterpart:
    """A plain module, the shapes of what it reads, and the operations of the operator.

    rows: items, users or pairs of one batch.
    """

    make: Callable[[], nn.Module]
    shapes: tuple[tuple[int, ...], ...]
    flops: int
    rows: int


def linear(rows: int, *widths: int) -> int:
    """Operations of Linears end to end over so many rows."""
    return sum(2 * rows * a * b for a, b in itertools.pairwise(widths))


def attention(rows: int, queries: int, keys: int, width: int = D) -> int:
    """Scores and weighted sums of all heads, without projections."""
    return 2 * 2 * rows * queries * keys * width


def additive(rows: int, length: int, width: int, inner: int) -> int:
    return linear(rows * length, width, inner, 1) + 2 * rows * length * width


class Chains(nn.Module):
    """Linears end to end with an activation between, side by side; what they give is summed."""

    def __init__(self, *chains: Sequence[int], act: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.chains = nn.ModuleList(chain(widths, act) for widths in chains)

    def forward(self, *x: Tensor) -> Tensor:
        """An input for each chain, or one for all."""
        given = x * len(self.chains) if len(x) == 1 else x
        made = [run(one).sum() for run, one in zip(self.chains, given, strict=True)]
        return torch.stack(made).sum()


def chain(widths: Sequence[int], act: type[nn.Module]) -> nn.Sequential:
    parts: list[nn.Module] = []
    for place, (a, b) in enumerate(itertools.pairwise(widths)):
        if place:
            parts += [act(), *([nn.Dropout(DROPOUT)] if act is nn.ReLU else [])]
        parts.append(nn.Linear(a, b))
    return nn.Sequential(*parts)


class Plain(nn.Module):
    """Dropout where the operator has one, an encoder that torch has, told where padding is, then
    Linears with a tanh between."""

    def __init__(self, encode: nn.Module, *widths: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.encode = encode
        self.after = chain(widths, nn.Tanh) if widths else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = self.dropout(x)
        padding = torch.zeros(x.shape[:2], dtype=torch.bool)
        if isinstance(self.encode, nn.MultiheadAttention):
            x, _ = self.encode(x, x, x, key_padding_mask=padding, need_weights=False)
        elif isinstance(self.encode, nn.TransformerEncoder):
            x = self.encode(x, src_key_padding_mask=padding)
        elif isinstance(self.encode, nn.Conv1d):
            x = self.dropout(self.encode(x.transpose(1, 2)).relu().transpose(1, 2))
        elif isinstance(self.encode, nn.GRU):
            x, _ = self.encode(x)
        else:
            x = self.encode(x)
        return self.after(x)


def transformer(layers: int, *, heads: int = 8, inner: int = 4 * D, pre: bool = False) -> nn.Module:
    layer = nn.TransformerEncoderLayer(
        D, heads, inner, DROPOUT, "relu" if pre else "gelu", batch_first=True, norm_first=pre
    )
    return nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)


class FeedForwards(nn.Module):
    """The Linears of a Fastformer layer with the normalisation and dropout of a transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(*(nn.Linear(D, D) for _ in range(4)), nn.Dropout(DROPOUT))
        self.second = nn.Sequential(
            nn.Linear(D, 4 * D), nn.GELU(), nn.Linear(4 * D, D), nn.Dropout(DROPOUT)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(D) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        x = self.norms[0](x)
        x = self.norms[1](x + self.first(x))
        return self.norms[2](x + self.second(x))


class Bare(nn.Module):
    """An expression without weights, for operators that have none."""

    def __init__(self, run: Callable[..., Tensor]) -> None:
        super().__init__()
        self.run = run

    def forward(self, *x: Tensor) -> Tensor:
        return self.run(*x)


def sequences(rows: int, length: int, drop: float = 0.0) -> dict[str, Counterpart]:
    """Encoders of sequences, by the names that content and behavior operators share. drop: of the
    embedded tokens, which only some content operators have."""
    n, shapes = rows * length, ((rows, length, D),)
    block = linear(n, *[D] * 5) + attention(rows, length, length) + linear(n, D, 4 * D, D)
    # A Fastformer has two global vectors: a score for each of 16 heads, then a weighted sum.
    fast = linear(n, *[D] * 5) + 2 * linear(n, D, 16) + linear(n, D, 4 * D, D)
    poly = linear(n, D, 200, 32) + 2 * n * 32 * D
    sas = 2 * (linear(n, *[D] * 6) + attention(rows, length, length))
    wide = additive(rows, length, D, QUERY)
    found: dict[str, tuple[int, Callable[[], nn.Module]]] = {
        "Pooling": (0, average),
        "Additive": (wide, lambda: Plain(nn.Identity(), D, QUERY, 1, dropout=drop)),
        "CNN": (
            linear(n, 3 * D, D) + wide + additive(rows, 1, D, QUERY),
            lambda: Plain(nn.Conv1d(D, D, 3, padding=1), D, QUERY, 1, dropout=DROPOUT),
        ),
        "Attention": (
            linear(n, *[D] * 6) + attention(rows, length, length) + wide,
            lambda: Plain(
                nn.MultiheadAttention(D, 8, batch_first=True), D, D, QUERY, 1, dropout=DROPOUT
            ),
        ),
        "GRU": (linear(n, D, 3 * D) + linear(n, D, 3 * D), lambda: gated(drop)),
        "LSTUR": (linear(n, D, 3 * D) + linear(n, D, 3 * D), gated),
        "Transformer": (
            3 * block + linear(n, D, D) + additive(rows, length, D, D),
            lambda: Plain(transformer(3), D, D, D, 1),
        ),
        "Fastformer": (
            fast + additive(rows, length, D, D) + linear(rows, D, D),
            lambda: Plain(FeedForwards(), D, D, 1),
        ),
        # Half as wide inside: what torch has one projection more for.
        "SASRec": (sas, lambda: Plain(transformer(2, heads=2, inner=D // 2, pre=True))),
        "PolyAttention": (poly, lambda: Chains((D, 200, 32), (32, D), act=nn.Tanh)),
    }  # fmt: skip
    both = {"PolyAttention": (*shapes, (rows, length, 32))}
    return {
        name: Counterpart(make=make, shapes=both.get(name, shapes), flops=flops, rows=rows)
        for name, (flops, make) in found.items()
    }


def average() -> nn.Module:
    return Bare(lambda x: nn.functional.adaptive_avg_pool1d(x.transpose(1, 2), 1))


def gated(dropout: float = 0.0) -> nn.Module:
    return Plain(nn.GRU(D, D, batch_first=True), dropout=dropout)


def flattened() -> dict[str, Counterpart]:
    """Encoders of whole histories: those of sequences with a separator after each click, and the
    Longformer, whose start token has projections of its own."""
    found = sequences(FLAT_USERS, FLAT_CLICKS * (FLAT_TOKENS + 1))
    words = FLAT_USERS * FLAT_CLICKS * FLAT_TOKENS
    all_, length = words + FLAT_USERS, FLAT_CLICKS * FLAT_TOKENS + 1
    start = linear(FLAT_USERS, D, D) + linear(all_, D, D, D) + attention(FLAT_USERS, 1, length)
    local = linear(words, D, D) + linear(all_, D, D, D) + attention(FLAT_USERS, length - 1, length)
    layer = start + local + linear(all_, D, D) + linear(all_, D, 4 * D, D)
    last = start + linear(FLAT_USERS, D, D) + linear(FLAT_USERS, D, 4 * D, D)
    # Two projections more per token than a block has, as much as an inner width of 5 D; the last
    # layer makes keys and values alone.
    longformer = Counterpart(
        make=lambda: Plain(transformer(2, inner=5 * D), D, 2 * D),
        shapes=((FLAT_USERS, length, D),), flops=2 * layer + last, rows=FLAT_USERS,
    )  # fmt: skip
    kept = {name: found[name] for name in ("Transformer", "Fastformer")}
    return {**kept, "Longformer": longformer}
