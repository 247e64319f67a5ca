"""Side networks: what is trained beside a frozen language model, on the states of its layers.

Letters: I any number of items, K layers, W width of the language model.
"""

from typing import Any

import torch
from torch import Tensor, nn

from legoc.language.declaring.declare import Needs, operator, param
from legoc.operators.blocks.linear import PlainLinear


@operator(
    "side", "IISAN",
    paper="Fu et al., IISAN: Efficiently Adapting Multimodal Representation for Sequential "
    "Recommendation with Decoupled PEFT, SIGIR 2024",
)  # fmt: skip
class IISAN(nn.Module):
    """A gated network over the pooled states of a frozen language model, for text alone.

    z starts as the first state; for each next state s, f = σ(μ) z + (1 − σ(μ)) s with μ from 0.5,
    and z ← LayerNorm(f + W₂ ReLU(W₁ f)), twice as wide inside; a Linear ends it. This is the form
    of Legommenders; in the paper's the gate weighs the layer's state and not z. The states are
    computed once per item and kept, for nothing below is trained.
    """

    class Config:
        step: int = param(1, min=1, doc="every so many layers, counted back from the last")
        proj: int | None = param(None, min=1, doc="bring states to this width first; none: as is")
        shared: bool = param(False, doc="one projection for all layers")

    rules = (Needs("shared", "proj"),)
    example = "content BERT(side=IISAN(step=2)) -> behavior Additive -> predict Dot"

    def __init__(self, config: Any, *, layers: int, width: int, hidden: int) -> None:
        super().__init__()
        self.layers = chosen_layers(layers, config.step)
        count = len(self.layers)
        inner = width if config.proj is None else config.proj
        projections = 0 if config.proj is None else 1 if config.shared else count
        self.bring = nn.ModuleList(
            PlainLinear(width, inner, bias=False) for _ in range(projections)
        )
        self.gate = nn.Parameter(torch.full((count - 1,), 0.5))
        self.widen = nn.ModuleList(nn.Linear(inner, 2 * inner) for _ in range(count - 1))
        self.narrow = nn.ModuleList(nn.Linear(2 * inner, inner) for _ in range(count - 1))
        self.norm = nn.ModuleList(nn.LayerNorm(inner) for _ in range(count - 1))
        self.end = PlainLinear(inner, hidden)

    def forward(self, states_IKW: Tensor) -> Tensor:
        """Pooled states of the chosen layers [I, K, W] -> [I, hidden]."""
        given = states_IKW.unbind(1)
        if len(self.bring):
            shared = len(self.bring) == 1
            given = [self.bring[0 if shared else k](s) for k, s in enumerate(given)]
        z, *others = given
        for k, state in enumerate(others):
            gate = torch.sigmoid(self.gate[k])
            mixed = gate * z + (1 - gate) * state
            z = self.norm[k](mixed + self.narrow[k](torch.relu(self.widen[k](mixed))))
        return self.end(z)


def chosen_layers(layers: int, step: int) -> list[int]:
    """Every `step`-th of so many layers, in order, the last one among them."""
    return sorted(range(layers - 1, -1, -step))
