"""Semantic ids of a vector table: the algorithm against brute force, and the file in a training."""

import json
from collections import Counter

import numpy as np
import pytest
from safetensors.numpy import load_file

from legoc.commands.semantic_ids import write_codes
from legoc.data.reading.item_rows import read_rows
from legoc.data.reading.quantise import cluster, nearest, quantise, separate
from legoc.language.diagnosing.diagnostics import LegoError
from tests.product.conftest import run


def blobs(groups, each, width, spread, seed=0):
    """Rows around distant centres, and the centre of each."""
    rng = np.random.default_rng(seed)
    centres = 10.0 * rng.normal(size=(groups, width))
    of = np.repeat(np.arange(groups), each)
    return centres[of] + spread * rng.normal(size=(len(of), width)), of


def test_codes_are_those_of_the_equation():
    x, _ = blobs(5, 12, 3, 2.0)
    found = quantise(x, levels=3, size=8, seed=1)
    residual = x.copy()
    for level in range(3):
        book = found.books[level]
        codes = np.array([min(range(len(book)), key=lambda k: ((r - book[k]) ** 2).sum())
                          for r in residual])  # fmt: skip
        if level < 2:
            np.testing.assert_array_equal(found.codes[:, level], codes)
        # Lloyd's fixed point: a centre is the mean of the rows it is nearest to.
        for k in range(len(book)):
            np.testing.assert_allclose(book[k], residual[codes == k].mean(0), atol=1e-9)
        residual = residual - book[codes]
        variance = ((x - x.mean(0)) ** 2).sum()
        assert found.left[level] == pytest.approx((residual**2).sum() / variance, abs=1e-12)
    assert found.left[0] > found.left[1] > found.left[2]
    assert (found.codes[:, 2] != codes).sum() == found.moved


def test_clusters_that_lie_apart_are_found():
    x, of = blobs(6, 10, 4, 0.1)
    own, distance = nearest(x, cluster(x, 6, np.random.default_rng(0)))
    assert len({*zip(of, own, strict=True)}) == 6
    assert distance.max() < 1


def test_k_means_is_as_good_as_the_library_from_its_best_start():
    sklearn = pytest.importorskip("sklearn.cluster")
    x, _ = blobs(9, 20, 5, 4.0)
    ours = min(
        nearest(x, cluster(x, 12, np.random.default_rng(seed)))[1].sum() for seed in range(10)
    )
    theirs = sklearn.KMeans(12, n_init=10, random_state=0).fit(x).inertia_
    assert ours < 1.02 * theirs


def test_items_that_share_their_codes_are_told_apart_nearest_first():
    book = np.array([[0.0], [1.0], [4.0], [9.0]])
    residual = np.array([[0.1], [-0.2], [0.4], [0.2], [3.0]])
    codes = np.array([[0, 0], [0, 0], [0, 0], [1, 0], [0, 2]])
    assert separate(codes, residual, book) == 2
    # By hand: 0.1 keeps 0, 0.4 takes 1, 3.0 keeps 4, which leaves 9 to -0.2; 0.2 stands apart.
    np.testing.assert_array_equal(codes[:, 1], [0, 3, 1, 0, 2])
    np.testing.assert_array_equal(codes[:, 0], [0, 0, 0, 1, 0])


def test_no_two_items_share_all_codes_where_there_are_enough():
    x, _ = blobs(2, 30, 3, 1e-6)
    found = quantise(x, levels=2, size=40, seed=0)
    assert len(np.unique(found.codes, axis=0)) == 60
    assert found.shared == 0
    # One level of 8 codes cannot tell 60 items apart, and says so.
    assert quantise(x, levels=1, size=8, seed=0).shared > 50


def test_equal_vectors_and_few_rows_are_no_trouble():
    found = quantise(np.ones((5, 3)), levels=3, size=8, seed=0)
    assert [len(book) for book in found.books] == [1, 1, 1]
    assert found.left == (0.0, 0.0, 0.0)
    assert found.shared == 5
    assert quantise(np.ones((1, 2)), levels=1, size=2, seed=0).shared == 0


def write_table(path, vectors, ids):
    np.save(path, vectors.astype(np.float32))
    path.with_suffix(".ids.txt").write_text("\n".join(ids) + "\n")


def test_the_file_is_the_same_each_time_and_keeps_ids(tmp_path):
    x, of = blobs(4, 5, 6, 0.5)
    x[7] = 0.0
    ids = [f"item {row}" for row in range(len(x))]
    write_table(tmp_path / "x.npy", x, ids)
    first, again = (
        write_codes(tmp_path / "x.npy", tmp_path / f"{n}.safetensors", levels=2, size=4)
        for n in range(2)
    )
    assert first.path.read_bytes() == again.path.read_bytes()
    assert (first.items, first.empty) == (19, 1)
    rows = read_rows(first.path, "codes")
    assert "item 7" not in rows.ids
    codes = dict(zip(rows.ids, rows.values, strict=True))
    assert load_file(first.path)["codes"].dtype == np.int32
    for group in range(4):
        own = [
            codes[name][0] for name, g in zip(ids, of, strict=True) if g == group and name in codes
        ]
        assert len(set(own)) == 1
    other = write_codes(tmp_path / "x.npy", tmp_path / "o.safetensors", levels=2, size=4, seed=5)
    assert other.path.read_bytes() != first.path.read_bytes()


@pytest.mark.parametrize(
    ("vectors", "output", "code"),
    [
        (np.zeros((3, 2)), "c.safetensors", "E0645"),
        (np.array([[1.0, np.nan], [1, 2], [3, 4]]), "c.safetensors", "E0646"),
        (np.ones((3, 2)), "c.npy", "E0658"),
    ],
)
def test_what_cannot_be_quantised_is_refused_and_nothing_is_written(
    vectors, output, code, tmp_path
):
    write_table(tmp_path / "x.npy", vectors, ["a", "b", "c"])
    before = set(tmp_path.iterdir())
    with pytest.raises(LegoError) as caught:
        write_codes(tmp_path / "x.npy", tmp_path / output)
    assert caught.value.diagnostics[0].code == code
    assert set(tmp_path.iterdir()) == before


def verify_told_apart(path, size):
    """How many items of a file have all codes of another. As many as can be are told apart: those
    alike in all codes but the last have as many last codes as there are of them, up to `size`."""
    codes = [tuple(row) for row in load_file(path)["codes"].tolist()]
    together = {}
    for row in codes:
        together.setdefault(row[:-1], []).append(row[-1])
    assert all(len(set(last)) == min(len(last), size) for last in together.values())
    held = Counter(codes)
    return sum(held[row] > 1 for row in codes)


def test_from_vectors_to_a_trained_model_of_codes(naml, cache, tmp_path, capsys):
    """`legoc embed` of a run, `legoc codes` of that, and a model that reads the codes."""
    assert run("embed", naml, "-o", tmp_path / "v.safetensors", "--cache", cache, "-q") == 0
    capsys.readouterr()
    arguments = ("--levels", "3", "--size", "16", "--json")
    assert (
        run("codes", tmp_path / "v.safetensors", "-o", tmp_path / "c.safetensors", *arguments) == 0
    )
    said = json.loads(capsys.readouterr().out)
    named = [name for name in read_rows(tmp_path / "v.safetensors", "vectors").ids if name]
    assert said["items"] + said["empty"] == len(named) > 200
    assert said["shared"] == verify_told_apart(tmp_path / "c.safetensors", 16)
    assert sorted(said["left"], reverse=True) == said["left"]
    (tmp_path / "ids.lego").write_text(
        "data d { source = Demo(items=300, users=80, impressions=240)\n"
        "  content = [title(16)] history = 30 }\n"
        'model ids = content SemanticID(file="c.safetensors", hidden=8, size=16)\n'
        "  -> behavior Pooling -> predict Dot\n"
        "train t { epochs = 1 samples = 128 }\nrun ids on d with t\n"
    )
    where = ("--cache", cache, "--runs", tmp_path / "runs", "-q")
    assert run("train", tmp_path / "ids.lego", *where) == 0
    assert next((tmp_path / "runs").glob("ids-*/bundle/manifest.json"))


@pytest.mark.parametrize(
    "flag", [("--levels", "0"), ("--levels", "1000000"), ("--size", "1"), ("--size", "x")]
)
def test_numbers_out_of_range_are_wrong_usage(flag, tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        run("codes", tmp_path / "v.npy", "-o", tmp_path / "c.safetensors", *flag)
    assert caught.value.code == 2
    assert flag[0] in capsys.readouterr().err
