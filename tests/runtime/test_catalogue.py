"""A catalogue that lives: added to, changed, filtered, kept on the disk, beside its readers."""

import errno
import os
import threading
import time

import numpy as np
import pytest
from safetensors.numpy import save_file

import legoc_runtime
from legoc_runtime import BundleError, RequestError, User
from legoc_runtime.blocks import ROWS, Blocks, product
from legoc_runtime.ranking import Best, top
from legoc_runtime.table import make_table
from tests.runtime.bundles import KINDS, rewrite, write_bundle


PRICES = [np.nan, 5.0, 12.5, np.nan, 20.0, 0.0]
GROUPS, SETS = [0, 1, 2, 1, 0, 3], [[], ["news"], ["sport"], ["news", "sport"]]


@pytest.fixture
def model(tmp_path):
    return legoc_runtime.load(kept(write_bundle(tmp_path / "bundle", KINDS["dot"])))


def kept(folder):
    """The bundle with two attributes kept."""
    text = np.frombuffer(str(SETS).replace("'", '"').encode(), dtype=np.uint8)
    save_file(
        {"0/values": np.array(GROUPS, np.int32), "0/sets": text, "1/values": np.array(PRICES)},
        folder / "cache/attributes.safetensors",
    )
    columns = [{"name": "category", "kind": "category"}, {"name": "price", "kind": "number"}]
    told = {"file": "cache/attributes.safetensors", "columns": columns}
    rewrite(folder, lambda manifest: manifest.update(attributes=told))
    return folder


def large(model, count, seed=0, levels=None):
    """Put a table of many rows into a model; its vectors [N, D]. levels: few different vectors."""
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(count, 5)).astype(np.float32)
    if levels:
        vectors = vectors[random.integers(0, levels, count)]
    vectors[0] = 0
    model.items.table = make_table(["", *(f"N{n}" for n in range(1, count))], vectors)
    model.items.digests = Blocks.of(np.zeros((count, 16), np.uint8))
    return vectors


def person(seed=1):
    vector = np.random.default_rng(seed).normal(size=5).astype(np.float32)
    return User(vectors=vector, clicks=(), unknown=(), known=False)


def plain_best(scores, k, out=()):
    """By plain sorting: the k highest, earlier rows first."""
    rows = [row for row in range(1, len(scores)) if row not in set(out)]
    return sorted(rows, key=lambda row: (-float(scores[row]), row))[:k]


def test_blocks_are_arrays_that_grow_and_what_was_handed_out_stays():
    random = np.random.default_rng(0)
    array = random.normal(size=(ROWS + 77, 3)).astype(np.float32)
    blocks = Blocks.of(array)
    for turn in range(12):
        before, was = blocks, array.copy()
        if turn % 3:
            more = random.normal(size=(int(random.integers(0, ROWS)), 3)).astype(np.float32)
            blocks, array = blocks.extended(more), np.concatenate([array, more])
        else:
            rows = random.choice(len(array), 50, replace=False)
            values = random.normal(size=(50, 3)).astype(np.float32)
            blocks, array = blocks.replaced(rows, values), array.copy()
            array[rows] = values
        np.testing.assert_array_equal(before.whole(), was)
        np.testing.assert_array_equal(blocks.whole(), array)
        for size in (0, 3, 500):
            rows = random.integers(0, len(array), size)
            np.testing.assert_array_equal(blocks[rows], array[rows])
        np.testing.assert_array_equal(blocks[rows.reshape(5, 100)], array[rows.reshape(5, 100)])
        np.testing.assert_array_equal(blocks[3:9], array[3:9])
    for wrong in ([-1], [len(array)]):
        with pytest.raises(IndexError):
            blocks[np.array(wrong)]


def test_rows_that_are_alike_have_one_score_wherever_they_stand():
    random = np.random.default_rng(2)
    row, vector = random.normal(size=(2, 64)).astype(np.float32)
    for count in (*range(1, 70), ROWS + 5):
        blocks = Blocks.of(np.tile(row, (count, 1)))
        found = [blocks.product(number, vector) for number in range(len(blocks.parts))]
        assert len({*np.concatenate(found).tolist(), *product(row[None], vector).tolist()}) == 1


@pytest.mark.parametrize("levels", [2, 50, 10**6])
def test_the_best_of_parts_are_those_of_the_whole(levels):
    random = np.random.default_rng(levels)
    for turn in range(30):
        scores = random.integers(0, levels, 6000).astype(np.float32)
        scores[random.random(6000) < 0.2] = np.nan
        if turn % 3 == 0:
            scores = np.sort(scores)  # each part is better than those before
        k = int(random.integers(1, 400))
        best, start = Best(k), 0
        while start < 6000:
            size = int(random.integers(1, 3000))
            best.offer(scores[start : start + size], start)
            start += size
        real = np.flatnonzero(~np.isnan(scores))
        right = real[np.argsort(-scores[real], kind="stable")][:k]
        rows, found = best.settle()
        np.testing.assert_array_equal(rows, right)
        np.testing.assert_array_equal(found, scores[right])
        np.testing.assert_array_equal(top(scores, k), right)


@pytest.mark.parametrize("levels", [None, 7])
def test_asking_a_catalogue_of_several_blocks(model, levels):
    vectors, user = large(model, 2 * ROWS + 500, levels=levels), person()
    scores = product(vectors, user.vectors)
    for k in (1, 10, 300):
        ids, found = model.recommend(user, k=k)
        right = plain_best(scores, k)
        assert ids == [f"N{row}" for row in right]
        assert found == pytest.approx(scores[right], abs=1e-6)
    first = plain_best(scores, 40)
    out = [f"N{row}" for row in first[:20]]
    assert model.recommend(user, k=10, exclude=out)[0] == [f"N{row}" for row in first[20:30]]
    assert model.items.remove(out).removed == tuple(out)
    assert model.recommend(user, k=10)[0] == [f"N{row}" for row in first[20:30]]
    some = [f"N{row}" for row in (*first[30:], 5, ROWS, 2 * ROWS)]
    chosen = {int(name[1:]) for name in some}
    right = [row for row in plain_best(scores, len(scores)) if row in chosen]
    assert model.recommend(user, k=99, candidates=some)[0] == [f"N{row}" for row in right]
    raised = scores.copy()
    raised[[3, ROWS + 1, first[25]]] += np.float32([100, 50, -100])
    boost = {"N3": 100, f"N{ROWS + 1}": 50, f"N{first[25]}": -100}
    ids, found = model.recommend(user, k=8, boost=boost)
    assert ids == [f"N{row}" for row in plain_best(raised, 8, first[:20])]
    assert found[0] == pytest.approx(raised[3], abs=1e-4)


@pytest.mark.parametrize("name", ["dot", "dnn", "many", "din"])
def test_asking_is_the_same_for_every_predictor(tmp_path, name):
    model = legoc_runtime.load(kept(write_bundle(tmp_path / "bundle", KINDS[name])))
    users = model.encode_users([["N1"], ["N5", "N2"]])
    ids = model.items.ids
    scores = [dict(zip(ids, model.score(user, ids).tolist(), strict=True)) for user in users]
    both = model.recommend(users, k=9)
    for user, known, (found, _) in zip(users, scores, both, strict=True):
        assert found == sorted(ids, key=lambda n: -known[n]) == model.recommend(user, k=9)[0]
    where = {"category": "sport"}
    fit = ["N2", "N5"]
    for known, (found, numbers) in zip(scores, model.recommend(users, where=where), strict=True):
        assert found == sorted(fit, key=lambda n: -known[n])
        assert numbers == pytest.approx([known[n] for n in found], abs=1e-5)
    one = [["N1"], ["N1", "Ü4"]]
    found = model.recommend(users, exclude=one, candidates=[["N1", "N3"], ids], boost={"N3": 90})
    assert found[0][0] == ["N3"]
    assert found[1][0] == ["N3", *sorted(["N2", "N5"], key=lambda n: -scores[1][n])]
    assert found[1][1][0] == pytest.approx(scores[1]["N3"] + 90, abs=1e-4)


@pytest.mark.parametrize(
    ("where", "fit"),
    [
        ({"category": "news"}, {"N1", "N3", "N5"}),
        ({"category": ["news", "sport"]}, {"N1", "N2", "N3", "N5"}),
        ({"category": []}, set()),
        ({"category": "chess"}, set()),
        ({"price": (5, 20)}, {"N1", "N2", "Ü4"}),
        ({"price": (None, 5)}, {"N1", "N5"}),
        ({"price": [12, None]}, {"N2", "Ü4"}),
        ({"price": 0}, {"N5"}),
        ({"price": (9, 1)}, set()),
        ({"category": ["news"], "price": (0, 10)}, {"N1", "N5"}),
        ({}, {"N1", "N2", "N3", "Ü4", "N5"}),
    ],
)
def test_what_a_filter_lets_through(model, where, fit):
    assert set(model.recommend(model.encode_user(["N1"]), where=where)[0]) == fit
    # `Ü4` says nothing: a vector of zeros has no angle.
    assert set(model.similar("N1", where=where)[0]) == fit - {"N1", "Ü4"}


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ({"color": "red"}, "does not keep; it keeps `category`, `price`"),
        ({"price": "cheap"}, "bounds of `price` are 'cheap'"),
        ({"price": (1, 2, 3)}, "`price` has 3 bounds"),
        ({"price": (0, "20")}, "a bound of `price` is '20'"),
        ({"price": (0, float("nan"))}, "a bound of `price` is nan"),
        ({"category": {"is": "news"}}, "not a list"),
        ({"category": None}, "not a list"),
        ({3: "news"}, "asks for 3"),
    ],
)
def test_a_filter_that_cannot_be_asked_is_named(model, where, told):
    with pytest.raises(RequestError, match=told):
        model.recommend(model.encode_user(["N1"]), where=where)


def test_likeness_is_the_cosine_of_vectors(model):
    vectors = large(model, ROWS + 300)
    vectors[9] = 0
    model.items.table = make_table(model.items.table.ids, vectors)
    ids, found = model.similar("N7", k=12)
    with np.errstate(invalid="ignore"):
        right = vectors @ vectors[7] / np.linalg.norm(vectors, axis=1) / np.linalg.norm(vectors[7])
    right[[0, 7, 9]] = -2
    order = np.argsort(-right, kind="stable")[:12]
    assert ids == [f"N{row}" for row in order]
    assert found == pytest.approx(right[order], abs=1e-5)
    assert model.similar("N9") == ([], pytest.approx([]))
    model.items.remove(["N7"])
    assert model.similar("N7", k=12)[0] == ids


def test_what_is_not_changed_is_not_computed_again(model, monkeypatch):
    asked = []
    real = model.graphs.encode_items
    monkeypatch.setattr(
        model.graphs, "encode_items", lambda i: asked.append(len(i["title"])) or real(i)
    )
    records = [{"id": f"X{n}", "title": "storm over the coast"[: 5 + n]} for n in range(9)]
    assert len(model.items.add(records).added) == 9
    again = model.items.add([{**r, "price": 3, "title": r["title"].upper()} for r in records])
    assert again.unchanged == tuple(r["id"] for r in records)
    assert (again.added, again.replaced) == ((), ())
    changed = model.items.update([records[0], {**records[1], "title": "goal"}])
    assert (changed.replaced, changed.unchanged) == (("X1",), ("X0",))
    assert sum(asked) == 10
    kind = KINDS["dot"]
    assert model.items.vector("X1") == pytest.approx(kind.item({"title": "goal"}), abs=1e-6)
    assert model.items.vector("X8") == pytest.approx(
        kind.item({"title": records[8]["title"]}), abs=1e-6
    )
    user = model.encode_user(["N1"])
    assert set(model.recommend(user, k=99, where={"price": 3})[0]) == {f"X{n}" for n in range(2, 9)}
    assert model.items.update([{"id": "X0", "price": 4}]).unchanged == ("X0",)
    assert model.recommend(user, k=99, where={"price": 4})[0] == ["X0"]
    assert sum(asked) == 10


def test_a_removed_item_is_history_and_nothing_else(model):
    before = model.encode_user(["N1", "N2"])
    done = model.items.remove(["N2", "N9"])
    assert (done.removed, done.unknown) == (("N2",), ("N9",))
    assert model.items.remove(["N2"]).unknown == ("N2",)
    assert (len(model.items), "N2" in model.items, "N2" in model.items.ids) == (4, False, False)
    after = model.encode_user(["N1", "N2"])
    assert (after.clicks, after.unknown) == (("N1", "N2"), ())
    np.testing.assert_array_equal(after.vectors, before.vectors)
    assert "N2" not in model.recommend(after, k=99)[0]
    for call in (
        lambda: model.score(after, ["N2"]),
        lambda: model.recommend(after, candidates=["N2"]),
        lambda: model.items.update([{"id": "N2", "title": "goal"}]),
        lambda: model.items.index("N2"),
    ):
        with pytest.raises(RequestError, match="N2"):
            call()
    assert model.items.add([{"id": "N2", "title": "late goal wins", "category": "sport"}])
    assert "N2" in model.recommend(after, k=99)[0]
    assert model.items.ids == ("N1", "N2", "N3", "Ü4", "N5")


def test_items_count_items(model):
    assert len(model.items) == 5
    assert model.items.ids == ("N1", "N2", "N3", "Ü4", "N5")
    assert model.items.vectors.shape == (5, 5)
    assert [model.items.index(name) for name in model.items.ids] == [0, 1, 2, 3, 4]
    assert repr(model) == "<a bundle: predict Dot; 5 items of width 5>"
    assert repr(model.items) == "<5 items of width 5>"
    assert model.items.attributes == ("category", "price")


def changed_catalogue(model):
    model.items.add([{"id": "X1", "title": "goal", "category": ["sport", "chess"], "price": 7}])
    model.items.add([{"id": "N1", "title": "late storm"}, {"id": "X2", "title": "coast"}])
    model.items.remove(["N3", "X2"])


def answers(model):
    user = model.encode_user(["N1", "X2", "N3"])
    found = [model.recommend(user, k=99, where=w) for w in (None, {"category": "chess"})]
    return [(ids, scores.tolist()) for ids, scores in (*found, model.similar("X2"))]


def test_a_saved_catalogue_goes_on(model, tmp_path):
    changed_catalogue(model)
    model.items.save(tmp_path / "items")
    other = legoc_runtime.load(model.bundle.path)
    other.items.load(tmp_path / "items")
    assert other.items.ids == model.items.ids == ("N1", "N2", "Ü4", "N5", "X1")
    assert answers(other) == answers(model)
    same = {"id": "X1", "title": "Goal", "category": ["sport", "chess"]}
    assert other.items.add([same]).unchanged == ("X1",)
    assert other.items.add([{"id": "X9", "title": "goal"}]).added == ("X9",)
    assert sorted(os.listdir(tmp_path)) == ["bundle", "items"]


@pytest.mark.parametrize("name", ["users", "many", "din", "dnn"])
def test_every_kind_is_saved(tmp_path, name):
    model = legoc_runtime.load(write_bundle(tmp_path / "bundle", KINDS[name]))
    model.items.add([{"id": "X1", "title": "goal"}])
    model.items.save(tmp_path / "items")
    other = legoc_runtime.load(model.bundle.path)
    other.items.load(tmp_path / "items")
    found = [m.recommend(m.encode_user(["X1"]))[1].tolist() for m in (model, other)]
    assert found[0] == found[1]


def test_counters_travel_with_a_catalogue(tmp_path):
    from dataclasses import replace

    bundle = write_bundle(tmp_path / "bundle", replace(KINDS["dot"], context=True))
    model = legoc_runtime.load(bundle)
    model.items.add([{"id": "X1", "title": "goal"}], when=1_700_000_100)
    model.items.clicked(["X1", "N2", "X1"], 1_700_000_200)
    model.items.save(tmp_path / "items")
    other = legoc_runtime.load(bundle)
    other.items.load(tmp_path / "items")
    rows = np.arange(7)
    np.testing.assert_array_equal(other.items.counters.at(rows), model.items.counters.at(rows))
    user = model.encode_user(["N1"])
    assert other.recommend(user)[0] == model.recommend(user)[0]
    other.items.clicked(["X1"], 1_700_000_300)


def test_a_catalogue_of_another_model_is_refused(model, tmp_path):
    from dataclasses import replace

    model.items.save(tmp_path / "items")
    arrays = {**KINDS["dot"].arrays, "table": KINDS["dot"].arrays["table"] + 1}
    folder = write_bundle(tmp_path / "other", replace(KINDS["dot"], arrays=arrays))
    other = legoc_runtime.load(kept(folder))
    before = other.items.table
    with pytest.raises(BundleError, match="the items of another model"):
        other.items.load(tmp_path / "items")
    assert other.items.table is before
    with pytest.raises(BundleError, match="cannot be read"):
        other.items.load(tmp_path / "nothing")
    with pytest.raises(BundleError, match="not a catalogue"):
        other.items.load(other.bundle.path / "cache/items.safetensors")


def test_a_damaged_catalogue_is_refused(model, tmp_path):
    changed_catalogue(model)
    model.items.save(tmp_path / "items")
    content, before = (tmp_path / "items").read_bytes(), model.items.table
    for place in range(8, len(content), max(len(content) // 150, 1)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        (tmp_path / "damaged").write_bytes(bytes(damaged))
        with pytest.raises(BundleError):
            model.items.load(tmp_path / "damaged")
    for size in (0, 7, 100, len(content) - 1):
        (tmp_path / "damaged").write_bytes(content[:size])
        with pytest.raises(BundleError):
            model.items.load(tmp_path / "damaged")
    assert model.items.table is before


def test_a_full_disk_leaves_the_old_file(model, tmp_path, monkeypatch):
    model.items.save(tmp_path / "items")
    before = (tmp_path / "items").read_bytes()
    changed_catalogue(model)

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RequestError, match="No space left on device"):
        model.items.save(tmp_path / "items")
    assert sorted(os.listdir(tmp_path)) == ["bundle", "items"]
    assert (tmp_path / "items").read_bytes() == before


def living(model, seconds, threads=8):
    """Ask from several threads beside adds, changes and removals, and look at every answer; how
    many there were."""
    kind, stop = KINDS["dot"], threading.Event()
    titles = ["storm over", "late goal", "the coast wins"]
    vectors = {title: kind.item({"title": title}) for title in titles}
    gone, wrong, answers = set(), [], [0] * threads

    def ask(number):
        random = np.random.default_rng(number)
        while not stop.is_set():
            user = model.encode_user(["N1", "N5"][: 1 + int(random.integers(2))])
            before = set(gone)
            ids, scores = model.recommend(user, k=20)
            answers[number] += 1
            right = {n: [float(v @ user.vectors) for v in vectors.values()] for n in ids}
            for name, score in zip(ids, scores, strict=True):
                known = [float(model.items.vector(name) @ user.vectors)]
                if min(abs(score - x) for x in (right[name] if name[0] == "X" else known)) > 1e-5:
                    wrong.append((name, score))
            if before & {*ids} or len({*ids}) < len(ids) or (np.diff(scores) > 0).any():
                wrong.append(ids)

    def guarded(number):
        try:
            ask(number)
        except Exception as error:  # a thread's own error would be lost
            wrong.append(error)

    workers = [threading.Thread(target=guarded, args=(n,), daemon=True) for n in range(threads)]
    for worker in workers:
        worker.start()
    turn, end = 0, time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            name = f"X{turn}"
            model.items.add([{"id": name, "title": titles[turn % 3]}])
            model.items.update([{"id": name, "title": titles[(turn + 1) % 3]}])
            if turn % 5 == 4:
                model.items.remove([name])
                gone.add(name)
            turn += 1
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    assert not wrong, wrong[:3]
    return sum(answers), turn


def test_threads_ask_beside_changes(model):
    asked, changed = living(model, 2.0)
    assert asked > 50
    assert changed > 20


@pytest.mark.slow
def test_threads_ask_a_long_time(model):
    asked, _ = living(model, float(os.environ.get("LEGOC_LIVING", "60")))
    assert asked > 1000


def test_what_was_removed_is_left_out_of_a_compact_file(tmp_path):
    from dataclasses import replace

    bundle = kept(write_bundle(tmp_path / "bundle", replace(KINDS["dot"], context=True)))
    rewrite(bundle, lambda manifest: manifest["items"].update(generated=1))
    model = legoc_runtime.load(bundle)
    model.items.add([{"id": "X1", "title": "goal"}, {"id": "X2", "title": "storm", "price": 4}],
                    when=1_700_000_100)  # fmt: skip
    model.items.clicked(["X1", "N2", "X2", "X2"], 1_700_000_200)
    model.items.remove(["N1", "X1"])
    model.items.save(tmp_path / "whole")
    model.items.save(tmp_path / "compact", compact=True)
    other = legoc_runtime.load(bundle)
    other.items.load(tmp_path / "compact")
    assert other.items.ids == model.items.ids == ("N2", "N3", "Ü4", "X2")
    # N5 was made up for histories: it may be clicked, and is recommended to nobody.
    assert other.items.table.ids == ("", "N2", "N3", "Ü4", "N5", "X2")
    user, again = (m.encode_user(["N5", "N2", "N1"]) for m in (model, other))
    assert (user.unknown, again.unknown) == ((), ("N1",))
    user = model.encode_user(["N5", "N2"])
    for where in (None, {"price": (3, 13)}, {"category": "news"}):
        wanted, found = (m.recommend(user, where=where) for m in (model, other))
        assert found[0] == wanted[0]
        assert found[1] == pytest.approx(wanted[1], abs=1e-6)
    assert other.items.add([{"id": "X2", "title": "storm", "price": 4}]).unchanged == ("X2",)
    assert other.items.add([{"id": "X1", "title": "goal"}]).added == ("X1",)
    assert (tmp_path / "compact").stat().st_size < (tmp_path / "whole").stat().st_size
    with pytest.raises(RequestError, match="compact is 1"):
        model.items.save(tmp_path / "compact", compact=1)


@pytest.mark.parametrize("count", [0, 3])
def test_compacting_over_several_blocks_keeps_each_row(tmp_path, count):
    model = legoc_runtime.load(write_bundle(tmp_path / "bundle", KINDS["dot"]))
    vectors = large(model, 2 * ROWS + 100)
    gone = [f"N{row}" for row in (1, ROWS - 1, 2 * ROWS + 50)][:count]
    model.items.remove(gone)
    model.items.save(tmp_path / "items", compact=True)
    other = legoc_runtime.load(model.bundle.path)
    other.items.load(tmp_path / "items")
    assert other.items.table.count == len(vectors) - count
    assert other.items.ids == model.items.ids
    np.testing.assert_array_equal(other.items.vectors, model.items.vectors)
