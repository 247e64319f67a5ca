"""The predictors that are counted, a second time: plain loops over clicks, words and categories.

`user` is the real clicks [S, D], `item` the candidate [D]: whole numbers where they are ids.
"""

from collections import defaultdict
from collections.abc import Callable


def predict_number(w, settings, user, item):
    return float(item[0])


def predict_itemknn(w, settings, user, item):
    count = (len(item) - 1) // 2
    found = 0.0
    for click in user:
        for neighbour, similarity in zip(click[1 : 1 + count], click[1 + count :], strict=False):
            found += similarity if neighbour == item[0] else 0.0
    return found


def predict_tfidf(w, settings, user, item):
    half = len(item) // 2
    found = 0.0
    for click in user:
        words = defaultdict(float)
        for word, weight in zip(click[:half], click[half:], strict=True):
            words[word] += weight
        found += sum(
            words[word] * weight for word, weight in zip(item[:half], item[half:], strict=True)
        )
    return found


def predict_lastcategory(w, settings, user, item):
    wanted = set(item[item > 0])
    known = [set(click[click > 0]) for click in user if (click > 0).any()]
    if not known:
        return 0.0
    same = [bool(wanted & values) for values in known]
    return same[-1] + sum(same) / len(same) / 2


COUNTED: dict[tuple[str, str], Callable[..., float]] = {
    ("predict", "Popularity"): predict_number,
    ("predict", "ItemMean"): predict_number,
    ("predict", "Random"): predict_number,
    ("predict", "ItemKNN"): predict_itemknn,
    ("predict", "TFIDF"): predict_tfidf,
    ("predict", "LastCategory"): predict_lastcategory,
}
