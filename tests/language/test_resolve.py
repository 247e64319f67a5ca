"""Names to what they mean: files, copies, params, and what the command line overrides."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from legoc.language.declaring import catalog
from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Document
from legoc.language.resolving import override
from legoc.language.resolving.expand import expand, expand_all
from legoc.language.resolving.points import Given, Point, Record
from legoc.language.resolving.resolve import resolve
from legoc.language.resolving.resolved import Resolved
from legoc.language.resolving.show import show
from tests.language.declared import CATALOG
from tests.language.mutants import mutants
from tests.language.texts import EXAMPLES, write_examples


BASE = """data mind { source = MIND("MINDsmall") content = [title(30)] history = 50 }
train base { task = matching(negatives=4) lr = 1e-3 }
param hidden = 64
model naml = content CNN(hidden=$hidden, kernel=3) -> behavior Additive -> predict Dot
"""


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "catalog", lambda: CATALOG)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_examples(tmp_path)


def resolved(text: str, *overrides: str) -> Resolved:
    found = resolve(Document("m.lego", text), overrides)
    assert found.diagnostics == ()
    return found


def point(text: str, *overrides: str) -> Point:
    (found,) = expand(resolved(text, *overrides))
    return found


def only(text: str, *overrides: str) -> Diagnostic:
    found = resolve(Document("m.lego", text), overrides).diagnostics
    assert len(found) == 1, found
    return found[0]


def fields(record: Record | None) -> dict[str, str]:
    assert record is not None
    return {name: show(argument.given) for name, argument in record.fields.items()}


def stages(found: Point) -> dict[str, str]:
    return {role: show(settings) for role, _, settings in found.model.stages}


def test_every_example_resolves(folder: Path) -> None:
    for name in EXAMPLES:
        assert resolve(folder / name).diagnostics == (), name


def test_a_copy_replaces_fields_left_to_right() -> None:
    found = point(BASE + "train slow = base(lr=1e-4, epochs=9)\nrun naml on mind with slow(lr=3)")
    assert fields(found.train) == {"task": "matching(negatives=4)", "lr": "3", "epochs": "9"}
    assert found.train is not None
    assert found.train.name == "slow"


def test_a_copy_of_a_model_replaces_a_stage_or_one_parameter() -> None:
    text = BASE + "model b = naml(content=BERT(lora=8), content.hidden=32, behavior.dim=7)\n"
    found = point(text + "run b on mind")
    assert stages(found) == {
        "content": "BERT(lora=8, hidden=32)",
        "behavior": "Additive(dim=7)",
        "predict": "Dot",
    }
    assert found.model.name == "b"
    assert found.train is None


def test_replacing_a_stage_drops_what_was_set_inside_it() -> None:
    text = BASE + "model b = naml(content.hidden=32)\nmodel c = b(content=BERT)\nrun c on mind"
    assert stages(point(text))["content"] == "BERT"


def test_the_original_is_untouched_by_its_copies() -> None:
    text = BASE + "model b = naml(content.hidden=32)\nrun b on mind\nrun naml on mind"
    first, second = expand(resolved(text))
    assert stages(first)["content"] == "CNN(hidden=32, kernel=3)"
    assert stages(second)["content"] == "CNN(hidden=64, kernel=3)"


def test_lists_are_replaced_and_keys_reach_into_operators() -> None:
    found = point(BASE + "run naml on mind(content=[category]) with base(task.negatives=9)")
    assert fields(found.data)["content"] == "[category]"
    assert fields(found.train)["task"] == "matching(negatives=9)"


def test_a_dotted_key_replaces_the_one_positional_argument() -> None:
    found = point(BASE + 'run naml on mind(source.path="big")')
    assert fields(found.data)["source"] == 'MIND(path="big")'


def test_a_dotted_key_reaches_into_a_shorthand() -> None:
    text = BASE + "model b = naml(content=BERT(lora=8), content.lora.alpha=64)\nrun b on mind"
    assert stages(point(text))["content"] == "BERT(lora=LoRA(r=8, alpha=64))"


def test_a_dotted_key_reaches_into_every_option_of_an_axis() -> None:
    text = (
        BASE + "model b = naml(content in [BERT, CNN(hidden=1)], content.hidden=9)\nrun b on mind"
    )
    found = [stages(each)["content"] for each in expand(resolved(text))]
    assert found == ["BERT(hidden=9)", "CNN(hidden=9)"]


def test_names_come_from_files_one_by_one_or_under_a_prefix(tmp_path: Path) -> None:
    (tmp_path / "a.lego").write_text(BASE)
    (tmp_path / "b.lego").write_text('use "a.lego" (naml, mind)\nrun naml on mind')
    (tmp_path / "c.lego").write_text('use "a.lego" as a\nrun a.naml on a.mind with a.base(lr=3)')
    for name in ("b.lego", "c.lego"):
        found = resolve(tmp_path / name)
        assert found.diagnostics == ()
        assert [each.name for each in expand(found)] == ["naml"]
        assert [Path(each.path).name for each in found.documents] == [name, "a.lego"]


def test_a_value_keeps_the_file_that_states_it(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "a.lego").write_text('param place = "raw"\ndata d { source = MIND($place) }')
    (tmp_path / "b.lego").write_text('use "inner/a.lego" (d)\nmodel m = content CNN\nrun m on d')
    (found,) = expand(resolve(tmp_path / "b.lego"))
    source = found.data.fields["source"].given.value
    assert source.positional[0].span.path == str(inner / "a.lego")  # type: ignore[union-attr]


WRONG = [
    ("E0202", "run nalm on mind", "nalm", "did you mean `naml`?"),
    ("E0202", "run naml on mnid", "mnid", "did you mean `mind`?"),
    ("E0202", "run naml on base", "base", "name a data set"),
    ("E0202", "run naml on mind with mind", "mind", "name a training recipe"),
    ("E0202", "train t = bsae", "bsae", "did you mean `base`?"),
    ("E0202", "train t = mind(lr=3)", "mind", "name a training recipe"),
    ("E0202", "train t { lr = $hiden }", "$hiden", "did you mean `$hidden`?"),
    ("E0202", "train t { lr = $base }", "$base", "named without it"),
    ("E0202", "train t = base(split.valid=3)", "split", "give it whole"),
    ("E0202", "run naml on other.mind", "other.mind", "declare it"),
    ("E0203", "train t = t", "t", "give it a value"),
    ("E0203", "param x = $x", "x", "give it a value"),
    ("E0204", "param base = 3", "base", "rename"),
    ("E0204", "run naml on mind\nrun naml on mind with base", "naml", "name this one"),
    ("E0205", "train t { lr = 1 lr = 2 }", "lr", "keep"),
    ("E0205", "train t = base(lr=1, lr=2)", "lr", "keep"),
    ("E0205", "model m = content CNN(a=1, a=2)", "a", "keep"),
    ("E0205", "train t { lr in [1, 2, 1] }", "1", "keep"),
    ("E0205", "run naml on mind, mind", "mind", "keep"),
    ("E0207", "model m = naml(flatten=GRU)", "flatten", "the stages of `naml`"),
    ("E0207", "model m = naml(contnet=GRU)", "contnet", "did you mean `content`?"),
    ("E0207", "model m = naml(hidden=3)", "hidden", "the stages of `naml`"),
    ("E0301", "model m = naml(GRU)", "GRU", "write `naml("),
    ("E0301", "run naml on mind(3)", "3", "write `mind("),
    ("E0303", "model m = naml(content=3)", "3", "legoc operators content"),
    ("E0303", "model m = naml(content in [CNN, [1]])", "[1]", "legoc operators content"),
    ("E0303", "train t = base(lr.x=3)", "x", "replace the whole value"),
    ("E0303", "run naml on mind(content.title=3)", "title", "replace the whole value"),
    ("E0304", "train t { lr in [] }", "[]", "in [64, 128]"),
]


@pytest.mark.parametrize(("code", "text", "place", "help"), WRONG)
def test_what_is_wrong_with_a_name(code: str, text: str, place: str, help: str) -> None:
    found = only(BASE + text)
    assert found.code == code
    assert found.primary is not None
    assert found.primary.text == place
    assert found.primary.start >= len(BASE)
    assert help in found.help[0]


def test_a_name_behind_a_prefix_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "a.lego").write_text(BASE)
    (tmp_path / "b.lego").write_text('use "a.lego" as a\nrun naml on a.mind')
    (found,) = resolve(tmp_path / "b.lego").diagnostics
    assert found.help == ("did you mean `a.naml`?",)
    assert found.fix is not None
    assert found.fix.replacement == "a.naml"


def test_files_that_are_missing_broken_or_use_each_other(tmp_path: Path) -> None:
    (tmp_path / "common.lego").write_text(BASE)
    (tmp_path / "round.lego").write_text('use "back.lego" as b')
    (tmp_path / "back.lego").write_text('use "round.lego" as r')
    (tmp_path / "latin.lego").write_bytes(b'param p = "\xe9"')
    (tmp_path / "folder.lego").mkdir()
    (tmp_path / "broken.lego").write_text("param p = \nparam q = 3")

    def codes(text: str) -> list[tuple[str, str]]:
        found = resolve(Document(str(tmp_path / "m.lego"), text)).diagnostics
        assert all(each.help or each.fix for each in found)
        return [(each.code, " ".join((each.message, *each.help))) for each in found]

    ((code, text),) = codes('use "comon.lego" (mind)\nrun a on mind'.replace("run a on", "#"))
    assert code == "E0201"
    assert "did you mean `common.lego`?" in text
    assert codes('use "latin.lego" (p)')[0][1].count("UTF-8") == 1
    assert "folder" in codes('use "folder.lego" (p)')[0][1]
    assert [code for code, _ in codes('use "a\\u0000b" (p)')] == ["E0201"]
    assert [code for code, _ in codes('use "round.lego" as r')] == ["E0203"]
    ((code, text),) = codes('use "common.lego" (mnid)')
    assert code == "E0202"
    assert "did you mean `mind`?" in text
    # The broken file is told once; the name lost in it is not called unknown.
    assert [code for code, _ in codes('use "broken.lego" (p, q)\ntrain t { lr = $p }')] == ["E0102"]
    assert [code for code, _ in codes('use "common.lego" (mind, mind)')] == ["E0204"]


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    (tmp_path / "nrms.lego").write_text("content CNN")
    (found,) = resolve(tmp_path / "nmrs.lego").diagnostics
    assert (found.code, found.help) == ("E0201", ("did you mean `nrms.lego`?",))
    assert resolve(tmp_path).diagnostics[0].code == "E0201"


def test_what_rests_on_a_mistake_is_silent() -> None:
    text = BASE + "train t = bsae\ntrain u = t(lr=3)\nrun naml on mind with u\nrun r = naml on mind"
    found = resolve(Document("m", text))
    assert [each.code for each in found.diagnostics] == ["E0202"]
    assert [each.name for each in expand(found)] == ["r"]


def test_a_chain_of_copies_has_an_end() -> None:
    chain = "".join(f"train t{i} = t{i - 1}\n" for i in range(500, 0, -1))
    assert {d.code for d in resolve(Document("m", chain + "train t0 {}")).diagnostics} == {"E0203"}
    forward = "".join(f"train t{i} = t{i - 1}\n" for i in range(1, 500))
    assert resolve(Document("m", "train t0 {}\n" + forward)).diagnostics == ()


RUN = BASE + "run naml on mind with base\n"


@pytest.mark.parametrize(
    ("given", "where", "name", "expected"),
    [
        ("hidden=128", "model", "content", "CNN(hidden=128, kernel=3)"),
        ("mind.source=Demo", "data", "source", "Demo"),
        ("naml.content.hidden=32", "model", "content", "CNN(hidden=32, kernel=3)"),
        ("naml.behavior=GRU(hidden=8)", "model", "behavior", "GRU(hidden=8)"),
        ("train.lr=1e-4", "train", "lr", "1e-4"),
        ("train.epochs=2", "train", "epochs", "2"),
        ("base.task.negatives=1", "train", "task", "matching(negatives=1)"),
        ("data.source=Demo", "data", "source", "Demo"),
        ("data.history=7", "data", "history", "7"),
        ("model.content=Pooling", "model", "content", "Pooling"),
        ("mind.source.path=raw/MINDsmall", "data", "source", 'MIND(path="raw/MINDsmall")'),
        ("data.source.path=a b=c", "data", "source", 'MIND(path="a b=c")'),
        ('data.source.path="quoted"', "data", "source", 'MIND(path="quoted")'),
        ("data.vectors=../glove.txt", "data", "vectors", '"../glove.txt"'),
        ("data.content=[title(9), category]", "data", "content", "[title(9), category]"),
        ("export.precision=fp16", "export", "precision", "fp16"),
        (" hidden = 5 ", "model", "content", "CNN(hidden=5, kernel=3)"),
    ],
)
def test_set(given: str, where: str, name: str, expected: str) -> None:
    found = point(RUN, given)
    shown = stages(found) if where == "model" else fields(getattr(found, where))
    assert shown[name] == expected


def test_set_is_applied_in_order_and_to_what_is_copied() -> None:
    text = BASE + "train quick = base(epochs=1)\nrun naml on mind with quick"
    assert fields(point(text, "base.lr=3").train)["lr"] == "3"
    assert fields(point(text, "train.lr=4", "train.lr=5", "base.lr=3").train)["lr"] == "5"


def test_set_gives_a_swept_param_one_value() -> None:
    text = RUN.replace("hidden = 64", "hidden in [64, 128]")
    assert len(expand(resolved(text))) == 2
    found = point(text, "hidden=32")
    assert (found.name, stages(found)["content"]) == ("naml", "CNN(hidden=32, kernel=3)")


def test_set_of_a_path_is_relative_to_the_working_directory() -> None:
    found = point(RUN, "mind.source.path=raw")
    source = found.data.fields["source"].given.value
    given: Given = source.args["path"].given  # type: ignore[union-attr]
    assert (given.value, given.span.path, given.span.text) == ("raw", "./--set", "raw")


def test_set_of_a_param_that_is_text_takes_the_rest_as_it_stands() -> None:
    text = 'param place = "raw"\n' + RUN.replace('"MINDsmall"', "$place")
    assert fields(point(text, "place=a/b c").data)["source"] == 'MIND("a/b c")'


def test_set_goes_through_a_prefix(tmp_path: Path) -> None:
    (tmp_path / "a.lego").write_text(BASE)
    text = 'use "a.lego" as a\nrun a.naml on a.mind with a.base'
    document = Document(str(tmp_path / "b.lego"), text)
    (found,) = expand(resolve(document, ["a.base.lr=7", "a.hidden=3"]))
    assert fields(found.train)["lr"] == "7"
    assert stages(found)["content"] == "CNN(hidden=3, kernel=3)"


@pytest.mark.parametrize(
    ("given", "code", "help"),
    [
        ("hidden", "E0102", "--set hidden=128"),
        ("hidden=", "E0102", "VALUE"),
        ("hidden=3 4", "E0102", "delete it"),
        ("hidden=[1", "E0102", "]"),
        ("hiden=3", "E0202", "did you mean `hidden`?"),
        ("nmal.content=CNN", "E0202", "did you mean `naml`?"),
        ("trian.lr=3", "E0202", "did you mean `train`?"),
        ("mind=3", "E0202", "mind.field"),
        ("hidden.x=3", "E0202", "--set hidden=VALUE"),
        ("naml.flatten=GRU", "E0207", "stages of `naml`"),
        ("train.task.x.y=3", "E0202", "give it whole"),
    ],
)
def test_set_that_fits_nothing(given: str, code: str, help: str) -> None:
    found = only(RUN, given)
    assert found.code == code
    assert help in found.help[0]
    assert found.primary is not None
    assert found.primary.path == "./--set"


@pytest.mark.parametrize("given", ["train.lr=3", "export.opset=21"])
def test_set_reaches_the_defaults_of_a_run_that_names_no_recipe(given: str) -> None:
    found = resolve(Document("m.lego", BASE + "run naml on mind"), [given])
    assert not found.diagnostics
    kind, _, rest = given.partition(".")
    record = getattr(expand(found)[0], kind)
    name, _, value = rest.partition("=")
    assert record.fields[name].given.value == int(value)


def test_unused_names_are_known_where_a_file_runs_something(tmp_path: Path) -> None:
    (tmp_path / "a.lego").write_text(BASE)
    text = 'use "a.lego" (mind, base, naml)\nuse "a.lego" as a\nparam p = 3\ntrain t { lr = 1 }\n'
    document = Document(str(tmp_path / "b.lego"), text + "run naml on mind")
    assert [word.text for word in resolve(document).unused] == ["base", "a", "p", "t"]
    document = Document(str(tmp_path / "b.lego"), text)
    assert resolve(document).unused == ()


def test_what_no_run_uses_can_still_be_checked() -> None:
    found = expand_all(resolved(BASE + "train spare = base(lr in [1, 2])"))
    (loose,) = found.loose
    assert (loose.name, loose.data.name, loose.train, loose.where_valid) == (
        "naml", "mind", None, False,
    )  # fmt: skip
    assert [fields(record)["lr"] for record in found.spare if record.kind == "train"] == ["1", "2"]
    found = expand_all(resolved("model m = content in [CNN, GRU]\ndata a {}\ndata b {}"))
    assert [(each.name, each.data.name, each.where_valid) for each in found.loose] == [
        ("m[content=CNN]", "Demo", True), ("m[content=GRU]", "Demo", True),
    ]  # fmt: skip


def test_a_bare_pipeline_runs_on_demo() -> None:
    document = Document("some/where/nrms.lego", "content Attention -> behavior GRU -> predict Dot")
    (found,) = expand(resolve(document))
    assert found.name == "nrms"
    assert fields(found.data) == {"source": "Demo"}
    assert fields(found.train) == {}
    given = ["data.history=9", "train.epochs=2", "model.content.hidden=8", "export.opset=18"]
    (found,) = expand(resolve(document, given))
    assert fields(found.data)["history"] == "9"
    assert fields(found.export) == {"opset": "18"}
    assert stages(found)["content"] == "Attention(hidden=8)"


def cases() -> Iterator[str]:
    for name in ("02_nrms.lego", "06_plmnr.lego", "07_dire.lego", "zoo.lego"):
        yield from list(mutants(EXAMPLES[name]))[:: 15 if name == "zoo.lego" else 5]


def test_a_mutant_is_one_message_or_points_and_never_raises(folder: Path) -> None:
    for text in cases():
        found = resolve(Document(str(folder / "mutant.lego"), text))
        expansion = expand_all(found)
        for each in (*found.diagnostics, *expansion.diagnostics):
            assert each.labels, (text, each)
            assert each.help or each.fix, (text, each)
            assert "\n" not in each.message


def test_one_piece_lost_or_doubled_is_at_most_one_message(folder: Path) -> None:
    for name in ("01_naml.lego", "02_nrms.lego", "06_plmnr.lego", "07_dire.lego"):
        for text in mutants(EXAMPLES[name], "delete double"):
            found = resolve(Document(str(folder / "mutant.lego"), text)).diagnostics
            assert len(found) <= 1, (text, found)


def test_the_document_of_set_is_in_the_working_directory() -> None:
    made = override.read_override("a.b=c")
    assert isinstance(made, override.Override)
    assert (made.key.text, made.rest.text, made.document.path) == ("a.b", "c", "./--set")
