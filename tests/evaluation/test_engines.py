"""Both engines score a log as the model does row by row, with and without caches."""

import numpy as np
import pytest
import torch

from legoc.data.indexing.log import Log
from legoc.evaluation import Uncached, score_log
from legoc.evaluation.torch_engine import TorchEngine
from legoc.model import compile
from legoc_runtime import Engine
from tests.model.pipelines import PIPELINES, ROWS, Items, spec
from tests.runtime import bundles


def make_log(items, users, history, seed=0):
    random = np.random.default_rng(seed)
    clicks = [random.integers(1, items, random.integers(0, history + 1)) for _ in range(9)]
    sizes = random.integers(1, 6, 12)
    rows = int(sizes.sum())
    return Log(
        clicks=np.concatenate(clicks).astype(np.int32),
        starts=np.cumsum([0, *map(len, clicks)]).astype(np.int64),
        user=random.integers(0, users, 9).astype(np.int32),
        history=np.repeat(random.integers(0, 9, 12), sizes).astype(np.int32),
        item=random.integers(1, items, rows).astype(np.int32),
        label=np.zeros(rows, dtype=np.float32),
        group=np.repeat(np.arange(12), sizes).astype(np.int32),
    )


class Inputs:
    """Made-up items as inputs of the evaluator."""

    ports = ()

    def __init__(self, items, lengths):
        self.items = items
        self.lengths = lengths

    def rows(self, items):
        return self.items.rows(items)


@pytest.mark.parametrize("name", PIPELINES)
def test_torch_engine(name, monkeypatch):
    # Small chunks, so that owners are renumbered and blocks of users differ in length.
    monkeypatch.setattr("legoc_runtime.chunks.PAIRS_AT_ONCE", 5)
    monkeypatch.setattr("legoc.evaluation.evaluator.USERS_AT_ONCE", 2)
    torch.manual_seed(0)
    compiled = compile(spec(name))
    recommender = compiled.build(ROWS)
    with torch.no_grad():
        # Random biases and weights everywhere, so that nothing agrees because it is zero.
        for weight in recommender.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    items = Items(compiled.plan.layout)
    lengths = np.asarray(sum(items.lengths.values(), np.zeros(ROWS.items, dtype=np.int32)))
    log = make_log(ROWS.items, ROWS.users, 5)
    recommender.train()
    engine = TorchEngine(recommender)
    scores = score_log(engine, Inputs(items, lengths), log)
    assert recommender.training
    assert all(part.training for part in recommender.modules())
    recommender.eval()
    expected = [by_hand(recommender, items, log, row) for row in range(log.rows)]
    assert scores == pytest.approx(expected, abs=1e-5)
    assert np.ptp(scores) > 1e-3
    for mode in ("pair", "impression"):
        uncached = score_log(Uncached(engine, mode), Inputs(items, lengths), log)
        assert uncached == pytest.approx(scores, abs=1e-5)


@torch.no_grad()
def by_hand(recommender, items, log, row):
    """The score of one row, its history padded by nothing."""

    def encode(rows):
        given = items.rows(np.array(rows, dtype=np.int32))
        return recommender.encode_items({n: torch.from_numpy(a) for n, a in given.items()})

    history = log.history[row]
    clicks = log.clicks[log.starts[history] : log.starts[history + 1]]
    vectors = torch.zeros(1, max(len(clicks), 1), recommender.width)
    if len(clicks):
        vectors[0] = encode(clicks)
    mask = torch.full((1, vectors.shape[1]), bool(len(clicks)))
    user = torch.tensor([log.user[history]])
    users = recommender.encode_users(vectors, mask, user if recommender.reads_user else None)
    candidate = encode([log.item[row]])
    return recommender.score(users, candidate, torch.zeros(1, dtype=torch.long), mask).item()


class Records:
    """The items of a hand-made bundle as inputs of its item encoder."""

    ports = ()

    def __init__(self):
        texts = [(r["title"] or "").lower().split()[:4] for r in bundles.ITEMS]
        self.title = [[], *([bundles.WORDS.index(w) for w in text] for text in texts)]
        chosen = [bundles.CATEGORIES.get(r["category"]) for r in bundles.ITEMS]
        self.category = [[], *([c] if c else [] for c in chosen)]
        self.lengths = np.array([len(t) for t in self.title], dtype=np.int32)

    def rows(self, items):
        found = {}
        for name in ("title", "category"):
            ids = [getattr(self, name)[item] for item in items]
            width = max(1, *map(len, ids))
            found[name] = np.array([i + [0] * (width - len(i)) for i in ids], dtype=np.int32)
            found[f"{name}_mask"] = found[name] > 0
        return found


@pytest.mark.parametrize("name", bundles.KINDS)
def test_onnxruntime_engine(tmp_path, name, monkeypatch):
    monkeypatch.setattr("legoc_runtime.chunks.PAIRS_AT_ONCE", 5)
    monkeypatch.setattr("legoc.evaluation.evaluator.USERS_AT_ONCE", 2)
    kind = bundles.KINDS[name]
    ids = ["", *(item["id"] for item in bundles.ITEMS)]
    engine = Engine(bundles.write_bundle(tmp_path, kind), ids=ids)
    log = make_log(len(ids), 3, kind.history)
    vectors = np.stack([np.zeros(5), *map(kind.item, bundles.ITEMS)]).astype(np.float32)
    expected = []
    for history, item in zip(log.history, log.item, strict=True):
        clicks = log.clicks[log.starts[history] : log.starts[history + 1]]
        expected.append(kind.score(vectors[clicks], vectors[item], log.user[history]))
    scores = score_log(engine, Records(), log)
    assert scores == pytest.approx(expected, abs=1e-5)
    for mode in ("pair", "impression"):
        uncached = score_log(Uncached(engine, mode), Records(), log)
        assert uncached == pytest.approx(expected, abs=1e-5)
