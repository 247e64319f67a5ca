"""Predictors that stand alone: which pipelines they may be in, what they are on data, their
identity."""

import json

import pytest

from legoc.language import check, load
from legoc.language.declaring.catalog import catalog
from legoc.language.diagnosing.document import Document
from legoc.language.editing.fitting import next_roles, readers
from legoc.language.ir import form
from legoc.language.ir.counted import is_counted
from legoc.language.ir.plan import plan
from legoc.language.ir.text import resolved_text


COUNTED = [d for d in catalog().role("predict") if is_counted(d)]
DATA = "data news { source = Demo content = [title(20), category, subcategory] }\n"


def checked(model, data=DATA, more="", recipe=""):
    text = f"{data}{more}model counted = {model}\nrun counted on news{recipe}\n"
    return check(Document("counted.lego", text))


def spec_of(model, data=DATA, more="", recipe=""):
    found = checked(model, data, more, recipe)
    assert not found.errors, found.errors
    return found.specs[0]


def said(model, data=DATA):
    (error,) = checked(model, data).errors
    return error


def test_there_are_six():
    names = {d.name for d in COUNTED}
    assert names == {"Popularity", "ItemMean", "ItemKNN", "TFIDF", "Random", "LastCategory"}


@pytest.mark.parametrize("declaration", COUNTED, ids=lambda d: d.name)
def test_it_stands_alone_and_has_the_parts_of_any_model(declaration):
    spec = spec_of(declaration.example)
    made = plan(spec)
    assert list(spec.model) == ["predict"]
    assert made.user == "clicks"
    assert [cache.name for cache in made.caches] == ["items"]
    assert made.graph("predictor") is not None
    assert (made.graph("item_encoder") is not None) == ("reads" in declaration.facts)


@pytest.mark.parametrize("declaration", COUNTED, ids=lambda d: d.name)
def test_every_form_gives_the_same_spec(declaration):
    spec = spec_of(declaration.example)
    assert form.from_json(json.loads(json.dumps(form.to_json(spec)))) == spec
    form.validate(form.to_json(spec))
    for name, text in (
        ("again.lego", resolved_text(spec)),
        ("again.json", json.dumps(form.to_json(spec))),
    ):
        (again,) = load(Document(name, text))
        assert again.keys == spec.keys
        assert again.types == spec.types


@pytest.mark.parametrize(
    ("model", "width"),
    [
        ("predict Popularity", 1),
        ("predict ItemKNN", 201),
        ("predict ItemKNN(neighbours=7)", 15),
        # A title of 20 tokens and two categories, each with its weight.
        ("predict TFIDF", 44),
        ("predict LastCategory", 1),
    ],
)
def test_an_item_is_as_wide_as_it_has_to_be(model, width):
    spec = spec_of(model)
    assert spec.types.item == f"Vec[{width}]"
    assert spec.types.user == f"Seq[Vec[{width}]]"


@pytest.mark.parametrize(
    ("model", "read"),
    [
        ("predict TFIDF", ["title", "category", "subcategory"]),
        ("predict LastCategory", ["category"]),
        ('predict LastCategory(attribute="subcategory")', ["subcategory"]),
    ],
)
def test_it_reads_what_it_can(model, read):
    assert [a.name for a in spec_of(model).data.attributes] == read


def test_what_means_nothing_to_it_is_left_out():
    data = 'data news { source = Demo content = ["Title: ", title(20), category] }\n'
    spec = spec_of("predict TFIDF", data)
    assert [a.name for a in spec.data.content] == ["title", "category"]


@pytest.mark.parametrize(
    "before",
    ["content CNN -> behavior Null", "content CNN -> behavior Additive", "flatten Transformer"],
)
def test_stages_before_it_are_refused(before):
    error = said(f"{before} -> predict Popularity")
    assert error.code == "E0208"
    assert "stands alone" in error.message
    assert error.primary.text == "predict"


def test_what_is_trained_does_not_stand_alone():
    assert said("predict Dot").code == "E0208"


def test_settings_are_judged_as_always():
    assert said("predict Popularity(hour=3)").code == "E0302"
    assert said("predict Popularity(hours=3, days=1)").code == "E0307"
    assert said("predict Popularty").code == "E0206"


def test_data_without_anything_to_read_are_refused():
    numbers = "data news { source = Demo content = [title(20)] }\n"
    error = said("predict LastCategory", numbers)
    assert error.code == "E0605"
    assert "no category" in error.message
    error = said('predict LastCategory(attribute="topic")')
    assert error.code == "E0605"
    assert "`topic`" in error.message
    assert "`category`, `subcategory`" in error.help[0]


def test_the_recipe_is_no_part_of_what_is_counted():
    recipes = "train slow { lr = 1e-5 lr_pretrained = 1e-6 } train fast { task = matching }\n"
    slow, fast = (
        spec_of("predict ItemKNN", more=recipes, recipe=f" with {name}")
        for name in ("slow", "fast")
    )
    assert slow.keys == fast.keys
    assert slow.train != fast.train
    other = spec_of("predict ItemKNN(neighbours=50)", more=recipes, recipe=" with fast")
    assert other.keys.spec != fast.keys.spec


def test_an_axis_may_hold_several():
    found = checked("predict in [Popularity, ItemKNN, TFIDF]")
    assert [spec.model["predict"].op for spec in found.specs] == ["Popularity", "ItemKNN", "TFIDF"]
    mixed = checked("content CNN -> behavior Additive -> predict in [Dot, Popularity]")
    assert [error.code for error in mixed.errors] == ["E0208"]


def test_editors_offer_it_alone_and_nowhere_else():
    names = {d.name for d in COUNTED}
    assert "predict" in next_roles([])
    assert readers("predict", [], catalog()) == {*names, "API"}
    behind = readers("predict", [("content", "CNN"), ("behavior", "Null")], catalog())
    assert "DIN" in behind
    assert not behind & {*names, "API"}


def test_no_message_offers_it_behind_other_stages():
    error = said("content Pooling -> behavior Null -> predict Dot")
    assert error.code == "E0403"
    assert not any(d.name in " ".join(error.help) for d in COUNTED)
