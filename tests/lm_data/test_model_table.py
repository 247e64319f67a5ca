"""A language model's token table as word vectors: the tensor, the pieces and the errors."""

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from legoc.data import prepare
from legoc.data.reading.model_table import ModelTable, find_table, obtain_table
from legoc.data.reading.pieces import Piece, read_pieces
from legoc.data.reading.vectors import open_vectors, read_vectors, read_width
from legoc.data.reading.vocabulary import Subwords, Words
from legoc.language import check, load
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.checkpoints import Named
from legoc.language.ir.places import find_places, list_places, name_places
from legoc.progress import SILENT
from tests.lm.tiny import FAMILIES, make_model
from tests.lm_data.folders import LINES, make_bert, make_folder


TEXTS = ["storm", "over", "cup", "soups", "zebra", "goal!"]


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return make_bert(tmp_path_factory.mktemp("vectors") / "bert")


def table_of(folder):
    """All rows of the table, as transformers knows them."""
    from transformers import AutoModel

    return AutoModel.from_pretrained(folder).get_input_embeddings().weight.detach().numpy()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("sharded", [False, True])
def test_the_table_of_every_family_is_found(tmp_path, family, sharded):
    model = make_model(family)
    model.save_pretrained(tmp_path, **({"max_shard_size": "4KB"} if sharded else {}))
    found = find_table(tmp_path, family)
    wanted = model.get_input_embeddings().weight.detach().numpy()
    rows = np.array([0, 5, 59])
    np.testing.assert_array_equal(found.read(rows), wanted[rows])
    assert found.shape == wanted.shape


def test_half_precision_is_read_as_it_is(tmp_path, bert):
    from transformers import AutoModel

    AutoModel.from_pretrained(bert).bfloat16().save_pretrained(tmp_path)
    wanted = torch.from_numpy(table_of(bert)[3:6]).bfloat16().float().numpy()
    np.testing.assert_array_equal(find_table(tmp_path, "m").read(np.arange(3, 6)), wanted)


@pytest.mark.parametrize("learned", [Words, Subwords])
def test_a_token_has_the_mean_of_the_pieces_of_its_text(tmp_path, bert, learned, monkeypatch):
    """By transformers' own tokenizer and table, token by token."""
    from tokenizers import Tokenizer

    path = tmp_path / "own" / "tokenizer.json"
    config = learned.Config(size=400) if learned is Subwords else None
    learned(config).write([*LINES, "Café STORMS"], path)
    reading = {"parts": [{"tokenizer": "own/tokenizer.json"}], "rows": 1}
    monkeypatch.setattr("legoc.data.reading.vectors.settle", lambda values: values)
    found = read_vectors(open_vectors(str(bert)), reading, tmp_path, tmp_path / "cache")
    theirs, table = Tokenizer.from_file(str(bert / "tokenizer.json")), table_of(bert)
    theirs.no_padding()
    ours = Tokenizer.from_file(str(path))
    values = dict(zip(found.rows.tolist(), found.values, strict=True))
    seen = 0
    for token, row in ours.get_vocab().items():
        if learned is Subwords and token[0] != "Ġ":
            continue
        text = token.lstrip("Ġ")
        if not text or not text.isascii() or token.startswith("["):
            continue
        ids = [i for i in theirs.encode(text, add_special_tokens=False).ids if i != 1]
        assert (row in values) == bool(ids)
        if ids:
            np.testing.assert_allclose(values[row], table[ids].mean(0), atol=1e-6)
            seen += 1
    assert seen > 20
    assert found.width == read_width(str(bert)) == 16


def test_letters_of_other_alphabets_are_spelt_as_text(tmp_path, bert):
    """Byte pairs have an alphabet of their own, in which é is two letters."""
    path = tmp_path / "own" / "tokenizer.json"
    Subwords(Subwords.Config(size=400)).write(["café café café"] * 9, path)
    assert "café" in {piece.text for piece in read_pieces(path) if piece.begins}


def test_what_goes_on_with_a_word_has_the_vector_of_what_does(bert):
    table = find_table(bert, "bert")
    rows, values, _ = table.look_up(
        [Piece(row=4, text="ing", begins=False), Piece(row=5, text="ing", begins=True)],
        _task(),
    )
    vocabulary = table.tokenizer.get_vocab()
    whole = table_of(bert)
    assert rows.tolist() == [4, 5]
    np.testing.assert_allclose(values[0], whole[vocabulary["##ing"]], atol=1e-6)
    spelt = [vocabulary["i"], vocabulary["##n"], vocabulary["##g"]]
    np.testing.assert_allclose(values[1], whole[spelt].mean(0), atol=1e-6)


def _task():
    with SILENT.task("vectors", None) as task:
        return task


def test_a_word_within_a_text_has_the_blank_before_it(tmp_path):
    """GPT-2's pieces of ` the` are not those of `the` at the beginning of a text."""
    folder = make_folder(tmp_path / "m", "bytes")
    weights = np.arange(ROWS_OF * 4, dtype=np.float32).reshape(ROWS_OF, 4)
    save_file({"wte.weight": weights}, folder / "model.safetensors")
    table = find_table(folder, "m")
    ids = table.spell([Piece(row=3, text="the"), Piece(row=4, text="orm", begins=False)])
    encode = table.tokenizer.encode
    assert ids == [encode(" the").ids, encode("orm").ids]
    # None of its tokens stands for what it does not know: it knows every byte.
    assert table.find_unknown() is None


ROWS_OF = 320


def test_only_the_one_tensor_is_read(tmp_path, bert):
    """Whoever cuts all else out of the file loses nothing."""
    folder = tmp_path / "m"
    make_folder(folder)
    save_file({"embeddings.word_embeddings.weight": table_of(bert)}, folder / "model.safetensors")
    found = find_table(folder, "m")
    assert isinstance(found, ModelTable)
    np.testing.assert_array_equal(found.read(np.arange(9)), table_of(bert)[:9])


def test_what_is_no_model_is_said(tmp_path):
    def refused(call, *given):
        with pytest.raises(LegoError) as error:
            call(*given)
        return error.value.diagnostics[0]

    folder = make_folder(tmp_path / "none")
    said = refused(open_vectors, str(folder))
    assert (said.code, "no token table" in said.message) == ("E0641", True)
    (folder / "model.safetensors").unlink()
    assert refused(open_vectors, str(folder)).code == "E0651"
    assert refused(read_width, str(folder)).code == "E0651"
    assert refused(open_vectors, str(tmp_path / "gone")).code == "E0641"
    said = refused(read_width, "somebody/nothing")
    assert (said.code, "somebody/nothing" in said.message) == ("E0650", True)
    small = make_folder(tmp_path / "small")
    save_file({"wte.weight": np.ones((5, 4), np.float32)}, small / "model.safetensors")
    said = refused(find_table(small, "s").spell, [Piece(row=1, text="storm")])
    assert (said.code, "5 rows" in said.message) == ("E0652", True)
    wild = make_folder(tmp_path / "wild")
    broken = np.full((ROWS_OF, 4), np.nan, np.float32)
    save_file({"wte.weight": broken}, wild / "model.safetensors")
    said = refused(find_table(wild, "w").read, np.arange(3))
    assert (said.code, "not finite" in said.message) == ("E0641", True)


def spec_of(folder, vectors, end=""):
    path = folder / "m.lego"
    path.write_text(
        f"data d {{ source = Demo(items=200, users=50, impressions=120)  content = [title(12)]\n"
        f'  vectors = "{vectors}" }}\ntrain t {{ epochs = 1 {end} }}\n'
        "model m = content CNN(hidden=8) -> behavior Additive -> predict Dot\nrun m on d with t\n",
        encoding="utf-8",
    )
    return path


def test_a_spec_names_a_folder_or_a_model_of_a_hub(tmp_path, bert, monkeypatch):
    (tmp_path / "model").symlink_to(bert)
    (spec,) = load(spec_of(tmp_path, "model"))
    assert spec.data.vectors == str(tmp_path / "model")
    # Where it lies is no part of what it is; what it holds is.
    (tmp_path / "other").symlink_to(bert)
    (moved,) = load(spec_of(tmp_path, "other"))
    assert moved.keys == spec.keys
    changed = make_bert(tmp_path / "changed", hidden_size=8)
    assert load(spec_of(tmp_path, "changed"))[0].keys.spec != spec.keys.spec
    assert changed.is_dir()
    (hub,) = load(spec_of(tmp_path, "sentence-transformers/all-MiniLM-L6-v2"))
    assert hub.data.vectors == "sentence-transformers/all-MiniLM-L6-v2"
    assert hub.keys.spec not in ("", spec.keys.spec)
    assert list_places(hub) == ()
    # A bundle carries the name of the folder, and finds it where it is told to.
    named = name_places(spec)
    assert (named.data.vectors, list_places(named)) == ("model", ("model",))
    assert find_places(named, str(tmp_path)).data.vectors == str(tmp_path / "model")
    # Files keep their names, there or not.
    for gone in ("vectors/glove.6B.100d.txt", "glove.6B.100d"):
        checked = check(spec_of(tmp_path, gone))
        assert [d.code for d in checked.diagnostics] == ["W104"]


def test_words_of_the_model_are_taken_up_where_they_are_asked_for(tmp_path, cache, bert):
    """Its tokens that are words, in their order, and none that a text cannot be cut into."""
    spec = spec_of(tmp_path, bert)
    text = spec.read_text("utf-8")
    (plain,) = load(spec)
    vocabularies = []
    for more in ("words(more=4)", "words(more=20k)"):
        spec.write_text(text.replace("vectors =", f"tokenizer = {more}  vectors ="), "utf-8")
        (wider,) = load(spec)
        assert wider.keys.spec != plain.keys.spec
        prepared = prepare(wider, cache=cache)
        file = prepared.reading_folder / "tokenizers" / "words" / "tokenizer.json"
        vocabularies.append(json.loads(file.read_text("utf-8"))["model"]["vocab"])
        assert prepared.vectors.words == len(vocabularies[-1]) - 3
    before = prepare(plain, cache=cache)
    file = before.reading_folder / "tokenizers" / "words" / "tokenizer.json"
    known = json.loads(file.read_text("utf-8"))["model"]["vocab"]
    pieces = [piece.text for piece in read_pieces(bert / "tokenizer.json") if piece.begins]
    added = [word for word in pieces if word not in known and word[0] != "["]
    assert len(added) > 20
    assert vocabularies[0] == known | {w: len(known) + n for n, w in enumerate(added[:4])}
    assert vocabularies[1] == known | {w: len(known) + n for n, w in enumerate(added)}
    # Without vectors there is nothing to take them from.
    spec.write_text(text.replace(f'vectors = "{bert}"', "tokenizer = words(more=4)"), "utf-8")
    (problem,) = check(spec).errors
    assert (problem.code, problem.labels[0].span.text) == ("E0641", "4")


def test_a_hub_name_is_fetched_as_that_of_a_content_operator(bert, monkeypatch):
    monkeypatch.setattr(
        "legoc.data.reading.checkpoint.find_download",
        lambda name: bert if name == "owner/tiny" else None,
    )
    found = open_vectors("owner/tiny")
    assert (found.name, found.width) == ("owner/tiny", 16)
    assert obtain_table(Named(op="vectors", folder=None, hub="owner/tiny")).folder == bert
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(LegoError) as error:
        open_vectors("owner/other")
    (said,) = error.value.diagnostics
    assert (said.code, "`vectors = " in said.help[0]) == ("E0650", True)


def test_a_spec_is_prepared_with_the_table_of_a_model(tmp_path, cache, bert):
    class Said:
        lines: list[str]

        def __init__(self):
            self.lines = []

        def say(self, text):
            self.lines.append(text)

        def task(self, *given):
            return SILENT.task(*given)

    said = Said()
    (spec,) = load(spec_of(tmp_path, bert))
    prepared = prepare(spec, cache=cache, progress=said)
    assert prepared.rows.vectors == 16
    assert any(
        line.startswith("bert: vectors for ")
        and line.endswith(f"% of {prepared.vectors.words:,} words")
        for line in said.lines
    )
    # The files of the model are part of what the run is of.
    weights = json.loads((bert / "config.json").read_text("utf-8"))
    assert weights["hidden_size"] == 16
    plain = prepare(load(spec_of(tmp_path, bert))[0], cache=cache)
    assert plain.digest == prepared.digest != prepared.tables.digest
