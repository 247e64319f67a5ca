"""A number in sixteen bins, from a file through training to the runtime."""

import csv
import json
import random

import numpy as np
import pytest

import legoc_runtime
from legoc_runtime.errors import RequestError
from tests.product.conftest import run


SPEC = """
data shop {
  source = Tables("shop", numbers=["price"])
  content = [title(4), price(16)]
  history = 12
}
model priced = content Pooling(hidden=16) -> behavior Pooling -> predict Dot
train short { task = matching(negatives=4, pool=uniform) epochs = 12 lr = 3e-2 batch = 32 }
run priced on shop with short
"""
ITEMS, USERS = 160, 240


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, cache):
    """Of a shop whose customers look at the price and at nothing else."""
    place = tmp_path_factory.mktemp("priced")
    (place / "shop").mkdir()
    random.seed(3)
    prices = [round(1.5 + 0.5 * number, 2) for number in range(ITEMS)]
    order = random.sample(range(ITEMS), ITEMS)
    with (place / "shop" / "items.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["item_id", "title", "price"])
        rows.writerows([f"{i}", "thing", prices[order[i]] if i else ""] for i in range(ITEMS))
    with (place / "shop" / "interactions.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["user_id", "item_id", "time"])
        for user in range(USERS):
            band = random.randrange(8)
            liked = [i for i in range(1, ITEMS) if order[i] * 8 // ITEMS == band]
            for click, item in enumerate(random.sample(liked, 9)):
                day = 1 + 3 * click + user % 3
                rows.writerow([f"u{user}", item, f"2024-03-{day:02d} 12:{user % 60:02d}:00"])
    (place / "shop.lego").write_text(SPEC, encoding="utf-8")
    arguments = ("--cache", cache, "--runs", place / "runs", "-q")
    assert run("train", place / "shop.lego", *arguments) == 0
    return next((place / "runs").glob("priced-*")) / "bundle"


def test_the_price_alone_is_learnt(bundle):
    metrics = json.loads((bundle.parent / "metrics.json").read_text("utf-8"))
    assert metrics["test"]["metrics"]["GAUC"] > 0.8


def test_the_runtime_puts_a_raw_number_into_the_bin_that_training_did(bundle):
    model = legoc_runtime.load(bundle)
    model.self_test()
    with (bundle.parents[2] / "shop" / "items.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        price = {"price": float(row["price"])} if row["price"] else {}
        model.items.add([{"id": f"new {row['item_id']}", "title": "thing", **price}])
    user = model.encode_user([rows[5]["item_id"], rows[9]["item_id"]])
    known = model.score(user, [r["item_id"] for r in rows])
    again = model.score(user, [f"new {r['item_id']}" for r in rows])
    np.testing.assert_allclose(again, known, rtol=1e-5, atol=1e-6)
    with pytest.raises(RequestError, match="not a number"):
        model.items.add([{"id": "text", "title": "thing", "price": "dear"}])
    # Bins are sixteen quantiles: so many scores, and one for the item without a price.
    assert len(np.unique(known[1:].round(5))) == 16
    ordered = sorted(rows[1:], key=lambda r: float(r["price"]))
    scores = model.score(user, [r["item_id"] for r in ordered]).round(5)
    assert (scores[1:] != scores[:-1]).sum() == 15
