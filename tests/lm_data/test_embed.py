"""`legoc embed`: vectors of every item without training, and the decoupled twin that reads them."""

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from legoc.commands.cli import main
from legoc.commands.item_vectors import embed_spec
from legoc.data import prepare
from legoc.data.reading.item_rows import read_rows
from legoc.language import check
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.model.run import Run
from legoc.training import train
from tests.lm_data.folders import make_bert


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return make_bert(tmp_path_factory.mktemp("models") / "bert")


def oracle(bert, prepared, how):
    """The vector of each item by its own, without padding."""
    from transformers import BertModel

    model = BertModel.from_pretrained(bert, add_pooling_layer=False).eval()
    tokenizer = Tokenizer.from_file(str(bert / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def ids(text):
        return tokenizer.encode(text, add_special_tokens=False).ids

    vectors = {}
    for name, record in zip(
        prepared.items.ids[1:], prepared.item_records(range(1, len(prepared.items))), strict=True
    ):
        said = ids("News: ") + ids(record["title"] or "")[:12]
        said += ids(" Category: ") + ids(record["subcategory"])
        said = [2, *said, 3] if how == "cls" else said
        with torch.no_grad():
            states = model(input_ids=torch.tensor([said])).last_hidden_state[0].numpy()
        vectors[name] = {"cls": states[0], "mean": states.mean(0), "last": states[-1]}[how]
    return vectors


@pytest.mark.parametrize("how", ["mean", "cls", "last"])
def test_vectors_are_those_of_the_model_alone(tmp_path, cache, make_spec, bert, how, capsys):
    # Whatever else the spec says of training does not matter here.
    spec = make_spec(f'LM("{bert}", split=-2, lora=2, hidden=8)')
    made = embed_spec(spec, tmp_path / "v.safetensors", pooling=how, cache=cache)
    prepared = prepare(make_spec(f'LM("{bert}", pooling={how})'), cache=cache)
    assert (made.items, made.width, made.empty) == (200, 16, 0)
    stored = load_file(made.path)
    assert stored["vectors"].dtype == np.float32
    assert stored["vectors"].shape == (201, 16)
    assert not stored["vectors"][0].any()
    expected = oracle(bert, prepared, how)
    found = read_rows(made.path, "vectors")
    assert found.ids == prepared.items.ids
    np.testing.assert_allclose(
        found.values[1:], np.stack([expected[name] for name in found.ids[1:]]), atol=1e-5
    )
    assert list(tmp_path.glob(".v*")) == []


def test_a_narrow_number_type_is_the_one_computed_in(tmp_path, cache, make_spec, bert):
    found = [
        read_rows(
            embed_spec(
                make_spec(f'LM("{bert}", pooling=mean, dtype={dtype})'),
                tmp_path / f"{dtype}.safetensors", cache=cache,
            ).path, "vectors",
        ).values
        for dtype in ("float32", "bfloat16")
    ]  # fmt: skip
    apart = np.abs(found[0] - found[1]).max()
    assert 0 < apart < 0.05 * np.abs(found[0]).max()


def test_items_that_say_nothing_have_zeros(tmp_path, cache, make_spec, odd_tables, bert):
    spec = make_spec(
        f'LM("{bert}", pooling=mean)', source=f'Tables("{odd_tables}")',
        content='["A title: ", title(30), tags, price]',
    )  # fmt: skip
    made = embed_spec(spec, tmp_path / "v.safetensors", cache=cache)
    assert made.empty == 1
    found = read_rows(made.path, "vectors")
    zero = [name for name, row in zip(found.ids, found.values, strict=True) if not row.any()]
    assert zero == ["", "B"]


def test_the_decoupled_twin_finds_its_rows_by_id(tmp_path, cache, make_spec, bert):
    """The file is of other items in another order, and what the training keeps is right."""
    made = embed_spec(
        make_spec(f'LM("{bert}", pooling=mean)'), tmp_path / "v.safetensors", cache=cache
    )
    vectors = read_rows(made.path, "vectors")
    order = np.random.default_rng(3).permutation(len(vectors.ids))[:150]
    names = [vectors.ids[place] for place in order]
    texts = [name.encode() for name in names]
    save_file(
        {
            "vectors": np.ascontiguousarray(vectors.values[order]),
            "ids": np.frombuffer(b"".join(texts), dtype=np.uint8),
            "offsets": np.cumsum([0, *map(len, texts)], dtype=np.int64),
        },
        made.path,
    )
    spec = make_spec(f'Null(file="{made.path}", frozen=true, hidden=8)')
    run = train(spec, runs=tmp_path / "runs", until="train", cache=cache)
    table = load_file(run.weights)["content.table.weight"]
    by_id = dict(zip(names, vectors.values[order], strict=True))
    items = prepare(spec, cache=cache).items.ids
    assert len(items) == len(table) == 201
    for row, name in enumerate(items):
        np.testing.assert_array_equal(table[row], by_id.get(name, np.zeros(16)) if name else 0)


def embed(*arguments):
    return main(["embed", *(str(argument) for argument in arguments), "-q"])


def refused(capsys, *arguments):
    assert embed(*arguments) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("error[") == 1
    assert "= help:" in printed.err
    return printed.err


def test_the_command(tmp_path, cache, write_spec, bert, capsys):
    file = write_spec(f'LM("{bert}", pooling=mean)')
    assert embed(file, "-o", tmp_path / "v.safetensors", "--cache", cache) == 0
    printed = capsys.readouterr().out
    assert "200 items, 16 wide" in printed
    line = 'content Null(file="v.safetensors", frozen=true)'
    assert printed.splitlines()[-1] == line
    # What it says to type is what can be typed.
    text = file.read_text().replace(f'content LM("{bert}", pooling=mean)', line)
    file.write_text(text)
    assert not check(file).errors
    elsewhere = tmp_path / "deep" / "w.safetensors"
    file = write_spec(f'LM("{bert}")')
    assert embed(file, "-o", elsewhere, "--cache", cache, "--pooling", "last", "--json") == 0
    assert json.loads(capsys.readouterr().out)["path"] == str(elsewhere)


def test_what_has_no_vectors_yet(tmp_path, cache, write_spec, bert, capsys):
    out = tmp_path / "out" / "v.safetensors"
    said = refused(capsys, write_spec(f'LM("{bert}")'), "-o", out, "--cache", cache)
    assert "E0658" in said
    assert "--pooling mean" in said
    said = refused(capsys, write_spec("CNN(hidden=8)", content="[title]"), "-o", out)
    assert "no language model" in said
    two = f'run more = tiny(content=LM("{bert}", pooling=cls)) on small with short\n'
    file = write_spec(f'LM("{bert}", pooling=mean)', after=two)
    said = refused(capsys, file, "-o", out)
    assert "`tiny`, `more`" in said
    assert "--only" in said
    assert not out.parent.exists()


def test_one_language_model_beside_other_runs_is_the_one_meant(
    tmp_path, cache, write_spec, bert, capsys
):
    twin = "run twin = tiny(content=Null(hidden=8)) on small with short\n"
    file = write_spec(f'LM("{bert}", pooling=mean)', after=twin)
    assert embed(file, "-o", tmp_path / "v.safetensors", "--cache", cache) == 0


@pytest.mark.parametrize("name", ["v.npy", "v", "tiny.lego/v.safetensors"])
def test_files_that_cannot_be(tmp_path, cache, write_spec, bert, capsys, name):
    file = write_spec(f'LM("{bert}", pooling=mean)')
    said = refused(capsys, file, "-o", tmp_path / name, "--cache", cache)
    assert "E0658" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.lego"]


def test_a_vector_that_is_not_finite(tmp_path, cache, make_spec):
    from safetensors.torch import load_file as load
    from safetensors.torch import save_file as save

    folder = make_bert(tmp_path / "bert")
    weights = load(folder / "model.safetensors")
    weights["encoder.layer.1.output.LayerNorm.weight"][3] = float("nan")
    save(weights, folder / "model.safetensors", metadata={"format": "pt"})
    target = tmp_path / "v.safetensors"
    target.write_bytes(b"as it was")
    spec = make_spec(f'LM("{folder}", pooling=mean)')
    with pytest.raises(LegoError) as raised:
        embed_spec(spec, target, cache=cache)
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "E0654"
    assert any(f"`{name}`" in diagnostic.message for name in prepare(spec, cache=cache).items.ids)
    assert target.read_bytes() == b"as it was"
    assert list(tmp_path.glob(".v*")) == []


def test_a_run_without_a_bundle_and_then_with(tmp_path, cache, make_spec, capsys):
    """Any content has vectors once it is trained; those of a bundle are as they were exported."""
    run = train(
        make_spec("Additive(hidden=8)", content="[title]"), runs=tmp_path / "runs", cache=cache
    )
    bundled = tmp_path / "bundled.safetensors"
    assert embed(run.folder, "-o", bundled, "--cache", tmp_path / "unused") == 0
    assert embed(run.bundle, "-o", tmp_path / "b.safetensors") == 0
    assert bundled.read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    stored = load_file(run.bundle / "cache/items.safetensors")
    for name, values in load_file(bundled).items():
        np.testing.assert_array_equal(values, stored[name])
    run.bundle.rename(tmp_path / "moved")
    again = tmp_path / "again.safetensors"
    assert embed(run.folder, "-o", again, "--cache", cache) == 0
    assert read_rows(again, "vectors").ids == read_rows(bundled, "vectors").ids
    np.testing.assert_allclose(
        load_file(again)["vectors"], load_file(bundled)["vectors"], atol=1e-5
    )
    capsys.readouterr()
    for flags in (["--pooling", "mean"], ["--only", "x=1"], ["--set", "a=1"]):
        assert flags[0] in refused(capsys, run.folder, "-o", again, *flags)
    Run(run.folder).weights.unlink()
    before = again.read_bytes()
    assert "E0560" in refused(capsys, run.folder, "-o", again, "--cache", cache)
    assert "E0560" in refused(capsys, tmp_path, "-o", again)
    assert again.read_bytes() == before
