"""The demo's world has the statistics that make its best score known and reachable."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from legoc.data.indexing.tables import convert
from legoc.data.sources.demo import Demo, demo_best
from legoc.data.sources.demo_words import COMMON, TOPICS, make_words
from legoc.data.sources.demo_world import (
    DAYS,
    LIKED,
    OTHER,
    best_scores,
    draws,
    make_world,
    two_level_auc,
)
from legoc.language.ir.spec import Call


@pytest.fixture(scope="module")
def world():
    return make_world(**Demo().identity())


@pytest.fixture(scope="module")
def shipped(demo_cache):
    return convert(Demo(cache=demo_cache), Call(op="publisher"), demo_cache)


def flat(log):
    return (
        np.concatenate([i.candidates for i in log]),
        np.concatenate([i.clicked for i in log]),
        np.repeat([i.user for i in log], [len(i.candidates) for i in log]),
    )


def test_clicks_have_two_levels_and_nothing_else(world):
    item, clicked, user = flat(world.train)
    liked = world.likes[user, world.topic[item]]
    # Lists without a click are drawn again, which lifts both levels a little.
    assert clicked[liked].mean() == pytest.approx(LIKED, abs=0.03)
    assert clicked[~liked].mean() == pytest.approx(OTHER, abs=0.01)
    assert (world.likes.sum(1) == 4).all()
    per_item = np.bincount(item[liked], clicked[liked], len(world.topic))
    shown = np.bincount(item[liked], minlength=len(world.topic))
    busy = shown > 15
    # No item is better than its topic: the spread is that of independent draws.
    spread = np.var(per_item[busy] / shown[busy])
    expected = np.mean(LIKED * (1 - LIKED) / shown[busy])
    assert spread == pytest.approx(expected, rel=0.2)
    assert all(i.clicked.any() for i in (*world.train, *world.dev))


def test_histories_are_clicks_of_the_same_taste(world):
    for histories in (world.before_train, world.before_dev):
        liked = np.concatenate(
            [world.likes[u, world.topic[h]] for u, h in enumerate(histories) if h]
        )
        # Of uniform candidates a fifth is liked, so that is the share among their clicks.
        expected = 0.2 * LIKED / (0.2 * LIKED + 0.8 * OTHER)
        assert liked.mean() == pytest.approx(expected, abs=0.03)


def test_sizes_and_days(world, shipped):
    report = shipped.report
    assert report.items == 3000
    assert 1900 <= report.users <= 2000
    assert sum(part.impressions for part in report.parts.values()) == 12000
    assert report.parts["valid"].impressions == 1000
    counts = [len(i.candidates) for i in (*world.train, *world.dev)]
    assert (min(counts), max(counts)) == (5, 40)
    assert np.mean(world.day == DAYS) == pytest.approx(0.25, abs=0.01)
    assert all(len(set(i.candidates.tolist())) == len(i.candidates) for i in world.dev)
    lengths = np.array([len(h) for h in world.before_train])
    assert (lengths[lengths > 0].min(), lengths.max()) == (5, 30)
    assert 0.01 < np.mean(lengths == 0) < 0.05
    assert 0.01 < report.parts["test"].cold / report.parts["test"].impressions < 0.06


def test_half_of_the_dev_candidates_are_new(world, shipped):
    item, _, _ = flat(world.train)
    candidates, _, _ = flat(world.dev)
    new = ~np.isin(candidates, item)
    assert new.mean() == pytest.approx(0.5, abs=0.005)
    assert (new == (world.day[candidates] == DAYS)).all()
    # The tables agree: what training shows does not change when its last tenth becomes valid.
    assert shipped.report.parts["test"].new_items == pytest.approx(new.mean(), abs=0.002)


def test_no_item_is_shown_before_its_day_and_dev_is_the_last_day(world, shipped):
    for impression in (*world.train, *world.dev):
        today = 1 + impression.second // 86400
        assert (world.day[impression.candidates] <= today).all()
    assert {1 + i.second // 86400 for i in world.dev} == {DAYS}
    frame = shipped.interactions()
    ends = frame.groupby("split")["time"].agg(["min", "max"])
    assert ends.loc["train", "max"] <= ends.loc["valid", "min"]
    assert ends.loc["valid", "max"] < ends.loc["test", "min"]


def test_titles_and_subcategories(shipped):
    frame = shipped.items()
    words = frame["title"].str.replace('"', "").str.lower().str.split()
    assert words.str.len().between(6, 12).all()
    common = np.mean([word in COMMON for title in words for word in title])
    assert common == pytest.approx(0.3, abs=0.02)
    assert np.mean(frame["subcategory"] == "other") == pytest.approx(0.5, abs=0.03)
    assert set(frame["subcategory"]) == {*TOPICS, "other"}
    named = frame[frame["subcategory"] != "other"]
    pairs = named[["subcategory", "category"]].itertuples(index=False)
    assert all(TOPICS[subcategory][0] == category for subcategory, category in pairs)
    vocabulary = make_words(draws(1, 0))
    sizes = [len(own) for own in vocabulary.words]
    assert min(sizes) >= 30
    assert max(sizes) <= 90
    everything = [word for own in vocabulary.words for word in own] + list(vocabulary.common)
    assert len(everything) == len(set(everything))
    assert all(word.isalpha() and word.islower() for word in everything)


def test_the_oddities_of_mind_are_there(shipped, demo_cache):
    frame = shipped.items()
    assert frame["title"].str.contains('"').sum() > 50
    assert (frame["abstract"].str.count('"') % 2 == 1).sum() > 50
    assert (frame["abstract"] == "").sum() > 100
    assert {"NA", "null"} <= set(frame["abstract"])
    clicks = shipped.histories()["clicks"]
    assert sum(len(set(c)) < len(c) for c in clicks) > 50
    assert (clicks.str.len() == 0).sum() > 20
    raw = (Demo(cache=demo_cache).folder / "dev" / "behaviors.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in raw[:3]] == ["1", "2", "3"]
    times = [line.split("\t")[2] for line in raw]
    assert times != sorted(times)
    assert not shipped.report.drops


def test_the_best_score_is_that_of_the_true_probabilities(world, demo_cache):
    item, clicked, user = flat(world.dev)
    known = np.isin(item, flat(world.train)[0])
    chance = np.where(world.likes[user, world.topic[item]], LIKED, OTHER)
    group = np.repeat(np.arange(len(world.dev)), [len(i.candidates) for i in world.dev])
    best = demo_best(demo_cache)
    for name, rows in {"all": known | ~known, "known": known, "new": ~known}.items():
        each = []
        for one in range(len(world.dev)):
            mine = rows & (group == one)
            if 0 < clicked[mine].sum() < mine.sum():
                above = chance[mine & clicked][:, None] - chance[mine & ~clicked]
                each.append((above > 0).mean() + (above == 0).mean() / 2)
        assert best[name]["GAUC"] == pytest.approx(np.mean(each), abs=1e-12)
        assert best[name]["AUC"] == pytest.approx(roc_auc_score(clicked[rows], chance[rows]))
    assert best_scores(world)["all"] == best["all"]
    assert best["all"]["GAUC"] == pytest.approx(0.81, abs=0.015)


def test_two_level_auc_by_hand():
    upper = np.array([True, False, True, False, True])
    label = np.array([True, False, False, True, True])
    group = np.array([0, 0, 1, 1, 2])
    found = two_level_auc(upper, label, group)
    assert found["GAUC"] == pytest.approx((1.0 + 0.0) / 2)
    assert found["AUC"] == pytest.approx(roc_auc_score(label, upper))


def raw_digest(folder):
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*.tsv")):
        total.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return total.hexdigest()


PROGRAM = """
import sys
from pathlib import Path
from legoc.data.sources.demo import Demo
print(Demo(Demo.Config(items=300, users=120, impressions=900), cache=Path(sys.argv[1])).folder)
"""


def test_every_process_makes_the_same_bytes(small_demo, tmp_path):
    for seed in ("0", "77"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(tmp_path / seed)],
            capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed},
        )  # fmt: skip
        folder = small_demo.folder.__class__(done.stdout.strip())
        assert raw_digest(folder) == raw_digest(small_demo.folder)
        best = json.loads((folder / "best.json").read_text())
        assert best == small_demo.best


def test_another_seed_is_another_world(small_demo, demo_cache):
    other = Demo(Demo.Config(seed=2, items=300, users=120, impressions=900), cache=demo_cache)
    assert raw_digest(other.folder) != raw_digest(small_demo.folder)
