"""`legoc predict`: scores of a part without labels, as rows and as MIND's publisher takes them."""

import csv
import json
import zipfile

import numpy as np
import pytest

from legoc.evaluation.ranking import rank_rows
from tests.product.conftest import run


SPEC = """
data d {{ source = MIND("{folder}") content = [title(8)] history = 5 group = {group} }}
model m = content CNN(hidden=8) -> behavior Additive(dim=4) -> predict Dot
train t {{ epochs = 1 metrics = [GAUC] }}
run m on d with t
"""
WORDS = ("rain", "storm", "bread", "match", "goal", "market", "bank", "price", "river", "road")


def write_mind(root, *, strange=False):
    rng = np.random.default_rng(0)
    news = [
        f"N{n}\tc{n % 3}\ts{n % 5}\t{' '.join(rng.choice(WORDS, 4))}\t\thttps://x\t[]\t[]\n"
        for n in range(1, 31)
    ]
    number = 0
    for part, lines in (("train", 60), ("dev", 20), ("test", 15)):
        (root / part).mkdir(parents=True)
        (root / part / "news.tsv").write_text("".join(news), encoding="utf-8")
        with (root / part / "behaviors.tsv").open("w", encoding="utf-8") as file:
            for line in range(lines):
                number += 7
                user = f"U{rng.integers(1, 9)}"
                shown = rng.permutation(np.arange(1, 31))[: rng.integers(2, 9)]
                past = " ".join(f"N{n}" for n in rng.integers(1, 31, 3))
                labels = [""] * len(shown) if part == "test" else ["-1"] + ["-0"] * (len(shown) - 1)
                if strange and part == "test":
                    shown[0] = 99
                offered = " ".join(f"N{n}{label}" for n, label in zip(shown, labels, strict=True))
                moment = f"11/{9 + line % 6}/2019 9:05:58 AM"
                file.write(f"{number}\t{user}\t{moment}\t{past}\t{offered}\n")


def trained(place, cache, group="impression", **settings):
    write_mind(place / "raw", **settings)
    file = place / "m.lego"
    file.write_text(SPEC.format(folder=place / "raw", group=group), encoding="utf-8")
    assert run("train", file, "--cache", cache, "--runs", place / "runs", "-q") == 0
    return next((place / "runs").glob("m-*"))


@pytest.fixture(scope="module", params=["impression", "user"])
def mind(request, cache, tmp_path_factory):
    place = tmp_path_factory.mktemp("mind")
    return place, trained(place, cache, request.param)


def test_a_submission_ranks_the_candidates_of_every_line(mind, cache):
    place, folder = mind
    assert run("predict", folder, "-o", place / "p.zip", "--cache", cache, "-q") == 0
    assert run("predict", folder, "-o", place / "p.csv", "--cache", cache, "-q") == 0
    with (place / "p.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with zipfile.ZipFile(place / "p.zip") as archive:
        assert archive.namelist() == ["prediction.txt"]
        lines = archive.read("prediction.txt").decode().splitlines()
    # Against the publisher's file itself, line by line.
    published = (place / "raw/test/behaviors.tsv").read_text("utf-8").splitlines()
    assert len(lines) == len(published) == 15
    for line, record in zip(lines, published, strict=True):
        number, user, _, _, offered = record.split("\t")
        shown, ranks = line.split(" ")
        assert shown == number
        own = [row for row in rows if row["impression"] == f"test/{number}"]
        assert [row["item"] for row in own] == offered.split(" ")
        assert {row["user"] for row in own} == {user}
        scores = [float(row["score"]) for row in own]
        best = sorted(range(len(scores)), key=lambda place: (-scores[place], place))
        expected = [best.index(place) + 1 for place in range(len(scores))]
        assert json.loads(ranks) == expected


def test_every_form_of_rows_says_the_same(mind, cache):
    import pandas

    place, folder = mind
    found = []
    for ending in (".csv", ".tsv", ".jsonl", ".parquet"):
        path = place / f"rows{ending}"
        assert run("predict", folder, "-o", path, "--cache", cache, "-q") == 0
        found.append({
            ".csv": pandas.read_csv, ".parquet": pandas.read_parquet,
            ".tsv": lambda path: pandas.read_csv(path, sep="\t"),
            ".jsonl": lambda path: pandas.read_json(path, lines=True),
        }[ending](path))  # fmt: skip
    for frame in found:
        assert list(frame) == ["impression", "user", "item", "score"]
        assert frame.item.astype(str).tolist() == found[0].item.tolist()
        np.testing.assert_allclose(frame.score, found[0].score, rtol=1e-6)


def test_equal_scores_are_ranked_in_their_order():
    impression = np.array([0, 0, 0, 1, 1, 2])
    scores = np.array([1, 3, 1, 5, 5, 0], dtype=np.float32)
    assert rank_rows(impression, scores).tolist() == [2, 1, 3, 1, 2, 1]
    assert rank_rows(impression[:0], scores[:0]).tolist() == []


@pytest.fixture
def unscored(monkeypatch):
    """Nothing may be scored: what a user has to mend is said before hours of work."""

    def score(*_, **__):
        raise AssertionError("scored")

    monkeypatch.setattr("legoc.evaluation.public.score_log", score)


def test_what_cannot_be_written(mind, cache, runs, tmp_path, unscored, capsys):
    _, folder = mind
    assert run("predict", folder, "-o", tmp_path / "scores.txt", "--cache", cache, "-q") == 1
    assert "E0599]: `scores.txt` does not say what is to be written" in capsys.readouterr().err
    demo = next(runs.glob("text-*"))
    words = ("predict", demo, "--split", "test", "--cache", cache, "-q", "-o")
    assert run(*words, tmp_path / "x.zip") == 1
    assert "E0599]: Demo has no form of submission" in capsys.readouterr().err
    assert run("predict", demo, "-o", tmp_path / "x.csv", "--cache", cache, "-q") == 1
    assert "E0591" in capsys.readouterr().err
    (tmp_path / "folder.csv").mkdir()
    for name, reason in (("folder.csv", "is a directory"), ("no/x.csv", "no such file")):
        assert run(*words, tmp_path / name) == 1
        assert f"E0905]: `{tmp_path / name}` cannot be written: {reason}" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


def test_rows_go_where_a_link_points(cache, runs, tmp_path):
    demo = next(runs.glob("text-*"))
    (tmp_path / "x.csv").symlink_to(tmp_path / "data")
    words = ("predict", demo, "--split", "test", "--cache", cache, "-q", "-o")
    assert run(*words, tmp_path / "x.csv") == 0
    assert (tmp_path / "data").read_text("utf-8").startswith("impression,user,item,score\n")
    assert (tmp_path / "x.csv").is_symlink()


def test_candidates_that_were_dropped_are_no_submission(cache, tmp_path, monkeypatch, capsys):
    folder = trained(tmp_path, cache, strange=True)
    capsys.readouterr()
    with monkeypatch.context() as patched:
        patched.setattr("legoc.evaluation.public.score_log", None)  # nothing is scored
        assert run("predict", folder, "-o", tmp_path / "p.zip", "--cache", cache, "-q") == 1
    said = capsys.readouterr().err
    assert "E0599]: a submission ranks every candidate of `test`" in said
    assert "15 x unknown item as a candidate" in said
    assert not (tmp_path / "p.zip").exists()
    assert run("predict", folder, "-o", tmp_path / "p.csv", "--cache", cache, "-q") == 0


def write_ebnerd(root):
    """A small EB-NeRD whose test part ends with rows that are no impressions."""
    from datetime import datetime

    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(1)
    root.mkdir()
    pq.write_table(pa.table({
        "article_id": pa.array(range(100, 130), pa.int32()),
        "title": [" ".join(rng.choice(WORDS, 4)) for _ in range(30)],
        "category_str": [f"c{n % 3}" for n in range(30)],
    }), root / "articles.parquet")  # fmt: skip
    number = 0
    for part, count in (("train", 60), ("validation", 20), ("test", 12)):
        (root / part).mkdir()
        shown = [rng.permutation(np.arange(100, 130))[:6].tolist() for _ in range(count)]
        users = rng.integers(1, 9, count).tolist()
        ids = [number + 3 * n for n in range(count)]
        number += 3 * count
        extra = [False] * count
        if part == "test":
            # The first two impressions once more, so that their ranks are known.
            ids, shown, users = [*ids, 0, 0], [*shown, *shown[:2]], [*users, *users[:2]]
            extra += [True, True]
        columns = {
            "impression_id": pa.array(ids, pa.uint32()),
            "user_id": pa.array(users, pa.uint32()),
            "impression_time": [datetime(2023, 5, 1 + n % 7) for n in range(len(ids))],
            "article_ids_inview": pa.array(shown, pa.list_(pa.int32())),
        }
        if part == "test":
            columns["is_beyond_accuracy"] = extra
        else:
            clicked = [[row[n % 6]] for n, row in enumerate(shown)]
            columns["article_ids_clicked"] = pa.array(clicked, pa.list_(pa.int32()))
        pq.write_table(pa.table(columns), root / part / "behaviors.parquet")
        past = [rng.integers(100, 130, 7).tolist() for _ in range(1, 9)]
        pq.write_table(pa.table({
            "user_id": pa.array(range(1, 9), pa.uint32()),
            "article_id_fixed": pa.array(past, pa.list_(pa.int32())),
        }), root / part / "history.parquet")  # fmt: skip


def test_ebnerd_has_its_rows_beyond_accuracy_too(cache, tmp_path):
    write_ebnerd(tmp_path / "raw")
    file = tmp_path / "m.lego"
    text = SPEC.format(folder=tmp_path / "raw", group="impression").replace("MIND", "EBNeRD")
    file.write_text(text, encoding="utf-8")
    assert run("train", file, "--cache", cache, "--runs", tmp_path / "runs", "-q") == 0
    folder = next((tmp_path / "runs").glob("m-*"))
    assert run("predict", folder, "-o", tmp_path / "p.zip", "--cache", cache, "-q") == 0
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        assert archive.namelist() == ["predictions.txt"]
        lines = archive.read("predictions.txt").decode().splitlines()
    assert len(lines) == 14
    numbers = [line.split(" ")[0] for line in lines]
    assert numbers == [*(str(240 + 3 * n) for n in range(12)), "0", "0"]
    assert [line.split(" ")[1] for line in lines[12:]] == [line.split(" ")[1] for line in lines[:2]]
