"""Specs in JSON and YAML: the IR read back, defaults filled, mistakes at their own places."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from legoc.language.checking import Checked, check
from legoc.language.diagnosing.document import Document
from legoc.language.diagnosing.render import render
from legoc.language.ir import form
from legoc.language.syntax.json_form import read_json
from legoc.language.syntax.nodes import Mapping, Node, Scalar, Sequence, Unreadable
from legoc.language.syntax.yaml_form import read_yaml
from tests.language.declared import CATALOG, SCHEMA
from tests.language.specs import run_of, spec_of


TEXTS = (
    run_of("content CNN(fuse=concat) -> behavior Additive -> predict Dot"),
    run_of("content BERT(lora=8, split=-2) -> behavior PolyAttention -> predict MINER"),
    run_of("content Null -> behavior Null -> predict DIN").replace(
        "{ }", "{ task = ranking  limit = 90min  samples = 5k  warmup = 10% }"
    ),
    run_of("content BERT -> behavior GRU -> predict DCN").replace(
        "content = [", 'content = ["News: \\"now\\"\\n", abstract(7), '
    ),
    run_of("flatten Longformer -> predict Dot")
    + "export edge { precision = int8 budget = 65537KiB }\n",
)  # fmt: skip


def checked(text: str, path: str = "t.yaml", *overrides: str) -> Checked:
    return check(Document(path, text), overrides=overrides, known=CATALOG)


def plain(node: Node) -> object:
    """What the node says, without its places."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {pair.key: plain(pair.value) for pair in node.pairs}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("path", ["t.json", "t.yaml", "t.yml"])
def test_the_ir_is_read_back_with_every_key(text: str, path: str) -> None:
    spec = spec_of(text.replace(" as edge", "")) if "edge" not in text else spec_of(
        text.replace("with base", "with base as edge")
    )  # fmt: skip
    document = form.to_json(spec)
    written = json.dumps(document) if path == "t.json" else yaml.safe_dump(document)
    found = checked(written, path)
    assert not found.diagnostics, render(found.diagnostics)
    (again,) = found.specs
    assert again == spec
    assert form.to_json(again) == document


def test_several_specs_are_a_list() -> None:
    documents = [
        {**form.to_json(spec_of(text)), "name": f"m{n}"} for n, text in enumerate(TEXTS[:3])
    ]
    found = checked(json.dumps(documents), "t.json")
    assert not found.diagnostics
    assert [form.to_json(spec)["model"] for spec in found.specs] == [d["model"] for d in documents]
    twice = checked(json.dumps([documents[0], documents[0]]), "t.json")
    assert [d.code for d in twice.diagnostics] == ["E0204"]


def test_defaults_may_be_left_out() -> None:
    text = """
model:
  predict: {op: Dot}
  behavior: {op: Additive}
  content: {op: CNN, args: {hidden: 32}}
train: {lr: 1e-2}
"""
    (spec,) = checked(text, "short.yaml").specs
    same = spec_of(
        'data d { source = Demo }\ntrain t { lr = 1e-2 }\n'
        "model short = content CNN(hidden=32) -> behavior Additive -> predict Dot\n"
        "run short on d with t"
    )  # fmt: skip
    assert spec == same
    assert list(spec.model) == ["content", "behavior", "predict"]


SOUND = """\
name: mine
model:
  content: {op: CNN, args: {hidden: 64}}
  behavior: {op: Additive}
  predict: {op: Dot}
data:
  source: {op: Demo}
  content: [{attr: title, max: 30}, {attr: category}]
train:
  metrics: [{op: GAUC}, {op: NDCG, args: {k: 5}}]
  limit: 7200
"""

# what is changed, to what, and the code, place and words of the message
MISTAKES = [
    ("name: mine", "nam: mine", "E0302", "1:1", "a spec has no key `nam`"),
    ("name: mine", "name: [1]", "E0902", "1:7", "`name` is a text"),
    ("name: mine", "legoc: 2", "E0903", "1:8", "another version"),
    ("name: mine", "legoc: true", "E0903", "1:8", "another version"),
    ("name: mine", "name: a\nname: b", "E0205", "2:1", "given twice"),
    ("name: mine", "types: {item: 'Vec[3]'}", "W901", "1:16", "does not follow"),
    ("name: mine", "types: {itm: 'Vec[3]'}", "E0302", "1:9", "no key `itm`"),
    ("name: mine", "keys: [a]", "E0902", "1:7", "`keys` is a mapping"),
    ("name: mine", "keys: {item: 3}", "E0902", "1:14", "`item` is a text"),
    ("  behavior: {op: Additive}", "  behaviour: {op: Additive}", "E0207", "4:3", "no stage"),
    ("{op: Additive}", "Additive", "E0902", "4:13", "an operator is a mapping"),
    ("{op: Additive}", "{op: Aditive}", "E0206", "4:18", "no behavior operator is called"),
    ("{op: Additive}", "{args: {}}", "E0902", "4:13", "has no name"),
    ("{op: Additive}", "{op: Additive, arg: {}}", "E0302", "4:28", "no key `arg`"),
    ("{op: Additive}", "{op: Additive, args: 3}", "E0902", "4:34", "`args` is a mapping"),
    ("{op: Additive}", "{op: Additive, args: {heads: 8}}", "E0302", "4:35", "no parameter"),
    ("hidden: 64", "hidden: 64.5", "E0303", "3:37", "must be a whole number"),
    ("hidden: 64", "hidden: '64'", "E0303", "3:38", "must be a whole number"),
    ("hidden: 64", "hidden: 0", "E0305", "3:37", "at least 1"),
    ("hidden: 64", "hidden: {a: 1}", "E0902", "3:37", "a plain value or a list"),
    ("hidden: 64", "fuse: concatt", "E0303", "3:35", "must be"),
    ("{op: Demo}", "{op: Demmo}", "E0206", "7:16", "no source is called"),
    ("{attr: title, max: 30}", "title", "E0902", "8:13", "an attribute is a mapping"),
    ("{attr: title, max: 30}", "{attr: titel}", "E0601", "8:20", "titel"),
    ("{attr: title, max: 30}", "{attr: title, mx: 3}", "E0302", "8:27", "no key `mx`"),
    ("{attr: title, max: 30}", "{attr: title, text: a}", "E0902", "8:13", "an attribute has"),
    ("{attr: title, max: 30}", "{text: 3}", "E0902", "8:13", "an attribute has"),
    ("{op: GAUC}, ", "GAUC, ", "E0902", "10:13", "an operator is a mapping"),
    ("metrics: [{op: GAUC}, {op: NDCG, args: {k: 5}}]", "metrics: {op: GAUC}", "E0902", "10:12",
     "a plain value or a list"),
    ("limit: 7200", "limmit: 7200", "E0302", "11:3", "no field `limmit`"),
    ("limit: 7200", "limit: soon", "E0303", "11:10", "a duration"),
    ("limit: 7200", "limit: -1", "E0305", "11:10", "above 0"),
]  # fmt: skip


def test_the_sound_one_is_sound() -> None:
    found = checked(SOUND)
    assert not found.diagnostics, render(found.diagnostics)
    assert found.specs[0].train is not None
    assert found.specs[0].train.limit == 7200.0


@pytest.mark.parametrize(("old", "new", "code", "place", "words"), MISTAKES)
def test_a_mistake_is_shown_where_it_stands(
    old: str, new: str, code: str, place: str, words: str
) -> None:
    assert old in SOUND
    found = checked(SOUND.replace(old, new, 1)).diagnostics
    (first,) = found
    assert first.code == code
    assert words in first.message
    assert first.help or first.labels
    shown = render([first])
    assert f"--> t.yaml:{place}\n" in shown, shown


def test_a_spelling_has_a_fix_that_leaves_the_quotes() -> None:
    text = SOUND.replace("hidden: 64", 'fuse: "concatt"')
    (found,) = checked(text).diagnostics
    fix = found.fix
    assert fix is not None
    repaired = text[: fix.span.start] + fix.replacement + text[fix.span.end :]
    assert 'fuse: "concat"' in repaired
    assert not checked(repaired).diagnostics


def test_overrides_reach_into_every_part() -> None:
    overrides = ("train.lr=0.5", "data.history=7", "model.content.hidden=32")
    found = checked(SOUND, "t.yaml", *overrides)
    (spec,) = found.specs
    assert spec.train is not None
    assert (spec.train.lr, spec.data.history, spec.model["content"]["hidden"]) == (0.5, 7, 32)
    assert [d.code for d in checked(SOUND, "t.yaml", "hidden=3").diagnostics] == ["E0202"]


def test_a_path_is_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    text = SOUND.replace("{op: Demo}", "{op: Shop, args: {path: raw}}").replace(
        "[{attr: title, max: 30}, {attr: category}]", "[{attr: name, max: 9}]"
    )
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    found = check(path, known=CATALOG)
    assert not found.diagnostics, render(found.diagnostics)
    assert found.specs[0].data.source["path"] == str(tmp_path / "raw")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "1:1"),
        ("{", "1:2"),
        ('{"model": }', "1:11"),
        ('{"model": 1,}', "1:13"),
        ("[1,\n 2,\n]", "3:1"),
        ('{"a" 1}', "1:6"),
        ("{a: 1}", "1:2"),
        ("{'a': 1}", "1:2"),
        ('{"a": tru}', "1:7"),
        ('{"a": NaN}', "1:7"),
        ('{"a": 1} x', "1:10"),
        ('{"a": "x\ny"}', "1:7"),
        ('{"a": "\\x"}', "1:7"),
        ('{"a": 01}', "1:8"),
        ('{"a": 1 "b": 2}', "1:9"),
        ('{"a": 1e999}', "1:7"),
        ("[" * 100, "1:62"),
        ('{"a": ' + "9" * 5000 + "}", "1:7"),
    ],
)
def test_what_is_no_json_is_refused_where_it_ends(text: str, place: str) -> None:
    (found,) = checked(text, "t.json").diagnostics
    assert found.code == "E0901"
    span = found.primary
    assert span is not None
    assert "{}:{}".format(*span.position) == place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [1, 2", "1:8"),
        ("a: b: c", "1:5"),
        ("a:\n\t- b", "2:1"),
        ("a: &x 1", "1:4"),
        ("a: 1\nb: *x", "2:4"),
        ("a: !!python/name:os.system x", "1:4"),
        ("a: 1\n---\nb: 2", "3:1"),
        ("[1]: 2", "1:1"),
        ("a: 'x", "1:5"),
        ("a: \x01", "1:4"),
        ("a: 1e999", "1:4"),
        ("[" * 100, "1:62"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_where_it_ends(text: str, place: str) -> None:
    (found,) = checked(text).diagnostics
    assert found.code == "E0901"
    span = found.primary
    assert span is not None
    assert "{}:{}".format(*span.position) == place, found


def test_a_comma_too_many_is_called_one() -> None:
    for text in ("[1,]", '{"a": 1,}'):
        (found,) = checked(text, "t.json").diagnostics
        assert found.message == "a comma stands behind the last element"
        assert found.help == ("delete the comma",)


def test_words_of_yaml_are_those_of_version_1_2() -> None:
    text = "{a: 1e-3, b: on, c: 0o7, d: ~, e: True, f: '5', g: 1_000, h: .5, i: -2, j: }"
    assert plain(read_yaml(Document("t.yaml", text))) == {
        "a": 0.001, "b": "on", "c": "0o7", "d": None, "e": True, "f": "5", "g": "1_000", "h": 0.5,
        "i": -2, "j": None,
    }  # fmt: skip


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(value=VALUES, indent=st.sampled_from([None, 1]), ascii=st.booleans())
def test_json_says_what_the_standard_reader_says(
    value: object, indent: int | None, ascii: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii)
    assert plain(read_json(Document("t.json", text))) == json.loads(text)


@settings(max_examples=200, deadline=None)
@given(text=st.text(alphabet='{}[],:"\\ 0129.eE+-tfnaulrs\n', max_size=24))
def test_json_refuses_what_the_standard_reader_refuses(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(Unreadable):
            read_json(Document("t.json", text))
    else:
        assert plain(read_json(Document("t.json", text))) == expected


def spans(node: Node, text: str) -> None:
    """Each text without escapes stands at its place, and parts lie within their whole."""
    for inner in node.items if isinstance(node, Sequence) else ():
        assert node.span.start <= inner.span.start <= inner.span.end <= node.span.end
        spans(inner, text)
    for pair in node.pairs if isinstance(node, Mapping) else ():
        assert node.span.start <= pair.key_span.start < pair.value.span.end <= node.span.end
        assert pair.key_span.text == pair.key
        spans(pair.value, text)


def test_places_lie_where_things_stand() -> None:
    document = form.to_json(spec_of(TEXTS[0]))
    for read, text in (
        (read_json, json.dumps(document, indent=2)),
        (read_yaml, yaml.safe_dump(document)),
        (read_yaml, SOUND),
    ):
        spans(read(Document("t", text)), text)


@pytest.mark.parametrize("seed", range(3))
def test_no_mutant_makes_the_check_raise(seed: int) -> None:
    import random
    import re

    draw = random.Random(seed)
    for text in (SOUND, json.dumps(form.to_json(spec_of(TEXTS[1])), indent=1)):
        path = "t.json" if text.startswith("{") else "t.yaml"
        pieces = re.findall(r"\w+|\s+|[^\w\s]", text)
        for _ in range(60):
            at = draw.randrange(len(pieces) - 1)
            changed = list(pieces)
            match draw.randrange(3):
                case 0:
                    del changed[at]
                case 1:
                    changed.insert(at, changed[at])
                case _:
                    changed[at], changed[at + 1] = changed[at + 1], changed[at]
            found = checked("".join(changed), path)
            assert found.diagnostics or found.specs
            for diagnostic in found.diagnostics:
                assert diagnostic.labels or diagnostic.help


def test_the_front_end_and_the_schema_judge_alike() -> None:
    """Where every key is written, what one of the two refuses the other refuses as well."""
    validator = Draft202012Validator(SCHEMA)
    document = form.to_json(spec_of(TEXTS[1]))

    def places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        inner = value.items() if isinstance(value, dict) else (
            enumerate(value) if isinstance(value, list) else ()
        )  # fmt: skip
        return [path, *(p for key, each in inner for p in places(each, (*path, key)))]

    judged = {True: 0, False: 0}
    for path in places(document):
        if not path or path[0] in ("types", "keys", "name"):
            continue
        for value in (None, True, 3, 2.5, "Dot", [], {}, {"op": "Dot", "args": {}}):
            changed = json.loads(json.dumps(document))
            place = changed
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = value
            sound = validator.is_valid(changed)
            found = checked(json.dumps(changed), "t.json")
            shapes = [d for d in found.errors if d.code in ("E0302", "E0303", "E0902", "E0903")]
            # Ranges and types are for the front end alone; it also takes a missing part for its
            # default, and null for a part that is missing.
            if not sound and not found.errors:
                assert value in (None, {}, []), (path, value)
            if sound:
                assert not shapes, (path, value, render(shapes))
            judged[sound] += 1
    assert min(judged.values()) > 20


@pytest.mark.parametrize("ending", ["json", "yaml"])
def test_commands_take_these_forms(
    ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from legoc.commands.cli import main

    lego = tmp_path / "m.lego"
    lego.write_text(
        "data d { source = Demo }\nmodel m = content CNN(hidden=16) -> behavior Additive(dim=16) "
        "-> predict Dot\nrun m on d\n",
        encoding="utf-8",
    )
    assert main(["check", str(lego), "--ir"]) == 0
    written = capsys.readouterr().out
    path = tmp_path / f"m.{ending}"
    text = written if ending == "json" else yaml.safe_dump(json.loads(written))
    path.write_text(text, encoding="utf-8")
    assert main(["check", str(path), "--ir"]) == 0
    assert capsys.readouterr().out == written
    shown: list[str] = []
    for each in (lego, path):
        assert main(["compile", str(each), "--json"]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]
    path.write_text(text.replace("CNN", "CMN"), encoding="utf-8")
    assert main(["compile", str(path)]) == 1
    assert f"m.{ending}:" in capsys.readouterr().err


def test_only_yaml_loads_the_yaml_library(tmp_path: Path) -> None:
    import subprocess
    import sys

    for name, text, loads in (
        ("m.lego", "content CNN -> behavior Additive -> predict Dot", False),
        ("m.json", '{"model": {"predict": {"op": "Dot"}}}', False),
        ("m.yaml", "model: {predict: {op: Dot}}", True),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        code = (
            "import sys\nfrom legoc.language import check\ncheck(sys.argv[1])\n"
            "sys.exit(('yaml' in sys.modules) + 2 * ('torch' in sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path / name)], check=False)
        assert done.returncode == int(loads), name
