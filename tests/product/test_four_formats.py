"""One shop written as CSV, TSV, JSON lines and Parquet: the same tokens, histories and vectors."""

import csv
import json
import random
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import legoc_runtime
from legoc.data import prepare
from legoc.language import load
from tests.data.table_forms import write_rows, written_time
from tests.product.conftest import run


SPEC = """
data shop {
  source = Tables("shop", negatives=3)
  content = [title(6), kind, tags, features(8), price(4), year(3), flag]
  history = 10
}
model quick = content Pooling(hidden=8) -> behavior Additive -> predict Dot
train short { task = matching(negatives=2, pool=uniform) epochs = 1 lr = 1e-2 }
run quick on shop with short
"""
FORMATS = {"csv": "python", "tsv": "json", "jsonl": "json", "parquet": "json"}
TAGS = ["red", "big one", "it's", "Sci-Fi (old)", 'so-called "new"', "5", "007"]
WORDS = ["storm", "over", "the", "coast", "late", "goal", "for", "united", "as", "rain", "returns"]


def make_items() -> list[dict[str, object]]:
    rng = random.Random(11)
    return [
        {
            "item_id": f"{n:03d}",
            "title": " ".join(rng.choices(WORDS, k=rng.randrange(3, 9))) + f", part {n}",
            "kind": rng.choice(["mug", "garden hose", "Drama, old"]),
            # Missing in the first records, as nothing may be decided by them.
            "tags": None if n < 3 else rng.sample(TAGS, rng.randrange(4)),
            "features": [f"{a} {b} and item {n}" for a, b in [rng.sample(WORDS, 2)] * 2],
            "price": None if n < 3 or n % 9 == 0 else rng.choice([7, 8.5, 1e9, rng.random()]),
            "year": None if n % 7 == 0 else rng.randrange(1990, 2020),
            "flag": rng.random() < 0.5,
        }
        for n in range(40)
    ]


def make_log() -> list[dict[str, object]]:
    rng = random.Random(12)
    return [
        {
            "user_id": f"u{rng.randrange(15)}", "item_id": f"{rng.randrange(40):03d}",
            "time": written_time(rng.randrange(200) * 86_400_000_000, "milliseconds"),
        }
        for _ in range(200)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    found = {}
    for format, lists in FORMATS.items():
        place = tmp_path_factory.mktemp(format)
        write_rows(place / "shop" / "items", make_items(), format, lists)
        write_rows(place / "shop" / "interactions", make_log(), format, lists)
        (place / "shop.lego").write_text(SPEC, encoding="utf-8")
        found[format] = place
    return found


def test_the_same_tokens_and_histories(places: dict[str, Path], tmp_path: Path) -> None:
    first = None
    for format, place in places.items():
        (spec,) = load(place / "shop.lego")
        prepared = prepare(spec, cache=tmp_path / format)
        attributes = [(a.name, a.kind, a.length) for a in spec.data.attributes]
        assert attributes == [
            ("title", "text", 6), ("kind", "category", 1), ("tags", "category", 3),
            ("features", "text", 8), ("price", "number", 4), ("year", "number", 3),
            ("flag", "category", 1),
        ], format  # fmt: skip
        matrices = prepared.inputs.rows(np.arange(len(prepared.items), dtype=np.int32))
        folder = prepared.reading_folder
        assert folder is not None
        words = {
            path.relative_to(folder): path.read_bytes()
            for path in sorted(folder.rglob("*.json"))
            if path.name != "manifest.json"
        }
        logs = {
            name: [getattr(log, part).tolist() for part in
                   ("clicks", "starts", "user", "history", "item", "label", "group")]
            for name, log in prepared.logs.items()
        }  # fmt: skip
        if first is None:
            first = matrices, words, logs, prepared.reading
        for name, ids in first[0].items():
            np.testing.assert_array_equal(matrices[name], ids, err_msg=f"{format} {name}")
        assert words == first[1]
        assert logs == first[2]
        assert prepared.reading == first[3]


def raw_records(place: Path, format: str) -> list[dict[str, object]]:
    """The items as a reader of the format gives them, with `id`."""
    path = place / "shop" / f"items.{format}"
    match format:
        case "parquet":
            rows = pq.read_table(path).to_pylist()
        case "jsonl":
            rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        case _:
            with path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file, delimiter="\t" if format == "tsv" else ","))
    return [{"id": f"new {row.pop('item_id')}", **row} for row in rows]


def test_the_same_vectors_in_training_and_of_raw_records(
    places: dict[str, Path], cache: Path
) -> None:
    trained: np.ndarray | None = None
    added: np.ndarray | None = None
    for format, place in places.items():
        runs = place / "runs"
        assert run("train", place / "shop.lego", "--cache", cache, "--runs", runs, "-q") == 0
        model = legoc_runtime.load(next(runs.glob("quick-*")) / "bundle")
        vectors = model.items.vectors
        records = raw_records(place, format)
        model.items.add(records)
        new = model.items.vectors[[model.items.index(str(one["id"])) for one in records]]
        # Training encodes items in other batches than the runtime.
        np.testing.assert_allclose(new, vectors, atol=1e-6)
        if trained is None or added is None:
            trained, added = vectors, new
        np.testing.assert_array_equal(vectors, trained, err_msg=format)
        np.testing.assert_array_equal(new, added, err_msg=format)
