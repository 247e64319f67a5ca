"""A log of MIND's shape, written in MIND's raw layout, for measuring speed and nothing else.

Sizes and distributions follow MIND's public statistics: titles of about 11 words, histories whose
length is log-normal around 19, candidates around 37 an impression, clicks concentrated on few
items.
"""

from pathlib import Path

import numpy as np


def words(rng: np.random.Generator, count: int) -> list[str]:
    """Distinct made-up words."""
    syllables = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
    found: dict[str, None] = {}
    while len(found) < count:
        length = int(rng.integers(2, 5))
        found["".join(syllables[i] for i in rng.integers(0, len(syllables), length))] = None
    return list(found)


def zipf(count: int, offset: float, exponent: float = 1.0) -> np.ndarray:
    weight = 1.0 / (np.arange(count) + offset) ** exponent
    return weight / weight.sum()


def write(
    folder: Path,
    *,
    items: int = 22_500,
    impressions: int = 5_000,
    seed: int = 7,
    users: int = 4_000,
) -> Path:
    """Write train/ and dev/, each with `impressions` impressions over the same items."""
    rng = np.random.default_rng(seed)
    vocabulary = np.array(words(rng, 20_000))
    word_weight, item_weight = zipf(len(vocabulary), 5), zipf(items, 30)
    popular = rng.permutation(items)
    lengths = np.clip(rng.normal(11.0, 3.3, items), 3, 30).astype(int)
    drawn = rng.choice(len(vocabulary), size=int(lengths.sum()), p=word_weight)
    titles = [" ".join(vocabulary[part]) for part in np.split(drawn, np.cumsum(lengths)[:-1])]
    category = rng.integers(0, 17, items)
    news = "".join(
        f"N{i + 1}\tcategory{category[i]}\tsub{category[i]}x{i % 15}\t{titles[i]}\t\thttps://x/{i}\t[]\t[]\n"
        for i in range(items)
    )
    history_length = np.clip(rng.lognormal(np.log(19), 1.0, users), 0, 400).astype(int)
    history_length[rng.random(users) < 0.02] = 0
    histories = [
        " ".join(f"N{popular[k] + 1}" for k in rng.choice(items, size=n, p=item_weight))
        for n in history_length
    ]
    for part, day in (("train", 11), ("dev", 15)):
        (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / part / "news.tsv").write_text(news, encoding="utf-8")
        with (folder / part / "behaviors.tsv").open("w", encoding="utf-8") as out:
            for number in range(impressions):
                user = int(rng.integers(users))
                count = int(np.clip(rng.lognormal(np.log(26), 0.9), 2, 200))
                shown = popular[rng.choice(items, size=count, replace=False, p=item_weight)]
                clicked = set(
                    rng.choice(count, size=min(count - 1, 1 + int(rng.poisson(0.5))), replace=False)
                )
                pairs = " ".join(f"N{n + 1}-{int(k in clicked)}" for k, n in enumerate(shown))
                hour, minute = divmod(number * 1440 // impressions, 60)
                half = "AM" if hour < 12 else "PM"
                time = f"11/{day}/2019 {hour % 12 or 12}:{minute:02d}:00 {half}"
                out.write(f"{number + 1}\tU{user + 1}\t{time}\t{histories[user]}\t{pairs}\n")
    return folder
