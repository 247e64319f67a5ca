"""Records become ids: one reader for training and serving."""

import json

import numpy as np
import pytest

from legoc_runtime.errors import BundleError, RequestError
from legoc_runtime.tokens import Reader


WORDS = ["[PAD]", "[UNK]", "[SEP]", "storm", "over", "the", "coast", ",", "late", "goal"]
SPORT, NEWS, FIRST = 10, 11, 12


def write_files(folder, padded=False):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    words = Tokenizer(
        models.WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    words.normalizer = normalizers.Lowercase()
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    if padded:
        words.enable_padding(length=12)
        words.enable_truncation(2)
    (folder / "tokenizers/words").mkdir(parents=True)
    words.save(str(folder / "tokenizers/words/tokenizer.json"))
    (folder / "vocabularies").mkdir()
    write(folder / "vocabularies/category.json", {"values": {"sport": SPORT, "news": NEWS}})
    write(folder / "vocabularies/price.json", {"edges": [1.0, 2.0, 2.0], "first": FIRST})


def write(path, value):
    path.write_text(json.dumps(value))


def reading(layout="fields", length=4):
    return {
        "layout": layout, "rows": 16, "padding": 0, "unknown": 1, "separator": 2,
        "parts": [
            {"name": "title", "kind": "text", "length": length,
             "tokenizer": "tokenizers/words/tokenizer.json"},
            {"name": "category", "kind": "category", "length": 2,
             "vocabulary": "vocabularies/category.json"},
            {"name": "price", "kind": "number", "length": 1,
             "vocabulary": "vocabularies/price.json"},
        ],
    }  # fmt: skip


RECORDS = [
    {"title": "Storm over the coast, late", "category": "news", "price": 0.5},
    {"title": "goal?", "category": ["sport", "chess", "news"], "price": 2},
    {"title": None, "category": "", "price": None},
    {},
]


@pytest.mark.parametrize("padded", [False, True])
def test_fields(tmp_path, padded):
    write_files(tmp_path, padded)
    read = Reader.load(tmp_path, reading()).read(RECORDS)
    ids, lengths = read["title"]
    assert ids.dtype == np.int32
    assert lengths.dtype == np.int32
    assert ids.tolist() == [[3, 4, 5, 6], [9, 1, 0, 0], [0] * 4, [0] * 4]
    assert lengths.tolist() == [4, 2, 0, 0]
    ids, lengths = read["category"]
    assert ids.tolist() == [[NEWS, 0], [SPORT, 1], [0, 0], [0, 0]]
    assert lengths.tolist() == [1, 2, 0, 0]
    ids, lengths = read["price"]
    # A number equal to an edge lies above it, so 2 is over all three edges.
    assert ids.tolist() == [[FIRST], [FIRST + 3], [0], [0]]
    assert lengths.tolist() == [1, 1, 0, 0]


def test_sequence_has_no_gaps_and_a_separator_after_what_is_there(tmp_path):
    write_files(tmp_path)
    ids, lengths = Reader.load(tmp_path, reading("sequence")).read(RECORDS)["tokens"]
    assert ids[0].tolist() == [3, 4, 5, 6, 2, NEWS, 2, FIRST, 2]
    assert ids[1].tolist() == [9, 1, 2, SPORT, 1, 2, FIRST + 3, 2, 0]
    assert not ids[2:].any()
    assert lengths.tolist() == [9, 8, 0, 0]


def test_prompts_and_text_of_every_kind(tmp_path):
    write_files(tmp_path)
    given = reading("sequence")
    for part in given["parts"][1:]:
        part["tokenizer"] = "tokenizers/words/tokenizer.json"
    given["parts"].insert(0, {"text": "the late"})
    given["separator"] = None
    ids, lengths = Reader.load(tmp_path, given).read(
        [{"title": "goal", "category": ["storm", "coast"], "price": 3.0}, {}]
    )["tokens"]
    # `coast` is cut and 3 unknown; an item that says nothing has no prompt either.
    assert ids.tolist() == [[5, 8, 9, 3, 7, 1], [0] * 6]
    assert lengths.tolist() == [6, 0]


def test_ids_as_they_are_stand_around_items_that_say_something(tmp_path):
    write_files(tmp_path)
    given = reading("sequence")
    del given["parts"][1:]
    given["parts"] = [{"ids": [13]}, {"text": "the"}, *given["parts"], {"ids": [14, 15]}]
    given["separator"] = None
    reader = Reader.load(tmp_path, given)
    ids, lengths = reader.read([{"title": "goal"}, {"title": ""}, {"title": "storm coast"}])[
        "tokens"
    ]
    assert ids.tolist() == [[13, 5, 9, 14, 15, 0], [0] * 6, [13, 5, 3, 6, 14, 15]]
    assert lengths.tolist() == [5, 0, 6]
    assert reader.attributes == ("title",)
    assert reader.read([])["tokens"][0].shape == (0, 1)


@pytest.mark.parametrize("part", [{"ids": [16]}, {"ids": [-1]}, {"ids": ["x"]}, {"ids": 3}])
def test_ids_that_have_no_row(tmp_path, part):
    write_files(tmp_path)
    given = reading("sequence")
    given["parts"].append(part)
    with pytest.raises(BundleError, match="not of the form"):
        Reader.load(tmp_path, given)


def test_no_records_and_empty_records(tmp_path):
    write_files(tmp_path)
    read = Reader.load(tmp_path, reading()).read([])
    assert all(ids.shape == (0, 1) and lengths.shape == (0,) for ids, lengths in read.values())
    read = Reader.load(tmp_path, reading()).read([{"title": float("nan")}])
    assert all(ids.shape == (1, 1) and not ids.any() for ids, _ in read.values())


def test_rows_are_read_alike_alone_and_together(tmp_path):
    write_files(tmp_path)
    reader = Reader.load(tmp_path, reading("sequence"))
    ids, lengths = reader.read(RECORDS)["tokens"]
    for place, record in enumerate(RECORDS):
        alone, length = reader.read([record])["tokens"]
        assert alone[0, : length[0]].tolist() == ids[place, : lengths[place]].tolist()


@pytest.mark.parametrize(
    "record", [{"title": {"a": 1}}, {"price": "dear"}, {"price": True}, {"category": {"a": 1}}]
)
def test_values_of_the_wrong_kind(tmp_path, record):
    write_files(tmp_path)
    with pytest.raises(RequestError, match=next(iter(record))):
        Reader.load(tmp_path, reading()).read([record])


def test_readings_that_do_not_fit_their_files(tmp_path):
    write_files(tmp_path)
    with pytest.raises(BundleError, match="rows"):
        Reader.load(tmp_path, {**reading(), "rows": 15})
    with pytest.raises(BundleError, match="form"):
        Reader.load(tmp_path, {**reading(), "layout": "table"})
    with pytest.raises(BundleError, match="form"):
        Reader.load(tmp_path, {**reading(), "parts": [{"name": "title"}]})
    outside = [{"name": "a", "kind": "text", "length": 1, "tokenizer": "../tokenizer.json"}]
    with pytest.raises(BundleError, match="leads out"):
        Reader.load(tmp_path, {**reading(), "parts": outside})
    reader = Reader.load(tmp_path, {**reading(), "rows": 9, "parts": reading()["parts"][:1]})
    with pytest.raises(BundleError, match="beyond the 9 rows"):
        reader.read([{"title": "goal"}])


def test_all_ways_to_write_a_value_are_the_same_ids(tmp_path):
    write_files(tmp_path)
    tokenizer = "tokenizers/words/tokenizer.json"
    for words in (False, True):
        given = reading()
        for part, more in zip(
            given["parts"], ({}, {"between": "|"}, {"decimal": ","}), strict=True
        ):
            part |= {**more, "missing": ["n.a."]}
            if words:
                part["tokenizer"] = tokenizer
        reader = Reader.load(tmp_path, given)
        records = [
            {"title": ["storm", "coast"], "category": ["sport", "news"], "price": 1.5},
            {"title": "['storm', 'coast']", "category": "sport | news", "price": "1,5"},
            {"title": "storm, coast", "category": "['sport' 'news']", "price": "1,50"},
        ]
        empty = [{"title": "n.a.", "category": "n.a.", "price": "n.a."}, {"price": "-"}]
        for ids, _ in reader.read(records).values():
            assert ids[0].tolist() == ids[1].tolist() == ids[2].tolist()
            assert ids.any()
        for _, lengths in reader.read(empty).values():
            assert not lengths.any()


def test_a_number_in_words_is_written_one_way(tmp_path):
    write_files(tmp_path)
    given = reading()
    given["parts"][2]["tokenizer"] = "tokenizers/words/tokenizer.json"
    reader = Reader.load(tmp_path, given)
    seen = []
    reader.parts[2].words.encode = lambda texts: seen.extend(texts) or [[1] for _ in texts]
    reader.read([{"price": value} for value in (1e9, 1000000000, "1e9", "1000000000.0")])
    assert "1000000000" in seen
    assert set(seen) <= {"", "1000000000"}
