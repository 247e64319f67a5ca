"""What a search chooses: points with values are those of a file in which the values are written."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from legoc.language.checking import check
from legoc.language.diagnosing.diagnostics import SpecError
from legoc.language.diagnosing.document import Document
from legoc.language.ir import form
from legoc.language.resolving.settle import ends, settle
from legoc.language.syntax.fmt import format
from legoc.language.typing.lower import Lowering
from legoc.language.typing.searching import verify_settled
from tests.language.declared import CATALOG, SCHEMA


TEXT = """data demo { source = Demo }
param width in 16..256 log
model m =
  content CNN(hidden=$width, dropout in 0.0..0.5)
  -> behavior Additive
  -> predict DNN(units=[$width, 8])
train base { lr in 1e-5..1e-2 log  warmup in 0%..20%  limit in 30min..2h  samples in 1k..9k log }
run m on demo with base(epochs in {2, 3})
"""


def checked(text: str, **more: object):
    found = check(Document("m.lego", text), known=CATALOG, **more)
    assert not found.errors, found.errors
    return found


def lowered(point):
    found = Lowering(CATALOG).lower(point)
    assert found.spec is not None, found.problems
    return found.spec


def test_a_settled_point_is_the_file_with_the_values_written() -> None:
    point = checked(TEXT).points[1]
    told = {found.key: ends(found) for found in point.ranges}
    assert list(told) == ["lr", "warmup", "limit", "samples", "width", "dropout"]
    assert (told["limit"].low, told["limit"].high, told["limit"].unit) == (30, 120, "min")
    assert [key for key, each in told.items() if each.whole] == ["samples", "width"]
    values = {"lr": 0.0031, "warmup": 7.5, "limit": 45, "samples": 2, "width": 24, "dropout": 0.2}
    spec = lowered(settle(point, values))
    text = TEXT
    for old, new in (
        ("width in 16..256 log", "width = 24"), ("dropout in 0.0..0.5", "dropout=0.2"),
        ("lr in 1e-5..1e-2 log", "lr = 0.0031"), ("warmup in 0%..20%", "warmup = 7.5%"),
        ("limit in 30min..2h", "limit = 45min"), ("samples in 1k..9k log", "samples = 2k"),
        ("epochs in {2, 3}", "epochs=3"),
    ):  # fmt: skip
        assert old in text
        text = text.replace(old, new)
    (written,) = checked(text).specs
    assert spec.keys == written.keys
    assert (spec.model, spec.data, spec.train) == (written.model, written.data, written.train)
    assert not spec.search
    assert spec.name == (
        "m[lr=0.0031, warmup=7.5%, limit=45min, samples=2k, epochs=3, width=24, dropout=0.2]"
    )
    verify_settled((spec,))


def test_an_open_spec_says_what_is_open_and_is_none_of_its_models() -> None:
    found = checked(TEXT)
    spec = found.specs[0]
    assert spec.search["width"].at == ("model.content.hidden", "model.predict.units.0")
    assert (spec.search["warmup"].low, spec.search["warmup"].high) == (0.0, 0.2)
    assert (spec.search["limit"].low, spec.search["limit"].high) == (1800.0, 7200.0)
    assert (spec.search["samples"].low, spec.search["samples"].high) == (1000, 9000)
    assert spec.search["epochs"].low is None
    model = lowered(
        settle(
            found.points[0],
            {key: ends(r).low for key, r in ((r.key, r) for r in found.points[0].ranges)},
        )
    )
    assert (spec.model, spec.train) == (model.model, model.train)
    assert spec.keys.spec != model.keys.spec
    with pytest.raises(SpecError) as error:
        verify_settled(found.specs, "m.lego")
    said = {d.message: d.help[0] for d in error.value.diagnostics}
    assert {d.code for d in error.value.diagnostics} == {"E0906"}
    assert all(d.primary is not None for d in error.value.diagnostics)
    assert len(said) == 7
    assert said["`lr` has no value yet: a search is to find one"] == (
        "search with `legoc tune m.lego`, or write values: `lr in [1e-5, 1e-2]`"
    )
    assert said["`epochs` has no value yet: a search is to find one"].endswith("`epochs in [2, 3]`")


def test_an_open_spec_goes_through_json(tmp_path) -> None:
    specs = checked(TEXT).specs
    documents = [form.to_json(spec) for spec in specs]
    assert form.from_json(documents[0], known=CATALOG).search["lr"].at == ("train.lr",)
    file = tmp_path / "m.json"
    file.write_text(json.dumps(documents[0]), "utf-8")
    again = check(file, known=CATALOG)
    assert not again.diagnostics, again.diagnostics
    (spec,) = again.specs
    assert spec.keys == specs[0].keys
    assert {k: (s.low, s.high, s.log, s.at) for k, s in spec.search.items()} == {
        k: (s.low, s.high, s.log, s.at) for k, s in specs[0].search.items() if s.low is not None
    }


@pytest.mark.parametrize(
    ("data", "train", "at"),
    [
        ("content = [title(max in 5..30 log), category]", "", "data.content.0.max"),
        ("content = [category, title($n)]", "", "data.content.1.max"),
        ("history in 5..30 log", "", "data.history"),
        ("", "metrics = [GAUC, NDCG(k in 3..9 log)]", "train.metrics.1.k"),
        ("", "task = matching(negatives in 1..9 log)", "train.task.negatives"),
        ("split = time(valid in 5%..20%)", "", "data.split.valid"),
    ],
)
def test_every_place_of_a_range_is_found_again_in_json(data, train, at, tmp_path) -> None:
    text = (
        f"param n in 5..30 log\ndata d {{ source = Demo {data} }}\ntrain t {{ {train} }}\n"
        "model m = content CNN -> behavior Additive -> predict Dot\nrun m on d with t"
    )
    (spec,) = checked(text).specs
    (found,) = spec.search.values()
    assert found.at == (at,)
    document = form.to_json(spec)
    form.validate(document, SCHEMA)
    file = tmp_path / "m.json"
    file.write_text(json.dumps(document), "utf-8")
    (again,) = check(file, known=CATALOG).specs
    assert again.keys == spec.keys
    assert [each.at for each in again.search.values()] == [(at,)]


@pytest.mark.parametrize(
    ("search", "code"),
    [
        ({"lr": {"from": 1, "to": 0.5, "log": False, "at": ["train.lr"]}}, "E0308"),
        ({"lr": {"from": 0.0, "to": 0.5, "log": True, "at": ["train.lr"]}}, "E0308"),
        ({"lr": {"from": 0.1, "to": 0.5, "log": True, "at": ["train.rate"]}}, "E0902"),
        ({"lr": {"from": 0.1, "to": 0.5, "log": True, "at": ["lr"]}}, "E0902"),
        ({"lr": {"from": 0.1, "to": 0.5, "at": ["train.lr"]}}, "E0902"),
        ({"lr": {"from": 0.1, "to": 0.5, "log": True, "at": ["train.optimizer"]}}, "E0902"),
        ({"lr": {"from": -0.1, "to": 0.5, "log": False, "at": ["train.lr"]}}, "E0305"),
        (["lr"], "E0902"),
        # A range that stands nowhere would leave its lower end to be trained.
        ({"lr": {"from": 0.1, "to": 0.5, "log": True, "at": []}}, "E0902"),
        ({"a, b=[": {"from": 0.1, "to": 0.5, "log": True, "at": ["train.lr"]}}, "E0902"),
        ({"k": {"from": 1, "to": 5, "log": True, "at": ["train.metrics.\u00b2"]}}, "E0902"),
    ],
)
def test_a_search_in_json_that_fits_nothing_is_refused(search, code, tmp_path) -> None:
    (spec,) = checked("content CNN -> behavior Additive -> predict Dot").specs
    document = form.to_json(spec) | {"search": search}
    document.pop("keys")
    file = tmp_path / "m.json"
    file.write_text(json.dumps(document), "utf-8")
    found = check(file, known=CATALOG).errors
    assert [each.code for each in found] == [code]
    assert found[0].primary is not None


@pytest.mark.parametrize("heads", [3, 9, 12, 15])
def test_a_range_is_a_model_where_any_of_its_widths_is(heads) -> None:
    """Neither end divides by so many heads, nor does a power of two between them."""
    content = f"content Attention(hidden in 100..400 log, heads={heads})"
    (spec,) = checked(f"{content} -> behavior Additive -> predict Dot").specs
    assert spec.search["hidden"].low == 100


def test_an_override_opens_an_axis_or_a_range() -> None:
    plain = (
        "data d { source = Demo }\nparam w = 8\ntrain t { lr = 1e-3 }\n"
        "model m = content CNN(hidden=$w) -> behavior Additive -> predict Dot\nrun m on d with t"
    )
    names = [p.name for p in checked(plain, overrides=["w in 8..10"]).points]
    assert names == ["m[w=8]", "m[w=9]", "m[w=10]"]
    (point,) = checked(plain, overrides=["train.lr in 1e-4..1e-2 log"]).points
    assert point.name == "m[lr=1e-4..1e-2 log]"
    names = [p.name for p in checked(plain, overrides=["m.content in {CNN, Pooling}"]).points]
    assert names == ["m[content=CNN]", "m[content=Pooling]"]
    (found,) = check(
        Document("m.lego", plain), overrides=["train.lr in 3..1"], known=CATALOG
    ).errors
    assert (found.code, found.primary.path) == ("E0308", "./--set")


NUMBERS = st.one_of(
    st.integers(1, 300),
    st.floats(1e-9, 1e6, allow_nan=False).map(lambda x: float(f"{x:.3g}")),
)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(NUMBERS, NUMBERS, st.booleans(), st.sampled_from((" ", "", "\n  ")))
def test_a_range_is_laid_out_read_and_settled(low, high, log, gap) -> None:
    low, high = sorted((low, high))
    text = (
        f"data d{{source=Demo}} train t{{clip in {low!r}{gap}..{gap}{high!r}{' log' * log}}}\n"
        "model m=content CNN->behavior Additive->predict Dot run m on d with t"
    )
    formatted = format(Document("m.lego", text))
    assert format(Document("m.lego", formatted)) == formatted
    assert f"  clip in {low!r}..{high!r}{' log' * log}\n" in formatted
    found = check(Document("m.lego", formatted), known=CATALOG)
    whole = isinstance(low, int) and isinstance(high, int)
    if low == high:
        assert [d.code for d in found.errors] == ["E0308"]
    elif whole and not log:
        if high - low < 300:
            assert [p.name for p in found.points] == [f"m[clip={n}]" for n in range(low, high + 1)]
    else:
        (point,) = found.points
        told = ends(point.ranges[0])
        assert (told.low, told.high, told.log, told.whole) == (low, high, log, whole)
        for value in (low, high, (low + high) / 2, (low * high) ** 0.5):
            near = told.nearest(value)
            assert low <= near <= high
            assert near == pytest.approx(value, rel=6e-4, abs=0.5 if whole else 0)
            assert lowered(settle(point, {"clip": near})).train.clip == near
