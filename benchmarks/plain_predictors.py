"""Counterparts of predictors: Linears of the same shapes, end to end, with the same activation and
dropout between, side by side where the operator has branches."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from benchmarks.counterparts import (
    CLICKS,
    DROPOUT,
    ITEMS,
    PAIRS,
    TOKENS,
    UNITS,
    USERS,
    Bare,
    Chains,
    Counterpart,
    D,
    Plain,
    attention,
    flattened,
    linear,
    sequences,
    transformer,
)


def predictors() -> dict[str, Counterpart]:
    """Predictors: products of matrices as (rows, widths), and what is no such product."""
    two, deep = 2 * D, (2 * D, *UNITS, 1)
    wide = (PAIRS, deep)
    experts = 3 * 4
    found: dict[str, tuple[list[tuple[int, Sequence[int]]], int]] = {
        "DNN": ([wide], 0),
        "DCN": ([wide, *[(PAIRS, (two, 1))] * 4], 0),
        "DCNv2": ([wide, (PAIRS, (*[two] * 4, 1))], 0),
        # Ranks of 32: V and U of four experts are as one matrix each, C is a product per expert.
        "DCNMix": (
            [wide, (PAIRS, (*[two] * 7, 1)), (PAIRS * experts, (32, 32)),
             *[(PAIRS, (two, 4))] * 3], 0,
        ),
        "GDCN": ([wide, (PAIRS, (*[two] * 7, 1))], 0),
        "DeepFM": ([wide, (PAIRS, (two, 1))], 0),
        "xDeepFM": (
            [wide, (PAIRS, (two, 1)), (PAIRS * D, (4, 32)), *[(PAIRS * D, (64, 32))] * 2,
             (PAIRS, (96, 1))], 0,
        ),
        "PNN": ([(PAIRS, (two + 1, *UNITS, 1))], 0),
        "AutoInt": ([(2 * PAIRS, [D] * 13), (PAIRS, (two, 1))], 0),
        "FiBiNET": ([wide, (PAIRS, (two, 1)), *[(PAIRS, (D, D))] * 2, (PAIRS, (2, 2, 2))], 0),
        # A mask per block from the raw input, then the block; each but the first masks 400 values.
        "MaskNet": (
            [(PAIRS, (two, two, two)), (PAIRS, (two, 400)),
             *[(PAIRS, (two, 400, 400)), (PAIRS, (400, 400))] * 2, (PAIRS, (400, 1))], 0,
        ),
        "FinalMLP": (
            [*[(PAIRS, deep)] * 2, *[(PAIRS, (D, D, two))] * 2, *[(2 * PAIRS, (500, 500))]], 0,
        ),
        # The four inputs of its attention, as they are made: see `din.compare`.
        "DIN": (
            [(PAIRS * CLICKS, (2 * D, 64, 1)), (PAIRS, (D, 64)), wide], 2 * PAIRS * CLICKS * D,
        ),
    }  # fmt: skip
    made = {
        name: Counterpart(
            make=lambda chains=chains: Chains(*(widths for _, widths in chains)),
            shapes=tuple((rows, widths[0]) for rows, widths in chains),
            flops=extra + sum(linear(rows, *widths) for rows, widths in chains), rows=PAIRS,
        )
        for name, (chains, extra) in found.items()
    }  # fmt: skip
    n, ends = PAIRS * (CLICKS + 1), (2 * D, 1024, 512, 256, 1)
    made["BST"] = Counterpart(
        make=BehaviorTransformer,
        shapes=((PAIRS, CLICKS + 1, D),),
        flops=linear(n, *[D] * 7) + attention(PAIRS, CLICKS + 1, CLICKS + 1) + linear(PAIRS, *ends),
        rows=PAIRS,
    )  # fmt: skip
    made["MINER"] = Counterpart(
        make=lambda: Plain(nn.Sequential(nn.Linear(D, D, bias=False), nn.GELU())),
        shapes=((PAIRS, 32, D),),
        flops=linear(PAIRS * 32, D, D) + 2 * 2 * PAIRS * 32 * D, rows=PAIRS,
    )  # fmt: skip
    pair = ((PAIRS, D), (PAIRS, D))
    made["Dot"] = Counterpart(
        make=lambda: Bare(torch.linalg.vecdot), shapes=pair, flops=0, rows=PAIRS
    )
    made["Cosine"] = Counterpart(make=nn.CosineSimilarity, shapes=pair, flops=0, rows=PAIRS)
    return made


class BehaviorTransformer(nn.Module):
    """A transformer layer over clicks and candidate, and a perceptron over the mean and the
    candidate."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = Plain(transformer(1, inner=D))
        self.mlp = Chains((2 * D, 1024, 512, 256, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.mlp(torch.cat([self.encode(x).mean(1), x[:, 0]], -1))


def by_name() -> dict[tuple[str, str], Counterpart]:
    """By role and name. `content Null` and `SemanticID` are tables, `behavior Null` is nothing."""
    content = sequences(ITEMS, TOKENS, DROPOUT)
    behavior = sequences(USERS, CLICKS)
    for name in ("LSTUR", "SASRec", "PolyAttention"):
        del content[name]
    del behavior["CNN"]
    roles = {
        "content": content, "behavior": behavior, "flatten": flattened(), "predict": predictors(),
    }  # fmt: skip
    return {(role, name): one for role, named in roles.items() for name, one in named.items()}
