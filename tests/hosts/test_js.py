"""legoc-js gives what the Python runtime gives: ids one by one, vectors and scores to 1e-5."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest

import legoc_runtime
from legoc.data import prepare
from legoc.language import load
from tests.data.hard_texts import HARD
from tests.hosts.conftest import HOME, ROOT
from tests.runtime.bundles import ITEMS, KINDS, Kind, rewrite, write_bundle


IDS = [item["id"] for item in ITEMS]
HISTORIES = ([], ["N1"], ["N2", "Ü4"], ["N5", "N1", "N2", "N3"], ["N1", "nothing", "N1"])
NEW = [
    {"id": "X1", "title": "Late storm over THE coast", "category": "news", "price": 3},
    {"id": 7, "title": "wins", "category": "chess"},
    {"id": "N1", "title": "goal"},
    {"id": "X2", "title": None, "category": [], "𠀀": 1, "\uffee": 2},
    {"id": "X3", "title": "storm", "category": ["\uffee", "𠀀", "ab", "a", "", "news"]},
]


@pytest.mark.parametrize("where", ["node", "web"])
@pytest.mark.parametrize("name", KINDS)
def test_scores_and_recommendations(tmp_path, ask, name, where):
    bundle = write_bundle(tmp_path, KINDS[name])
    model = legoc_runtime.load(bundle)
    asked = {"k": 3, "exclude": ["N2"]}
    calls = [{"do": "selfTest"}]
    for clicks in HISTORIES:
        common = {"clicks": clicks, "given": {"user": "U2"}}
        calls += [{"do": "score", **common, "ids": IDS}, {"do": "user", **common},
                  {"do": "recommend", **common, "asked": asked}]  # fmt: skip
    test, *answers = ask(bundle, calls, where)
    assert test["difference"] < 1e-5
    assert test["outputs"] == model.self_test().outputs
    for place, clicks in enumerate(HISTORIES):
        scores, told, best = answers[3 * place : 3 * place + 3]
        user = model.encode_user(clicks, user="U2")
        assert scores == pytest.approx(model.score(user, IDS), abs=1e-5)
        assert told["dims"] == list(user.vectors.shape)
        assert told["data"] == pytest.approx(user.vectors.ravel(), abs=1e-5)
        assert (told["clicks"], told["unknown"], told["known"]) == (
            [*user.clicks], [*user.unknown], user.known
        )  # fmt: skip
        ids, wanted = model.recommend(user, **asked)
        assert [one["id"] for one in best] == ids
        assert [one["score"] for one in best] == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("where", ["node", "web"])
def test_new_items_from_raw_content(tmp_path, ask, where):
    bundle = write_bundle(tmp_path, KINDS["dot"])
    model = legoc_runtime.load(bundle)
    wanted = model.items.add(NEW)
    names = ["X1", "7", "N1", "X2", "X3"]
    common = {"clicks": ["N2", "X1", 7]}
    added, scores, *vectors = ask(
        bundle,
        [{"do": "add", "records": NEW}, {"do": "score", **common, "ids": names},
         *({"do": "vector", "id": name} for name in names)],
        where,
    )  # fmt: skip
    assert added == {
        "added": [*wanted.added], "replaced": [*wanted.replaced], "empty": [*wanted.empty],
        "ignored": [*wanted.ignored], "unseen": {k: [*v] for k, v in wanted.unseen.items()},
    }  # fmt: skip
    assert added["ignored"] == ["price", "\uffee", "𠀀"]
    user = model.encode_user(common["clicks"])
    assert scores == pytest.approx(model.score(user, names), abs=1e-5)
    for name, vector in zip(names, vectors, strict=True):
        assert vector == pytest.approx(model.items.vectors[model.items.index(name)], abs=1e-5)


VALUES = [
    "plain", " around ", "", None, True, False, 3, 3.0, -0.5, 1e-5, 1.5e300, 12345678901234567890,
    "True", "12.0", "+7.00", "1e3", "٣", "a|b | c", "['a', 'b']", '["x", "y"]', "('a',)", "[a, b]",
    "[1, 2.0]", "[007, 1]", "[1 2 3]", "['a' 'b']", "[]", "[['a'], ['b', 'c']]", "[(1, 2), (3,)]",
    "[1, ..., 9]", ["a", "b"], [1, None, "x"], [["a"], "b"], [], "nan", "None", "-", "(word)",
    "[word]", "\u00a0wide\u3000", "\ufeffmark", "half \ud800 pair", r"['it\'s', '\u00e9']",
    "['a', None]", "1.234,5", "1.234.567", "N/A", *HARD,
]  # fmt: skip


def test_every_value_is_the_same_tokens(tmp_path, ask):
    """Of texts, categories and numbers, however they are written."""
    # No graph of it reads what the reading makes, so any reading will do.
    bundle = write_bundle(tmp_path, KINDS["table"])
    words = sorted({"a", "b", "c", "x", "y", "plain", "true", "12", "7", "1", "3", "2"})
    ids = {word: 3 + place for place, word in enumerate(words)}
    (bundle / "vocabularies/tags.json").write_text(json.dumps({"values": ids}))
    edges = {"edges": [-1.0, 0.0, 1.0, 3.0, 7.0, 1000.0], "first": 20}
    (bundle / "vocabularies/price.json").write_text(json.dumps(edges))
    parts = [
        {"name": "title", "kind": "text", "length": 30,
         "tokenizer": "tokenizers/words/tokenizer.json"},
        {"name": "tags", "kind": "category", "length": 8, "between": "|", "missing": ["N/A"],
         "vocabulary": "vocabularies/tags.json"},
        {"name": "price", "kind": "number", "length": 1, "vocabulary": "vocabularies/price.json"},
        {"name": "cost", "kind": "number", "length": 1, "decimal": ",",
         "vocabulary": "vocabularies/price.json"},
    ]  # fmt: skip
    for part in parts[1:]:
        part.setdefault("missing", [])
    reading = {
        "layout": "sequence", "rows": 40, "padding": 0, "unknown": 1, "separator": 2,
        "parts": [parts[0], {"ids": [9]}, *parts[1:]],
    }  # fmt: skip
    rewrite(bundle, lambda content: content.update(reading=reading, tokens=None))
    reader = legoc_runtime.Reader.load(bundle, reading)
    calls, expected = [], []
    for name in ("title", "tags", "price", "cost"):
        for value in VALUES:
            record = {name: value}
            calls.append({"do": "tokens", "records": [record]})
            try:
                matrix, lengths = reader.read([record])["tokens"]
                expected.append({"tokens": [matrix[0, : lengths[0]].tolist()]})
            except legoc_runtime.RequestError:
                expected.append("RequestError")
    found = [one.get("error") or one for one in ask(bundle, calls)]
    asked = [call["records"][0] for call in calls]
    differ = [each for each in zip(asked, expected, found, strict=True) if each[1] != each[2]]
    assert not differ
    assert expected.count("RequestError") > 20


@pytest.fixture(scope="module")
def trained(tmp_path_factory, cache):
    """A small text model of Demo, whole titles and two categories, with its bundle."""
    from legoc import train

    place = tmp_path_factory.mktemp("js")
    (place / "m.lego").write_text(
        "data d { source = Demo(items=2000, users=80, impressions=200)\n"
        "  content = [title(30), category, subcategory]  history = 10 }\n"
        "model m = content CNN(hidden=16) -> behavior Additive -> predict Dot\n"
        "train t { epochs = 1  samples = 128 }\nrun m on d with t\n", "utf-8",
    )  # fmt: skip
    (spec,) = load(place / "m.lego")
    run = train(spec, runs=place / "runs", cache=cache, until="export")
    return spec, run.folder / "bundle"


def test_ids_of_the_whole_catalogue_and_of_hard_texts(trained, ask, cache):
    spec, bundle = trained
    prepared = prepare(spec, cache=cache)
    records = [*prepared.item_records(range(1, len(prepared.items)))]
    records += [{"title": text, "category": text, "subcategory": None} for text in HARD]
    reader = legoc_runtime.load(bundle).items.reader
    (found,) = ask(bundle, [{"do": "tokens", "records": records}])
    for name, (matrix, lengths) in reader.read(records).items():
        rows = [row[:length].tolist() for row, length in zip(matrix, lengths, strict=True)]
        assert found[name] == rows
        assert max(map(len, rows)) > 0


def test_a_trained_model_recommends_the_same(trained, ask):
    _, bundle = trained
    model = legoc_runtime.load(bundle)
    names = [name for name in model.items.ids if name]
    histories = [names[place : place + 1 + place % 12] for place in range(0, 300, 25)]
    best = ask(
        bundle,
        [{"do": "selfTest"}, *({"do": "recommend", "clicks": clicks} for clicks in histories)],
    )
    assert best[0]["difference"] < 1e-5
    checked = 0
    for clicks, found in zip(histories, best[1:], strict=True):
        ids, scores = model.recommend(model.encode_user(clicks))
        assert [one["score"] for one in found] == pytest.approx(scores, abs=1e-5)
        # Two items whose scores differ by less than rounding may change places.
        clear = [place for place in range(len(ids)) if is_clear(place, scores)]
        assert [found[place]["id"] for place in clear] == [ids[place] for place in clear]
        checked += len(clear)
    assert checked > 60


def is_clear(place, scores):
    """Whether no other of the best is nearly as good; of the last one nobody knows."""
    others = [*scores[:place], *scores[place + 1 :]]
    return place < len(scores) - 1 and min(abs(scores[place] - one) for one in others) > 1e-5


def test_the_page_is_told_what_items_say(trained, cache):
    spec, bundle = trained
    done = subprocess.run(
        [sys.executable, str(ROOT / "hosts/web/items.py"), str(bundle)], capture_output=True,
        text=True, encoding="utf-8", env={**os.environ, "LEGOC_CACHE": str(cache)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["id"] for one in records] == [*legoc_runtime.load(bundle).items.ids]
    prepared = prepare(spec, cache=cache)
    titles = [one["title"] for one in prepared.item_records(range(1, len(prepared.items)))]
    assert [one["title"] for one in records] == titles


def test_calls_side_by_side_are_as_one_after_another(tmp_path, ask):
    bundle = write_bundle(tmp_path, KINDS["din"])
    histories = [["N1"], ["N2", "N3"], [], ["N5"]] * 5
    alone = [{"do": "score", "clicks": clicks, "ids": IDS} for clicks in histories]
    together, *single = ask(
        bundle, [{"do": "together", "clicks": histories, "ids": IDS}, *alone], "web"
    )
    assert together == single


def test_ties_are_in_the_order_of_the_rows(tmp_path, ask):
    kind = Kind(arrays={**KINDS["dot"].arrays, "table": np.zeros((12, 5), np.float32)})
    bundle = write_bundle(tmp_path, kind)
    (best,) = ask(bundle, [{"do": "recommend", "clicks": ["N1"], "asked": {"k": 4}}])
    assert [one["id"] for one in best] == IDS[:4]


def test_a_model_of_the_moment_says_what_it_takes(tmp_path, ask):
    bundle = write_bundle(tmp_path, Kind(context=True))
    calls = [{"do": "score", "clicks": ["N1"], "ids": IDS}]
    told = ask(bundle, calls)
    assert told["error"] == "BundleError"
    assert 'moment: "mean"' in told["message"]
    (scores,) = ask(bundle, calls, moment="mean")
    kind = Kind()
    vectors = {item["id"]: kind.item(item) for item in ITEMS}
    prior = np.log1p([0.5, 2.0, 10.0]) @ [0.7, -0.3, 0.1]
    wanted = [kind.score([vectors["N1"]], vectors[name]) + prior for name in IDS]
    assert scores == pytest.approx(wanted, abs=1e-5)


DAMAGE = {
    "a truncated graph": (lambda f: cut(f / "onnx/predictor.onnx"), "bytes, the manifest says"),
    "a graph of another bundle": (lambda f: flip(f / "onnx/predictor.onnx"), "its hash differs"),
    "a missing file": (lambda f: (f / "cache/items.safetensors").unlink(), "is not there"),
    "another version": (lambda f: rewrite(f, lambda c: c.update(format="legoc-bundle/2")),
                        "this host reads legoc-bundle/1"),
    "a prompt": (lambda f: rewrite(f, lambda c: c["reading"].update(prompt={"before": [1]})),
                 "reads prompts, and this host does not"),
    "no manifest": (lambda f: (f / "manifest.json").unlink(), "`legoc export` wrote"),
    "half a manifest": (lambda f: cut(f / "manifest.json"), "is not JSON"),
    "another width": (lambda f: rewrite(f, lambda c: c["plan"].update(width=6)), "of width 6"),
}  # fmt: skip


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_bundle_is_refused_and_named(tmp_path, ask, name):
    bundle = write_bundle(tmp_path / "bundle", KINDS["dot"])
    change, words = DAMAGE[name]
    change(bundle)
    told = ask(bundle, [])
    assert told["error"] == "BundleError"
    assert words in told["message"]


WRONG = [
    ({"do": "score", "clicks": "N1", "ids": IDS}, "not a list"),
    ({"do": "score", "clicks": ["N1"], "ids": ["N1", "X9"]}, "1 of 2 candidates"),
    ({"do": "score", "clicks": [1.5], "ids": IDS}, "1.5"),
    ({"do": "score", "clicks": [None], "ids": IDS}, "null"),
    ({"do": "score", "clicks": [True], "ids": IDS}, "true"),
    ({"do": "score", "clicks": [{}], "ids": IDS}, "{}"),
    ({"do": "score", "clicks": [], "given": {"usr": "U1"}, "ids": IDS}, "no option `usr`"),
    ({"do": "recommend", "clicks": [], "asked": {"k": 0}}, "k is 0"),
    ({"do": "recommend", "clicks": [], "asked": {"k": "10"}}, 'k is "10"'),
    ({"do": "recommend", "clicks": [], "asked": {"exclude": "N1"}}, "excluded items"),
    ({"do": "add", "records": {"id": "X1"}}, "not a list"),
    ({"do": "add", "records": [{"title": "late"}]}, "no `id`"),
    ({"do": "add", "records": [{"id": "X1"}]}, "none of the attributes"),
    ({"do": "add", "records": [{"id": "X1", "title": {}}]}, "not a text"),
    ({"do": "add", "records": [{"id": "X1", "title": "a"}] * 2}, "given twice"),
    ({"do": "add", "records": [3]}, "a record is 3"),
]


def test_a_wrong_call_says_what_is_wrong_and_changes_nothing(tmp_path, ask):
    bundle = write_bundle(tmp_path, KINDS["dot"])
    probe = {"do": "recommend", "clicks": ["N1"], "asked": {"k": 99}}
    before, *told, after = ask(bundle, [probe, *(call for call, _ in WRONG), probe])
    for answer, (call, words) in zip(told, WRONG, strict=True):
        assert answer.get("error") == "RequestError", call
        assert words in answer["message"]
    assert before == after
    assert len(before) == len(IDS)


def test_no_candidates_no_scores(tmp_path, ask):
    for name in ("dot", "din", "table"):
        bundle = write_bundle(tmp_path / name, KINDS[name])
        nothing, everything = ask(
            bundle,
            [{"do": "score", "clicks": ["N1"], "ids": []},
             {"do": "recommend", "clicks": [], "asked": {"k": 2, "exclude": IDS}}],
        )  # fmt: skip
        assert (nothing, everything) == ([], [])


def test_floats_are_written_as_python_writes_them(node):
    random = np.random.default_rng(7)
    numbers = [*(random.normal(size=200) * 10.0 ** random.integers(-30, 30, 200)), 0.1, 1e-5, 1e22]
    script = (
        f"import {{ writeNumber }} from {json.dumps((HOME / 'src/values.js').as_uri())};"
        "import { readFileSync } from 'node:fs';"
        "console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(writeNumber)));"
    )
    done = subprocess.run(
        [node, "--input-type=module", "-e", script], input=json.dumps(numbers),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    written = [str(int(x)) if float(x).is_integer() else repr(float(x)) for x in numbers]
    assert json.loads(done.stdout) == written
    assert all(math.isfinite(x) for x in numbers)


@pytest.mark.parametrize("where", ["node", "web"])
def test_what_is_known_of_users(tmp_path, ask, where):
    bundle = write_bundle(tmp_path, KINDS["profile"])
    model = legoc_runtime.load(bundle)
    asked = [
        (name, profile) for name in (None, "U1", "U2")
        for profile in ({"age": 20}, {"region": ["south", "elsewhere"], "regoin": 1},
                        {"region": None, "age": "61"}, {})
    ]  # fmt: skip
    wrong = [{"aeg": 3}, [1], "age", {"age": "old"}]
    answers = ask(
        bundle,
        [*({"do": "user", "clicks": ["N1", "N5"], "given": {"user": name, "profile": profile}}
           for name, profile in asked),
         *({"do": "user", "clicks": [], "given": {"profile": given}} for given in wrong)],
        where,
    )  # fmt: skip
    for (name, profile), told in zip(asked, answers, strict=False):
        user = model.encode_user(["N1", "N5"], name, profile=profile)
        assert told["data"] == pytest.approx(user.vectors, abs=1e-5)
        assert (told["known"], told["cold"]) == (user.known, user.cold)
        assert told["ignored"] == [*user.ignored]
        assert told["unseen"] == {k: [*v] for k, v in user.unseen.items()}
    for given, told in zip(wrong, answers[len(asked) :], strict=True):
        assert told["error"] == "RequestError"
        with pytest.raises(legoc_runtime.RequestError):
            model.encode_user([], profile=given)
    other = ask(
        write_bundle(tmp_path / "other", KINDS["dot"]),
        [{"do": "user", "clicks": [], "given": {"profile": {"age": 1}}}], where,
    )  # fmt: skip
    assert "reads no attributes of users" in other[0]["message"]
