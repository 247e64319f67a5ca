"""From points to specs: sugar removed, defaults written out, every argument judged."""

import pytest

from legoc.language.declaring.declare import Attribute
from legoc.language.ir.spec import Call, Prompt
from tests.language.specs import DATA, checked, codes, run_of, spec_of, specs_of


NAML = "content CNN -> behavior Additive -> predict Dot"


def with_train(fields: str, model: str = NAML) -> str:
    return f"data demo {{ source = Demo }}\ntrain t {{ {fields} }}\nmodel m = {model}\n" + (
        "run m on demo with t"
    )


def with_data(fields: str, model: str = NAML) -> str:
    return f"data d {{ {fields} }}\nmodel m = {model}\nrun m on d"


def test_a_bare_pipeline_is_one_spec_with_every_default() -> None:
    spec = spec_of(NAML)
    assert spec.name == "t"
    assert spec.model == {
        "content": Call(
            op="CNN", args={"hidden": 64, "kernel": 3, "dropout": 0.1, "fuse": "additive"}
        ),
        "behavior": Call(op="Additive", args={"dim": 256}),
        "predict": Call(op="Dot", args={}),
    }
    assert list(spec.model) == ["content", "behavior", "predict"]
    assert spec.data.source == Call(op="Demo", args={})
    assert spec.data.content == (
        Attribute(name="title", kind="text", length=20),
        Attribute(name="subcategory", kind="category", length=1),
    )
    assert (spec.data.history, spec.data.group) == (50, "impression")
    assert spec.data.split == Call(op="publisher", args={})
    assert spec.train is not None
    assert spec.train.task == Call(op="matching", args={"negatives": 4, "pool": "impression"})
    assert (spec.train.epochs, spec.train.batch, spec.train.lr) == (50, 64, 3e-3)
    assert spec.train.metrics == (
        Call(op="GAUC", args={}),
        Call(op="MRR", args={}),
        Call(op="NDCG", args={"k": 5}),
        Call(op="NDCG", args={"k": 10}),
    )
    assert spec.train.monitor == Call(op="GAUC", args={})
    assert (spec.export.opset, spec.export.precision, spec.export.budget) == (20, "fp32", None)


def test_widths_are_inherited_and_every_arrow_has_a_type() -> None:
    spec = spec_of(run_of("content CNN(hidden=256) -> behavior GRU -> predict Dot"))
    assert spec.model["behavior"]["hidden"] == 256
    assert (spec.types.item, spec.types.user) == ("Vec[256]", "Vec[256]")


@pytest.mark.parametrize(
    ("model", "item", "user"),
    [
        ("content Null -> behavior Null -> predict DIN", "Vec[64]", "Seq[Vec[64]]"),
        ("content CNN(hidden=8) -> behavior LSTUR -> predict Dot", "Vec[8]", "Vec[8]"),
        ("content CNN(hidden=8) -> behavior GRU(hidden=4) -> predict DCN", "Vec[8]", "Vec[4]"),
        (
            "content BERT(lora=8, split=-2, hidden=256) -> behavior PolyAttention(codes=32, "
            "dim=200) -> predict MINER(score=weighted)",
            "Vec[256]",
            "Many[32, Vec[256]]",
        ),
        ("flatten Longformer(hidden=32) -> predict Dot", "Vec[32]", "Vec[32]"),
        ("content CNN(hidden=32) -> flatten Longformer(hidden=16) -> predict DNN",
         "Vec[32]", "Vec[16]"),
    ],
)  # fmt: skip
def test_types_of_the_published_forms(model: str, item: str, user: str) -> None:
    train = "train t { task = ranking }\n" if "DIN" in model else "train t { }\n"
    spec = spec_of(f"{DATA}{train}model m = {model}\nrun m on demo with t".replace(
        "train base { }\n", ""
    ))  # fmt: skip
    assert (spec.types.item, spec.types.user) == (item, user)


def test_sugar_is_gone() -> None:
    lora = Call(
        op="LoRA",
        args={"r": 32, "alpha": 32.0, "dropout": 0.1, "layers": None, "top": None, "kind": "plain"},
    )
    for text in ("lora=32", "lora=LoRA(32)", "lora=LoRA(r=32)", "lora=LoRA(alpha=32, r=32)"):
        spec = spec_of(f"content BERT({text}) -> behavior Additive -> predict Dot")
        assert spec.model["content"]["lora"] == lora


def test_quantities_come_in_base_units() -> None:
    spec = spec_of(with_train("warmup = 57%  limit = 90min  samples = 500k"))
    assert spec.train is not None
    assert (spec.train.warmup, spec.train.limit, spec.train.samples) == (0.57, 5400.0, 500_000)
    spec = spec_of(with_train("warmup = 0.5  samples = 12"))
    assert spec.train is not None
    assert (spec.train.warmup, spec.train.samples) == (0.5, 12)
    export = "export e { budget = 64MiB  precision = int8 }\n"
    spec = spec_of(export + run_of(NAML).rstrip() + " as e")
    assert (spec.export.budget, spec.export.precision) == (64 * 1024**2, "int8")


def test_the_default_task_is_the_predictors_first() -> None:
    tasks = {"Dot": "matching", "DCN": "ranking"}
    for predictor, task in tasks.items():
        spec = spec_of(f"content CNN -> behavior Additive -> predict {predictor}")
        assert spec.train is not None
        assert spec.train.task.op == task


def test_prompts_and_lengths_of_content() -> None:
    spec = spec_of(
        with_data(
            'source = Demo  content = ["News. Title: ", title, " In: ", category, abstract(9)]',
            "content BERT -> behavior Additive -> predict Dot",
        )
    )
    assert spec.data.content == (
        Prompt(text="News. Title: "),
        Attribute(name="title", kind="text", length=30),
        Prompt(text=" In: "),
        Attribute(name="category", kind="category", length=1),
        Attribute(name="abstract", kind="text", length=9),
    )


def test_a_source_without_a_published_split_is_split_by_time(tmp_path: object) -> None:
    spec = spec_of(with_data(f'source = Shop("{tmp_path}")  content = [name, tags, price(16)]'))
    assert spec.data.split == Call(op="time", args={"valid": 0.1, "test": 0.1})
    assert spec.data.group == "user"
    assert [a.length for a in spec.data.attributes] == [12, 4, 16]


def test_user_attributes_come_from_the_source(tmp_path: object) -> None:
    spec = spec_of(with_data(f'source = Shop("{tmp_path}")  user = [age(4)]'))
    assert spec.data.user == (Attribute(name="age", kind="number", length=4),)


def test_paths_are_absolute_and_relative_to_their_file(tmp_path: object) -> None:
    spec = spec_of(with_data(f'source = MIND("{tmp_path}/x/..")  content = [title]'))
    assert spec.data.source["path"] == str(tmp_path)


def test_origins_lead_back_to_the_text() -> None:
    spec = spec_of(run_of("content CNN(hidden=8) -> behavior GRU -> predict Dot"))
    assert spec.origin["model.content.hidden"].text == "8"
    assert spec.origin["model.behavior"].text == "GRU"
    assert spec.origin["data.content"].text == "[title(30), category]"


BAD = {
    "content CNN(250) -> behavior Additive -> predict Dot": "E0301",
    "content CNN -> behavior Null(3) -> predict DIN": "E0301",
    "content CNN(heads=8) -> behavior Additive -> predict Dot": "E0302",
    "content CNN -> behavior Additive -> predict Dot(k=1)": "E0302",
    "content CNN(hidden=64.5) -> behavior Additive -> predict Dot": "E0303",
    "content CNN(hidden=true) -> behavior Additive -> predict Dot": "E0303",
    "content CNN(hidden=none) -> behavior Additive -> predict Dot": "E0303",
    "content CNN(hidden=[64]) -> behavior Additive -> predict Dot": "E0303",
    'content CNN(fuse="concat") -> behavior Additive -> predict Dot': "E0303",
    "content CNN(fuse=sum) -> behavior Additive -> predict Dot": "E0303",
    "content CNN(fuse=concat(2)) -> behavior Additive -> predict Dot": "E0303",
    "content Null(frozen=1) -> behavior Additive -> predict Dot": "E0303",
    "content BERT(lora=true) -> behavior Additive -> predict Dot": "E0303",
    "content BERT(side=3) -> behavior Additive -> predict Dot": "E0303",
    "content CNN -> behavior Null -> predict DIN(units=64)": "E0303",
    "content CNN -> behavior Null -> predict DIN(units=[64, a])": "E0303",
    "content Null(file=vectors) -> behavior Additive -> predict Dot": "E0303",
    "content CNN(hidden=0) -> behavior Additive -> predict Dot": "E0305",
    "content CNN(dropout=1.5) -> behavior Additive -> predict Dot": "E0305",
    "content CNN(kernel=4) -> behavior Additive -> predict Dot": "E0305",
    "content CNN -> behavior Null -> predict DIN(units=[64, 0])": "E0305",
    "content CNN(hidden=64k) -> behavior Additive -> predict Dot": "E0306",
    "content BERT(lora=LoRA(8, layers=[11], top=2)) -> behavior Additive -> predict Dot": "E0307",
    "content CMN -> behavior Additive -> predict Dot": "E0206",
    "content Additive -> behavior Additive -> predict Dot": "E0206",
    "content BERT(lora=Lora(8)) -> behavior Additive -> predict Dot": "E0206",
    "content CNN -> predict Dot": "E0208",
    "behavior Additive -> content CNN -> predict Dot": "E0208",
    "content Attention(heads=7) -> behavior Additive -> predict Dot": "E0402",
    "content Attention(hidden=20) -> behavior Additive -> predict Dot": "E0402",
    "content CNN -> behavior Null -> predict Dot": "E0403",
    "content CNN -> behavior PolyAttention -> predict DCN": "E0403",
    "content CNN -> behavior GRU(hidden=8) -> predict Dot": "E0404",
    "content CNN -> flatten Longformer(hidden=8) -> predict Dot": "E0404",
    "content BERT(split=13) -> behavior Additive -> predict Dot": "E0504",
    "content BERT(split=-14) -> behavior Additive -> predict Dot": "E0504",
    "content Null(frozen=true) -> behavior Additive -> predict Dot": "E0505",
}
BAD_TRAIN = {
    "epoch = 3": "E0302",
    "epochs = -1": "E0305",
    "lr = fast": "E0303",
    "limit = 500k": "E0306",
    "limit = 90": "E0306",
    "samples = 1.5": "E0303",
    "samples = 10%": "E0306",
    "warmup = 150%": "E0305",
    "task = matchin": "E0206",
    "metrics = []": "E0305",
    "metrics = GAUC": "E0303",
    "metrics = [GAUK]": "E0206",
    "metrics = [NDCG]": "E0304",
    "monitor = AUC": "E0502",
    "metrics = [NDCG(5)]  monitor = NDCG(10)": "E0502",
    "lr_pretrained = 1e-5": "E0503",
    "task = ranking(negatives=0)": "E0305",
    "optimizer = lion": "E0303",
}
BAD_DATA = {
    "history = 3": "E0304",
    "source = MIND  content = [title]": "E0304",
    "source = Mind": "E0206",
    'source = Demo("here")': "E0301",
    "source = Demo  content = [titel(30)]": "E0601",
    "source = Demo  content = [title(0)]": "E0602",
    "source = Demo  content = [title(2.5)]": "E0602",
    "source = Demo  content = [title(bins=3)]": "E0602",
    "source = Demo  content = [title(3, 4)]": "E0602",
    "source = Demo  content = [category(2)]": "E0602",
    "source = Demo  content = [title, title]": "E0205",
    "source = Demo  content = [3]": "E0303",
    "source = Demo  content = title": "E0303",
    "source = Demo  content = []": "E0605",
    'source = Demo  content = ["Title: ", title]': "E0605",
    'source = Demo  user = ["x"]': "E0303",
    "source = Demo  user = [region]": "E0601",
    "source = Demo  split = random": "E0206",
    "source = Demo  split = time(valid=2)": "E0305",
    "source = Demo  group = session": "E0303",
    "source = Demo  history = 0": "E0305",
    "source = Demo  tokenizer = word": "E0206",
}


@pytest.mark.parametrize(("text", "code"), BAD.items())
def test_bad_models_get_exactly_one_message(text: str, code: str) -> None:
    assert codes(text) == [code]


@pytest.mark.parametrize(("text", "code"), BAD_TRAIN.items())
def test_bad_recipes_get_exactly_one_message(text: str, code: str) -> None:
    assert codes(with_train(text)) == [code]


@pytest.mark.parametrize(("text", "code"), BAD_DATA.items())
def test_bad_data_gets_exactly_one_message(text: str, code: str) -> None:
    assert codes(with_data(text)) == [code]


@pytest.mark.parametrize(
    ("fields", "code"), [("split = publisher", "E0603"), ("group = impression", "E0604")]
)
def test_what_a_source_does_not_offer(fields: str, code: str, tmp_path: object) -> None:
    assert codes(with_data(f'source = Shop("{tmp_path}")  {fields}')) == [code]


def test_every_message_has_a_place_and_something_to_do() -> None:
    texts = [*BAD, *map(with_train, BAD_TRAIN), *map(with_data, BAD_DATA)]
    for text in texts:
        for diagnostic in checked(text).diagnostics:
            assert diagnostic.primary is not None, diagnostic
            assert diagnostic.help, diagnostic
            assert "\n" not in diagnostic.message


def test_all_mistakes_are_told_at_once_and_none_twice() -> None:
    text = with_train(
        "epoch = 3  lr = fast", "content CNN(kernel=4, foo=1) -> behavior Adaptive -> predict Dott"
    )
    found = codes(text)
    assert sorted(found) == sorted(["E0305", "E0302", "E0206", "E0206"])


def test_a_mistake_in_a_shared_part_is_told_once() -> None:
    text = with_train("lr = fast").replace(
        NAML, "content in [CNN(hidden=8), CNN(hidden=16)] -> behavior Additive -> predict Dot"
    )
    assert codes(text) == ["E0303"]


def test_a_refused_argument_says_nothing_about_types() -> None:
    assert codes("content CNN(hidden=a) -> behavior Attention(heads=7) -> predict DIN") == ["E0303"]


def test_where_valid_drops_and_counts() -> None:
    text = (
        f"{DATA}model m = content CNN -> behavior in [Null, Additive]\n"
        "  -> predict in [Dot, DCN, DIN]\n"
        "run m on demo with base where valid\n"
    )
    found = checked(text)
    assert not found.diagnostics
    assert found.dropped == {"E0403": 3}
    assert [spec.model["predict"].op for spec in found.specs] == ["DIN", "Dot", "DCN"]
    assert len(found.points) == 6


def test_without_where_valid_an_ill_typed_point_is_an_error() -> None:
    text = (
        f"{DATA}model m = content CNN -> behavior in [Null, Additive] -> predict Dot\n"
        "run m on demo with base\n"
    )
    found = checked(text)
    assert [d.code for d in found.diagnostics] == ["E0403"]


def test_where_valid_hides_no_misspelling() -> None:
    text = (
        f"{DATA}model m = content in [CNN(kernal=3), CNN] -> behavior Additive -> predict Dot\n"
        "run m on demo with base where valid\n"
    )
    assert codes(text) == ["E0302"]


def test_a_missing_file_is_a_warning_of_the_check() -> None:
    found = checked(with_data('source = MIND("nowhere")  content = [title]'))
    assert [(d.code, d.severity) for d in found.diagnostics] == [("W104", "warning")]
    assert len(found.specs) == 1


def test_columns_of_a_table_are_attributes(tmp_path: object) -> None:
    table = f"{tmp_path}/extra.csv"
    with open(table, "w", encoding="utf-8") as out:
        out.write("item_id,gen_title,topic\n")
    data = f'source = Demo  augment = "{table}"  content = [gen_title(40), topic]'
    spec = spec_of(with_data(data))
    assert spec.data.augment == (table,)
    assert [(a.kind, a.length) for a in spec.data.attributes] == [("text", 40), ("category", 1)]
    assert codes(with_data(data.replace("topic", "topics"))) == ["E0601"]


def test_overrides_reach_the_specs() -> None:
    text = run_of("content CNN -> behavior Additive -> predict Dot")
    assert spec_of(text, "train.lr=1e-4", "m.content.hidden=8").types.item == "Vec[8]"
    assert [s.train.lr for s in specs_of(text, "train.lr=1e-4") if s.train] == [1e-4]


def test_unused_names_are_warnings() -> None:
    found = checked("param hidden = 3\n" + run_of(NAML))
    assert [(d.code, d.severity) for d in found.diagnostics] == [("W101", "warning")]
