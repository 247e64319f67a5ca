"""The benchmark of a catalogue asks what a model would."""

import numpy as np

from benchmarks.catalogue import ask, names
from legoc_runtime.table import make_table
from legoc_runtime.users import User


def test_it_asks_for_the_ten_best():
    random = np.random.default_rng(5)
    matrix = random.normal(size=(200, 64)).astype(np.float32)
    matrix[0] = 0
    vector = random.normal(size=64).astype(np.float32)
    user = User(vectors=vector, clicks=(), unknown=(), known=False)
    ((ids, scores),) = ask(make_table(names(200), matrix), user)()
    products = matrix[1:] @ vector
    best = np.argsort(-products)[:10]
    assert ids == [f"N{place + 1}" for place in best]
    np.testing.assert_allclose(scores, products[best], rtol=1e-5)
