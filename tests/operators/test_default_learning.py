"""Every behavior and predict operator, as it comes, soon prefers what a user likes.

A small world of topics: a user likes four of twenty and has clicked thirty items of them, one pair
of items tells a liked topic from another. Vectors of items are as small as an item encoder makes
them. The settings, the learning rate and the batch are the defaults; users and pairs of the test
are new. What each reaches on the demo is measured by `python -m benchmarks.quality`.
"""

import pytest
import torch
from torch import nn
from torch.nn import functional

from legoc.operators.sizes import Sizes
from tests.operators.cases import is_counted, key, name, operators


WIDTH, TOPICS, ITEMS, LIKES, CLICKS = 64, 20, 240, 4, 30
BATCH, UPDATES, TESTED = 64, 50, 400
LEARNERS = [o for o in operators() if key(o)[0] in ("behavior", "predict") and not is_counted(o)]
# Chance is 0.5. The layers of AutoInt are narrow.
LEAST = 0.7
LIKE_CLICKS = 0.75
LOWER = {("predict", "AutoInt"): 0.63}


def item_table():
    draw = torch.Generator().manual_seed(1)
    topics = 0.03 * torch.randn(TOPICS, WIDTH, generator=draw)
    own = 0.02 * torch.randn(ITEMS, WIDTH, generator=draw)
    return topics[torch.arange(ITEMS) % TOPICS] + own


def draw_rows(rows, seed):
    """Items int[rows, CLICKS] that users clicked, one more they like and one they do not."""
    draw = torch.Generator().manual_seed(seed)

    def of_topics(topics):
        return topics + TOPICS * torch.randint(ITEMS // TOPICS, topics.shape, generator=draw)

    order = torch.rand(rows, TOPICS, generator=draw).argsort(1)
    likes, others = order[:, :LIKES], order[:, LIKES:]
    clicks = likes.gather(1, torch.randint(LIKES, (rows, CLICKS), generator=draw))
    return of_topics(clicks), of_topics(likes[:, 0]), of_topics(others[:, 0])


def build(operator):
    settings = {
        p.name: WIDTH if p.inherit is not None else p.default for p in operator.declaration.params
    }
    settings = {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}
    sizes = Sizes(width=WIDTH, item=WIDTH, codes=CLICKS, users=2, clicks=CLICKS)
    return operator(operator.Config(**settings), sizes)


def score(operator, made, clicks, items):
    """Logits of a candidate [rows, WIDTH] for histories [rows, CLICKS, WIDTH]."""
    role, title = key(operator)
    mask = torch.ones(clicks.shape[:2], dtype=torch.bool)
    if role == "predict":
        signature = operator.declaration.signature
        if signature.startswith("(Seq"):
            return made(clicks, mask, items)
        return made(clicks if signature.startswith("(Many") else clicks.mean(1), items)
    users = [torch.zeros(len(clicks), dtype=torch.int64)] if title == "LSTUR" else []
    user = made(clicks, mask, *users)
    if user.dim() == 2:
        return (user * items).sum(-1)
    return (user * items.unsqueeze(1)).sum(-1).amax(1)


@pytest.mark.parametrize("operator", LEARNERS, ids=name)
def test_an_operator_learns_at_its_defaults(operator):
    torch.manual_seed(0)
    items, made = item_table(), build(operator)
    # How sharp scores are is learnt too, for operators without weights of their own.
    sharp = nn.Parameter(torch.ones(()))
    optimiser = torch.optim.Adam([*made.parameters(), sharp], lr=1e-3)
    train = [part.split(BATCH) for part in draw_rows(BATCH * UPDATES, seed=7)]
    for clicks, liked, other in zip(*train, strict=True):
        pair = [score(operator, made, items[clicks], items[each]) for each in (liked, other)]
        if operator.declaration.tasks[:1] == ("ranking",):
            labels = torch.tensor([1.0, 0.0]).repeat_interleave(BATCH)
            loss = functional.binary_cross_entropy_with_logits(sharp * torch.cat(pair), labels)
        else:
            loss = functional.softplus(sharp * (pair[1] - pair[0])).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    found = measure(operator, made, items)
    assert found > LOWER.get(key(operator), LEAST), found


def measure(operator, made, items):
    """The share of new users for whom a liked item is above another."""
    made.eval()
    clicks, liked, other = draw_rows(TESTED, seed=99)
    with torch.no_grad():
        above = score(operator, made, items[clicks], items[liked])
        below = score(operator, made, items[clicks], items[other])
    return ((above > below).float() + 0.5 * (above == below).float()).mean().item()


@pytest.mark.parametrize("operator", [o for o in LEARNERS if key(o)[0] == "behavior"], ids=name)
def test_a_history_begins_among_the_vectors_of_its_items(operator):
    """Before any training a dot product with its result prefers what is like the clicks."""
    torch.manual_seed(0)
    assert measure(operator, build(operator), item_table()) > LIKE_CLICKS
