"""Digests name meanings: spellings share one, changes move the right keys and no other."""

import dataclasses
from itertools import product
from pathlib import Path

import pytest

from legoc.language.checking import check
from legoc.language.declaring.catalog import Catalog, catalog, catalog_of
from legoc.language.declaring.declare import Declaration
from legoc.language.declaring.schema import emit
from legoc.language.declaring.shipped import shipped
from legoc.language.diagnosing.document import Document
from legoc.language.ir.spec import Keys
from tests.language.declared import DECLARATIONS
from tests.language.specs import DATA, run_of, spec_of


MINER = (
    "content BERT(lora=32, split=-2, hidden=256) "
    "-> behavior PolyAttention(codes=32) -> predict MINER"
)


def keys_of(text: str, known: Catalog | None = None) -> Keys:
    if known is None:
        return spec_of(text).keys
    (spec,) = check(Document("t.lego", text), known=known).specs
    return spec.keys


def changed(before: Keys, after: Keys) -> set[str]:
    return {
        name for name in ("item", "user", "prefix", "spec")
        if getattr(before, name) != getattr(after, name)
    }  # fmt: skip


def altered(role: str, name: str, **fields: object) -> Catalog:
    """The declarations with one of them changed."""

    def alter(declaration: Declaration) -> Declaration:
        if (declaration.role, declaration.name) != (role, name):
            return declaration
        return dataclasses.replace(declaration, **fields)

    return catalog_of(emit([alter(declaration) for declaration in DECLARATIONS]))


@pytest.mark.parametrize(
    "text",
    [
        run_of(MINER.replace("lora=32", "lora=LoRA(32)")),
        run_of(MINER.replace("lora=32", "lora=LoRA(r=32, alpha=32)")),
        run_of(MINER.replace("lora=32, split=-2", "split=-2, lora=32")),
        run_of(MINER.replace("codes=32", "codes=32, dim=200")),
        "# a comment\n" + run_of(MINER),
        run_of(MINER).replace("hidden=256", "hidden=$h").replace("data", "param h = 256\ndata"),
        run_of(MINER.replace("256", "64")).replace("run m", "run m(content.hidden=256)"),
        run_of(MINER).replace("train base { }", "train base { epochs = 50  lr = 0.003 }"),
        run_of(MINER).replace("title(30)", "title"),
        run_of(MINER.replace("hidden=256", "hidden=256, page=64")),
        # What is reported, and what only breaks off, is nothing that is computed.
        run_of(MINER).replace("train base { }", "train base { metrics = [GAUC, AUC] }"),
        run_of(MINER).replace("base { }", "base { metrics = [AUC, GAUC]  monitor = GAUC }"),
        run_of(MINER).replace("train base { }", "train base { limit = 2h }"),
    ],
)  # fmt: skip
def test_other_spellings_have_the_same_keys(text: str) -> None:
    assert keys_of(text) == keys_of(run_of(MINER))


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        (run_of(MINER.replace("codes=32", "codes=8")), {"user", "spec"}),
        (run_of(MINER.replace("MINER", "MINER(score=max)")), {"spec"}),
        (run_of(MINER.replace("hidden=256", "hidden=64")), {"item", "user", "spec"}),
        (run_of(MINER.replace("lora=32", "lora=8")), {"item", "user", "spec"}),
        (run_of(MINER.replace("split=-2", "split=-3")), {"item", "user", "prefix", "spec"}),
        (run_of(MINER).replace("title(30)", "title(20)"), {"item", "user", "prefix", "spec"}),
        (run_of(MINER).replace("train base { }", "train base { lr = 1e-4 }"), {"spec"}),
        (run_of(MINER).replace("train base { }", "train base { metrics = [AUC] }"), {"spec"}),
        (run_of(MINER).replace("train base { }", "train base { patience = 4 }"), {"spec"}),
        (run_of(MINER).replace("source = Demo", "source = Demo  history = 20"), {"user", "spec"}),
        (run_of(MINER).replace("source = Demo", "source = Demo  group = user"), {"spec"}),
    ],
)
def test_a_change_moves_the_keys_it_concerns(text: str, moved: set[str]) -> None:
    assert changed(keys_of(run_of(MINER)), keys_of(text)) == moved


def recipe(text: str) -> str:
    model = "content CNN -> behavior Additive -> predict Dot"
    return keys_of(run_of(model).replace("train base { }", f"train base {{ {text} }}")).spec


@pytest.mark.parametrize("epochs", [1, 2, 5])
def test_patience_that_cannot_end_a_training_is_none(epochs: int) -> None:
    """Two are one where plain counting stops after the same epoch, whichever of them are better."""

    def stops(patience: int) -> list[int]:
        found: list[int] = []
        for good in product((True, False), repeat=epochs - 1):
            stale, epoch = 0, 1
            while epoch < epochs and not (stale and stale >= patience):
                stale = 0 if good[epoch - 1] else stale + 1
                epoch += 1
            found.append(epoch)
        return found

    for one, other in product(range(8), repeat=2):
        keys = [recipe(f"epochs = {epochs}  patience = {patience}") for patience in (one, other)]
        assert (keys[0] == keys[1]) == (stops(one) == stops(other)), (one, other)


def tokenizer(text: str, words: int = 1) -> Keys:
    """Of a model of words, where the tokenizer `words` has a version."""
    known = catalog()
    declared = known.get("tokenizer", "words")
    assert declared is not None
    every = (d for named in known.declarations.values() for d in named.values())
    others = [d for d in every if d is not declared]
    known = catalog_of(emit([*others, dataclasses.replace(declared, version=words)]))
    model = "content CNN -> behavior Additive -> predict Dot"
    text = run_of(model).replace("source = Demo", f"source = Demo  {text}")
    return keys_of(text, known)


def test_the_tokenizer_that_is_used_anyway_may_be_written_out() -> None:
    plain = tokenizer("")
    assert tokenizer("tokenizer = words") == plain
    assert changed(plain, tokenizer("tokenizer = subwords")) == {"item", "user", "spec"}
    # A new version of it makes other tokens, named or not.
    assert changed(plain, tokenizer("", words=2)) == {"item", "user", "spec"}
    assert tokenizer("tokenizer = words", words=2) == tokenizer("", words=2)


def model_folder(folder: Path, weights: bytes, config: str = "{}") -> str:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(config)
    (folder / "model.safetensors").write_bytes(weights)
    return str(folder)


def test_language_models_on_this_machine_are_told_apart_by_what_they_hold(tmp_path: Path) -> None:
    """Not by the names of their folders."""
    known = catalog()

    def keys(folder: str) -> Keys:
        stage = f'content LM(path="{folder}", hidden=16, split=-2)'
        (spec,) = check(
            Document("t.lego", run_of(f"{stage} -> behavior Additive -> predict Dot")), known=known
        ).specs
        return spec.keys

    config = '{"model_type": "bert", "num_hidden_layers": 4}'
    weights = bytes(range(256)) * 4096
    one = keys(model_folder(tmp_path / "one", weights, config))
    assert keys(model_folder(tmp_path / "copy", weights, config)) == one
    tuned = bytearray(weights)
    tuned[1000] ^= 1
    everything = {"item", "user", "prefix", "spec"}
    for name, other in (
        ("tuned", (bytes(tuned), config)), ("longer", (weights + b"x", config)),
        ("wider", (weights, config.replace("}", ', "hidden_size": 8}'))),
    ):  # fmt: skip
        assert changed(one, keys(model_folder(tmp_path / name, *other))) == everything, name


def test_only_a_split_language_model_has_a_prefix() -> None:
    assert keys_of(run_of("content CNN -> behavior Additive -> predict Dot")).prefix == ""
    assert keys_of(run_of(MINER.replace("split=-2, ", ""))).prefix == ""
    assert len(keys_of(run_of(MINER)).prefix) == 64


@pytest.mark.parametrize(
    ("role", "name", "moved"),
    [
        ("content", "BERT", {"item", "user", "prefix", "spec"}),
        ("behavior", "PolyAttention", {"user", "spec"}),
        ("predict", "MINER", {"spec"}),
        ("source", "Demo", {"item", "user", "prefix", "spec"}),
        ("adapter", "LoRA", {"item", "user", "spec"}),
        ("metric", "GAUC", {"spec"}),
        ("content", "CNN", set()),
    ],
)
def test_a_new_version_of_an_operator_moves_what_it_makes(
    role: str, name: str, moved: set[str]
) -> None:
    text = run_of(MINER)
    assert changed(keys_of(text), keys_of(text, altered(role, name, version=7))) == moved


def test_a_later_parameter_enters_only_when_it_leaves_its_default() -> None:
    lora = next(d for d in DECLARATIONS if d.name == "LoRA")
    without = altered("adapter", "LoRA", params=tuple(p for p in lora.params if p.name != "kind"))
    assert keys_of(run_of(MINER)) == keys_of(run_of(MINER), without)
    other = run_of(MINER.replace("lora=32", 'lora=LoRA(32, kind="new")'))
    assert changed(keys_of(run_of(MINER)), keys_of(other)) == {"item", "user", "spec"}


def test_a_later_parameter_stays_out_while_it_computes_what_was_computed_before() -> None:
    """`cold=zero` is what a user without clicks was before there was a choice."""
    known = catalog()
    additive = known.get("behavior", "Additive")
    assert additive is not None
    params = tuple(p for p in additive.params if p.name != "cold")
    before = dataclasses.replace(additive, params=params)
    others = [d for d in known if (d.role, d.name) != ("behavior", "Additive")]
    older = catalog_of(emit([*others, before]))
    path = str(shipped("specs/naml.lego"))
    text = shipped("specs/naml.lego").read_text("utf-8")

    def keys(written: str, declared: Catalog) -> Keys:
        (spec,) = check(Document(path, written), known=declared).specs
        return spec.keys

    was = keys(text, older)
    assert keys(text.replace("Additive", "Additive(cold=zero)"), known) == was
    assert keys(text, known).user != was.user


def test_a_file_enters_by_its_bytes_and_a_folder_not_at_all(tmp_path: Path) -> None:
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "rows.npy").write_bytes(b"same")
    text = (
        'data d {{ source = MIND("{0}")  content = [title] }}\n'
        'model m = content Null(file="{0}/rows.npy") -> behavior Additive -> predict Dot\n'
        "run m on d\n"
    )
    first = keys_of(text.format(tmp_path / "a"))
    assert first == keys_of(text.format(tmp_path / "b"))
    (tmp_path / "b" / "rows.npy").write_bytes(b"other")
    assert changed(first, keys_of(text.format(tmp_path / "b"))) == {"item", "user", "spec"}


def test_a_missing_file_leaves_its_keys_empty(tmp_path: Path) -> None:
    model = f'content Null(file="{tmp_path}/gone") -> behavior Additive -> predict Dot'
    found = check(Document("t.lego", run_of(model)), known=catalog_of(emit(DECLARATIONS)))
    assert [d.code for d in found.diagnostics] == ["W104"]
    assert found.specs[0].keys == Keys(item="", user="", prefix="", spec="")


def test_word_vectors_and_tables_belong_to_the_item(tmp_path: Path) -> None:
    table = tmp_path / "extra.csv"
    table.write_text("item_id,note\n")
    text = run_of("content CNN -> behavior Additive -> predict Dot")
    joined = text.replace("source = Demo", f'source = Demo  augment = "{table}"')
    assert changed(keys_of(text), keys_of(joined)) == {"item", "user", "spec"}
    before = keys_of(joined)
    table.write_text("item_id,note\nx,y\n")
    assert changed(before, keys_of(joined)) == {"item", "user", "spec"}


def test_digests_are_golden() -> None:
    """The identity of this spec since version 1; a change here orphans the runs of users."""
    keys = keys_of(
        DATA + "model m = content CNN -> behavior GRU -> predict DCN\nrun m on demo with base"
    )
    assert keys.spec[:16] == "f54b5c341e03cb3d"
    assert keys.item[:16] == "267e5f28df80ae2f"
    assert keys.user[:16] == "60f022c45d92bbee"
