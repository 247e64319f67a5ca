"""A log of MIND-large's shape in MIND's raw layout, drawn in blocks so that any size is quick.

At scale 1: 160,000 items, 1,000,000 users, 2,200,000 impressions with about 15 million pairs. Item
popularity follows Zipf's law, histories are log-normal around 19 clicks; a line repeats the history
of its user, as the publisher's do.
"""

from pathlib import Path

import numpy as np

from benchmarks.mind_like import words, zipf


ITEMS, USERS, IMPRESSIONS = 160_000, 1_000_000, 2_200_000
BLOCK = 20_000


def write(folder: Path, *, scale: float, seed: int = 7) -> Path:
    """Write train/ and dev/; a sixth of the impressions is in dev."""
    rng = np.random.default_rng(seed)
    items, users = max(int(ITEMS * scale), 500), max(int(USERS * scale), 100)
    names = np.array([f"N{number + 1}" for number in rng.permutation(items)])
    # The inverse of the distribution: an item is where a uniform number falls.
    ladder = np.cumsum(zipf(items, 30))
    news = write_news(rng, names)
    histories = [" ".join(names[own]) for own in draw_histories(rng, ladder, users)]
    total = int(IMPRESSIONS * scale)
    for part, first, last in (("train", 0, total * 5 // 6), ("dev", total * 5 // 6, total)):
        (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / part / "news.tsv").write_text(news, encoding="utf-8")
        with (folder / part / "behaviors.tsv").open("w", encoding="utf-8") as out:
            for start in range(first, last, BLOCK):
                stop = min(start + BLOCK, last)
                out.write(write_block(rng, names, ladder, histories, start, stop, total))
    return folder


def draw(rng: np.random.Generator, ladder: np.ndarray, count: int) -> np.ndarray:
    return np.minimum(np.searchsorted(ladder, rng.random(count)), len(ladder) - 1)


def write_news(rng: np.random.Generator, names: np.ndarray) -> str:
    vocabulary = np.array(words(rng, 20_000))
    lengths = np.clip(rng.normal(11.0, 3.3, len(names)), 3, 30).astype(int)
    drawn = draw(rng, np.cumsum(zipf(len(vocabulary), 5)), int(lengths.sum()))
    titles = np.split(vocabulary[drawn], np.cumsum(lengths)[:-1])
    return "".join(
        f"{name}\tcategory{k % 17}\tsub{k % 250}\t{' '.join(title)}\t\thttps://x/{k}\t[]\t[]\n"
        for k, (name, title) in enumerate(zip(names, titles, strict=True))
    )


def draw_histories(rng: np.random.Generator, ladder: np.ndarray, users: int) -> list[np.ndarray]:
    lengths = np.clip(rng.lognormal(np.log(19), 1.0, users), 0, 400).astype(int)
    lengths[rng.random(users) < 0.02] = 0
    return np.split(draw(rng, ladder, int(lengths.sum())), np.cumsum(lengths)[:-1])


def write_block(
    rng: np.random.Generator,
    names: np.ndarray,
    ladder: np.ndarray,
    histories: list[str],
    start: int,
    stop: int,
    total: int,
) -> str:
    """The lines of some impressions, spread evenly over six days."""
    count = stop - start
    users = rng.integers(0, len(histories), count)
    lengths = np.clip(rng.lognormal(np.log(5.7), 0.7, count), 2, 100).astype(int)
    ends = np.cumsum(lengths)
    shown = names[draw(rng, ladder, int(ends[-1]))]
    clicked = rng.random(len(shown)) < 0.12
    # Each impression has a click, and its second candidate is none.
    clicked[ends - lengths] = True
    clicked[ends - lengths + 1] = False
    pairs = np.char.add(np.char.add(shown, "-"), clicked.astype(int).astype(str))
    lines: list[str] = []
    for place, listed in enumerate(np.split(pairs, ends[:-1])):
        minute = (start + place) * 8640 // total
        day, minute = divmod(minute, 1440)
        hour, minute = divmod(minute, 60)
        half = "AM" if hour < 12 else "PM"
        time = f"11/{9 + day}/2019 {hour % 12 or 12}:{minute:02d}:00 {half}"
        user = users[place]
        lines.append(
            f"{start + place + 1}\tU{user + 1}\t{time}\t{histories[user]}\t{' '.join(listed)}\n"
        )
    return "".join(lines)
