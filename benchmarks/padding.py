"""What forward and backward cost against the limit a spec sets, at fixed real tokens.

Titles of about 11 words are read under `title(30)` up to `title(240)`, histories of about 7 clicks
under `history = 10` up to 40: the same tokens, in matrices that are wider and wider. legoc cuts
each bucket of items to its longest, and a flattened history to its tokens; beside it the same
operator reads the matrices as they are.
"""

from collections.abc import Callable, Sequence
from unittest.mock import patch

import numpy as np
import torch
from torch import nn

from benchmarks.operators import build, ratio
from legoc.data.batching.buckets import cut_buckets


LIMITS = (30, 60, 120, 240)
HISTORIES = (10, 20, 40)
ITEMS, USERS, TOKENS, D = 256, 8, 11, 64
BUCKETS = 8


def run() -> None:
    """Print a line for each operator: what the widest limit costs against the narrowest."""
    torch.set_num_threads(1)
    print(
        f"\nforward and backward under wider limits, the same tokens; times legoc's at {LIMITS[0]}"
    )
    for name in ("Pooling", "CNN", "Additive", "Attention", "GRU", "Transformer", "Fastformer"):
        show(f"content {name}", LIMITS, content(name, whole=False), content(name, whole=True))
    print(f"the same under longer histories; times legoc's at {HISTORIES[0]}")
    for name in ("Transformer", "Fastformer", "Longformer"):
        show(f"flatten {name}", HISTORIES, flatten(name, whole=False), flatten(name, whole=True))


Work = Callable[[int], Callable[[], object]]


def show(title: str, limits: Sequence[int], ours: Work, padded: Work) -> None:
    base = ours(limits[0])
    for name, work in (("legoc", ours), ("as wide as the limit", padded)):
        # Matrices as wide as the limit take long: three limits show how they grow.
        tried = limits if work is ours else limits[:3]
        found = [ratio(work(limit), base, turns=3).middle for limit in tried]
        figures = "  ".join(f"{n}: {each:5.2f}" for n, each in zip(tried, found, strict=True))
        print(f"  {title:<22}{name:<24}{figures}", flush=True)


def content(name: str, *, whole: bool) -> Work:
    """Embedding and content operator over some items, forward and backward."""
    torch.manual_seed(0)
    module, given = build("content", name)
    table = nn.Embedding(1000, D, padding_idx=0)
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.normal(TOKENS, 3.3, ITEMS), 3, LIMITS[0]).astype(int)

    def work(limit: int) -> Callable[[], object]:
        mask = torch.from_numpy(np.arange(limit) < lengths[:, None])
        ids = torch.randint(1, 1000, mask.shape).masked_fill(~mask, 0)
        order = np.argsort(lengths, kind="stable")
        ends = [len(order)] if whole else list(cut_buckets(lengths[order], BUCKETS))
        cuts = list(zip([0, *ends[:-1]], ends, strict=True))

        def step() -> None:
            made = []
            for start, end in cuts:
                rows = torch.from_numpy(order[start:end])
                width = limit if whole else int(lengths[order[end - 1]])
                x, real = table(ids[rows, :width]), mask[rows, :width]
                made.append(module([x], [real]) if isinstance(given[0], list) else module(x, real))
            torch.cat(made).sum().backward()

        return step

    return work


def flatten(name: str, *, whole: bool) -> Work:
    """A flatten operator over some histories, forward and backward."""
    torch.manual_seed(0)
    module, _ = build("flatten", name)
    rng = np.random.default_rng(0)
    clicks = np.clip(rng.lognormal(np.log(7), 0.6, USERS), 0, HISTORIES[0]).astype(int)
    lengths = np.clip(rng.normal(TOKENS, 3.3, (USERS, HISTORIES[-1])), 3, 20).astype(int)

    def work(limit: int) -> Callable[[], object]:
        each = lengths[:, :limit] * (np.arange(limit) < clicks[:, None])
        mask = torch.from_numpy(np.arange(20) < each[:, :, None])
        x = torch.randn(*mask.shape, D, requires_grad=True)

        # What keeps an exported graph as it is laid does so here.
        def step() -> None:
            with patch.object(torch.compiler, "is_compiling", lambda: whole):
                module(x, mask).sum().backward()

        return step

    return work
