"""Word vectors in GloVe's form: found rows, coverage, what is counted and what is refused."""

import bz2
import gzip
import io
import json
import lzma
import zipfile

import numpy as np
import pytest
import tokenizers
from tokenizers import models, pre_tokenizers

from legoc.data import prepare
from legoc.data.reading.pieces import Piece
from legoc.data.reading.vectors import open_vectors, read_vectors, read_width
from legoc.language import check, load
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.progress import SILENT
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
def read(vocabulary, tmp_path, monkeypatch):
    """Reads vectors as they stand in a file, before they are brought to a scale."""
    monkeypatch.setattr("legoc.data.reading.vectors.settle", lambda values: values)

    def run(text, name="glove.txt"):
        path = tmp_path / name
        raw = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
        return read_vectors(open_vectors(str(path)), *vocabulary, tmp_path / "cache")

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


def locked():
    """A zip whose one file says that it wants a password."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("glove.txt", "rome 1 2 3\n")
    raw = bytearray(made.getvalue())
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    return bytes(raw)


def zipped(raw, *names):
    def write(path):
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, raw)

    return write


@pytest.mark.parametrize(
    ("name", "write"),
    [
        # fastText's own text form: a header, and a blank behind each line.
        ("crawl.vec", lambda path: path.write_bytes(b"2 3\nrome 1 2 3 \nburns 4 5 6 \n")),
        # What a file is says its content, not its name.
        ("packed.txt", lambda path: path.write_bytes(gzip.compress(b"rome 1 2 3\nburns 4 5 6\n"))),
        ("a.bz2", lambda path: path.write_bytes(bz2.compress(b"rome 1 2 3\nburns 4 5 6\n"))),
        ("a.xz", lambda path: path.write_bytes(lzma.compress(b"rome 1 2 3\nburns 4 5 6\n"))),
        ("a.zip", zipped(b"rome 1 2 3\nburns 4 5 6\n", "glove.txt")),
    ],
)
def test_packed_files_and_other_text_forms_are_read(tmp_path, name, write):
    write(tmp_path / name)
    given = open_vectors(str(tmp_path / name))
    pieces = [Piece(row=3, text="rome"), Piece(row=4, text="burns")]
    with SILENT.task("", None) as task:
        rows, values, bad = given.look_up(pieces, task)
    assert (rows.tolist(), bad) == ([3, 4], 0)
    np.testing.assert_array_equal(values, [[1, 2, 3], [4, 5, 6]])
    assert read_width(str(tmp_path / name)) == 3


def test_a_file_of_a_model_is_told_from_word_vectors(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    with pytest.raises(LegoError) as error:
        read_width(str(tmp_path / "model.safetensors"))
    (problem,) = error.value.diagnostics
    assert (problem.code, f'"{tmp_path}"' in problem.help[0]) == ("E0641", True)


def test_an_archive_of_several_files_is_not_guessed_from(vocabulary, tmp_path):
    zipped(b"rome 1 2\n", "glove.6B.50d.txt", "glove.6B.100d.txt")(tmp_path / "glove.6B.zip")
    with pytest.raises(LegoError) as error:
        read_vectors(open_vectors(str(tmp_path / "glove.6B.zip")), *vocabulary, tmp_path)
    (problem,) = error.value.diagnostics
    assert "holds 2 files: glove.6B.50d.txt, glove.6B.100d.txt" in problem.message
    assert "unpack" in problem.help[0]


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
    given = open_vectors(str(tmp_path / "v.txt"))
    found = read_vectors(given, reading, tmp_path, tmp_path / "cache")
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
        (b"PK\x03\x04\x00\xff", "breaks off after line 0"),
        (b"\xba\x16\x4f\x2f\x0c\x00", "a model of fastText"),
        (b"\x93NUMPY\x01\x00", "an array of NumPy"),
        (b"2 3\nrome \x00\x00\x80\x3f\x00\x00", "word2vec's binary form"),
        ("other 1 2 3\n", "no vector for any of 7 words"),
        ("3 99999999999999999999\nrome 1\n", "first line"),
        (gzip.compress(b"", mtime=0)[:10] + b"\xff" * 20, "breaks off after line 0"),
        (locked(), "cannot be unpacked"),
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
        read_vectors(open_vectors(str(path)), *vocabulary, tmp_path / "cache")
    assert "breaks off after line" in error.value.diagnostics[0].message
    with pytest.raises(LegoError) as error:
        read_width(str(tmp_path / "none.txt"))
    assert "missing" in error.value.diagnostics[0].message


def test_vectors_need_a_text(vocabulary, tmp_path):
    reading, folder = vocabulary
    path = tmp_path / "glove.txt"
    path.write_text(GLOVE, "utf-8")
    given = open_vectors(str(path))
    with pytest.raises(LegoError) as error:
        read_vectors(given, {**reading, "parts": reading["parts"][1:]}, folder, tmp_path)
    assert "no text" in error.value.diagnostics[0].message


def test_vectors_come_to_the_scale_of_a_token_table(vocabulary, tmp_path):
    """Whatever theirs was, and wherever their middle lay: what is kept is how they differ."""
    random = np.random.default_rng(2)
    words = ["rome", "burns", "nero", "1", "café"]
    for middle, spread in ((0.0, 0.05), (3.0, 0.6), (-1.0, 20.0)):
        raw = middle + spread * random.normal(size=(len(words), 40))
        path = tmp_path / f"v{spread}.txt"
        lines = (" ".join([w, *map(repr, v.tolist())]) for w, v in zip(words, raw, strict=True))
        path.write_text("\n".join(lines), "utf-8")
        found = read_vectors(open_vectors(str(path)), *vocabulary, tmp_path / "cache").values
        np.testing.assert_allclose(found.mean(0), 0, atol=1e-6)
        assert found.std() == pytest.approx(0.1)
        order = [WORDS.index(w if w != "nero" else "Nero") for w in words]
        ours = found[np.argsort(np.argsort(order))]
        scaled = (ours[0] - ours[1:]) / (raw[0] - raw[1:])
        np.testing.assert_allclose(scaled, np.full(scaled.shape, scaled[0, 0]), rtol=1e-3)


def test_equal_vectors_stay_as_they_are(vocabulary, tmp_path):
    (tmp_path / "v.txt").write_text("rome 1 2\n", "utf-8")
    found = read_vectors(open_vectors(str(tmp_path / "v.txt")), *vocabulary, tmp_path / "cache")
    np.testing.assert_array_equal(found.values, [[1, 2]])


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
    names = {row: word for word, row in vocabulary.items()}
    found = [names[row] for row in prepared.vectors.rows]
    row = vocabulary[words[0].lower()]
    place = list(prepared.vectors.rows).index(row)
    # The second and the third number are those of all words, and say nothing.
    assert prepared.vectors.values[place][1:].tolist() == [0, 0]
    assert (prepared.vectors.values[place][0] > 0) == (
        len(words[0]) > np.mean([len(vocabulary_word) for vocabulary_word in found])
    )
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
