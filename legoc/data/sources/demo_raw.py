"""A world written in MIND's raw layout, with the oddities of the published files."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from legoc.data.sources.demo_world import DAYS, Impression, World


BEGIN = datetime(2024, 11, 4)
COMMON_SHARE = 0.3
TITLE = (6, 12)
ABSTRACT = (12, 30)
# Each of these happens to so many items (DATASETS section 3, MIND).
NO_ABSTRACT, QUOTED, UNBALANCED = 0.05, 0.04, 0.03
REGIONS = ("north", "east", "south", "west", "islands")
AGES = (18, 80)
# A reader's region follows from what the reader likes for so many of them; so many tell nothing.
TELLING, UNTOLD = 0.7, 0.15


def write_raw(world: World, folder: Path) -> None:
    """Write train/ and dev/, each with news.tsv and behaviors.tsv, and users.tsv beside them."""
    rng = np.random.Generator(np.random.Philox(key=[len(world.topic), 17]))
    ids = make_ids(rng, len(world.topic))
    names = [f"U{number}" for number in make_numbers(rng, len(world.likes))]
    write_lines(folder / "users.tsv", ["user_id\tage\tregion", *user_lines(world, names)])
    lines = [news_line(rng, world, item, ids[item]) for item in range(len(world.topic))]
    for part, log, histories in (
        ("train", world.train, world.before_train),
        ("dev", world.dev, world.before_dev),
    ):
        target = folder / part
        target.mkdir()
        shown = occurring(log, histories)
        write_lines(target / "news.tsv", [lines[item] for item in shown])
        # The publisher's rows are in no order of time.
        order = rng.permutation(len(log))
        write_lines(
            target / "behaviors.tsv",
            [
                behavior_line(number, log[place], histories[log[place].user], ids, names)
                for number, place in enumerate(order.tolist(), start=1)
            ],
        )


def write_lines(path: Path, lines: Sequence[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def occurring(log: Sequence[Impression], histories: Sequence[Sequence[int]]) -> list[int]:
    """The items a part mentions."""
    found: set[int] = set()
    for impression in log:
        found.update(impression.candidates.tolist())
        found.update(histories[impression.user])
    return sorted(found)


def make_numbers(rng: np.random.Generator, count: int) -> list[int]:
    """Distinct numbers without an order."""
    return (1 + rng.choice(20 * count, count, replace=False)).tolist()


def make_ids(rng: np.random.Generator, count: int) -> list[str]:
    return [f"N{number}" for number in make_numbers(rng, count)]


def user_lines(world: World, names: Sequence[str]) -> list[str]:
    """id, age and region of every reader; what is not told is empty."""
    # Draws of their own, so that the files without users.tsv stay what they were.
    rng = np.random.Generator(np.random.Philox(key=[len(world.topic), 18]))
    lines: list[str] = []
    for user, name in enumerate(names):
        region = int(rng.integers(len(REGIONS)))
        if rng.random() < TELLING:
            region = int(np.flatnonzero(world.likes[user])[0]) % len(REGIONS)
        age = str(int(rng.integers(AGES[0], AGES[1] + 1)))
        told = rng.random(2) >= UNTOLD
        lines.append(f"{name}\t{age if told[0] else ''}\t{REGIONS[region] if told[1] else ''}")
    return lines


def news_line(rng: np.random.Generator, world: World, item: int, name: str) -> str:
    """id, category, subcategory, title, abstract, url, title entities, abstract entities.

    The subcategory names the topic for half of the items and is `other` for the rest.
    """
    words, topic = world.words, int(world.topic[item])
    title = write_text(rng, world, topic, TITLE)
    if rng.random() < QUOTED:
        cut = title.index(" ", 1)
        title = f'"{title[:cut]}"{title[cut:]}'
    abstract = write_text(rng, world, topic, ABSTRACT) + "."
    chance = rng.random()
    if chance < NO_ABSTRACT:
        abstract = ""
    elif chance < NO_ABSTRACT + UNBALANCED:
        abstract = f'"{abstract}'
    elif item in (0, 1):
        abstract = ("NA", "null")[item]
    subcategory = words.topics[topic] if rng.random() < 0.5 else "other"
    url = f"https://example.org/{words.categories[topic]}/{name}.html"
    return "\t".join((name, words.categories[topic], subcategory, title, abstract, url, "[]", "[]"))


def write_text(rng: np.random.Generator, world: World, topic: int, bounds: tuple[int, int]) -> str:
    """Words of a topic among common ones, the first with a capital."""
    count = int(rng.integers(bounds[0], bounds[1] + 1))
    common = rng.random(count) < COMMON_SHARE
    own = rng.choice(len(world.words.words[topic]), count, p=world.words.weights[topic])
    plain = rng.integers(0, len(world.words.common), count)
    chosen = [
        world.words.common[plain[i]] if common[i] else world.words.words[topic][own[i]]
        for i in range(count)
    ]
    text = " ".join(chosen)
    return text[0].upper() + text[1:]


def behavior_line(
    number: int,
    impression: Impression,
    history: Sequence[int],
    ids: Sequence[str],
    names: Sequence[str],
) -> str:
    """impression id, user, time without zero padding, history, candidates with labels."""
    candidates = " ".join(
        f"{ids[item]}-{int(clicked)}"
        for item, clicked in zip(
            impression.candidates.tolist(), impression.clicked.tolist(), strict=True
        )
    )
    return "\t".join(
        (
            str(number), names[impression.user], write_time(impression.second),
            " ".join(ids[item] for item in history), candidates,
        )
    )  # fmt: skip


def write_time(second: int) -> str:
    """`11/4/2024 9:05:58 AM`, as MIND writes times."""
    assert second < DAYS * 86400
    moment = BEGIN + timedelta(seconds=second)
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    return (
        f"{moment.month}/{moment.day}/{moment.year} {hour}:{moment.minute:02}:{moment.second:02} "
        f"{half}"
    )
