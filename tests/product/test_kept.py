"""Attributes that an export keeps, from the spec to a filter."""

from pathlib import Path

import pandas

import legoc_runtime
from tests.product.conftest import QUICK, SMALL, run


def test_a_bundle_filters_by_what_was_kept(cache: Path, tmp_path: Path) -> None:
    file = tmp_path / "kept.lego"
    file.write_text(
        "data d { source = Demo content = [title(16)] history = 30 }\n"
        "export e { keep = [category, subcategory] }\n"
        "model naml = content CNN(hidden=16) -> behavior Additive(dim=16) -> predict Dot\n"
        "run naml on d as e\n",
        encoding="utf-8",
    )
    overrides = [part for value in (SMALL, *QUICK) for part in ("--set", value)]
    runs = tmp_path / "runs"
    assert run("train", file, *overrides, "--cache", cache, "--runs", runs, "-q") == 0
    bundle = next(runs.glob("naml-*")) / "bundle"
    model = legoc_runtime.load(bundle)
    assert model.items.attributes == ("category", "subcategory")
    table = pandas.concat(
        t for t in map(pandas.read_parquet, cache.rglob("items.parquet"))
        if {*t["item_id"]} == {*model.items.ids}
    )  # fmt: skip
    news = {*table[table["category"] == table["category"].iloc[0]]["item_id"]}
    user = model.encode_user(model.items.ids[:3])
    where = {"category": table["category"].iloc[0]}
    assert {*model.recommend(user, k=10**6, where=where)[0]} == news != {*model.items.ids}
    model.items.add([{"id": "X", "title": "a", **where}])
    assert {*model.recommend(user, k=10**6, where=where)[0]} == {*news, "X"}
    assert run("verify", bundle, "-q") == 0
