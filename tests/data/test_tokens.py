"""Token matrices, vocabularies and bins against plain loops, learned from training items only."""

import json
import re
import subprocess
import sys
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from legoc.data.cache import MANIFEST
from legoc.data.indexing.tables import Tables
from legoc.data.reading.inputs import IdTable, TokenTable
from legoc.data.reading.tokens import tokenize
from legoc.data.reading.vocabulary import Space, Words, write_bins, write_categories
from legoc.data.staging.report import Report
from legoc.language.declaring.declare import Attribute
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call
from legoc_runtime.tokens import Reader


ATTRIBUTES = (
    Attribute(name="title", kind="text", length=4),
    Attribute(name="tags", kind="category", length=2),
    Attribute(name="price", kind="number", length=4),
    Attribute(name="category", kind="category", length=1),
)
ITEMS = {
    "item_id": ["a", "b", "c", "d", "e", "f"],
    "title": ["Red, red wine", "THE blue sea is wide", "", "wine café!", None, "later words only"],
    "tags": [["x", "y", "z"], ["y"], [], ["y", "x"], None, ["fresh"]],
    "price": [1.0, 2.0, None, 4.0, 5.0, 100.0],
    "category": ["news", "NA", "", "news", None, "new"],
}
TRAINING = ["a", "b", "c", "d", "e"]


@pytest.fixture
def tables(tmp_path):
    folder = tmp_path / "tables"
    folder.mkdir()
    pd.DataFrame(ITEMS).to_parquet(folder / "items.parquet", index=False)
    pd.DataFrame({"item_id": TRAINING}).to_parquet(folder / "training.parquet", index=False)
    for name in ("histories", "interactions"):
        pd.DataFrame({"row": [0]}).to_parquet(folder / f"{name}.parquet", index=False)
    coverage = dict.fromkeys(list(ITEMS)[1:], 1.0)
    report = Report(
        source="Hand", licence="", items=6, users=0, histories=0, empty_histories=0,
        coverage=coverage,
    )  # fmt: skip
    return Tables(folder=folder, digest="d" * 64, report=report)


def words_of(text):
    return re.findall(r"\w+|[^\w\s]+", (text or "").lower())


def slow_space():
    """Ids of words, categories and bins as the contract states them."""
    counts = Counter(w for item, t in zip(*named("title"), strict=True) for w in words_of(t))
    words = sorted(counts, key=lambda w: (-counts[w], w))
    word_ids = {w: 3 + place for place, w in enumerate(words)}
    at = 3 + len(words)
    categories = {}
    for name in ("tags", "category"):
        values = Counter()
        for value in named(name)[1]:
            values.update(v for v in ([value] if isinstance(value, str) else value or []) if v)
        ordered = sorted(values, key=lambda v: (-values[v], v))
        categories[name] = {v: at + place for place, v in enumerate(ordered)}
        at += len(ordered)
    return word_ids, categories, at


def named(name):
    rows = [r for r, item in enumerate(ITEMS["item_id"]) if item in TRAINING]
    return [ITEMS["item_id"][r] for r in rows], [ITEMS[name][r] for r in rows]


def slow_rows(row):
    word_ids, categories, first = slow_space()
    edges = np.quantile([1, 2, 4, 5], [0.25, 0.5, 0.75])
    tags = (ITEMS["tags"][row] or [])[:2]
    category, price = ITEMS["category"][row], ITEMS["price"][row]
    return {
        "title": [word_ids.get(w, 1) for w in words_of(ITEMS["title"][row])][:4],
        "tags": [categories["tags"].get(v, 1) for v in tags],
        "price": [] if price is None else [first + sum(price >= e for e in edges)],
        "category": [categories["category"].get(category, 1)] if category else [],
    }


def make(tables, layout, root, **changes):
    settings = {"layout": layout, "ports": (), "tokenizer": None, "root": root} | changes
    return tokenize(tables, ATTRIBUTES, **settings)


def test_fields_hold_each_attribute_apart(tables, tmp_path):
    table, reading, _ = make(tables, "fields", tmp_path)
    everything = table.rows(np.arange(7, dtype=np.int32))
    assert set(everything) == {f"{a.name}{end}" for a in ATTRIBUTES for end in ("", "_mask")}
    for row in range(6):
        for name, expected in slow_rows(row).items():
            mask = everything[f"{name}_mask"][row + 1]
            assert everything[name][row + 1][mask].tolist() == expected
            assert mask.tolist() == sorted(mask, reverse=True)
        assert table.lengths[row + 1] == sum(len(ids) for ids in slow_rows(row).values())
    assert not everything["title_mask"][0].any()
    assert table.lengths[0] == 0
    assert reading["rows"] == slow_space()[2] + 4
    assert everything["title"].dtype == np.int32
    assert everything["title_mask"].dtype == bool


def test_sequence_lays_attributes_end_to_end(tables, tmp_path):
    table, _, _ = make(tables, "sequence", tmp_path)
    everything = table.rows(np.arange(7, dtype=np.int32))
    for row in range(6):
        expected = [t for ids in slow_rows(row).values() if ids for t in (*ids, 2)]
        mask = everything["tokens_mask"][row + 1]
        assert everything["tokens"][row + 1][mask].tolist() == expected
        assert mask.tolist() == sorted(mask, reverse=True)


def test_rows_are_cut_to_their_longest_and_never_empty(tables, tmp_path):
    table, _, _ = make(tables, "fields", tmp_path)
    assert table.rows(np.array([0, 3], dtype=np.int32))["title"].shape == (2, 1)
    assert table.rows(np.array([1, 4], dtype=np.int32))["title"].shape == (2, 4)
    assert table.rows(np.array([4], dtype=np.int32))["title"].shape == (1, 3)
    assert table.rows(np.zeros(0, dtype=np.int32))["title"].shape == (0, 1)


def test_nothing_is_learned_from_items_training_does_not_show(tables, tmp_path):
    _, _, folder = make(tables, "fields", tmp_path)
    text = (folder / "tokenizers" / "words" / "tokenizer.json").read_text("utf-8")
    vocabulary = json.loads(text)["model"]["vocab"]
    assert not {"later", "words", "only"} & set(vocabulary)
    assert {"red", "wine", "café", ","} <= set(vocabulary)
    for name, later in (("tags", "fresh"), ("category", "new")):
        values = json.loads((folder / "vocabularies" / f"{name}.json").read_text())["values"]
        assert later not in values
    assert max(json.loads((folder / "vocabularies" / "price.json").read_text())["edges"]) < 100


def test_serving_reads_as_training_does(tables, tmp_path):
    for layout in ("fields", "sequence"):
        table, reading, folder = make(tables, layout, tmp_path)
        reader = Reader.load(folder, reading)
        records = [{name: ITEMS[name][row] for name in list(ITEMS)[1:]} for row in range(6)]
        for name, (ids, lengths) in reader.read(records).items():
            stored, real = table.matrices[name]
            assert (real[1:] == lengths).all()
            assert (stored[1:, : ids.shape[1]] == ids).all()


def test_a_second_start_reads_what_is_there(tables, tmp_path):
    _, reading, folder = make(tables, "fields", tmp_path)
    (folder / "matrices" / "title.lengths.npy").touch()
    before = (folder / MANIFEST).stat().st_mtime_ns
    _, again, same = make(tables, "fields", tmp_path)
    assert (again, same) == (reading, folder)
    assert (folder / MANIFEST).stat().st_mtime_ns == before
    _, _, other = make(tables, "sequence", tmp_path)
    assert other != folder


LEARN = """
import sys
from pathlib import Path
from legoc.data.reading.vocabulary import Subwords, Words
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

texts = ["the quick brown fox jumps over the lazy dog", "rain again ahead", "bread prices rise"]
place = Path(sys.argv[1])
Words().write(texts * 3, place / "words.json")
Subwords(Subwords.Config(size=300)).write(texts * 3, place / "subwords.json")
other = Tokenizer(models.WordPiece(unk_token="[UNK]"))
other.pre_tokenizer = pre_tokenizers.Whitespace()
trainer = trainers.WordPieceTrainer(vocab_size=80, show_progress=False)
other.train_from_iterator(texts * 3, trainer)
other.save(str(place / "wordpiece.json"))
"""


def test_every_process_learns_the_same_ids(tmp_path):
    """Word pieces, which we do not learn, get other ids in each."""
    made = {"words": set(), "subwords": set(), "wordpiece": set()}
    for place in ("a", "b", "c"):
        (tmp_path / place).mkdir()
        subprocess.run([sys.executable, "-c", LEARN, str(tmp_path / place)], check=True)
        for name, found in made.items():
            found.add((tmp_path / place / f"{name}.json").read_bytes())
    assert (len(made["words"]), len(made["subwords"])) == (1, 1)
    assert len(made["wordpiece"]) > 1


def test_subwords_know_every_word(tables, tmp_path):
    call = Call(op="subwords", args={"size": 300})
    table, reading, folder = make(tables, "fields", tmp_path, tokenizer=call)
    rows = table.rows(np.arange(1, 7, dtype=np.int32))
    assert not (rows["title"][rows["title_mask"]] == 1).any()
    first, _, _ = make(tables, "fields", tmp_path / "second", tokenizer=call)
    assert (first.matrices["title"][0] == table.matrices["title"][0]).all()
    assert 259 < reading["rows"] <= 300 + 5
    assert (folder / "tokenizers" / "subwords" / "tokenizer.json").is_file()


def test_a_tokenizer_of_the_users_own(tables, tmp_path):
    given = tmp_path / "own.json"
    Words().write(["red wine sea"], given)
    call = Call(op="file", args={"path": str(given)})
    table, reading, _ = make(tables, "fields", tmp_path, tokenizer=call)
    rows = table.rows(np.array([1], dtype=np.int32))
    assert rows["title"][0].tolist() == [3, 1, 3, 5]
    assert (reading["unknown"], reading["separator"]) == (1, 2)


@pytest.mark.parametrize("content", [None, "{}", '{"model": 3}', "pad"])
def test_a_tokenizer_that_cannot_be_used_is_refused(tables, tmp_path, content):
    given = tmp_path / "own.json"
    if content == "pad":
        Words().write(["red"], given)
        given.write_text(given.read_text().replace("[PAD]", "[ODD]"))
    elif content is not None:
        given.write_text(content)
    with pytest.raises(LegoError) as error:
        make(tables, "fields", tmp_path, tokenizer=Call(op="file", args={"path": str(given)}))
    assert error.value.diagnostics[0].code == "E0626"


def test_an_attribute_that_is_not_there_is_refused(tables, tmp_path):
    wrong = (Attribute(name="headline", kind="text", length=3),)
    with pytest.raises(LegoError) as error:
        tokenize(tables, wrong, layout="fields", ports=(), tokenizer=None, root=tmp_path)
    assert error.value.diagnostics[0].code == "E0628"


def test_models_of_ids_read_the_place_of_an_item():
    table = IdTable.of(5)
    assert table.rows(np.array([3, 1], dtype=np.int32))["item"].tolist() == [3, 1]
    assert table.lengths.shape == (5,)


def test_bins_hold_equally_many_and_equal_edges_become_one(tmp_path, rng):
    values = rng.normal(size=1000)
    space = Space(rows=10, unknown=1, separator=2)
    write_bins(values.tolist(), 8, tmp_path / "n.json", space)
    content = json.loads((tmp_path / "n.json").read_text())
    counts = np.bincount(np.searchsorted(content["edges"], values, side="right"))
    assert (counts == 125).all()
    assert (content["first"], space.rows) == (10, 18)
    write_bins([1.0] * 50 + [2.0], 8, tmp_path / "m.json", space)
    assert json.loads((tmp_path / "m.json").read_text())["edges"] == [1.0]
    write_bins([None, float("nan")], 8, tmp_path / "k.json", space)
    assert json.loads((tmp_path / "k.json").read_text())["edges"] == []


def test_categories_are_numbered_by_how_often_they_occur(tmp_path):
    space = Space(rows=5, unknown=1, separator=2)
    values = ["b", "a", "b", "", None, ["c", "a", "c", "c"]]
    write_categories("c", values, tmp_path / "c.json", space)
    content = json.loads((tmp_path / "c.json").read_text())["values"]
    assert content == {"c": 5, "a": 6, "b": 7}
    assert space.rows == 8


def test_a_mask_comes_from_the_lengths_and_not_from_the_ids():
    ids = np.array([[0, 0, 0], [5, 0, 7], [9, 9, 9]], dtype=np.int32)
    lengths = np.array([0, 3, 1], dtype=np.int32)
    table = TokenTable(ports=(), matrices={"title": (ids, lengths)}, lengths=lengths)
    mask = table.rows(np.arange(3, dtype=np.int32))["title_mask"]
    assert mask.tolist() == [[False] * 3, [True] * 3, [True, False, False]]
