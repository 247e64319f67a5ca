"""Every predictor learns a hundred impressions by heart, from embeddings of the usual size."""

import pytest
import torch
from torch import nn

from legoc.operators.sizes import Sizes
from tests.operators.cases import is_counted, key, name, operators, settings


WIDTH = 16
IMPRESSIONS, CANDIDATES, CLICKS, CODES = 100, 4, 5, 3
PREDICTORS = [o for o in operators() if key(o)[0] == "predict" and not is_counted(o)]
# Wide enough to learn by heart; what the tests of equations use is not.
UNITS = {"units": (64, 32), "first": (64, 32), "second": (64, 32), "gate": (16,)}


def build(operator):
    chosen = settings(operator, WIDTH, {})
    chosen |= {name: value for name, value in UNITS.items() if name in chosen}
    chosen |= {name: 0.0 for name in ("dropout",) if name in chosen}
    if key(operator)[1] == "Cosine":
        chosen["temperature"] = 0.1
    return operator(operator.Config(**chosen), Sizes(width=WIDTH, item=WIDTH, codes=CODES))


@pytest.mark.parametrize("operator", PREDICTORS, ids=name)
def test_a_predictor_learns_by_heart(operator):
    torch.manual_seed(3)
    items = nn.Embedding(60, WIDTH)
    nn.init.normal_(items.weight, std=0.1)
    # Two items of a list at most are the same, so the click can be told from the rest.
    shown = torch.stack([torch.randperm(60)[:CANDIDATES] for _ in range(IMPRESSIONS)])
    history = torch.randint(0, 60, (IMPRESSIONS, CLICKS))
    predict = build(operator).train()
    signature = operator.declaration.signature
    optimiser = torch.optim.Adam([*items.parameters(), *predict.parameters()], lr=1e-2)
    owner = torch.arange(IMPRESSIONS).repeat_interleave(CANDIDATES)
    clicked = torch.zeros(IMPRESSIONS, dtype=torch.int64)
    for _ in range(150):
        clicks = items(history)
        if signature.startswith("(Seq"):
            users = [clicks[owner], torch.ones(len(owner), CLICKS, dtype=torch.bool)]
        else:
            many = signature.startswith("(Many")
            users = [(clicks[:, :CODES] if many else clicks.mean(1))[owner]]
        scores = predict(*users, items(shown.flatten())).view(shown.shape)
        loss = nn.functional.cross_entropy(scores, clicked)
        if loss < 0.05:
            break
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert (scores.argmax(1) == 0).float().mean() > 0.95
