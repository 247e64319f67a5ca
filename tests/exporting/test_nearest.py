"""An index proposes, exact scores choose: beside brute force, after changes, where it cannot be."""

import json
from dataclasses import replace

import numpy as np
import pytest

import legoc_runtime
from legoc.exporting.nearest import BEST, INDEX, write_index
from legoc.language.diagnosing.diagnostics import LegoError
from legoc_runtime import BundleError, RequestError
from tests.product.conftest import run
from tests.runtime.bundles import KINDS, WIDTH, rewrite, write_bundle


pytest.importorskip("faiss", reason="approximate search needs the extra `ann`")

ROWS = 6000


def many(folder, name="dot", *, rows=ROWS, **changes):
    """A bundle with many items whose vectors are of very unequal length."""
    from safetensors.numpy import save_file

    kind = replace(KINDS[name], **changes)
    write_bundle(folder, kind)
    random = np.random.default_rng(3)
    vectors = random.normal(size=(rows, WIDTH)) * np.exp(random.normal(size=(rows, 1)))
    vectors[0] = 0
    names = [b"", *(f"V{row}".encode() for row in range(1, rows))]
    save_file(
        {"vectors": vectors.astype(np.float32), "ids": np.frombuffer(b"".join(names), np.uint8),
         "offsets": np.cumsum([0, *map(len, names)]).astype(np.int64)},
        folder / "cache/items.safetensors",
    )  # fmt: skip
    rewrite(folder, lambda manifest: manifest["items"].update(rows=rows))
    return folder


def histories(count=60):
    random = np.random.default_rng(4)
    return [([f"V{row}" for row in random.integers(1, ROWS, 3)], None) for _ in range(count)]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory):
    folder = many(tmp_path_factory.mktemp("nearest") / "bundle")
    return folder, write_index(folder, histories(), recall=0.95)


def test_what_it_finds_is_what_was_measured(indexed):
    folder, made = indexed
    manifest = json.loads((folder / "manifest.json").read_text())
    model = legoc_runtime.load(folder)
    vectors = model.items.vectors.astype(np.float64)
    hits = 0
    for ids, _ in histories():
        user = model.encode_user(ids)
        found, scores = model.recommend(user, k=BEST, approximate=True)
        wanted = np.argsort(-(vectors @ user.vectors), kind="stable")[:BEST]
        hits += len({*found} & {model.items.ids[row] for row in wanted})
        own = [model.items.vector(name) @ user.vectors for name in found]
        assert scores == pytest.approx(own, abs=1e-4)
        assert list(scores) == sorted(scores, reverse=True)
    share = hits / (BEST * len(histories()))
    assert share == pytest.approx(made.recall, abs=0.01)
    assert share >= 0.95
    entry = manifest["index"]
    assert (entry["file"], entry["recall"], entry["users"]) == (INDEX, round(made.recall, 4), 60)


def exactly(model, user, **asked):
    ids, scores = model.recommend(user, **asked)
    return ids, scores.tolist()


def test_what_comes_and_goes_afterwards_is_seen(indexed):
    model = legoc_runtime.load(indexed[0])
    user = model.encode_user(["V5", "V6", "V7"])
    first = model.recommend(user, k=5, approximate=True)[0]
    model.items.remove(first[:3])
    found = model.recommend(user, k=5, approximate=True)[0]
    assert not {*first[:3]} & {*found}
    assert len(found) == 5
    # New rows, and rows with other vectors, among the best at once.
    model.items.add(
        [{"id": "X1", "title": "storm"}, {"id": "X2", "title": "goal", "category": "sport"}]
    )
    model.items.add([{"id": f"V{row}", "title": "late goal wins"} for row in (10, 11)])
    for name in ("X1", "X2", "V10", "V11"):
        far = model.items.vector(name)
        near = replace(user, vectors=np.asarray(100 * far, dtype=np.float32))
        everyone = exactly(model, near, k=ROWS)
        ids, _ = model.recommend(near, k=20, approximate=True)
        assert (name in ids) == (everyone[0].index(name) < 20), name
        # One that changed is scored by what it is now.
        known = dict(zip(*everyone, strict=True))
        again = dict(zip(*model.recommend(near, k=20, approximate=True), strict=True))
        assert all(known[one] == pytest.approx(score, rel=1e-6) for one, score in again.items())
    left = model.recommend(user, k=5, exclude=found, approximate=True)[0]
    assert not {*left} & {*found}


def test_a_catalogue_that_was_loaded_is_answered_exactly(indexed, tmp_path):
    model = legoc_runtime.load(indexed[0])
    model.items.add([{"id": "X1", "title": "storm over the coast"}])
    model.items.remove(["V1"])
    model.items.save(tmp_path / "items")
    other = legoc_runtime.load(indexed[0])
    other.items.load(tmp_path / "items")
    for ids, _ in histories(10):
        user = other.encode_user(ids)
        assert (
            other.recommend(user, k=7, approximate=True)[0]
            == (model.recommend(user, k=7, approximate=True)[0])
        )


def test_many_that_are_wanted_are_found_exactly(indexed):
    model = legoc_runtime.load(indexed[0])
    user = model.encode_user(["V5"])
    assert exactly(model, user, k=2000, approximate=True) == exactly(model, user, k=2000)


@pytest.mark.parametrize("name", ["dnn", "din", "many"])
def test_other_predictors_are_refused(tmp_path, name):
    folder = write_bundle(tmp_path / "bundle", KINDS[name])
    model = legoc_runtime.load(folder)
    with pytest.raises(RequestError, match="needs scores that are products"):
        model.recommend(model.encode_user(["N1"]), approximate=True)
    with pytest.raises(LegoError) as caught:
        write_index(folder, [(["N1"], None)])
    assert caught.value.diagnostics[0].code == "E0870"


def test_what_the_moment_adds_to_is_refused(tmp_path):
    folder = write_bundle(tmp_path / "bundle", replace(KINDS["dot"], context=True))
    with pytest.raises(LegoError) as caught:
        write_index(folder, [(["N1"], None)])
    assert caught.value.diagnostics[0].code == "E0870"


def test_what_it_cannot_be_asked(indexed, tmp_path):
    model = legoc_runtime.load(indexed[0])
    user = model.encode_user(["V5"])
    for asked in ({"candidates": ["V1"]}, {"boost": {"V1": 1.0}}, {"where": {"category": "news"}}):
        with pytest.raises(RequestError, match=f"takes no `{next(iter(asked))}`"):
            model.recommend(user, approximate=True, **asked)
    with pytest.raises(RequestError, match="approximate is 'yes'"):
        model.recommend(user, approximate="yes")
    plain = legoc_runtime.load(write_bundle(tmp_path / "bundle", KINDS["dot"]))
    with pytest.raises(RequestError, match="no index"):
        plain.recommend(plain.encode_user(["N1"]), approximate=True)


@pytest.mark.parametrize(("recall", "asked", "code"), [
    (1.0, "histories", "E0873"), (0.9, [], "E0872"), (0.9, [(["nothing"], None)], "E0872"),
])  # fmt: skip
def test_an_index_that_cannot_be_measured_or_finds_too_little(tmp_path, recall, asked, code):
    folder = many(tmp_path / "bundle")
    before = (folder / "manifest.json").read_bytes()
    given = histories(200) if asked == "histories" else asked
    if code == "E0873":
        # No effort helps where the graph has lost its way: rows that are all alike but for noise.
        import legoc.exporting.nearest as nearest

        efforts, nearest.EFFORTS = nearest.EFFORTS, (1,)
    try:
        with pytest.raises(LegoError) as caught:
            write_index(folder, given, recall=recall)
    finally:
        if code == "E0873":
            nearest.EFFORTS = efforts
    assert caught.value.diagnostics[0].code == code
    assert (folder / "manifest.json").read_bytes() == before


def test_an_index_of_other_vectors_is_refused(tmp_path):
    folder = many(tmp_path / "bundle")
    write_index(folder, histories(), recall=0.5)
    # The items are others, and the manifest says so.
    from safetensors.numpy import load_file, save_file

    items = folder / "cache/items.safetensors"
    tensors = load_file(items)
    tensors["vectors"][1:] *= 2
    save_file(tensors, items)
    rewrite(folder, lambda manifest: None)
    with pytest.raises(BundleError, match="an index of other items"):
        legoc_runtime.load(folder)


def test_a_damaged_index_is_named(tmp_path):
    folder = many(tmp_path / "bundle")
    write_index(folder, histories(), recall=0.5)
    whole = (folder / INDEX).read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"nothing of that kind" * 50):
        (folder / INDEX).write_bytes(content)
        rewrite(folder, lambda manifest: None)
        model = legoc_runtime.load(folder)
        with pytest.raises(BundleError, match="no index of these items"):
            model.recommend(model.encode_user(["V1"]), approximate=True)


def test_the_commands(tmp_path, capsys):
    folder = many(tmp_path / "bundle")
    asked = tmp_path / "asked.jsonl"
    lines = [json.dumps({"history": ids}) for ids, _ in histories()]
    asked.write_text("\n".join(lines), encoding="utf-8")
    assert run("recommend", folder, asked, "--approximate") == 1
    assert "E0874" in capsys.readouterr().err
    assert run("index", folder, "--histories", asked) == 0
    assert "of the best ten of 60 users" in capsys.readouterr().out
    assert run("recommend", folder, asked, "-k", 3, "--approximate") == 0
    model = legoc_runtime.load(folder)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for (ids, _), answer in zip(histories(), told, strict=True):
        wanted = model.recommend(model.encode_user(ids), k=3, exclude=ids, approximate=True)[0]
        assert answer["items"] == wanted
