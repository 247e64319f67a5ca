"""Legommenders' configurations, in small texts of the shapes that library has: what imports, what
is refused where, and which keys nothing reads."""

from pathlib import Path

import pytest

from legoc.commands.cli import main
from legoc.language.checking import check
from legoc.language.declaring.catalog import catalog
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.diagnosing.document import Document
from legoc.language.diagnosing.render import render
from legoc.language.importing.configuration import import_config
from legoc.language.importing.words import BEHAVIOR, CONTENT, FLATTEN, PREDICT, SOURCES, To
from legoc.language.ir.notation import write_pipeline
from legoc.language.syntax.fmt import format


FILES = {
    "parts/item-null.yaml": """\
config:
  use_neg_sampling: false
  use_item_content: false
  hidden_size: ${hidden_size:64}$
  use_fast_eval: ${fast_eval:true}$
""",
    "parts/item-pooling.yaml": """\
meta: {item: Pooling}
config:
  use_item_content: true
  hidden_size: ${hidden_size}$
  item_hidden_size: ${item_hidden_size}$
  item_config: {dropout: 0.1, kernel_size: 3}
""",
    "parts/item-bert.yaml": """\
meta: {item: BertBase}
config:
  item_page_size: ${item_page_size:128}$
  item_hidden_size: 768
  hidden_size: ${hidden_size}$
  item_config:
    tune_from: ${tune_from:0}$
    use_lora: ${use_lora:false}$
    lora_r: ${lora_r:null}$
    lora_alpha: ${lora_alpha:null}$
    inputer_config: {use_cls_token: false, use_sep_token: false}
""",
    "parts/item-side.yaml": """\
meta:
  item: Llama${llama}IISAN
config:
  hidden_size: ${hidden_size}$
  item_config: {global_proj_size: "${proj:null}", layer_selection_step: "${step:1}"}
""",
    "parts/user-ada.yaml": """\
meta: {user: Ada}
config:
  user_config:
    use_fast_eval: true
    inputer_config: {use_cls_token: false, use_sep_token: false}
""",
    "parts/user-codes.yaml": """\
meta:
  user: PolyAttention
config:
  user_config: {num_context_codes: "${codes:32}$", context_code_dim: 256}
""",
    "parts/dot.yaml": """\
meta:
  predictor: Dot
config: {use_neg_sampling: true, neg_count: 4}
""",
    "parts/cross.yaml": """\
meta: {predictor: DCNv2}
config:
  use_neg_sampling: false
  predictor_config:
    stacked_dnn_hidden_units: [100, 100]
    parallel_dnn_hidden_units: [100, 100]
    dnn_activations: ReLU
    dnn_dropout: 0.1
    dnn_batch_norm: false
    cross_num: ${cross_num:3}$
    model_structure: stacked_parallel
    use_low_rank_mixture: true
""",
    "mind.yaml": """\
name: mind
base_dir: data/mind
item:
  ut: ${data.base_dir}/items
  inputs:
    - prompt@${lm}
    - title@glove: 30
    - prompt_category@${lm}
    - category
user: {ut: "${data.base_dir}/users", truncate: 40}
inter:
  train: ${data.base_dir}/train
  filters:
    history:
      - "lambda x: x"
column_map: {item_col: item_id, group_col: user_id}
""",
}


def imports(*parts: str) -> str:
    return "$$import:\n" + "".join(f"  - parts/{part}.yaml\n" for part in parts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def bring(
    folder: Path, text: str, *overrides: str, data: bool = False
) -> tuple[str, list[str], str]:
    """The imported text, the messages beside it, and its pipeline."""
    path = folder / "m.yaml"
    path.write_text(text, encoding="utf-8")
    written, found = import_config(
        str(path), str(folder / "mind.yaml") if data else None, overrides=overrides
    )
    assert format(Document("m.lego", written)) == written
    checked = check(Document(str(folder / "m.lego"), written))
    assert not checked.errors, render(checked.errors)
    (spec,) = checked.specs
    assert spec.train is not None
    task = spec.train.task
    words = [f"{d.code} {d.message}" for d in found]
    return written, words, f"{spec.model and pipeline(written)} / {task.op}"


def pipeline(written: str) -> str:
    """The model of a text, on one line."""
    body = written.partition("model ")[2].partition("\nrun ")[0]
    return " ".join(body.partition("=")[2].split()).replace("( ", "(").replace(", )", ")")


TABLE = [
    (imports("user-ada", "dot") + """\
meta: {item: CNN}
config: {hidden_size: 128, item_hidden_size: 128, item_config: {dropout: 0.2, kernel_size: 5}}
""", "content CNN(kernel=5, dropout=0.2, hidden=128) -> behavior Additive -> predict Dot "
     "/ matching",
     ["user_config.use_fast_eval"]),
    (imports("dot") + """\
meta: {item: CNNCat, user: GRU}
config: {hidden_size: 64, user_config: {num_layers: 1}}
""", "content CNN(fuse=concat, hidden=64) -> behavior GRU -> predict Dot / matching", []),
    (imports("dot") + """\
meta: {item: Attention, user: attention}
config:
  hidden_size: ${hidden_size}$
  item_config: {num_attention_heads: "${heads:4}$"}
  user_config: {num_attention_heads: 2, additive_hidden_size: 200}
""", "content Attention(heads=$heads, hidden=$hidden_size) -> behavior Attention(heads=2, dim=200) "
     "-> predict Dot / matching", []),
    (imports("dot") + """\
meta: {item: FastFormer, user: Fastformer}
config: {hidden_size: 64, user_config: {num_attention_heads: 16, num_hidden_layers: 1}}
""", "content Fastformer(heads=8, layers=3, hidden=64) -> behavior Fastformer(heads=16, layers=1) "
     "-> predict Dot / matching", []),
    (imports("dot") + """\
meta: {item: Transformer, user: FlattenTransformer}
config:
  hidden_size: 64
  user_config: {num_hidden_layers: 1, inputer_config: {use_sep_token: true}}
""", "content Transformer(hidden=64) -> flatten Transformer(layers=1, hidden=64) "
     "-> predict Dot / matching", []),
    (imports("item-null", "item-pooling", "cross") + """\
meta: {user: Pooling}
config: {user_config: {flatten: false, max_pooling: true}}
""", "content Pooling(hidden=$hidden_size) -> behavior Pooling(kind=max) -> predict "
     "DCNMix(dropout=0.1, cross=$cross_num, units=[100, 100], structure=stacked_parallel) "
     "/ ranking",
     ["item_config.dropout", "item_config.kernel_size"]),
    (imports("item-null") + """\
meta: {user: NullConcat, predictor: DIN}
config:
  user_config: {flatten: false, max_pooling: false}
  predictor_config:
    dnn_hidden_units: [100]
    attention_hidden_units: [64]
    attention_dropout: 0.1
    net_dropout: 0.1
    din_use_softmax: true
""", "content Null(hidden=$hidden_size) -> behavior Null -> predict "
     "DIN(units=[100], attention=[64], dropout=0.1, softmax=true) / ranking",
     ["user_config.flatten", "user_config.max_pooling"]),
    (imports("item-bert", "user-codes") + "meta: {predictor: MINER}\n",
     "content BERT(size=base, hidden=$hidden_size, dropout=0, page=$item_page_size) -> behavior "
     "PolyAttention(codes=$codes, dim=256) -> predict MINER / matching", []),
    (imports("user-ada", "dot") + """\
config: {use_item_content: false, hidden_size: 64, item_hidden_size: 32}
""", "content Null(hidden=32) -> behavior Additive -> predict Dot / matching",
     ["user_config.use_fast_eval"]),
    (imports("item-null") + """\
meta: {user: Pooling, predictor: FinalMLP}
config: {predictor_config: {mlp1_hidden_units: [10], mlp2_hidden_units: [10]}}
""", "content Null(hidden=$hidden_size) -> behavior Pooling -> predict "
     "FinalMLP(first=[10], second=[10], dropout=0.0, heads=1) / ranking", []),
    (imports("item-null") + """\
meta: {user: Pooling, predictor: MaskNet}
config: {neg_count: 4, predictor_config: {hidden_units: [10]}}
""", "content Null(hidden=$hidden_size) -> behavior Pooling -> predict "
     "MaskNet(structure=parallel, blocks=[64], units=[10], dropout=0.0) / ranking",
     ["neg_count"]),
    (imports("item-null") + """\
meta: {user: Pooling, predictor: AutoInt}
config:
  predictor_config: {num_attention_layers: 3, num_attention_heads: 8, attention_dim: 64,
    dnn_hidden_units: [10], dnn_dropout: 0.1, attention_dropout: 0.1, use_wide: true}
""", "content Null(hidden=$hidden_size) -> behavior Pooling -> predict "
     "AutoInt(units=[10], dropout=0.1, layers=3, heads=8, dim=64) / ranking",
     ["predictor_config.use_wide"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "means", "unread"), TABLE, ids=range(len(TABLE)))
def test_a_configuration_means_a_pipeline(
    folder: Path, text: str, means: str, unread: list[str]
) -> None:
    _, found, model = bring(folder, text)
    assert model == means
    found = [each for each in found if not each.startswith("W904")]
    assert found == [f"W902 nothing reads `config.{key}`" for key in unread]


def test_every_counterpart_is_declared() -> None:
    tables = {"content": CONTENT, "behavior": BEHAVIOR, "flatten": FLATTEN, "predict": PREDICT}
    for role, table in tables.items():
        for counterpart in table.values():
            declaration = catalog().get(role, counterpart.name)
            assert declaration is not None
            words = [each for each in counterpart.settings.values() if isinstance(each, To)]
            for name in (*counterpart.given, *(word.param for word in words)):
                assert declaration.param(name) is not None, (counterpart.name, name)
    sources = {d.name for d in catalog().role("source")}
    assert set(SOURCES.values()) <= sources


# What a configuration says of a language model, the operator here, and the block that is left out.
LANGUAGE_MODELS = [
    ("BertBase", "", "BERT(size=base, hidden=64, dropout=0, lora=FULL)", None),
    ("BertLarge", "use_lora: false", "BERT(size=large, hidden=64, dropout=0)", None),
    ("Llama1", "use_lora: 0", "Llama(version=1, hidden=64, dropout=0)", None),
    ("llama2", "use_lora: 1, lora_r: 4, lora_alpha: 8, lora_dropout: 0.0",
     "Llama(version=2, hidden=64, dropout=0, lora=LoRA(r=4, alpha=8, dropout=0.0))", None),
    ("Llama3", "tune_from: -2", "Llama(version=3, hidden=64, dropout=0, split=-2, lora=FULL)", 30),
    ("Llama3", "tune_from: 30", "Llama(version=3, hidden=64, dropout=0, split=31, lora=FULL)", 30),
    ("Llama3", "tune_from: -1", "Llama(version=3, hidden=64, dropout=0, split=-1)", 31),
    ("BertBase", "tune_from: 11", "BERT(size=base, hidden=64, dropout=0, split=12)", 11),
    ("BertLarge", "tune_from: 11",
     "BERT(size=large, hidden=64, dropout=0, split=12, lora=FULL)", 11),
    ("BertBase", "tune_from: 0", "BERT(size=base, hidden=64, dropout=0, lora=FULL)", 0),
    ("BertBase", "tune_from: null, additive_hidden_size: 128",
     "BERT(size=base, dim=128, hidden=64, dropout=0, lora=FULL)", None),
    ("OPTBase", "", "OPT(size=medium, hidden=64, dropout=0, lora=FULL)", None),
    ("OPTLarge", "", "OPT(size=large, hidden=64, dropout=0, lora=FULL)", None),
    ("GLM4TH9B", "tune_from: -3", "GLM(hidden=64, dropout=0, split=-3, lora=FULL)", 37),
    ("BertBaseIISAN", "", "BERT(size=base, hidden=64, dropout=0, side=IISAN)", None),
    ("BertLargeIISAN", "local_proj_size: 32",
     "BERT(size=large, hidden=64, dropout=0, side=IISAN(proj=32))", None),
    ("Llama2IISAN", "global_proj_size: 32, layer_selection_step: 4",
     "Llama(version=2, hidden=64, dropout=0, side=IISAN(step=4, proj=32, shared=true))", None),
    ("GLM4TH9BIISAN", "", "GLM(hidden=64, dropout=0, side=IISAN)", None),
    ("OPTBaseIISAN", "", "OPT(size=medium, hidden=64, dropout=0, side=IISAN)", None),
    ("OPTLargeIISAN", "", "OPT(size=large, hidden=64, dropout=0, side=IISAN)", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "said", "means", "left_out"), LANGUAGE_MODELS)
def test_a_language_model_is_the_same_model(
    folder: Path, name: str, said: str, means: str, left_out: int | None
) -> None:
    text = (
        imports("user-ada", "dot")
        + f"""\
meta: {{item: {name}}}
config: {{hidden_size: 64, item_hidden_size: 768, item_config: {{{said}}}}}
"""
    )
    _, found, model = bring(folder, text)
    means = means.replace("FULL", "LoRA(r=32, alpha=128, dropout=0.1)")
    assert model == f"content {means} -> behavior Additive -> predict Dot / matching"
    blocks = [each for each in found if each.startswith("W904")]
    assert [f"leaves block {left_out} out" in each for each in blocks] == (
        [] if left_out is None else [True]
    )


def test_the_published_command_is_the_model_of_dire(folder: Path) -> None:
    """Its placeholders with their values, as ONCE's authors give them on the command line."""
    given = ("tune_from=-2", "use_lora=1", "lora_r=32", "lora_alpha=128", "item_page_size=64")
    written, found, model = bring(folder, imports("item-bert", "user-ada", "dot"), *given)
    assert model == (
        "content BERT(size=base, hidden=$hidden_size, dropout=0, split=-2, "
        "lora=LoRA(r=$lora_r, alpha=$lora_alpha, dropout=0.1), page=$item_page_size) "
        "-> behavior Additive -> predict Dot / matching"
    )
    for line in ("param lora_r = 32", "param lora_alpha = 128", "param item_page_size = 64"):
        assert f"{line}\n" in written
    assert [each.split()[0] for each in found] == ["W904", "W902"]


def test_what_a_side_network_does_not_read_is_listed(folder: Path) -> None:
    text = (
        imports("item-side", "user-codes")
        + """\
meta: {predictor: MINER}
config: {item_config: {tune_from: 3, use_lora: true}}
"""
    )
    _, found, _ = bring(folder, text, "llama=1")
    assert found == [f"W902 nothing reads `config.item_config.{key}`" for key in
                     ("tune_from", "use_lora")]  # fmt: skip


def test_a_side_network_and_a_name_with_a_placeholder(folder: Path) -> None:
    text = imports("item-side", "user-ada", "dot")
    _, _, model = bring(folder, text, "llama=3", "step=2", "hidden_size=32")
    assert model.startswith(
        "content Llama(version=3, hidden=$hidden_size, dropout=0, side=IISAN(step=$step)) ->"
    )
    with pytest.raises(LegoError) as raised:
        bring(folder, text)
    (found,) = raised.value.diagnostics
    assert "placeholder without a value" in found.message
    assert found.primary is not None
    assert found.primary.path.endswith("item-side.yaml")


def test_placeholders_become_params_and_can_be_given(folder: Path) -> None:
    text = imports("item-pooling", "user-ada", "dot")
    written, _, _ = bring(folder, text)
    assert "param hidden_size = 64  # left open there" in written
    written, _, _ = bring(folder, text, "hidden_size=96")
    assert "param hidden_size = 96\n" in written
    with pytest.raises(LegoError, match="no placeholder is called `hiden`"):
        bring(folder, text, "hiden=96")
    with pytest.raises(LegoError, match="gives a placeholder a value"):
        bring(folder, text, "hidden_size")


def test_data_is_a_record_of_its_source(folder: Path) -> None:
    written, found, _ = bring(folder, imports("item-bert", "user-ada", "dot"), data=True)
    assert (
        "\n".join(written.partition("data mind")[2].splitlines()[1:7])
        == """\
  source = MIND("data/mind")  # the folder of the raw published files
  content = ["Here is a piece of news article. ", title(30), "Category: ", category]
  history = 40
  group = user
  split = legommenders
}"""
    )
    assert [each.split()[0] for each in found] == ["W904", "W903", "W902"]
    assert "the filter of `history` is code" in found[1]


def bert(said: str, name: str = "BertBase") -> str:
    return (
        imports("user-ada", "dot")
        + f"""\
meta: {{item: {name}}}
config: {{item_config: {{{said}}}}}
"""
    )


MISTAKES = [
    # what the model says, the code, the file it is found in, and words of the message
    ("$$import: [gone/item.yaml]", "E0904", "m.yaml:1:12", "cannot be read"),
    ("$$import: [m.yaml]", "E0904", "m.yaml:1:12", "in a circle"),
    (imports("user-ada", "dot") + "meta: {item: Semantic}", "E0904", "m.yaml:4:14",
     "no content operator for `Semantic`"),
    (imports("user-ada") + "meta: {item: CNN}", "E0904", "m.yaml", "names no predictor"),
    (imports("dot") + "meta: {item: CNN}", "E0904", "m.yaml", "names no user operator"),
    (imports("dot", "user-ada"), "E0904", "m.yaml", "names no item operator"),
    (imports("dot", "user-ada") + "meta: {item: CNN}\nconfig: {item_config: {kernel_size: 4}}",
     "E0305", "m.yaml:5:37", "must be odd"),
    (imports("dot") + "meta: {item: CNN, user: GRU}\nconfig: {user_config: {num_layers: 2}}",
     "E0904", "m.yaml:4:36", "`num_layers` has no counterpart"),
    (imports("dot") + "meta: {item: CNN, user: Attention}\n"
     "config: {user_config: {num_attention_heads: '${n}$'}}",
     "E0904", "m.yaml:4:46", "is left open"),
    (imports("dot", "user-ada") + "meta: {item: CNN}\n"
     "config: {hidden_size: 64, item_hidden_size: 32}",
     "E0904", "m.yaml:5:45", "embeddings have the width of items"),
    (imports("user-ada", "cross") + "meta: {item: CNN}\n"
     "config: {predictor_config: {stacked_dnn_hidden_units: [7]}}",
     "E0904", "cross.yaml:6:32", "are one setting here"),
    (imports("user-codes", "dot") + "meta: {item: CNN}", "E0403", "dot.yaml:2:14",
     "cannot read what `behavior PolyAttention` makes"),
    (imports("user-codes") + "meta: {item: CNN, predictor: MINER}\n"
     "config: {use_neg_sampling: false}", "E0501", "m.yaml:3:30", "cannot be trained for ranking"),
    (imports("dot", "user-ada") + "meta: {item: CNN}\nconfig: {use_neg_sampling: often}", "E0904",
     "m.yaml:5:28", "true or false"),
    (bert("tune_from: last"), "E0904", "m.yaml:5:35", "`tune_from` counts blocks"),
    (bert("tune_from: 12"), "E0504", "m.yaml:5:35", "lies outside its 12 layers"),
    (bert("use_lora: often"), "E0904", "m.yaml:5:34", "`use_lora` is true or false"),
    (bert("lora_r: null"), "E0904", "m.yaml:5:32", "LoRA needs a number for `lora_r`"),
    (bert("inputer_config: {use_sep_token: true}"), "E0904", "m.yaml:5:56",
     "`use_sep_token` has no counterpart in a language model"),
    (bert("global_proj_size: 8, local_proj_size: 8", "BertBaseIISAN"), "E0904", "m.yaml:5:62",
     "states are projected once"),
    ("- a", "E0904", "m.yaml:1:1", "a configuration is a mapping"),
    ("a: [", "E0901", "m.yaml:1:4", "not YAML"),
    ("meta: {item: [[1]]}", "E0904", "m.yaml:1:15", "a list in a list"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "place", "words"), MISTAKES, ids=range(len(MISTAKES)))
def test_what_has_no_counterpart_is_refused_where_it_stands(
    folder: Path, text: str, code: str, place: str, words: str
) -> None:
    with pytest.raises(LegoError) as raised:
        bring(folder, text)
    (found,) = raised.value.diagnostics
    assert found.code == code
    assert words in found.message
    assert f"{place}" in render([found])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("name: mind", "name: strange", "no source reads the data set `strange`"),
        ("    - category", "    - item_id", "is no attribute of an item"),
        ("    - category", "    - item_id -> vectors", "is no attribute of an item"),
        ("    - category", "    - colour", "colour"),
        ("  inputs:", "  order:", "`item.inputs` lists the attributes"),
        ("truncate: 40", "truncate: many", "`history` must be a whole number"),
    ],
)
def test_data_without_a_counterpart_is_refused(
    folder: Path, old: str, new: str, words: str
) -> None:
    text = FILES["mind.yaml"]
    assert old in text
    (folder / "mind.yaml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(LegoError) as raised:
        bring(folder, imports("item-pooling", "user-ada", "dot"), data=True)
    (found,) = raised.value.diagnostics
    assert words in found.message
    assert "mind.yaml" in render([found])


def test_the_command_writes_a_file_that_checks(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "naml.yaml").write_text(TABLE[0][0], encoding="utf-8")
    (folder / "mind.yaml").write_text(
        FILES["mind.yaml"].replace("    - prompt@${lm}\n", "")
        .replace("    - prompt_category@${lm}\n", ""),
        encoding="utf-8",
    )  # fmt: skip
    target = folder / "naml.lego"
    command = ["import", str(folder / "naml.yaml"), "--data", str(folder / "mind.yaml")]
    assert main([*command, "-o", str(target)]) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "warning[W902]" in shown.err
    checked = check(target)
    assert not checked.errors
    assert write_pipeline(checked.specs[0].model) == (
        "content CNN(hidden=128, kernel=5, dropout=0.2) -> behavior Additive -> predict Dot"
    )
    assert main([*command, "-o", str(target)]) == 1
    assert "E0905" in capsys.readouterr().err
    assert main(command) == 0
    assert capsys.readouterr().out == target.read_text("utf-8")
    assert main(["import", str(folder / "gone.yaml")]) == 1
    assert "E0201" in capsys.readouterr().err
