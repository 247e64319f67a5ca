"""Recommenders small enough to export in a second, with the methods of the real one."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from legoc.data.indexing.rows import Rows
from legoc.exporting.graphs import emit_graph
from legoc.exporting.labels import save, strip
from legoc.language.declaring.declare import Attribute
from legoc.language.ir.plan import Graph, Port


WIDTH = 8
TOKENS = 20


def item_graph() -> Graph:
    return Graph(
        name="item_encoder",
        inputs=(
            Port(name="title", dtype="int64", dims=("item", "title_tokens")),
            Port(name="title_mask", dtype="bool", dims=("item", "title_tokens")),
            Port(name="category", dtype="int64", dims=("item", "category_tokens")),
            Port(name="category_mask", dtype="bool", dims=("item", "category_tokens")),
        ),
        outputs=(Port(name="vectors", dtype="float32", dims=("item", WIDTH)),),
    )


def user_graph() -> Graph:
    return Graph(
        name="user_encoder",
        inputs=(
            Port(name="clicks", dtype="float32", dims=("user", "clicks", WIDTH)),
            Port(name="clicks_mask", dtype="bool", dims=("user", "clicks")),
        ),
        outputs=(Port(name="users", dtype="float32", dims=("user", WIDTH)),),
    )


def predictor_graph() -> Graph:
    return Graph(
        name="predictor",
        inputs=(
            Port(name="users", dtype="float32", dims=("user", WIDTH)),
            Port(name="items", dtype="float32", dims=("pair", WIDTH)),
            Port(name="owner", dtype="int64", dims=("pair",)),
        ),
        outputs=(Port(name="scores", dtype="float32", dims=("pair",)),),
    )


GRAPHS = (item_graph(), user_graph(), predictor_graph())


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    real = x.masked_fill(~mask.unsqueeze(-1), 0.0)
    return real.sum(1) / mask.sum(1, keepdim=True).clamp_min(1)


class Small(nn.Module):
    """The mean of token embeddings, a GRU over clicks, an MLP over user and item."""

    def __init__(self, seed: int = 3) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.embedding = nn.Embedding(TOKENS, WIDTH)
        self.mix = nn.Linear(WIDTH, WIDTH)
        self.gru = nn.GRU(WIDTH, WIDTH, batch_first=True)
        self.hidden = nn.Linear(3 * WIDTH, 12)
        self.out = nn.Linear(12, 1)
        self.dropout = nn.Dropout(0.5)

    def encode_items(self, inputs: Mapping[str, Tensor]) -> Tensor:
        parts = [
            masked_mean(self.embedding(inputs[name]), inputs[f"{name}_mask"])
            for name in ("title", "category")
        ]
        real = (inputs["title_mask"].any(1) | inputs["category_mask"].any(1)).unsqueeze(-1)
        return self.mix(self.dropout(parts[0] + parts[1])).masked_fill(~real, 0.0)

    def encode_users(self, clicks: Tensor, mask: Tensor, users: Tensor | None) -> Tensor:
        states, _ = self.gru(clicks.masked_fill(~mask.unsqueeze(-1), 0.0))
        length = mask.sum(1)
        last = (length - 1).clamp_min(0)[:, None, None].expand(-1, 1, clicks.shape[2])
        final = states.gather(1, last).squeeze(1)
        return torch.where((length > 0).unsqueeze(-1), final, torch.zeros_like(final))

    def score(self, users: Tensor, items: Tensor, owner: Tensor, mask: Tensor | None) -> Tensor:
        mine = users.index_select(0, owner)
        return self.out(self.hidden(torch.cat([mine, items, mine * items], -1)).relu()).squeeze(-1)


SPEC: Any = SimpleNamespace(
    model=dict.fromkeys(("content", "behavior", "predict")),
    data=SimpleNamespace(
        attributes=(
            Attribute(name="title", kind="text", length=12),
            Attribute(name="category", kind="category", length=1),
        ),
        history=10,
        context=(),
    ),
)
"""As much of a spec as probes read."""
ROWS = Rows(items=11, users=1, tokens=TOKENS)


def write(reference: nn.Module, graph: Graph, path: Path) -> None:
    model = emit_graph(reference, graph, opset=20)
    strip(model)
    save(model, path, {"legoc.role": graph.name, "legoc.format": "legoc-bundle/1"})
