"""Language models as legoc declares them: the examples of the language reference that have one,
and what is said to those who write one from memory."""

from pathlib import Path

import pytest

from legoc.language.checking import check
from legoc.language.declaring.catalog import catalog
from legoc.language.diagnosing.document import Document
from legoc.language.diagnosing.render import render
from legoc.language.ir.notation import write_pipeline
from tests.language.texts import EXAMPLES, write_examples


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_examples(tmp_path)


@pytest.mark.parametrize(
    ("name", "specs"), [("04_miner.lego", 1), ("06_plmnr.lego", 1), ("07_dire.lego", 3)]
)
def test_the_examples_check(folder: Path, name: str, specs: int) -> None:
    found = check(folder / name)
    assert not found.errors, render(found.errors)
    assert len(found.specs) == specs
    # Every one of them names files that are not there.
    assert {each.code for each in found.diagnostics} <= {"W104"}


def test_the_settings_of_the_examples(folder: Path) -> None:
    dire = check(folder / "07_dire.lego").specs[0].model["content"]
    assert dire.op == "Llama"
    assert (dire.args["version"], dire.args["split"], dire.args["page"]) == (1, -2, 64)
    assert (dire.args["lora"].args["r"], dire.args["lora"].args["alpha"]) == (32, 128)
    plmnr = check(folder / "06_plmnr.lego").specs[0].model["content"]
    assert (plmnr.op, plmnr.args["split"], plmnr.args["hidden"]) == ("BERT", 10, 256)


def test_the_zoo_with_language_models(folder: Path) -> None:
    """Its reference counts, and the same number of points for each of the eleven contents."""
    whole = EXAMPLES["zoo.lego"].replace("  except (content=Null, predict=Dot)\n", "")
    (folder / "whole.lego").write_text(whole, "utf-8")
    # Where the table that `augment` joins is missing, keys stay empty.
    (folder / "mind_gpt.parquet").write_bytes(b"")
    every = check(folder / "whole.lego")
    assert (len(every.points), every.dropped) == (5280, {"E0403": 2640, "E0501": 132})
    found = check(folder / "zoo.lego")
    assert not found.errors
    assert (len(found.specs), len(every.specs) - len(found.specs)) == (2436, 72)
    # What is said of it: what `except` takes out of what `where valid` keeps.
    assert (found.dropped, found.excluded) == (every.dropped, 72)
    models = [spec for spec in found.specs if spec.model["content"].op in ("BERT", "Llama")]
    assert len(models) == 4 * len(every.specs) / 11
    assert len({spec.keys.item for spec in models}) == 4 * 2 * 2
    assert len({spec.keys.item for spec in found.specs}) == 44
    assert len({write_pipeline(spec.model) for spec in found.specs}) == 428


END = " -> behavior Additive -> predict Dot"
# What one writes, the code, and words of what is said.
SAID = [
    ("CNN(lora=32)", "E0302", "a parameter of language models: `BERT`, `DistilBERT`, `E5`, `GLM` "
     "and 12 others"),
    ("Llama3", "E0206", "called `Llama(version=3)` here; `legoc operators content` lists all"),
    ("bertlarge", "E0206", "called `BERT(size=large)` here"),
    ("OPTBase", "E0206", "called `OPT(size=medium)` here"),
    ("Lama", "E0206", "did you mean `Llama`? `legoc operators content` lists all"),
    ("DeepSeek", "E0206", "content operators: Additive, Attention, BERT"),
    ("BERT(size=huge)", "E0303", "which of the published models; another model by `path`"),
    ("Llama(version=4)", "E0305", "generation of the model; another model by `path`"),
    ("BERT(dtype=float16)", "E0303", "must be float32 or bfloat16"),
    ("BERT(lora=true)", "E0303", "write `lora=LoRA`"),
    ("BERT(lora=false)", "E0303", "leave `lora` out"),
    ("BERT(lora=LoRA(lora_r=8))", "E0302", "called `r` here"),
    ("BERT(tune_from=-2)", "E0302", "called `split` here"),
    ("BERT(item_page_size=64)", "E0302", "called `page` here"),
    ("BERT(split=13)", "E0504", "from 0 to 12, or from -13 to -1 counted from the end"),
    ("Llama(split=-34)", "E0504", "outside its 32 layers"),
    ("BERT(split=-1, lora=8)", "E0506", "tune the last block with `split=-2`"),
    ("BERT(split=24, size=large, lora=8)", "E0506", "`split` leaves none"),
    ("BERT(side=IISAN, lora=8)", "E0307", "`side` and `lora` of BERT exclude each other"),
    ("BERT(side=IISAN, split=-2)", "E0307", "`side` and `split` of BERT exclude each other"),
    ("BERT(side=IISAN(shared=true))", "E0505", "`shared` of IISAN needs `proj`"),
    ("LM", "E0304", 'write `LM("FOLDER")`'),
    ('LM("no/such/folder")', "W104", "there is no folder"),
    ("LM(models/bert)", "E0101", 'write `"models/bert"`'),
    ("LM(/data/my-models/bert)", "E0101", 'write `"/data/my-models/bert"`'),
    ("BERT(split=10/2)", "E0101", "write the result as one number"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "code", "words"), SAID)
def test_what_is_said_to_a_newcomer(content: str, code: str, words: str) -> None:
    (found,) = check(Document("m.lego", f"content {content}{END}")).diagnostics
    assert found.code == code
    assert words in " ".join((found.message, *found.notes, *found.help))
    assert all(len(line) < 250 for line in render([found]).split("\n"))


def test_other_operators_are_not_called_language_models() -> None:
    text = "content CNN -> behavior GRU -> predict Dot(units=[8])"
    (found,) = check(Document("m.lego", text)).diagnostics
    assert found.notes[0].startswith("`units` is a parameter of `AutoInt`, ")


# The data record, the recipe, the model, and words of what is said; none where it checks.
TOGETHER = [
    ("content = [title(600)]", "", "BERT", "cannot read 600 tokens per item"),
    ("content = [title(300), abstract(200), subcategory]", "", "BERT", None),
    ("content = [title(600)]", "", "Llama", None),
    ('content = [title(600)]', "", 'LM("a/b")', None),
    ('content = ["News: ", title]', "", "CNN", "cannot read prompt text"),
    ('content = ["News: ", title]', "", "OPT", None),
    ('content = ["News: "]', "", "BERT", "has no attribute to read"),
    ("tokenizer = words", "", "BERT", "reads tokens of its own, not those of `words`"),
    ("tokenizer = subwords(size=30k)", "", "Llama", "not those of `subwords`"),
    ("tokenizer = words", "", "CNN", None),
    ("", "lr_pretrained = 1e-5", "CNN", "needs a stage with pre-trained weights"),
    ("", "lr_pretrained = 1e-5", "BERT(lora=8)", "pre-trained weights that are trained"),
    ("", "lr_pretrained = 1e-5", "BERT(split=-1)", "pre-trained weights that are trained"),
    ("", "lr_pretrained = 1e-5", "BERT(split=12)", "pre-trained weights that are trained"),
    ("", "lr_pretrained = 1e-5", "BERT(split=11)", None),
    ("", "lr_pretrained = 1e-5", "BERT", None),
    ("", "lr_pretrained = 1e-5", "BERT(side=IISAN)", "pre-trained weights that are trained"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "recipe", "content", "words"), TOGETHER)
def test_what_data_and_recipe_ask_of_it(
    data: str, recipe: str, content: str, words: str | None
) -> None:
    text = (
        f"data d {{ source = Demo {data} }}\ntrain t {{ {recipe} }}\n"
        f"model m = content {content}{END}\nrun m on d with t\n"
    )
    said = [each.message for each in check(Document("m.lego", text)).diagnostics]
    assert len(said) == (words is not None), said
    assert all(words in each for each in said if words)


@pytest.mark.parametrize(("more", "codes"), [("", []), (", frozen=true", ["E0503"])])
def test_the_rows_of_a_file_are_pretrained(tmp_path: Path, more: str, codes: list[str]) -> None:
    (tmp_path / "rows.npy").write_bytes(b"")
    text = (
        "data d { source = Demo }\ntrain t { lr_pretrained = 1e-5 }\n"
        f'model m = content Null(file="rows.npy"{more}){END}\nrun m on d with t\n'
    )
    found = check(Document(str(tmp_path / "m.lego"), text)).diagnostics
    assert [each.code for each in found] == codes


def test_a_flatten_operator_reads_words() -> None:
    for name in ("Transformer", "Longformer", "Fastformer"):
        text = f"content BERT -> flatten {name} -> predict Dot"
        (found,) = check(Document("m.lego", text)).diagnostics
        assert found.code == "E0605"
        assert f"`flatten {name}` cannot follow the language model `content BERT`" == found.message


def test_vectors_are_read_by_whatever_reads_words(tmp_path: Path) -> None:
    (tmp_path / "glove.txt").write_text("the 1 2\n", "utf-8")
    for model, words in {
        f"content Null{END}": "`vectors` are of words, and `content Null` reads none",
        f"content BERT{END}": "`content BERT` has an embedding of its own, not one of `vectors`",
        f"content CNN{END}": None,
        "content Null -> flatten Transformer -> predict Dot": None,
        "flatten Transformer -> predict Dot": None,
    }.items():
        data = 'data d { source = Demo vectors = "glove.txt" }'
        text = f"{data}\nmodel m = {model}\nrun m on d\n"
        said = [each.message for each in check(Document(f"{tmp_path}/m.lego", text)).diagnostics]
        assert said == ([] if words is None else [words])


def test_words_are_dropped_where_some_are_read() -> None:
    for model, reader in {
        f"content Null{END}": "content Null",
        f"content BERT{END}": "content BERT",
        f"content CNN{END}": None,
        "content Null -> flatten Transformer -> predict Dot": None,
        "flatten Transformer -> predict Dot": None,
    }.items():
        text = f"train t {{{{ word_dropout = {{}} }}}}\nmodel m = {model}\nrun m on d with t\n"
        text = "data d {{ source = Demo }}\n" + text
        found = check(Document("m.lego", text.format("10%"))).diagnostics
        wanted = f"`word_dropout` is of words, and `{reader}` has no table of them"
        assert [each.message for each in found] == ([] if reader is None else [wanted])
        # A recipe that many models share may say that nothing is dropped.
        assert not check(Document("m.lego", text.format("0%"))).diagnostics


def test_every_language_model_has_the_same_settings() -> None:
    """What one learns of one of them holds for all."""
    models = [d for d in catalog().role("content") if d.pretrained]
    common = {"hidden", "path", "split", "lora", "side", "pooling", "dtype", "states", "page"}
    assert len(models) >= 16
    for each in models:
        names = [p.name for p in each.params]
        assert common <= set(names)
        assert not check(Document("m.lego", f"{each.example}{END}")).errors
