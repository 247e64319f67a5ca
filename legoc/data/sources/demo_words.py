"""The words of the demo's world: twenty topics, five categories, and words made up of syllables.

The frequent words of a topic are real, so that a printed title says what it is about; the rest of
its vocabulary is syllables.
"""

from dataclasses import dataclass

import numpy as np


CATEGORIES = ("science", "sports", "culture", "home", "world")

# Category of the topic, then its most frequent words.
TOPICS: dict[str, tuple[str, str]] = {
    "astronomy": ("science", "telescope galaxy orbit comet lunar eclipse nebula probe"),
    "medicine": ("science", "clinic vaccine surgeon therapy trial patient dosage nurse"),
    "geology": ("science", "volcano granite quake fossil basalt crater mineral strata"),
    "robotics": ("science", "robot sensor gripper drone servo autonomy actuator android"),
    "football": ("sports", "striker goalkeeper penalty derby midfield transfer league header"),
    "cycling": ("sports", "peloton sprint climb saddle pedal breakaway velodrome gravel"),
    "sailing": ("sports", "regatta skipper mast harbour spinnaker yacht tack buoy"),
    "chess": ("sports", "gambit bishop endgame checkmate rook opening grandmaster blitz"),
    "cinema": ("culture", "director premiere sequel screenplay trailer actress studio script"),
    "jazz": ("culture", "saxophone trumpet quartet improvisation swing bassist melody encore"),
    "painting": ("culture", "canvas fresco portrait gallery pigment easel sketch curator"),
    "theatre": ("culture", "stage drama rehearsal costume monologue playwright comedy curtain"),
    "baking": ("home", "sourdough oven pastry butter crust flour glaze cinnamon"),
    "gardening": ("home", "tulip compost pruning orchard seedling hedge mulch greenhouse"),
    "fashion": ("home", "runway fabric designer tailor boutique velvet sneaker collection"),
    "pets": ("home", "puppy kitten leash veterinarian parrot hamster adoption kennel"),
    "economy": ("world", "inflation tariff budget export banking interest wages market"),
    "elections": ("world", "ballot senate coalition candidate turnout campaign mayor poll"),
    "travel": ("world", "airport luggage hostel itinerary passport island ferry resort"),
    "climate": ("world", "drought emissions glacier carbon heatwave monsoon solar rainfall"),
}


def listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


COMMON = listed(
    "the after new for with why how first more before under against about next again without "
    "what this week day year best big over into still behind inside another when from three two "
    "old last small long people story plan return"
)

ONSETS = listed("b br c ch cl d dr f fl g gl h j k l m n p pl pr r s sh sk st t tr v w")
VOWELS = listed("a a e e i i o o u u ai ea oa")
CODAS = listed("n r l s t m nd rk st")


@dataclass(frozen=True, kw_only=True)
class Words:
    """The vocabulary of a world: per topic its words and how often each is used."""

    topics: tuple[str, ...]
    categories: tuple[str, ...]
    common: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    weights: tuple[np.ndarray, ...]


def make_words(rng: np.random.Generator) -> Words:
    """20 topics of 30 to 90 words each, with Zipf exponents of 0.8 to 1; no word is in two."""
    taken = {word for _, text in TOPICS.values() for word in text.split()} | set(COMMON)
    words: list[tuple[str, ...]] = []
    weights: list[np.ndarray] = []
    for _, text in TOPICS.values():
        own = text.split()
        for _ in range(int(rng.integers(30, 91)) - len(own)):
            word = make_word(rng)
            while word in taken:
                word = make_word(rng)
            taken.add(word)
            own.append(word)
        frequency = np.arange(1, len(own) + 1) ** -rng.uniform(0.8, 1.0)
        words.append(tuple(own))
        weights.append(frequency / frequency.sum())
    return Words(
        topics=tuple(TOPICS), categories=tuple(category for category, _ in TOPICS.values()),
        common=COMMON, words=tuple(words), weights=tuple(weights),
    )  # fmt: skip


def make_word(rng: np.random.Generator) -> str:
    """A word nobody knows but anybody can say: two or three syllables, the last one closed."""
    syllables = [pick(rng, ONSETS) + pick(rng, VOWELS) for _ in range(int(rng.integers(2, 4)))]
    return "".join(syllables) + (pick(rng, CODAS) if rng.random() < 0.7 else "")


def pick(rng: np.random.Generator, choices: tuple[str, ...]) -> str:
    return choices[int(rng.integers(len(choices)))]
