"""Overrides without effect: each way there is says so (W102), and what has one says nothing."""

import json

import pytest

from legoc.language.checking import check
from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Document
from tests.language.declared import CATALOG


BASE = """data mind { source = Demo  history = 50 }
train base { lr = 1e-3  task = matching(negatives=4) }
param hidden = 64
model naml = content CNN(hidden=$hidden, kernel=3) -> behavior Additive -> predict Dot
"""
RUN = BASE + "run naml on mind with base\n"


def said(text: str, *overrides: str, only: str | None = None) -> list[Diagnostic]:
    found = check(Document("m.lego", text), overrides=overrides, only=only, known=CATALOG)
    assert not found.errors, found.errors
    return [each for each in found.diagnostics if each.code != "W101"]


def one(text: str, *overrides: str, only: str | None = None) -> Diagnostic:
    found = said(text, *overrides, only=only)
    assert [each.code for each in found] == ["W102"], found
    assert found[0].help
    return found[0]


def told(found: Diagnostic) -> str:
    return " ".join((*(each.text for each in found.labels), *found.notes, *found.help))


SET = [
    # A copy in the run sets the field again.
    (BASE + "run naml on mind with base(lr=1e-4)", "base.lr=0.5", "replaced here"),
    # A copy replaces the stage.
    (
        BASE + "model b = naml(content=Pooling)\nrun b on mind",
        "naml.content.kernel=5",
        "replaced here",
    ),
    (BASE + "model b = naml(content=Pooling)\nrun b on mind", "hidden=128", "use `$hidden` there"),
    # What it is about is run by nothing.
    (RUN + "train other = base(lr=1)", "other.lr=7", "depends on `other`"),
    (RUN + "param dim = 8", "dim=9", "depends on `dim`"),
    (RUN + "model b = naml(content=Pooling)", "b.content.hidden=9", "depends on `b`"),
    # It says what is there, in whatever spelling.
    (RUN, "hidden=64", "already here"),
    (RUN, "base.lr=0.001", "already here"),
    (RUN, "train.lr=1e-3", "already here"),
    (RUN, "naml.content.kernel=3", "already here"),
    (RUN, "naml.content=CNN(kernel=3, hidden=64)", "already here"),
    (RUN, "naml.content=CNN(hidden=64)", "already here"),
    (RUN, "base.task=matching", "already here"),
    (RUN, "data.source=Demo", "already here"),
    # It says the default.
    (RUN, "train.epochs=50", "default"),
    (RUN, "naml.behavior.dim=256", "default"),
    (RUN, "model.content.fuse=additive", "default"),
    (RUN, "export.precision=fp32", "default"),
    (BASE + "run naml on mind", "train.epochs=50", "default"),
    ("content CNN -> behavior Additive -> predict Dot", "model.content.kernel=3", "default"),
    # Width 64 is inherited, so nobody has written it.
    (
        BASE + "model g = naml(behavior=GRU)\nrun g on mind",
        "g.behavior.hidden=64",
        "default",
    ),
    # A file that runs nothing is judged by what it declares.
    (BASE, "naml.content.kernel=3", "already here"),
    (BASE, "base.epochs=50", "default"),
]


@pytest.mark.parametrize(("text", "given", "reason"), SET)
def test_a_set_without_effect_says_so(text: str, given: str, reason: str) -> None:
    found = one(text, given)
    assert found.message == f"`--set {given}` changes nothing"
    assert found.primary is not None
    assert found.primary.path == "./--set"
    assert reason in told(found)


def test_the_way_to_reach_every_point_is_said() -> None:
    found = one(BASE + "run naml on mind with base(lr=1e-4)", "base.lr=0.5")
    assert "`--set train.lr=0.5`" in told(found)
    assert [each.span.text for each in found.labels] == ["base.lr", "lr"]
    assert said(BASE + "run naml on mind with base(lr=1e-4)", "train.lr=0.5") == []


def test_of_two_that_say_the_same_one_counts() -> None:
    assert one(RUN, "train.lr=5", "train.lr=5").labels[1].text == "replaced here"
    assert one(RUN, "train.lr=4", "train.lr=5").primary.text == "train.lr"  # type: ignore[union-attr]
    assert one(RUN, "base.lr=4", "train.lr=5").primary.text == "base.lr"  # type: ignore[union-attr]
    assert one(RUN, "hidden=4", "hidden=5").labels[1].text == "replaced here"
    assert len(said(RUN, "train.lr=1e-3", "train.lr=1e-3")) == 2


def test_what_only_other_points_read_has_no_effect_on_those_chosen() -> None:
    text = BASE + "model two = naml(behavior in [GRU, Attention(heads=4)])\nrun two on mind"
    assert said(text, "hidden=32", only="behavior=GRU") == []
    text += "\nparam wide = 5\nmodel three = naml(behavior in [GRU, Additive(dim=$wide)])"
    text += "\nrun three on mind"
    assert said(text, "wide=6") == []
    assert "depends on `wide`" in told(one(text, "wide=6", only="behavior=GRU"))


@pytest.mark.parametrize(
    "given",
    [
        "hidden=128", "base.lr=1e-4", "train.epochs=3", "mind.history=7", "export.precision=fp16",
        "naml.content=Pooling", "naml.behavior.dim=7", "data.content=[title(9)]",
        "naml.content.hidden=128", "base.task.negatives=1",
    ],
)  # fmt: skip
def test_what_has_an_effect_is_silent(given: str) -> None:
    assert said(RUN, given) == []


def test_an_axis_that_loses_its_values_is_an_effect() -> None:
    assert said(RUN.replace("hidden = 64", "hidden in [64, 128]"), "hidden=64") == []


def test_a_mistake_is_said_before_what_has_no_effect() -> None:
    found = check(Document("m.lego", RUN), overrides=["train.lr=1e-3", "train.lrr=1"],
                  known=CATALOG)  # fmt: skip
    assert [each.code for each in found.diagnostics] == ["E0302"]


def test_a_spec_in_json_is_judged_alike() -> None:
    spec = {
        "model": {
            "content": {"op": "CNN"}, "behavior": {"op": "Additive"}, "predict": {"op": "Dot"},
        },
        "train": {"lr": 0.5},
    }  # fmt: skip
    document = Document("m.json", json.dumps(spec))

    def codes(*given: str) -> list[str]:
        found = check(document, overrides=given, known=CATALOG)
        return [each.code for each in found.diagnostics]

    assert codes("train.lr=0.1", "model.content.kernel=5") == []
    assert codes("train.lr=0.5") == ["W102"]
    assert codes("model.content.kernel=3", "train.lr=0.1") == ["W102"]


COPIES = [
    ("run naml on mind with base(lr=0.001)", "lr=0.001"),
    ("run naml on mind with base(epochs=50)", "epochs=50"),
    ("run naml on mind with base(task=matching)", "task=matching"),
    ("run naml on mind with base(task.negatives=4)", "task.negatives=4"),
    ("run naml on mind with base(warmup=0%)", "warmup=0%"),
    ("run naml on mind(history=50)", "history=50"),
    ("run naml on mind(group=impression)", "group=impression"),
    ("run naml on mind(content=[title(20), subcategory])", "content=[title(20), subcategory]"),
    ("model b = naml(content.fuse=additive)\nrun b on mind", "content.fuse=additive"),
    ("model b = naml(behavior=Additive(dim=256))\nrun b on mind", "behavior=Additive(dim=256)"),
    ("model b = naml(behavior=GRU)\nmodel c = b(behavior.hidden=64)\nrun c on mind",
     "behavior.hidden=64"),
    ("model b = naml(predict=Dot)\nrun b on mind", "predict=Dot"),
    ("model b = naml(behavior in [GRU, Additive])\nmodel c = b(content.kernel=3)\nrun c on mind",
     "content.kernel=3"),
    ("export e { }\nrun naml on mind as e(opset=20)", "opset=20"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place"), COPIES)
def test_a_copy_without_effect_says_so(text: str, place: str) -> None:
    found = one(BASE + text)
    assert found.primary is not None
    assert found.primary.text == place


BEHIND = [
    ("model b = naml(content.hidden=9, content=Pooling)\nrun b on mind", "content.hidden"),
    ("model b = naml(content.hidden=$hidden, content=Pooling)\nrun b on mind", "content.hidden"),
    ("run naml on mind with base(task.negatives=9, task=matching(negatives=2))", "task.negatives"),
    ("train t { task = matching  task.negatives = 9 }\n"
     "train u = t(task.negatives=3, task=ranking)\nrun naml on mind with u", "task.negatives"),
]  # fmt: skip


AGAIN = [
    ("train t { task = matching(negatives=3)  task.negatives = 3 }\nrun naml on mind with t",
     "task.negatives = 3"),
    ("model b = naml(content=BERT(lora=LoRA(r=4), lora.r=4))\nrun b on mind", None),
    ("model b = content BERT(lora=4, lora.r=4) -> behavior Additive -> predict Dot\nrun b on mind",
     "lora.r=4"),
    ("train t { warmup = 10%  metrics = [GAUC]  task = ranking  task.loss = bce }\n"
     "run naml on mind with t(task.loss=bce)", "task.loss=bce"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place"), AGAIN)
def test_a_dotted_key_that_says_what_stands_there_says_so(text: str, place: str | None) -> None:
    found = one(BASE + text)
    assert found.primary is not None
    assert found.primary.text == (place or "lora.r=4")


@pytest.mark.parametrize(("text", "place"), BEHIND)
def test_a_key_whose_whole_is_replaced_behind_it_says_so(text: str, place: str) -> None:
    found = one(BASE + text)
    assert found.primary is not None
    assert found.primary.text == place


@pytest.mark.parametrize(
    "text",
    [
        "run naml on mind with base(lr=1e-4)",
        "run naml on mind with base(lr=$hidden)",
        "param lr = 1e-3\nrun naml on mind with base(lr=$lr)",
        "run naml on mind with base(lr in [1e-3, 1e-4])",
        "model b = naml(content=Pooling, content.hidden=9)\nrun b on mind",
        "model b = naml(content=BERT(lora=8), content.lora.alpha=64)\nrun b on mind",
        "train u = base(epochs=9)\nrun naml on mind with u(epochs=50)",
        # The recipe is written out for the reader.
        "train full { epochs = 50  batch = 64 }\nrun naml on mind with full",
        # A declaration may be made for copies that replace what it replaces.
        "model b = naml(content.hidden=9)\nmodel c = b(content=Pooling)\nrun c on mind",
        # With a ranking predictor the default task is another.
        "train free { epochs = 3 }\nrun naml on mind with free(task=matching)",
    ],
)
def test_a_copy_that_changes_something_is_silent(text: str) -> None:
    assert said(BASE + text) == []


SHORT = BASE.replace("lr = 1e-3", "epochs = 3  lr = 1e-3") + "run naml on mind with base\n"


@pytest.mark.parametrize("given", ["train.patience=50", "train.patience=2", "base.patience=7"])
def test_a_patience_beyond_the_epochs_changes_nothing(given: str) -> None:
    assert "ended with its epochs" in told(one(SHORT, given))


@pytest.mark.parametrize("given", [("train.patience=1",), ("train.patience=9", "train.epochs=30")])
def test_a_patience_within_them_does(given: tuple[str, ...]) -> None:
    assert said(SHORT, *given) == []
