"""The demo's world: who likes what, and every click, drawn from one seed.

A world in which the best possible score is known and reachable by a small model (DATASETS section
10): two levels of click probability, and nothing about an item that its text does not show.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from legoc.data.sources.demo_words import Words, make_words


DAYS = 6
LIKED, OTHER = 0.38, 0.03
LIKES = 4
CANDIDATES = (5, 40)
CLICKS = (5, 30)
# Of the items: published before the log, and on its last day only; the others day by day.
EARLIER, LAST = 0.45, 0.25
EMPTY = 0.02
REPEATED = 0.03


# The click probabilities of some items for one user.
Chance = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Impression:
    """One list shown to a user; `second` counts from the beginning of the log."""

    user: int
    second: int
    candidates: np.ndarray
    clicked: np.ndarray


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything the raw files are written from. `day` is when an item is first shown, 0 for those
    from before the log; `histories` are the users' clicks before the train file, and before dev."""

    words: Words
    topic: np.ndarray
    day: np.ndarray
    likes: np.ndarray
    train: tuple[Impression, ...]
    dev: tuple[Impression, ...]
    before_train: tuple[Sequence[int], ...]
    before_dev: tuple[Sequence[int], ...]


def draws(seed: int, purpose: int) -> np.random.Generator:
    """A generator of its own for each part of the world, so that one may change without another."""
    return np.random.Generator(np.random.Philox(key=[seed, purpose]))


def make_world(*, seed: int, items: int, users: int, impressions: int) -> World:
    """The world of a seed."""
    words = make_words(draws(seed, 0))
    rng = draws(seed, 1)
    topics = len(words.topics)
    # Every topic has its share of the items of every day.
    topic = rng.permutation(np.arange(items) % topics)
    day = np.sort(publish(items))[rng.permutation(items)]
    likes = np.zeros((users, topics), dtype=bool)
    for user in range(users):
        likes[user, rng.choice(topics, LIKES, replace=False)] = True

    def chance(user: int, chosen: np.ndarray) -> np.ndarray:
        return np.where(likes[user, topic[chosen]], LIKED, OTHER)

    rng = draws(seed, 2)
    cold = rng.permutation(users)
    silent = set(cold[: round(users * EMPTY)].tolist())
    # As many come on the last day only: nobody has seen them in training.
    late = set(cold[round(users * EMPTY) : 2 * round(users * EMPTY)].tolist())
    regular = np.array([user for user in range(users) if user not in late])
    earlier = np.flatnonzero(day == 0)
    before = tuple(
        [] if user in silent or user in late else make_history(rng, partial(chance, user), earlier)
        for user in range(users)
    )

    each = impressions // DAYS
    train: list[Impression] = []
    for today in range(1, DAYS):
        shown = np.flatnonzero(day <= today)
        for second in moments(rng, today, each):
            user = int(regular[rng.integers(len(regular))])
            count = int(rng.integers(CANDIDATES[0], CANDIDATES[1] + 1))
            train.append(show(rng, user, second, partial(chance, user), shown, count))
    seen = [list(history) for history in before]
    for impression in train:
        if impression.user not in silent:
            seen[impression.user] += impression.candidates[impression.clicked].tolist()
    known = np.unique(np.concatenate([impression.candidates for impression in train]))
    fresh = np.flatnonzero(day == DAYS)
    dev: list[Impression] = []
    for place, second in enumerate(moments(rng, DAYS, impressions - each * (DAYS - 1))):
        user = int(rng.integers(users))
        count = int(rng.integers(CANDIDATES[0], CANDIDATES[1] + 1))
        new = (count + place % 2) // 2
        dev.append(show(rng, user, second, partial(chance, user), known, count - new, fresh, new))
    return World(
        words=words, topic=topic, day=day, likes=likes, train=tuple(train), dev=tuple(dev),
        before_train=before, before_dev=tuple(history[-CLICKS[1] :] for history in seen),
    )  # fmt: skip


def publish(items: int) -> np.ndarray:
    """The day of each item, 0 before the log."""
    earlier, last = round(items * EARLIER), round(items * LAST)
    days = np.full(items, DAYS)
    days[:earlier] = 0
    between = items - earlier - last
    days[earlier : earlier + between] = 1 + np.arange(between) % (DAYS - 1)
    return days


def moments(rng: np.random.Generator, day: int, count: int) -> list[int]:
    """Seconds since the beginning of the log, within one day (1 is the first), in order."""
    return np.sort(rng.integers(0, 86400, count) + (day - 1) * 86400).tolist()


def make_history(rng: np.random.Generator, chance: Chance, items: np.ndarray) -> list[int]:
    """Clicks before the log: as if lists of old items had been shown; a few articles twice."""
    count = int(rng.integers(CLICKS[0], CLICKS[1] + 1))
    weight = chance(items)
    weight /= weight.sum()
    count = min(count, len(items))
    clicks = rng.choice(items, count, replace=False, p=weight)
    again = rng.random(count) < REPEATED
    again[0] = False
    clicks[again] = clicks[np.flatnonzero(again) - 1]
    return clicks.tolist()


def show(
    rng: np.random.Generator,
    user: int,
    second: int,
    chance: Chance,
    items: np.ndarray,
    count: int,
    fresh: np.ndarray | None = None,
    new: int = 0,
) -> Impression:
    """A list of distinct items with independent clicks, drawn again until there is one."""
    while True:
        candidates = rng.choice(items, min(count, len(items)), replace=False)
        if fresh is not None:
            more = rng.choice(fresh, min(new, len(fresh)), replace=False)
            candidates = rng.permutation(np.concatenate([candidates, more]))
        clicked = rng.random(len(candidates)) < chance(candidates)
        if clicked.any():
            return Impression(user=user, second=second, candidates=candidates, clicked=clicked)


def best_scores(world: World) -> dict[str, dict[str, float]]:
    """AUC and GAUC on the dev candidates of a model that knows every user's likes.

    A candidate's click probability is all that a model which scores candidates one by one can know,
    and it has two levels: with a of the clicks and b of the others at the upper level, the AUC with
    ties averaged is (1 + a - b) / 2. GAUC is its mean over impressions that have both classes.
    `known` and `new` look only at candidates that some training impression or history shows, or
    that none does.
    """
    shown = [impression.candidates for impression in world.train]
    clicked = [np.asarray(history, dtype=int) for history in world.before_train]
    known = np.zeros(len(world.topic), dtype=bool)
    known[np.concatenate(shown + clicked)] = True
    item = np.concatenate([impression.candidates for impression in world.dev])
    label = np.concatenate([impression.clicked for impression in world.dev])
    sizes = [len(impression.candidates) for impression in world.dev]
    group = np.repeat(np.arange(len(sizes)), sizes)
    user = np.repeat([impression.user for impression in world.dev], sizes)
    upper = world.likes[user, world.topic[item]]
    slices = {"all": np.ones(len(item), dtype=bool), "known": known[item], "new": ~known[item]}
    return {
        name: two_level_auc(upper[rows], label[rows], group[rows]) for name, rows in slices.items()
    }


def two_level_auc(upper: np.ndarray, label: np.ndarray, group: np.ndarray) -> dict[str, float]:
    """`AUC` over all rows and `GAUC` over groups, of scores that have two levels."""
    count = int(group.max(initial=-1)) + 1
    clicks = np.bincount(group, label, count)
    others = np.bincount(group, ~label, count)
    both = (clicks > 0) & (others > 0)
    a = np.bincount(group, label & upper, count)[both] / clicks[both]
    b = np.bincount(group, ~label & upper, count)[both] / others[both]
    total = (1 + upper[label].mean() - upper[~label].mean()) / 2
    return {"AUC": float(total), "GAUC": float(((1 + a - b) / 2).mean())}
