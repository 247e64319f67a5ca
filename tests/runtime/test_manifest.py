"""The manifest is of one schema; whatever else it says is a BundleError that names the place."""

import copy
import json
import shutil
from collections.abc import Iterator

import jsonschema
import numpy as np
import pytest

import legoc_runtime
from legoc_runtime import BundleError
from legoc_runtime.schema import ANNOTATIONS, KEYWORDS, SchemaError, manifest_schema, verify
from tests.runtime.bundles import ITEMS, KINDS, rewrite, write_bundle


ODD = [
    None, True, False, 0, -1, -5, 1, 3, 2**31, 10**30, 0.5, 5.0, -0.0, 1e300, "", "x", "²", "1",
    "legoc-bundle/²", "legoc-bundle/1.²", "../x", "a" * 5000, "\ud800", [], [1], ["x"],
    {}, {"a": 1}, [[]],
]  # fmt: skip
# What Python's JSON reads and JSON does not have: written by hand.
TOKENS = ["Infinity", "-Infinity", "NaN", "1e999", "-1e999", "9" * 5000]
HOLE = "the odd value stands here"


def places(value, path=()) -> Iterator[tuple]:
    """Every place of a document, the whole of it first."""
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


def replaced(document, path, value):
    changed = copy.deepcopy(document)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


def without(document, path):
    changed = copy.deepcopy(document)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return changed


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    return {name: write_bundle(folder / name, KINDS[name]) for name in KINDS}


def use(folder):
    """Everything a host does with a bundle. A strange one is refused here or works to the end."""
    model = legoc_runtime.load(folder)
    user = model.encode_user(["N1", "N5"], user="U1")
    assert np.isfinite(model.score(user, ["N2", "N3"])).all()
    assert model.recommend(user, k=2)[0]
    if model.graphs.encodes_items:
        model.items.add([{**ITEMS[0], "id": "X"}, {"id": "Y", "title": "unheard of"}])
        assert model.recommend(model.encode_user(["X"]), k=7)[0]
    model.self_test()


def attempt(folder, text) -> bool:
    """Whether a manifest is refused. Any other exception is the test's."""
    (folder / "manifest.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        use(folder)
    except BundleError:
        return True
    return False


@pytest.mark.parametrize("name", ["users", "din", "table", "many"])
def test_whatever_a_value_is_the_bundle_works_or_is_refused(bundles, tmp_path, name):
    folder = tmp_path / "bundle"
    shutil.copytree(bundles[name], folder)
    document = json.loads((folder / "manifest.json").read_text("utf-8"))
    everywhere = [path for path in places(document) if path]
    random = np.random.default_rng(1)
    tried = refused = 0
    for path in everywhere:
        # All of them at every place is for the long test.
        for value in random.choice(len(ODD), 3, replace=False):
            tried += 1
            refused += attempt(folder, json.dumps(replaced(document, path, ODD[value])))
        text = json.dumps(replaced(document, path, HOLE))
        token = TOKENS[random.integers(len(TOKENS))]
        assert attempt(folder, text.replace(f'"{HOLE}"', token)), (path, token)
        tried += 1
        refused += attempt(folder, json.dumps(without(document, path)))
    assert refused > 0.6 * tried


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_every_odd_value_at_every_place(bundles, tmp_path, name):
    folder = tmp_path / "bundle"
    shutil.copytree(bundles[name], folder)
    document = json.loads((folder / "manifest.json").read_text("utf-8"))
    for path in places(document):
        if path:
            for value in ODD:
                attempt(folder, json.dumps(replaced(document, path, value)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: m.update(history=-5), "`history` is -5, below 1"),
        (lambda m: m.update(history=True), "`history` is true, not an integer"),
        (lambda m: m.update(history=2.5), "`history` is 2.5, not an integer"),
        (lambda m: m.update(format="legoc-bundle/²"), "'legoc-bundle/²' is not a format"),
        (lambda m: m["certificate"].update(tolerance=1.0), "tolerance` is 1.0, not below 1"),
        (lambda m: m["certificate"].update(tolerance=0), "tolerance` is 0, not above 0"),
        (lambda m: m["plan"].update(user="matrix"), '`plan.user` is "matrix", not one of vector'),
        (lambda m: m["plan"].update(reads_user=0), "`plan.reads_user` is 0, not a boolean"),
        (lambda m: m["plan"].update(user="many"), "`plan.user` is many, the users are "),
        (lambda m: m["items"].update(generated=6), "`items.generated` leaves no row"),
        (lambda m: m["items"].pop("rows"), "`items.rows` is missing"),
        (lambda m: m["files"]["README"].update(bytes=-1), "`files.README.bytes` is -1, below 0"),
        (lambda m: m["files"]["README"].update(sha256="0" * 63), "`files.README.sha256` is "),
        (
            lambda m: m["graphs"]["predictor"]["inputs"][0]["dims"].__setitem__(1, 0),
            "`graphs.predictor.inputs[0].dims[1]` is 0, below 1",
        ),
        (
            lambda m: m["graphs"]["predictor"]["inputs"][0]["dims"].__setitem__(1, 6),
            "`graphs.predictor` reads users ['user', 6]",
        ),
        (lambda m: m["graphs"]["predictor"]["inputs"][1]["dims"].__setitem__(1, 4), "`plan.width`"),
        (lambda m: m["graphs"]["predictor"]["inputs"][2]["dims"].__setitem__(0, 4), "owner"),
        (lambda m: m["reading"].update(padding=12), "`reading.padding` is 12, of 12 rows"),
        (lambda m: m["reading"].update(layout="sequence"), "which nothing gives it"),
        (lambda m: m["reading"]["parts"][0].pop("tokenizer"), "`reading.parts[0]"),
        (lambda m: m["reading"]["parts"][1].update(length=0), "`reading.parts[1].length` is 0"),
    ],
)  # fmt: skip
def test_the_message_names_the_place(bundles, tmp_path, change, told):
    folder = tmp_path / "bundle"
    shutil.copytree(bundles["users"], folder)
    (folder / "README").write_text("x")
    rewrite(folder, lambda manifest: None)
    document = json.loads((folder / "manifest.json").read_text("utf-8"))
    change(document)
    (folder / "manifest.json").write_text(json.dumps(document), "utf-8")
    with pytest.raises(BundleError) as caught:
        legoc_runtime.load(folder)
    assert told in caught.value.message
    assert caught.value.help


def test_whole_numbers_may_have_a_point_and_other_keys_stand_anywhere(bundles, tmp_path):
    folder = tmp_path / "bundle"
    shutil.copytree(bundles["dot"], folder)

    def widen(manifest):
        manifest["history"] = 3.0
        manifest["plan"]["later"] = manifest["reading"]["later"] = {"a": [1]}
        manifest["format"] = "legoc-bundle/1.7"

    rewrite(folder, widen)
    use(folder)


def test_the_schema_is_a_schema_and_uses_what_is_known_here():
    schema = manifest_schema()
    jsonschema.Draft202012Validator.check_schema(schema)

    def walk(value, names):
        if isinstance(value, dict):
            for key, inner in value.items():
                if not names:
                    assert key in {*KEYWORDS, *ANNOTATIONS}, key
                walk(inner, not names and key in ("properties", "$defs"))
        elif isinstance(value, list):
            for inner in value:
                walk(inner, False)

    walk(schema, False)
    used = json.dumps(schema)
    assert all(f'"{keyword}"' in used for keyword in KEYWORDS)


def agrees(document) -> bool:
    """Whether ours and a full validator say the same; gives what they say."""
    full = jsonschema.Draft202012Validator(manifest_schema())
    try:
        verify(document, manifest_schema())
        ours = True
    except SchemaError:
        ours = False
    assert ours == full.is_valid(document), document
    return ours


def test_the_own_validator_says_what_a_full_one_says(bundles):
    random = np.random.default_rng(2)
    said = []
    for folder in bundles.values():
        document = json.loads((folder / "manifest.json").read_text("utf-8"))
        said.append(agrees(document))
        for path in places(document):
            if not path:
                continue
            said.append(agrees(without(document, path)))
            for value in random.choice(len(ODD), 4, replace=False):
                said.append(agrees(replaced(document, path, ODD[value])))
    assert 0.1 < np.mean(said) < 0.9
    for value in ODD:
        agrees(value)
