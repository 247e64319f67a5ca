"""Word vectors in GloVe's form: found rows, coverage, what is counted and what is refused."""

import gzip
import json

import numpy as np
import pytest
import tokenizers
from tokenizers import models, pre_tokenizers

from legoc.data import prepare
from legoc.data.reading.vectors import read_vectors, read_width
from legoc.language import check, load
from legoc.language.diagnosing.diagnostics import LegoError
from tests.data.test_prepare import make_spec


WORDS = ["[PAD]", "[UNK]", "[SEP]", "rome", "burns", "Nero", ", and", "1", "café", "absent"]


@pytest.fixture
def vocabulary(tmp_path):
    """A reading of one text attribute and one category, and its folder."""
    tokenizer = tokenizers.Tokenizer(
        models.WordLevel({word: row for row, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(WORDS[:3])
    folder = tmp_path / "tokens"
    (folder / "tokenizers" / "words").mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizers" / "words" / "tokenizer.json"))
    reading = {
        "layout": "fields", "rows": len(WORDS) + 2, "padding": 0, "unknown": 1, "separator": 2,
        "parts": [
            {"name": "title", "kind": "text", "length": 4,
             "tokenizer": "tokenizers/words/tokenizer.json"},
            {"name": "category", "kind": "category", "length": 1,
             "vocabulary": "vocabularies/category.json"},
        ],
    }  # fmt: skip
    return reading, folder


@pytest.fixture
def read(vocabulary, tmp_path):
    def run(text, name="glove.txt"):
        path = tmp_path / name
        raw = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
        return read_vectors(path, *vocabulary, tmp_path / "cache")

    return run


GLOVE = (
    "the 9 9 9\n"
    "rome 0.5 -1 2e-3\n"
    ", and 1 2 3\n"
    "1 4 5 6\n"
    "nero 7 8 9\n"
    "café 0 0 1\n"
    "rome 8 8 8\n"
    "burns nan 1 2\n"
    "burns 1 2\n"
    "unseen x y z\n"
)


def test_rows_of_the_words_at_hand(read):
    found = read(GLOVE)
    values = {WORDS[row]: tuple(v) for row, v in zip(found.rows, found.values, strict=True)}
    assert values == {
        "rome": (0.5, -1.0, np.float32(2e-3)),
        # A word with a blank, a word that is a number, one whose lower-case form is there.
        ", and": (1, 2, 3),
        "1": (4, 5, 6),
        "Nero": (7, 8, 9),
        "café": (0, 0, 1),
    }
    assert (found.width, found.words, found.bad) == (3, 7, 2)
    assert found.coverage == pytest.approx(5 / 7)
    assert found.rows.dtype == np.int32
    assert found.values.dtype == np.float32


def test_coverage_of_what_is_written(read, vocabulary):
    # rome burns [UNK] | rome, and the category's ids, which are no words
    ids = np.array([[0, 0, 0], [3, 4, 1], [3, 0, 0]], dtype=np.int32)
    category = np.array([[0], [10], [11]], dtype=np.int32)
    matrices = {"title": (ids, None), "category": (category, None)}
    assert read(GLOVE).spoken(matrices, vocabulary[0]) == pytest.approx(2 / 4)


@pytest.mark.parametrize("name", ["glove.txt", "glove.txt.gz"])
def test_a_header_and_a_gzip_are_read(read, name):
    found = read("2 3\nrome 1 2 3 \nburns 4 5 6\r\n", name)
    np.testing.assert_array_equal(found.values, [[1, 2, 3], [4, 5, 6]])
    assert found.bad == 0


def test_an_exact_form_comes_before_the_lower_case_one(read):
    found = read("nero 1 1\nNero 2 2\n")
    np.testing.assert_array_equal(found.values, [[2, 2]])


def test_subwords_take_the_vector_of_the_word_they_begin(tmp_path):
    tokenizer = tokenizers.Tokenizer(
        models.WordLevel({"[PAD]": 0, "[UNK]": 1, "Ġrome": 2, "an": 3}, unk_token="[UNK]")
    )
    tokenizer.save(str(tmp_path / "t.json"))
    (tmp_path / "v.txt").write_text("rome 1 2\n", "utf-8")
    reading = {"parts": [{"tokenizer": "t.json"}]}
    found = read_vectors(tmp_path / "v.txt", reading, tmp_path, tmp_path / "cache")
    assert list(found.rows) == [2]


def test_a_second_reading_comes_from_the_cache(read, tmp_path):
    first = read(GLOVE)
    (place,) = (tmp_path / "cache" / "vectors").iterdir()
    manifest = json.loads((place / "manifest.json").read_text("utf-8"))
    changed = first.values + 1
    np.save(place / "values.npy", changed)
    assert manifest["files"]["values.npy"] == (place / "values.npy").stat().st_size
    np.testing.assert_array_equal(read(GLOVE).values, changed)
    assert read(GLOVE + "absent 1 1 1\n").coverage > first.coverage


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "first line"),
        ("no numbers here\n", "first line"),
        (b"PK\x03\x04\x00\xff", "first line"),
        ("other 1 2 3\n", "no vector for any of 7 words"),
    ],
)
def test_what_holds_no_vectors_is_refused(read, tmp_path, text, said):
    with pytest.raises(LegoError) as error:
        read(text)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "E0641"
    assert said in diagnostic.message
    assert not list((tmp_path / "cache" / "vectors").glob("*"))


def test_a_gzip_that_breaks_off_and_a_missing_file(vocabulary, tmp_path):
    path = tmp_path / "glove.txt.gz"
    path.write_bytes(gzip.compress(GLOVE.encode() * 50)[:-20])
    with pytest.raises(LegoError) as error:
        read_vectors(path, *vocabulary, tmp_path / "cache")
    assert "breaks off after line" in error.value.diagnostics[0].message
    with pytest.raises(LegoError) as error:
        read_width(tmp_path / "none.txt")
    assert "missing" in error.value.diagnostics[0].message


def test_vectors_need_a_text(vocabulary, tmp_path):
    reading, folder = vocabulary
    path = tmp_path / "glove.txt"
    path.write_text(GLOVE, "utf-8")
    with pytest.raises(LegoError) as error:
        read_vectors(path, {**reading, "parts": reading["parts"][1:]}, folder, tmp_path)
    assert "no text" in error.value.diagnostics[0].message


def test_a_spec_reads_its_vectors(demo_cache, demo_tables, tmp_path):
    words = " ".join(demo_tables.items()["title"]).split()
    path = tmp_path / "glove.txt"
    path.write_text("".join(f"{word.lower()} {len(word)} 0 1\n" for word in words[:50]), "utf-8")
    prepared = prepare(make_spec(vectors=str(path)), cache=demo_cache)
    assert prepared.rows.vectors == prepared.vectors.width == 3
    assert prepare(make_spec(), cache=demo_cache).rows.vectors == 0
    vocabulary = json.loads(
        (prepared.reading_folder / "tokenizers" / "words" / "tokenizer.json").read_text("utf-8")
    )["model"]["vocab"]
    row = vocabulary[words[0].lower()]
    place = list(prepared.vectors.rows).index(row)
    np.testing.assert_array_equal(prepared.vectors.values[place], [len(words[0]), 0, 1])
    with pytest.raises(LegoError) as error:
        prepare(make_spec("Null", vectors=str(path)), cache=demo_cache)
    assert error.value.diagnostics[0].code == "E0641"


def test_a_recipe_may_slow_or_freeze_vectors(tmp_path):
    (tmp_path / "glove.txt").write_text("rome 1 2\n", "utf-8")
    file = tmp_path / "a.lego"
    text = (
        "data d {{ source = Demo {} }}\ntrain t {{ lr_pretrained = 0 }}\n"
        "model m = content CNN -> behavior Additive -> predict Dot\nrun m on d with t\n"
    )
    file.write_text(text.format('vectors = "glove.txt"'), "utf-8")
    assert load(file)[0].train.lr_pretrained == 0
    file.write_text(text.format(""), "utf-8")
    assert [d.code for d in check(file).diagnostics] == ["E0503"]
