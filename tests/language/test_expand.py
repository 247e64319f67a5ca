"""Points: their order, their names, what they share, and how they are selected."""

import itertools
import re
from pathlib import Path

import pytest

from legoc.language.declaring import catalog
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.diagnosing.document import Document
from legoc.language.resolving.expand import Expansion, expand_all
from legoc.language.resolving.points import Point
from legoc.language.resolving.resolve import resolve
from legoc.language.resolving.select import select
from legoc.language.resolving.show import show
from tests.language.declared import CATALOG
from tests.language.texts import EXAMPLES, write_examples


BASE = """data d { source = Demo }
data e { source = Demo history = 9 }
train t { lr = 1 }
train u { lr = 2 }
"""


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "catalog", lambda: CATALOG)


def expanded(text: str) -> Expansion:
    found = resolve(Document("m.lego", BASE + text))
    assert found.diagnostics == ()
    return expand_all(found)


def names(text: str) -> list[str]:
    found = expanded(text)
    assert found.diagnostics == ()
    return [point.name for point in found.points]


def content(point: Point) -> str:
    return show(point.model.stages[0][2])


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Expansion:
    folder = write_examples(tmp_path_factory.mktemp("zoo"))
    found = resolve(folder / "zoo.lego")
    assert found.diagnostics == ()
    return expand_all(found)


def test_the_zoo_against_brute_force(zoo: Expansion) -> None:
    text = EXAMPLES["zoo.lego"]
    lists = re.findall(r"in \[(.*?)\n?  \]|in \[([A-Z].*?)\]", text, re.S)
    contents, behaviors, predictors = (
        [" ".join(each.split()) for each in re.findall(r"[A-Z]\w*(?:\([^)]*\))?", one or other)]
        for one, other in lists
    )
    expected = [
        (data, train, lr, operator.replace("$hidden", hidden), behavior, predict)
        for data, (train, lr), operator, hidden, behavior, predict in itertools.product(
            ("mind", "mind_gpt"),
            (("base", "1e-3"), ("base", "1e-4"), ("ranking", "1e-3")),
            contents, ("64", "256"), behaviors, predictors,
        )
    ]  # fmt: skip
    assert len(expected) == 5280
    kept = [one for one in expected if not (one[3].startswith("Null") and one[5] == "Dot")]
    found = [
        (p.data.name, p.train.name, show(p.train.fields["lr"].given),
         *(show(settings) for _, _, settings in p.model.stages))
        for p in zoo.points if p.train
    ]  # fmt: skip
    assert found == kept
    assert len(zoo.excluded) == 96
    assert len({p.name for p in (*zoo.points, *zoo.excluded)}) == 5280
    assert zoo.points[0].name == (
        "zoo[data=mind, train=base, lr=1e-3, content=Null(hidden=64), behavior=Null, predict=DNN]"
    )


def test_points_share_what_they_have_in_common(zoo: Expansion) -> None:
    points = (*zoo.points, *zoo.excluded)
    assert len({id(p.data) for p in points}) == 2
    assert len({id(p.train) for p in points}) == 3
    assert len({id(p.model.stages[0][2]) for p in points}) == 22
    assert len({id(p.model.stages[2][2]) for p in points}) == 5
    assert len({id(p.model) for p in points}) == 22 * 8 * 5


def test_the_first_axis_is_the_slowest() -> None:
    assert names("model m = content in [A, B] -> predict P(x in [1, 2])\nrun m on d, e") == [
        f"m[data={data}, content={stage}, x={x}]"
        for data in "de" for stage in "AB" for x in (1, 2)
    ]  # fmt: skip


def test_uses_of_one_param_move_together_and_inline_axes_do_not() -> None:
    text = (
        "param h in [1, 2]\nmodel m = content A(h=$h) -> behavior B(h=$h) -> predict P\nrun m on d"
    )
    assert names(text) == ["m[h=1]", "m[h=2]"]
    text = "model m = content A(h in [1, 2]) -> behavior B(h in [1, 2]) -> predict P\nrun m on d"
    assert names(text) == [
        f"m[content.h={one}, behavior.h={two}]" for one in (1, 2) for two in (1, 2)
    ]


def test_an_axis_in_an_option_is_met_only_there() -> None:
    text = "param h in [1, 2]\nmodel m = content in [A, B(h=$h)] -> predict P(h=$h)\nrun m on d"
    assert names(text) == [
        "m[content=A, h=1]", "m[content=A, h=2]", "m[content=B(h=1)]", "m[content=B(h=2)]",
    ]  # fmt: skip
    text = "model m = content in [A, B(h in [1, 2])] -> predict P\nrun m on d"
    assert names(text) == ["m[content=A]", "m[content=B(h=1)]", "m[content=B(h=2)]"]


def test_an_override_inside_a_swept_param_still_moves_with_it() -> None:
    text = "param c in [A(k=1), B]\nmodel m = content in [$c] -> behavior in [$c] -> predict P\n"
    found = expanded(text + "model n = m(content.k=7)\nrun n on d").points
    assert [[show(settings) for _, _, settings in p.model.stages[:2]] for p in found] == [
        ["A(k=7)", "A(k=1)"], ["B(k=7)", "B"],
    ]  # fmt: skip


def test_a_part_met_before_and_after_its_axis_is_one_object() -> None:
    text = "param h in [1, 2]\nmodel m = content in [A, B(h=$h)] -> predict P(h=$h)\nrun m on d"
    assert len({id(p.model.stages[1][2]) for p in expanded(text).points}) == 2


def test_an_axis_inside_a_param_and_inside_a_list() -> None:
    text = "param w in [[1], [2, 3]]\nmodel m = content A(u=$w, v=[0, $w])\nrun m on d"
    assert names(text) == ["m[w=[1]]", "m[w=[2, 3]]"]
    assert [content(p) for p in expanded(text).points] == [
        "A(u=[1], v=[0, [1]])", "A(u=[2, 3], v=[0, [2, 3]])",
    ]  # fmt: skip


def test_a_list_is_a_value_and_in_sweeps() -> None:
    assert names("model m = content A(u=[1, 2])\nrun m on d") == ["m"]
    assert names("model m = content A(u in [1, 2])\nrun m on d") == ["m[u=1]", "m[u=2]"]


def test_points_are_named_by_value_so_that_a_new_one_renames_nothing() -> None:
    before = names("model m = content in [A, B] -> predict P(x in [1, 2])\nrun m on d")
    after = names("model m = content in [C, A, B] -> predict P(x in [0, 1, 2])\nrun m on d")
    assert set(before) < set(after)


def test_several_models() -> None:
    text = "model a = content A\nmodel b = content B\n"
    assert names(text + "run a, b on d") == ["a", "b"]
    assert names(text + "run both = a, b on d") == ["both[model=a]", "both[model=b]"]
    assert names(text + "run a, a(content=C) on d") == [
        "a[model=a]", "a[model=a(content=C)]",
    ]  # fmt: skip
    found = expanded(text + "run a, b on d").points
    assert [p.choices for p in found] == [{"model": "a"}, {"model": "b"}]


def test_references_are_named_with_what_they_change() -> None:
    text = "model m = content A\n"
    assert names(text + "run m on d(history=3), d with t(lr in [1, 2], epochs=5), u") == [
        f"m[data={data}, {train}]"
        for data in ("d(history=3)", "d")
        for train in ("train=t(epochs=5), lr=1", "train=t(epochs=5), lr=2", "train=u")
    ]


def test_choices_tell_every_axis() -> None:
    text = "param h in [1, 2]\nmodel m = content in [A(h=$h)] -> predict P(x in [3])\nrun m on d, e"
    assert expanded(text).points[-1].choices == {
        "data": "e", "content": "A(h=2)", "h": "2", "x": "3",
    }  # fmt: skip


def test_except_takes_points_out_and_keeps_them_apart() -> None:
    text = "model m = content in [A(k=1, j=2), B] -> predict in [P, Q]\nrun m on d, e "
    kept = names(text + "except (content=A, predict=P) except (data=e, content=B)")
    assert kept == [
        "m[data=d, content=A(k=1, j=2), predict=Q]", "m[data=d, content=B, predict=P]",
        "m[data=d, content=B, predict=Q]", "m[data=e, content=A(k=1, j=2), predict=Q]",
    ]  # fmt: skip
    found = expanded(text + "except (content=A, predict=P) except (data=e, content=B)")
    assert len(found.points) + len(found.excluded) == 8
    assert len(expanded(text + "except (content=A(j=2))").points) == 4
    assert len(expanded(text + "except (content=A(j=3))").points) == 8
    assert len(expanded(text + "except (content in [A, B], data=d)").points) == 4
    assert len(expanded(text + "except (content.k=1)").points) == 4
    assert len(expanded(text + "except ()").points) == 8


@pytest.mark.parametrize(
    ("clause", "code", "help"),
    [
        ("except (contnet=A)", "E0202", "did you mean `content`?"),
        ("except (A)", "E0301", "content=A"),
        ("except (hidden=3)", "E0202", "the axes are `content`"),
    ],
)
def test_a_pattern_that_names_nothing(clause: str, code: str, help: str) -> None:
    found = expanded(f"model m = content in [A, B]\nrun m on d {clause}").diagnostics
    assert [each.code for each in found] == [code]
    assert help in found[0].help[0]


@pytest.mark.parametrize(
    ("only", "count"),
    [
        ("content=CNN", 960), ("content=CNN,hidden=64", 480), ("content=CNN(fuse=concat)", 480),
        ("hidden=64.0", 2592), ("lr=0.001,predict=Dot", 320), ("train=ranking", 1728),
        ("train.lr=1e-4", 1728), ("data=mind", 2592),
        ("behavior=GRU, predict in [Dot, MINER]", 252),
        ("content=BERT(lora=8, split=-2), data=mind", 240), ("data.history=50", 5184),
        ("model=zoo", 5184),
    ],
)  # fmt: skip
def test_only(zoo: Expansion, only: str, count: int) -> None:
    assert len(select(zoo.points, only)) == count


@pytest.mark.parametrize(
    ("only", "code", "help"),
    [
        ("contnet=CNN", "E0202", "did you mean `content`?"),
        ("content=GRU", "E0202", "--points"),
        ("content=", "E0102", "write a number"),
        ("CNN", "E0301", "content=CNN"),
        ("content=CNN)", "E0102", ""),
    ],
)
def test_only_that_fits_nothing(zoo: Expansion, only: str, code: str, help: str) -> None:
    with pytest.raises(LegoError) as caught:
        select(zoo.points, only)
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert help in " ".join(found.help)


def test_a_sweep_out_of_hand_is_refused_before_it_is_made() -> None:
    values = ", ".join(map(str, range(50)))
    axes = ", ".join(f"{name} in [{values}]" for name in "abcdef")
    found = expanded(f"model m = content A({axes})\nrun m on d")
    assert found.points == ()
    assert [each.code for each in found.diagnostics] == ["E0703"]
    # A model that no run names is not worth a message, nor the memory.
    assert expanded(f"model m = content A({axes})").loose == ()


def test_a_point_keeps_its_places() -> None:
    point = expanded("model m =\n  content A(x=3)\nrun m on d where valid").points[0]
    ((role, place, settings),) = point.model.stages
    assert (role, place.text, settings.span.text) == ("content", "content", "A")
    assert settings.args["x"].name_span.text == "x"
    assert settings.args["x"].given.span.text == "3"
    assert point.run.text == "run m"
    assert point.where_valid
    assert point.data.span.text == "d"


def test_every_example_expands(tmp_path: Path) -> None:
    folder = write_examples(tmp_path)
    for name in EXAMPLES:
        found = expand_all(resolve(folder / name))
        expected = {"common.lego": 0, "07_dire.lego": 3, "zoo.lego": 5184}.get(name, 1)
        assert len(found.points) == expected
        assert found.loose == ()
