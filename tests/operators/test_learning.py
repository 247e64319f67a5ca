"""Every content, behavior and flatten operator can learn a hundred impressions by heart."""

import numpy as np
import pytest
import torch

from legoc.operators.blocks.masking import masked_mean
from tests.operators.cases import build, key, name, operators


IMPRESSIONS, CANDIDATES, WIDTH, WORDS = 100, 3, 16, 40
LEARNERS = [o for o in operators() if key(o)[0] in ("content", "behavior", "flatten")]


def draw(seed=0):
    """Words of clicks [100, S] and of candidates [100, K], the first of which is the positive."""
    rng = np.random.default_rng(seed)
    clicks = [rng.integers(0, WORDS, size=rng.integers(1, 5)) for _ in range(IMPRESSIONS)]
    return clicks, torch.from_numpy(rng.integers(0, WORDS, size=(IMPRESSIONS, CANDIDATES)))


def score(operator, made, table, clicks, candidates):
    """Logits [100, K]; what the operator encodes meets the plain vectors of the other side."""
    role = key(operator)[0]
    vectors = [table.weight[torch.from_numpy(row)] for row in clicks]
    x, mask = stack(vectors)
    items = table.weight[candidates]
    if role == "content":
        # An item is a sequence of words here; candidates stay single words.
        if operator.declaration.signature.startswith("Id"):
            made_items = made(candidates.flatten() % 11).unflatten(0, candidates.shape)
            return (masked_mean(x, mask).unsqueeze(1) * made_items).sum(-1)
        given = ([x] * 3, [mask] * 3) if operator.declaration.layout == "fields" else (x, mask)
        return (made(*given).unsqueeze(1) * items).sum(-1)
    if role == "flatten":
        user = made(x.unsqueeze(2), mask.unsqueeze(2))
    elif key(operator)[1] == "LSTUR":
        user = made(x, mask, torch.arange(IMPRESSIONS) % 5)
    else:
        user = made(x, mask)
    if user.dim() == 3:
        if key(operator)[1] == "Null":
            user = masked_mean(user, mask)
        else:
            return (user.unsqueeze(1) * items.unsqueeze(2)).sum(-1).amax(-1)
    return (user.unsqueeze(1) * items).sum(-1)


def stack(vectors):
    x = torch.nn.utils.rnn.pad_sequence(vectors, batch_first=True)
    lengths = torch.tensor([len(v) for v in vectors])
    return x, torch.arange(x.shape[1]) < lengths.unsqueeze(1)


@pytest.mark.parametrize("operator", LEARNERS, ids=name)
def test_a_hundred_impressions_are_learnt_by_heart(operator):
    made = build(operator, WIDTH, {}).train()
    for part in made.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
    torch.manual_seed(0)
    table = torch.nn.Embedding(WORDS, WIDTH)
    clicks, candidates = draw()
    if operator.declaration.signature.startswith("Id"):
        # A table of eleven items cannot learn a hundred lists; one item is always the positive.
        candidates[:, 0] = 1
        candidates[:, 1:] = 2 + candidates[:, 1:] % 9
    optimiser = torch.optim.Adam([*made.parameters(), *table.parameters()], lr=0.02)
    target = torch.zeros(IMPRESSIONS, dtype=torch.long)
    for _ in range(80):
        loss = torch.nn.functional.cross_entropy(
            score(operator, made, table, clicks, candidates), target
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if loss.item() < 0.1:
            break
    with torch.no_grad():
        scores = score(operator, made, table, clicks, candidates)
    # Lists in which the positive occurs twice can only tie.
    distinct = (candidates[:, 1:] != candidates[:, :1]).all(1)
    right = scores[distinct].argmax(1) == 0
    assert right.float().mean() > 0.9, (loss.item(), right.float().mean())
