"""`tolerate`: the smallest graphs that surely lose no more of a metric than was allowed."""

import copy
import dataclasses
from collections import defaultdict
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
import torch

import legoc_runtime
from legoc.commands.export import write_difference
from legoc.commands.tolerated import read_tolerance
from legoc.data.indexing.log import Log
from legoc.evaluation.comparison import Compared, Interval
from legoc.evaluation.measured import combine
from legoc.exporting import record_metrics, tolerance, verify_bundle, write_bundle
from legoc.exporting.engine import onnx_run
from legoc.exporting.probes import make_probes
from legoc.exporting.trials import holds
from legoc.exporting.variants import Variants
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call, Export, Types
from legoc.progress import Silent
from legoc_runtime.tensors import read_tensors
from tests.exporting.test_bundle import torch_vectors
from tests.exporting.test_precision import check_rows
from tests.exporting.tiny import call, make, make_spec


USERS = 40
# All numbers of a row but the first are below half a step of int8, which spans the first.
LARGE, SMALL = 30.0, 0.11
# Wide enough that the scales of int8 are less than it saves.
WIDE = 64


class Heard(Silent):
    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


def log_of(users, seed=0):
    """Two groups for each user, of five different items each, none of them a click as yet."""
    random = np.random.default_rng(seed)
    groups = 2 * users
    item = [random.choice(np.arange(1, 12), 5, replace=False) for _ in range(groups)]
    return Log(
        clicks=random.integers(1, 12, 3 * users).astype(np.int32),
        starts=np.arange(0, 3 * users + 1, 3, dtype=np.int64),
        user=np.zeros(users, dtype=np.int32),
        history=np.repeat(np.arange(users), 10).astype(np.int32),
        item=np.concatenate(item).astype(np.int32),
        label=np.zeros(5 * groups, dtype=np.float32),
        group=np.repeat(np.arange(groups), 5).astype(np.int32),
    )


def labelled(tiny, log):
    """The item of each group that the model itself puts first is its click: nothing ranks better,
    so no change of a weight can gain."""
    vectors = torch_vectors(tiny).numpy()
    vectors = np.concatenate([np.zeros((12 - len(vectors), vectors.shape[1])), vectors])
    users = vectors[log.padded(np.arange(log.histories, dtype=np.int32))].mean(axis=1)
    scores = (users[log.history] * vectors[log.item]).sum(axis=1).reshape(-1, 5)
    label = (scores == scores.max(axis=1, keepdims=True)).astype(np.float32).reshape(-1)
    return dataclasses.replace(log, label=label)


@pytest.fixture(scope="module")
def lossy(tmp_path_factory):
    """A model whose token table int8 cannot hold: what tells tokens apart rounds to nothing."""
    spec = make_spec(
        call("content", "Pooling", hidden=WIDE), call("behavior", "Pooling"), call("predict", "Dot")
    )
    types = Types(item=f"Vec[{WIDE}]", user=f"Vec[{WIDE}]")
    tiny = make(dataclasses.replace(spec, types=types), tmp_path_factory.mktemp("lossy"))
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        tables = [p for p in tiny.recommender.parameters() if p.dim() == 2]
        for table in tables:
            table.uniform_(-SMALL, SMALL, generator=random)
            table[:, 0] = LARGE
    logs = {"train": log_of(3), "valid": labelled(tiny, log_of(USERS))}
    return dataclasses.replace(tiny, prepared=dataclasses.replace(tiny.prepared, logs=logs))


@pytest.fixture(autouse=True)
def people(monkeypatch):
    """The users of the rows, which tables on disk would name."""
    monkeypatch.setattr(
        tolerance, "name_rows", lambda _tables, log, *_rest: SimpleNamespace(user=log.history)
    )


def tolerate(loss, metric="GAUC", budget=None, **args):
    return Export(budget=budget, tolerate=Call(op=metric, args={**args, "loss": loss}))


def write(tiny, folder, export, logs=None, heard=None):
    spec = dataclasses.replace(tiny.spec, export=export)
    prepared = tiny.prepared
    if logs is not None:
        prepared = dataclasses.replace(prepared, logs=logs)
    return write_bundle(
        tiny.recommender, spec, tiny.plan, prepared, folder, progress=heard or Silent()
    )


def precisions(made):
    return made.certificate["tolerated"]["chosen"]


def stored(made):
    return {name: graph["sha256"] for name, graph in made.certificate["graphs"].items()}


@pytest.fixture(scope="module")
def refused(lossy, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            tolerance, "name_rows", lambda _tables, log, *_rest: SimpleNamespace(user=log.history)
        )
        return write(lossy, tmp_path_factory.mktemp("refused") / "bundle", tolerate(0.05))


def test_int8_that_loses_more_is_refused_and_fp16_kept(refused):
    """Scores that tie are worth 0.5 of an AUC of nearly 1: nine times what may be lost."""
    found = refused.certificate["tolerated"]
    assert found["chosen"] == {
        "item_encoder": "fp16", "user_encoder": "fp32", "predictor": "fp32"
    }  # fmt: skip
    by = {each["precisions"]["item_encoder"]: each for each in found["tried"]}
    assert list(by) == ["fp32", "fp16", "int8"]
    assert by["int8"]["bytes"] < by["fp16"]["bytes"] < by["fp32"]["bytes"]
    assert by["int8"]["interval"][1] < -0.4
    assert [each["holds"] for each in by.values()] == [True, True, False]
    assert (found["users"], found["groups"], found["metric"]) == (USERS, 2 * USERS, "GAUC")
    assert refused.certificate["precision"] == "mixed"
    verify_bundle(refused.path)
    assert not (refused.path / "tried").exists()
    table = read_tensors(refused.path / "cache" / "items.safetensors")["vectors"]
    item = onnx.load(str(refused.path / "onnx" / "item_encoder.onnx"))
    assert {p.key: p.value for p in item.metadata_props}["legoc.precision"] == "fp16"
    assert len(np.unique(table[1:], axis=0)) > 5


def test_the_card_shows_the_curve(refused):
    card = (refused.path / "README.md").read_text()
    rows = [line for line in card.splitlines() if line.startswith("| fp") or "| int8" in line]
    assert len(rows) == 3
    assert rows[1].startswith("| fp16 | fp32 | fp32 |")
    assert rows[1].endswith("| kept |")
    assert rows[2].endswith("| loses too much |")
    assert "GAUC may be 0.05 less" in card
    assert "stored as fp16 (item_encoder) and fp32 (user_encoder, predictor)" in card
    assert "in fp16 (item_encoder) and fp32 (user_encoder, predictor): scores" in (
        write_difference(refused.certificate)
    )
    assert record_metrics(refused.path, None).certificate == refused.certificate
    assert "loses too much" in (refused.path / "README.md").read_text()


def test_int8_that_loses_less_is_kept(lossy, tmp_path):
    """No AUC falls by more than 1."""
    made = write(lossy, tmp_path / "bundle", tolerate(1.0))
    assert precisions(made)["item_encoder"] == "int8"
    plain = write(lossy, tmp_path / "plain", Export())
    item = made.certificate["graphs"]["item_encoder"]
    assert item["bytes"] < plain.certificate["graphs"]["item_encoder"]["bytes"] - 5000
    assert item["converted"]["changed"] == 1
    assert stored(made)["predictor"] == stored(plain)["predictor"]
    int8 = write(lossy, tmp_path / "int8", Export(precision="int8"))
    assert stored(made)["item_encoder"] == stored(int8)["item_encoder"]
    again = write(lossy, tmp_path / "again", tolerate(1.0))
    assert stored(again) == stored(made)
    verify_bundle(made.path)


@pytest.mark.parametrize(
    ("low", "high", "higher", "lower"),
    [
        (-0.001, 0.5, True, False),
        (-0.5, 0.001, False, True),
        (-0.0011, 0.0011, False, False),
        (0.0, 0.0, True, True),
        (np.nan, np.nan, False, False),
    ],
)
def test_the_end_on_the_worse_side_decides(low, high, higher, lower):
    found = Compared(difference=(low + high) / 2, interval=Interval(low=low, high=high), p=1.0)
    assert holds(found, "higher", 0.001) is higher
    assert holds(found, "lower", 0.001) is lower


class Chance:
    """A trade whose every smaller set loses exactly what is tolerated, and seems to by chance."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        sizes = {"fp32": 4, "fp16": 2, "int8": 1}
        files = {
            name: {each: SimpleNamespace(bytes=size) for each, size in sizes.items()}
            for name in ("item_encoder", "user_encoder", "predictor")
        }  # fmt: skip
        self.variants = SimpleNamespace(
            files=files, alone=False, refused={},
            pick=lambda one: {name: files[name][each] for name, each in one.items()},
        )  # fmt: skip
        self.metric, self.ranked = Call(op="GAUC"), []
        self.sample = SimpleNamespace(groups=USERS)

    def measure(self, chosen):
        smaller = set(chosen.values()) != {"fp32"}
        shift = self.rng.normal(-0.05, 0.2, USERS) if smaller else np.zeros(USERS)
        return combine([(0.7 + shift, np.ones(USERS))], "higher", "groups")

    def agreement(self, chosen):
        return None

    def calls(self):
        return {}


def test_of_many_sets_that_lose_too_much_one_seldom_seems_not_to(monkeypatch):
    """26 sets lose on the border of what is tolerated. With an interval of 95 % for each, one of
    the six smaller graphs alone would hold in one choice of seven, and be kept."""
    monkeypatch.setattr(tolerance, "time_calls", lambda calls: defaultdict(float))
    kept = 0
    for seed in range(200):
        trade = Chance(seed)
        made = tolerance.choose(trade, trade.variants, tolerate(0.05), seed=seed, progress=Silent())
        kept += set(made.record["chosen"].values()) != {"fp32"}
    # One of 40 at most, where chance is 95 % that no more than 10 of 200 are.
    assert kept <= 10
    assert (made.record["sets"], made.record["level"]) == (26, pytest.approx(1 - 0.05 / 26))


@pytest.mark.parametrize(
    ("logs", "why"),
    [
        ({"train": log_of(3)}, "no labelled rows in `valid`"),
        ({"train": log_of(3), "valid": "unlabelled"}, "no labelled rows in `valid`"),
        ({"train": log_of(3), "valid": "few"}, "`valid` has 5 users that GAUC can be measured on"),
        ({"train": log_of(3), "valid": "no clicks"}, "`valid` has 0 users"),
    ],
    ids=["empty", "unlabelled", "few", "no clicks"],
)
def test_without_enough_to_go_by_the_graphs_stay_float32(lossy, tmp_path, logs, why):
    log = log_of(5)
    made = {
        "unlabelled": lambda: dataclasses.replace(log, label=np.full_like(log.label, np.nan)),
        "few": lambda: labelled(lossy, log),
        "no clicks": lambda: log,
    }
    logs = {n: made[each]() if isinstance(each, str) else each for n, each in logs.items()}
    heard = Heard()
    bundle = write(lossy, tmp_path / "bundle", tolerate(1.0), logs=logs, heard=heard)
    assert set(precisions(bundle).values()) == {"fp32"}
    assert bundle.certificate["precision"] == "fp32"
    assert why in bundle.certificate["tolerated"]["why"]
    assert why in (bundle.path / "README.md").read_text()
    assert [line for line in heard.lines if line.startswith("warning:") and why in line]
    verify_bundle(bundle.path)


def test_a_model_without_weights_in_its_graphs_has_nothing_to_choose(tmp_path):
    spec = make_spec(call("content", "Null"), call("behavior", "Pooling"), call("predict", "Dot"))
    tiny = make(spec, tmp_path / "data")
    heard = Heard()
    logs = {"train": log_of(3), "valid": dataclasses.replace(log_of(USERS))}
    made = write(tiny, tmp_path / "bundle", tolerate(0.01), logs=logs, heard=heard)
    assert "no graph has weights" in made.certificate["tolerated"]["why"]
    assert "no graph has weights" in (made.path / "README.md").read_text()
    assert any("no graph has weights" in line for line in heard.lines)


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    spec = make_spec(call("content", "Pooling"), call("behavior", "GRU"), call("predict", "DNN"))
    tiny = make(spec, tmp_path_factory.mktemp("deep"))
    log = log_of(USERS)
    random = np.random.default_rng(2)
    label = np.zeros((2 * USERS, 5), dtype=np.float32)
    label[np.arange(2 * USERS), random.integers(0, 5, 2 * USERS)] = 1
    logs = {"train": log_of(3), "valid": dataclasses.replace(log, label=label.reshape(-1))}
    return dataclasses.replace(tiny, prepared=dataclasses.replace(tiny.prepared, logs=logs))


def test_the_smallest_set_is_measured_as_a_whole(deep, tmp_path):
    made = write(deep, tmp_path / "bundle", tolerate(1.0))
    found = made.certificate["tolerated"]
    sets = {tuple(each["precisions"].values()): each for each in found["tried"]}
    alone = [s for s in sets if sum(p != "fp32" for p in s) == 1]
    assert len(alone) == 6
    # Sizes add up, so the smallest of all is the one of the smallest graphs, wherever they are.
    saved = {s: sets["fp32", "fp32", "fp32"]["bytes"] - sets[s]["bytes"] for s in alone}
    best = [
        max(("fp32", "fp16", "int8"), key=lambda p, i=i: saved.get(with_one(i, p), 0))
        for i in range(3)
    ]
    assert list(found["chosen"].values()) == best
    assert sum(p != "fp32" for p in best) > 1
    assert tuple(best) in sets
    assert len(sets) == 8
    # An answer does not depend on the other rows of a batch.
    for name, graph in {g.name: g for g in deep.plan.graphs}.items():
        path = made.path / "onnx" / f"{name}.onnx"
        probe = make_probes(graph, deep.spec, deep.prepared.rows)[1]
        check_rows(graph, onnx_run(path, graph), probe.inputs)
    model = legoc_runtime.load(made.path)
    histories = [["N1", "N5", "N2"], ["N3"], ["N9", "N8", "N7", "N6"]]
    together = np.stack([model.encode_user(h).vectors for h in histories])
    for seen in ([0], [2, 1], [1, 0, 2]):
        found = model.encode_users([histories[i] for i in seen])
        some = np.stack([user.vectors for user in found])
        np.testing.assert_allclose(some, together[seen], rtol=2e-6, atol=2e-6)


def with_one(place, precision):
    return tuple(precision if i == place else "fp32" for i in range(3))


def test_a_budget_takes_the_smallest_of_what_fits():
    sizes = {
        "item_encoder": {"fp32": 400, "fp16": 200, "int8": 150},
        "predictor": {"fp32": 40, "fp16": 30, "int8": 35},
    }
    files = {
        name: {p: SimpleNamespace(bytes=size) for p, size in own.items()}
        for name, own in sizes.items()
    }
    variants = Variants(files=files, refused={})
    held = {"item_encoder": ["fp32", "int8"], "predictor": ["fp32", "fp16", "int8"]}

    def sets(budget):
        found = tolerance.by_size(held, variants, Export(budget=budget))
        return ["-".join(one.values()) for one in found]

    wanted = ["int8-fp16", "int8-int8", "int8-fp32", "fp32-fp16", "fp32-int8", "fp32-fp32"]
    assert sets(None) == wanted
    assert sets(35) == [one for one in wanted if not one.endswith("-fp32")]
    assert sets(29) == []


def test_a_budget_that_nothing_fits_refuses_the_bundle(lossy, tmp_path):
    with pytest.raises(LegoError, match="where it loses no more than is tolerated") as caught:
        write(lossy, tmp_path / "none", tolerate(1.0, budget=10))
    assert caught.value.diagnostics[0].code == "E0826"
    assert not (tmp_path / "none").exists()


def test_a_weight_that_fp16_cannot_hold_leaves_int8(lossy, tmp_path):
    large = copy.deepcopy(lossy)
    with torch.no_grad():
        for table in large.recommender.parameters():
            if table.dim() == 2:
                table[3, :] = 1e6
    found = write(large, tmp_path / "bundle", tolerate(1.0)).certificate["tolerated"]
    assert "fp16 ends at 65,504" in found["refused"]["item_encoder fp16"]
    assert found["chosen"]["item_encoder"] == "int8"
    assert "Not tried: item_encoder fp16" in (tmp_path / "bundle" / "README.md").read_text()


@pytest.mark.parametrize(
    ("export", "code"),
    [
        (Export(precision="int8", tolerate=Call(op="GAUC", args={"loss": 1.0})), "E0806"),
        (tolerate(0.1, "ECE", bins=5), "E0807"),
        (tolerate(0.1, "NDGC"), "E0808"),
        (tolerate(0.1, "NDCG"), "E0808"),
        (tolerate(0), "E0808"),
        (tolerate(float("nan")), "E0808"),
        (Export(tolerate=Call(op="GAUC")), "E0808"),
    ],
)
def test_what_means_nothing_is_refused_before_any_work(lossy, tmp_path, export, code):
    with pytest.raises(LegoError) as caught:
        write(lossy, tmp_path / "bundle", export)
    assert caught.value.diagnostics[0].code == code
    assert not any(tmp_path.iterdir())


def test_the_flag_takes_the_place_of_the_export(capsys):
    given = read_tolerance("NDCG(10, loss=0.001)", Export(precision="int8", opset=19, budget=7))
    assert given == Export(
        opset=19, budget=7, tolerate=Call(op="NDCG", args={"k": 10, "loss": 0.001})
    )
    assert read_tolerance("none", given).tolerate is None
    for text, code in {
        "NDGC(10, loss=1)": "E0206", "NDCG(10)": "E0304", "GAUC(loss=0)": "E0305",
        "ECE(10, loss=1)": "E0807", "": "E0102",
    }.items():  # fmt: skip
        with pytest.raises(LegoError) as caught:
            read_tolerance(text, Export())
        assert caught.value.diagnostics[0].code == code, text
