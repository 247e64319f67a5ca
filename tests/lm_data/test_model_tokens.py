"""What a language model reads of an item, against a reading written anew from the rules."""

import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
from tokenizers import Tokenizer

from legoc.data import prepare
from legoc.data.reading.checkpoint import checkpoint_digest
from legoc.data.reading.own_tokenizer import find_unknown
from legoc.data.survey.portrait import draw_portrait
from legoc.language.diagnosing.diagnostics import LegoError
from legoc_runtime.tokens import Reader
from tests.lm_data.folders import ROWS, TOKENIZERS, make_folder


SEQUENCE = [("text", "News: "), ("title", 12), ("text", " Category: "), ("subcategory", 64)]
ODD_CONTENT = '["T ", title(40), " of ", tags, price(8), " end"]'
ODD_SEQUENCE = [
    ("text", "T "), ("title", 40), ("text", " of "), ("tags", 64), ("price", 64), ("text", " end")
]  # fmt: skip


def as_text(value):
    """A value as a language model reads it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, list | tuple | np.ndarray):
        return ", ".join(str(one) for one in value)
    if isinstance(value, float):
        return str(int(value)) if value == int(value) else repr(value)
    return str(value)


def expected(tokenizer, sequence, record, before=(), after=()):
    """The ids of an item, part by part."""
    ids, said = list(before), False
    for name, length in sequence:
        if name == "text":
            ids += tokenizer.encode(length, add_special_tokens=False).ids
            continue
        text = as_text(record[name])
        found = tokenizer.encode(text, add_special_tokens=False).ids[:length] if text else []
        said = said or bool(found)
        ids += found
    return [*ids, *after] if said else []


def plain(path):
    made = Tokenizer.from_file(str(path))
    made.no_truncation()
    made.no_padding()
    return made


def read_all(prepared):
    """The ids of every item, row 0 included."""
    every = np.arange(len(prepared.items), dtype=np.int32)
    rows = prepared.inputs.rows(every)
    assert rows["tokens"].dtype == np.int32
    return [
        row[real].tolist() for row, real in zip(rows["tokens"], rows["tokens_mask"], strict=True)
    ]


def verify_serving(prepared, ids):
    """A reader of the files of the reading gives the same ids for every item."""
    reader = Reader.load(prepared.reading_folder, prepared.reading)
    records = prepared.item_records(range(1, len(prepared.items)))
    found, lengths = reader.read(records)["tokens"]
    assert [row[:n].tolist() for row, n in zip(found, lengths, strict=True)] == ids[1:]


@pytest.mark.parametrize("kind", list(TOKENIZERS))
def test_every_item_of_demo(tmp_path, cache, make_spec, kind):
    folder = make_folder(tmp_path / "m", kind)
    prepared = prepare(make_spec(f'LM("{folder}", hidden=8)'), cache=cache)
    tokenizer = plain(folder / "tokenizer.json")
    ids = read_all(prepared)
    records = prepared.item_records(range(1, len(prepared.items)))
    assert ids == [[], *(expected(tokenizer, SEQUENCE, record) for record in records)]
    verify_serving(prepared, ids)
    prompts = sum(len(tokenizer.encode(t, add_special_tokens=False).ids)
                  for t in ("News: ", " Category: "))  # fmt: skip
    assert prepared.rows.longest == prompts + 12 + 64
    assert prepared.rows.tokens == prepared.reading["rows"] == ROWS
    assert prepared.inputs.lengths.tolist() == [len(row) for row in ids]
    # Kept as wide as the longest item, not as the bound.
    assert prepared.inputs.matrices["tokens"][0].shape == (201, max(len(row) for row in ids))
    assert prepared.rows.checkpoint == checkpoint_digest(folder, cache)
    assert draw_portrait(make_spec(f'LM("{folder}", hidden=8)'), prepared).lengths[0].limit == 12


@pytest.mark.parametrize(
    ("kind", "settings", "before", "after"),
    [
        ("wordpiece", "special=true", [2], [3]),
        ("wordpiece", "pooling=cls", [2], [3]),
        ("wordpiece", "pooling=mean", [], []),
        ("begins", "special=true", [0], []),
        ("begins", "pooling=cls", [0], []),
        ("bytes", "pooling=last", [], []),
    ],
)
def test_odd_items(tmp_path, cache, make_spec, odd_tables, kind, settings, before, after):
    folder = make_folder(tmp_path / "m", kind)
    source = f'Tables("{odd_tables}")'
    spec = make_spec(f'LM("{folder}", hidden=8, {settings})', source=source, content=ODD_CONTENT)
    prepared = prepare(spec, cache=cache)
    tokenizer = plain(folder / "tokenizer.json")
    ids = read_all(prepared)
    records = prepared.item_records(range(1, len(prepared.items)))
    assert ids == [
        [], *(expected(tokenizer, ODD_SEQUENCE, record, before, after) for record in records)
    ]  # fmt: skip
    verify_serving(prepared, ids)
    by_id = dict(zip(prepared.items.ids, ids, strict=True))
    # B says nothing: it has no prompt and no special token. C has a price alone.
    assert by_id["B"] == []
    price = tokenizer.encode("2.5", add_special_tokens=False).ids
    assert " ".join(map(str, price)) in " ".join(map(str, by_id["C"]))
    assert len(by_id["E"]) <= prepared.rows.longest
    assert by_id["E"].count(tokenizer.encode("soup", add_special_tokens=False).ids[0]) <= 40


def test_the_values_of_a_list_are_joined(tmp_path, cache, make_spec, odd_tables):
    folder = make_folder(tmp_path / "m")
    spec = make_spec(f'LM("{folder}")', source=f'Tables("{odd_tables}")', content="[tags]")
    prepared = prepare(spec, cache=cache)
    ids = dict(zip(prepared.items.ids, read_all(prepared), strict=True))
    tokenizer = plain(folder / "tokenizer.json")
    assert ids["A"] == tokenizer.encode("goal, cup, soup", add_special_tokens=False).ids
    assert ids["B"] == ids["C"] == ids["F"] == []


def test_a_tokenizer_of_the_users_own(tmp_path, cache, make_spec):
    folder = make_folder(tmp_path / "m")
    TOKENIZERS["bytes"](tmp_path / "mine.json")
    data = f'  tokenizer = file("{tmp_path}/mine.json")'
    prepared = prepare(make_spec(f'LM("{folder}")', data=data), cache=cache)
    (folder / "tokenizer.json").unlink()
    again = prepare(make_spec(f'LM("{folder}")', data=data), cache=cache)
    ids = read_all(prepared)
    assert ids == read_all(again)
    tokenizer = plain(tmp_path / "mine.json")
    records = prepared.item_records(range(1, len(prepared.items)))
    assert ids[1:] == [expected(tokenizer, SEQUENCE, record) for record in records]


def refusal(spec, cache):
    with pytest.raises(LegoError) as raised:
        prepare(spec, cache=cache)
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.help
    return diagnostic


@pytest.mark.parametrize("tokenizer", ["words", "subwords(size=400)"])
def test_a_vocabulary_of_the_items_is_no_language_models(tmp_path, cache, make_spec, tokenizer):
    """The check refuses such a file; a spec made in Python has not been checked."""
    folder = make_folder(tmp_path / "m")
    words = make_spec("CNN(hidden=8)", content="[title]", data=f"  tokenizer = {tokenizer}")
    spec = make_spec(f'LM("{folder}")')
    spec = replace(spec, data=replace(spec.data, tokenizer=words.data.tokenizer))
    found = refusal(spec, cache)
    assert found.code == "E0626"
    assert tokenizer.partition("(")[0] in found.message


def test_more_ids_than_rows(tmp_path, cache, make_spec):
    folder = make_folder(tmp_path / "m", "bytes", vocab_size=309)
    found = refusal(make_spec(f'LM("{folder}")'), cache)
    assert found.code == "E0652"
    assert "309 rows" in found.message
    # As many as there are rows is right.
    size = plain(folder / "tokenizer.json").get_vocab_size()
    whole = make_folder(tmp_path / "n", "bytes", vocab_size=size)
    assert prepare(make_spec(f'LM("{whole}")'), cache=cache).rows.tokens == size


def test_the_unknown_word_of_each_kind(tmp_path):
    from tokenizers import models

    def unknown(model):
        path = tmp_path / "t.json"
        Tokenizer(model).save(str(path))
        return find_unknown(path, Tokenizer.from_file(str(path)))

    assert unknown(models.WordLevel({"a": 0, "<unk>": 3}, unk_token="<unk>")) == 3
    assert unknown(models.Unigram([("a", -1.0), ("b", -2.0), ("<unk>", 0.0)], unk_id=2)) == 2
    assert unknown(models.BPE({"a": 0}, [])) == 0


@pytest.mark.parametrize("text", ["{}", "", '{"model": 3}'])
def test_a_tokenizer_that_is_none(tmp_path, cache, make_spec, text):
    folder = make_folder(tmp_path / "m")
    (folder / "tokenizer.json").write_text(text)
    assert refusal(make_spec(f'LM("{folder}")'), cache).code == "E0651"
    (tmp_path / "mine.json").write_text(text)
    spec = make_spec(f'LM("{folder}")', data=f'  tokenizer = file("{tmp_path}/mine.json")')
    assert refusal(spec, cache).code == "E0626"


@pytest.mark.parametrize(
    ("settings", "said"), [("pooling=cls", "pooling=cls"), ("special=true", "special=true")]
)
def test_special_tokens_that_are_not_there(tmp_path, cache, make_spec, settings, said):
    folder = make_folder(tmp_path / "m", "bytes")
    found = refusal(make_spec(f'LM("{folder}", {settings})'), cache)
    assert found.code == "E0652"
    assert said in found.message


def test_a_bound_above_the_positions(tmp_path, cache, make_spec):
    folder = make_folder(tmp_path / "m", max_position_embeddings=100)
    prompts = sum(
        len(plain(folder / "tokenizer.json").encode(text, add_special_tokens=False).ids)
        for text in ("News: ", " Category: ")
    )
    most = 100 - 64 - prompts
    long = make_spec(
        f'LM("{folder}")', content=f'["News: ", title({most + 5}), " Category: ", subcategory]'
    )
    found = refusal(long, cache)
    assert found.code == "E0653"
    assert "105 tokens" in found.message
    assert f"`title({most})`" in found.help[0]
    assert "by 5" in found.help[0]
    assert f"{most + 5} of `title`" in found.notes[0]
    assert "64 of `subcategory`" in found.notes[0]
    one = make_spec(
        f'LM("{folder}")', content=f'["News: ", title({most + 1}), " Category: ", subcategory]'
    )
    assert "by 1" in refusal(one, cache).help[0]
    right = make_spec(
        f'LM("{folder}")', content=f'["News: ", title({most}), " Category: ", subcategory]'
    )
    assert prepare(right, cache=cache).rows.longest == 100
    # Two more special tokens are two too many.
    wrapped = make_spec(
        f'LM("{folder}", special=true)',
        content=f'["News: ", title({most}), " Category: ", subcategory]',
    )
    assert "by 2" in refusal(wrapped, cache).help[0]


def test_nothing_can_be_shortened(tmp_path, cache, make_spec):
    folder = make_folder(tmp_path / "m", max_position_embeddings=50)
    found = refusal(make_spec(f'LM("{folder}")', content="[subcategory, category]"), cache)
    assert found.code == "E0653"
    assert "leave attributes" in found.help[0]


def test_positions_without_an_end(tmp_path, cache, make_spec):
    folder = make_folder(tmp_path / "m", model_type="t5", max_position_embeddings=None)
    spec = make_spec(f'LM("{folder}")', content="[title(3000)]")
    assert prepare(spec, cache=cache).rows.longest == 3000


def test_the_digest_and_the_cache_follow_the_files(tmp_path, cache, make_spec):
    folder = make_folder(tmp_path / "m")
    first = prepare(make_spec(f'LM("{folder}")'), cache=cache)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    second = prepare(make_spec(f'LM("{copy}")'), cache=cache)
    assert (second.digest, second.reading_folder) == (first.digest, first.reading_folder)
    with (copy / "config.json").open("a") as file:
        file.write("\n")
    third = prepare(make_spec(f'LM("{copy}")'), cache=cache)
    # Another model by its files, the same ids.
    assert third.digest != first.digest
    assert third.rows.checkpoint != first.rows.checkpoint
    assert third.reading_folder == first.reading_folder
    other = '["New: ", title(12), " Category: ", subcategory]'
    fourth = prepare(make_spec(f'LM("{folder}")', content=other), cache=cache)
    assert fourth.digest == first.digest
    assert fourth.reading_folder != first.reading_folder
    words = prepare(make_spec("CNN(hidden=8)", content="[title]"), cache=cache)
    assert (words.rows.checkpoint, words.rows.longest) == ("", 0)


def test_what_no_code_reads(tmp_path, cache, make_spec):
    folder = make_folder(tmp_path / "m")
    glove = tmp_path / "glove.txt"
    glove.write_text("the 1 2\n")
    spec = make_spec(f'LM("{folder}")')
    found = refusal(replace(spec, data=replace(spec.data, vectors=str(glove))), cache)
    assert (found.code, "`vectors`" in found.message) == ("E0641", True)


def test_the_model_is_looked_at_before_the_data(tmp_path, cache, make_spec):
    """A folder that is not whole is said at once, not after an hour of reading logs."""
    folder = make_folder(tmp_path / "m")
    (folder / "model.safetensors").unlink()
    spec = make_spec(f'LM("{folder}")')
    fresh = tmp_path / "fresh"
    assert refusal(spec, fresh).code == "E0651"
    assert not fresh.exists()


def test_a_tokenizer_that_cuts_at_its_own_length_does_not(tmp_path, cache, make_spec):
    """Its file says 8 tokens; prompts and texts have the length that the spec gives them."""
    folder = make_folder(tmp_path / "m")
    prompt = "storm over the coast late goal wins the cup a recipe for soup and bread "
    ids = plain(folder / "tokenizer.json").encode(prompt, add_special_tokens=False).ids
    assert len(ids) > 8
    prepared = prepare(
        make_spec(f'LM("{folder}")', content=f'["{prompt}", title(12)]'), cache=cache
    )
    assert prepared.rows.longest == len(ids) + 12
    every = np.arange(1, len(prepared.items), dtype=np.int32)
    found = prepared.inputs.rows(every)
    assert (found["tokens"][:, : len(ids)] == ids).all()
    assert found["tokens_mask"].sum(1).max() == len(ids) + 12
