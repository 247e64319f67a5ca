"""What an export gives users of whom nothing is known, against what training holds."""

import dataclasses

import numpy as np
import pytest
import torch

import legoc_runtime
from legoc.exporting import write_bundle
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Export
from tests.exporting.tiny import call, make, make_spec


MODELS = {
    "learned": ("Additive", "Dot", {}), "zero": ("Additive", "Dot", {"cold": "zero"}),
    "network": ("GRU", "DNN", {}), "clicks": ("Null", "DIN", {}),
}  # fmt: skip


def write(tmp_path, name, cold=None, *, trained=True):
    behavior, predict, given = MODELS[name]
    spec = make_spec(
        call("content", "CNN"), call("behavior", behavior, **given), call("predict", predict),
        export=Export(cold=cold),
    )  # fmt: skip
    tiny = make(spec, tmp_path)
    if name == "learned" and trained:
        with torch.no_grad():
            tiny.recommender.behavior.cold.vector.normal_()
    made = write_bundle(tiny.recommender, tiny.spec, tiny.plan, tiny.prepared, tmp_path / "bundle")
    return tiny, made, legoc_runtime.load(made.path)


@pytest.mark.parametrize(
    ("name", "trained", "answer"),
    [
        ("learned", True, "model"), ("learned", False, "popularity"),
        ("zero", True, "popularity"), ("network", True, "model"),
    ],
)  # fmt: skip
def test_unless_said_it_is_the_model_where_that_ranks(tmp_path, name, trained, answer):
    tiny, made, model = write(tmp_path, name, trained=trained)
    assert made.manifest["cold"]["answer"] == answer
    user = model.encode_user([])
    assert user.cold == answer
    if answer == "popularity":
        log = tiny.prepared.logs["train"]
        clicks = np.zeros(len(tiny.prepared.items.ids))
        for item, label in zip(log.item, log.label, strict=True):
            clicks[item] += label
        assert model.score(user, model.items.ids) == pytest.approx(np.log1p(clicks[1:]))


def test_the_mean_user_is_that_of_training(tmp_path):
    tiny, _, model = write(tmp_path, "network", "mean")
    log = tiny.prepared.logs["train"]
    ids = tiny.prepared.items.ids
    ends = zip(log.starts[:-1], log.starts[1:], strict=True)
    histories = [[ids[row] for row in log.clicks[a:b]] for a, b in ends if b > a]
    users = [model.encode_user(history).vectors for history in histories]
    assert model.encode_user([]).vectors == pytest.approx(np.mean(users, axis=0), abs=1e-5)


def test_popularity_of_a_predictor_that_reads_clicks(tmp_path):
    _, made, model = write(tmp_path, "clicks", "popularity")
    assert made.manifest["cold"]["file"] in made.manifest["files"]
    assert model.encode_user([]).cold == "popularity"


def test_there_is_something_to_answer_with(tmp_path):
    spec = make_spec(
        call("content", "CNN"), call("behavior", "GRU"), call("predict", "DNN"),
        export=Export(cold="popularity"),
    )  # fmt: skip
    tiny = make(spec, tmp_path)
    log = tiny.prepared.logs["train"]
    none = dataclasses.replace(log, label=np.zeros_like(log.label))
    prepared = dataclasses.replace(tiny.prepared, logs={**tiny.prepared.logs, "train": none})
    with pytest.raises(LegoError) as caught:
        write_bundle(tiny.recommender, tiny.spec, tiny.plan, prepared, tmp_path / "bundle")
    assert caught.value.diagnostics[0].code == "E0832"
    assert not (tmp_path / "bundle").exists()
