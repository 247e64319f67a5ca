"""How much of the words is known, against plain loops, and what is said of it."""

import dataclasses
import json

import pytest

from legoc.data import prepare
from legoc.data.survey.portrait import draw_portrait
from legoc.data.survey.words import Known, measure_words, warn_of_words
from legoc.language.ir.spec import Call
from tests.data.test_prepare import make_spec
from tests.data.test_splitting import cut


@pytest.fixture(scope="module")
def prepared(demo_cache):
    return prepare(make_spec(history=10), cache=demo_cache)


def slow(prepared, split, vocabulary, limits):
    """Unknown tokens of the items of a part, and items that have no other, item by item."""
    tokens = unknown = silent = told = 0
    for row in sorted({int(row) for row in prepared.logs[split].item}):
        record = prepared.item_records([row])[0]
        words = [w for name, n in limits.items() for w in cut(record[name] or "")[:n]]
        missing = [word for word in words if word not in vocabulary]
        tokens += len(words)
        unknown += len(missing)
        told += bool(words)
        silent += bool(words) and len(missing) == len(words)
    return Known(items=told, unknown=unknown / tokens, silent=silent / told)


def test_the_share_of_what_is_unknown(prepared):
    path = prepared.reading_folder / "tokenizers" / "words" / "tokenizer.json"
    vocabulary = json.loads(path.read_text("utf-8"))["model"]["vocab"]
    limits = {p["name"]: p["length"] for p in prepared.reading["parts"] if p["kind"] == "text"}
    found = measure_words(prepared)
    assert list(found) == [name for name in prepared.report.parts if name in prepared.logs]
    assert found["train"].unknown == 0
    assert found["test"].unknown > 0
    for split, known in found.items():
        wanted = slow(prepared, split, vocabulary, limits)
        assert known.items == wanted.items
        assert (known.unknown, known.silent) == pytest.approx((wanted.unknown, wanted.silent))


def test_items_no_word_of_which_is_known_are_counted(prepared, tmp_path):
    """A vocabulary of one word, which stands in few titles."""
    path = tmp_path / "tokenizers" / "words" / "tokenizer.json"
    path.parent.mkdir(parents=True)
    source = prepared.reading_folder / "tokenizers" / "words" / "tokenizer.json"
    content = json.loads(source.read_text("utf-8"))
    content["model"]["vocab"] = {"[PAD]": 0, "[UNK]": 1, "[SEP]": 2, "the": 3}
    path.write_text(json.dumps(content), "utf-8")
    parts = [p for p in prepared.reading["parts"] if p["kind"] == "text"]
    other = dataclasses.replace(
        prepared, reading_folder=tmp_path, reading={**prepared.reading, "parts": parts}
    )
    limits = {part["name"]: part["length"] for part in parts}
    found = measure_words(other)
    wanted = slow(other, "test", {"the"}, limits)
    assert (found["test"].unknown, found["test"].silent) == (wanted.unknown, wanted.silent)
    assert found["test"].silent > 0.2
    (said,) = warn_of_words(found, other)
    assert said.endswith(
        "write `tokenizer = subwords(size=8k)`, which knows every word by its pieces"
    )


def test_little_that_is_unknown_is_no_warning(prepared):
    fine = {"test": Known(items=9, unknown=0.19, silent=0.04)}
    assert warn_of_words(fine, prepared) == []
    assert warn_of_words({}, prepared) == []
    bad = {**fine, "valid": Known(items=9, unknown=0.5, silent=0.1)}
    (said,) = warn_of_words(bad, prepared)
    assert said.startswith("50.0% of the tokens of the items of valid are unknown, and 10.0% ")


def test_pieces_of_words_are_all_known_and_other_tokenizers_have_another_remedy(demo_cache):
    spec = make_spec(history=10, tokenizer=Call(op="subwords", args={"size": 2000}))
    prepared = prepare(spec, cache=demo_cache)
    assert {known.unknown for known in draw_portrait(spec, prepared).words.values()} == {0.0}
    (said,) = warn_of_words({"test": Known(items=9, unknown=0.5, silent=0.1)}, prepared)
    assert "subwords" not in said


def test_a_model_of_ids_reads_no_words(demo_cache):
    spec = make_spec("Null")
    portrait = draw_portrait(spec, prepare(spec, cache=demo_cache))
    assert portrait.words == {}
