"""FinalMLP: two perceptrons over gated features, joined by a bilinear product."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import Divides, operator, param
from legoc.language.diagnosing.diagnostics import fail
from legoc.operators.blocks.mlp import Layers
from legoc.operators.sizes import Sizes


@operator(
    "predict", "FinalMLP", "(Vec[u], Vec[i]) -> Score", tasks=("ranking", "matching"),
    paper="Mao et al., FinalMLP: An Enhanced Two-Stream MLP Model for CTR Prediction, AAAI 2023",
    facts={"dense": ["first", "second"]},
)  # fmt: skip
class FinalMLP(nn.Module):
    """Two perceptrons over user and candidate, each behind a gate of its own.

    A stream reads x ⊙ 2σ(gate), and the score is w_1·o_1 + w_2·o_2 + b + Σ_h o_1^h W_h o_2^h over
    the heads. With `context=fields` the first gate is made from the user and the second from the
    candidate; with `learned` each from a vector of its own.
    """

    class Config:
        first: list[int] = param([1000, 1000, 1000], min=1, doc="layers of the first stream")
        second: list[int] = param([1000, 1000, 1000], min=1, doc="layers of the second stream")
        heads: int = param(2, min=1, doc="parts in which the streams are multiplied")
        context: Literal["fields", "learned"] = param("fields", doc="what the gates are made from")
        gate: list[int] = param([64], min=1, doc="width of each hidden layer of a gate")
        dropout: float = param(0.1, min=0, max=1, doc="share of zeroed hidden values of a stream")
        batch_norm: bool = param(
            False, since=True, doc="normalise each hidden layer over the pairs of a batch"
        )

    rules = (Divides("heads", "first", "u", "i"), Divides("heads", "second", "u", "i"))
    example = "predict FinalMLP(first=[1000, 1000], second=[1000, 1000], heads=2)"

    def __init__(self, config: "FinalMLP.Config", sizes: Sizes) -> None:
        super().__init__()
        width = sizes.width + sizes.item
        learned = config.context == "learned"
        self.gates = nn.ModuleList(
            Gate(given, width, config.gate, learned=learned) for given in (sizes.width, sizes.item)
        )
        self.streams = nn.ModuleList(
            Layers(width, units, config.dropout, batch_norm=config.batch_norm)
            for units in (config.first, config.second)
        )
        one, other = (stream.width for stream in self.streams)
        self.join = Join(one, other, config.heads)

    def forward(self, user_PD: Tensor, item_PD: Tensor) -> Tensor:
        """[P, D of users], [P, D of items] -> [P]."""
        x_PD = torch.cat([user_PD, item_PD], -1)
        one_PD, other_PD = (
            stream(x_PD * gate(context_PD))
            for stream, gate, context_PD in zip(
                self.streams, self.gates, (user_PD, item_PD), strict=True
            )
        )
        return self.join(one_PD, other_PD)


class Gate(nn.Module):
    """2σ(perceptron(context)); a learned context takes the place of the one given."""

    def __init__(self, given: int, made: int, units: Sequence[int], *, learned: bool) -> None:
        super().__init__()
        # As large as the vectors it stands for; from zeros the first layer would not start.
        self.context = nn.Parameter(torch.randn(1, given) * 0.1) if learned else None
        self.layers = Layers(given, units, 0.0)
        self.output = nn.Linear(self.layers.width, made)

    def forward(self, context_PD: Tensor) -> Tensor:
        """[P, given] -> [P, made], or [1, made] from a learned context."""
        context = context_PD if self.context is None else self.context
        return 2.0 * torch.sigmoid(self.output(self.layers(context)))


class Join(nn.Module):
    """w_1·o_1 + w_2·o_2 + b + Σ_h o_1^h W_h o_2^h.

    Letters: H heads, E and G widths of a head of either stream.
    """

    def __init__(self, one: int, other: int, heads: int) -> None:
        super().__init__()
        # The check knows it from the declaration; who builds the operator by hand hears it here.
        for width in (one, other):
            if width % heads:
                raise fail(
                    "E0402",
                    f"`heads` is {heads} in `predict FinalMLP`, and a stream is {width} wide",
                    f"choose heads that divide {width}",
                )
        self.heads = heads
        self.one, self.other = nn.Linear(one, 1), nn.Linear(other, 1, bias=False)
        self.weight = nn.Parameter(torch.empty(heads, one // heads, other // heads))
        for matrix in self.weight:
            nn.init.xavier_normal_(matrix)

    def forward(self, one_PD: Tensor, other_PD: Tensor) -> Tensor:
        """[P, D of one], [P, D of other] -> [P]."""
        one_HPE = one_PD.unflatten(-1, (self.heads, -1)).transpose(0, 1)
        other_HPG = other_PD.unflatten(-1, (self.heads, -1)).transpose(0, 1)
        product_P = (one_HPE.matmul(self.weight) * other_HPG).sum((0, 2))
        return (self.one(one_PD) + self.other(other_PD)).squeeze(-1) + product_P
