"""What is known of users: from the bundle for its own, from a record for everybody."""

import numpy as np
import pytest

import legoc_runtime
from legoc_runtime import BundleError, RequestError
from tests.runtime.bundles import ITEMS, KINDS, KNOWN, rewrite, write_bundle


KIND = KINDS["profile"]
VECTORS = {item["id"]: KIND.item(item) for item in ITEMS}
RECORDS = [
    {"age": 20}, {"region": ["south"]}, {"region": "north", "age": "35"}, {"region": "elsewhere"},
    {"region": [], "age": None}, {"age": 50, "region": ["north", "south", "north"]},
]  # fmt: skip


def folded(record):
    """A record as the oracle takes it."""
    region, age = record.get("region") or [], record.get("age")
    return {
        "region": [region] if isinstance(region, str) else region,
        "age": None if age is None else float(age),
    }


@pytest.mark.parametrize("record", RECORDS, ids=str)
@pytest.mark.parametrize("name", [None, "U1", "U2", "stranger"])
def test_scores_are_those_of_what_is_known(tmp_path, record, name):
    model = legoc_runtime.load(write_bundle(tmp_path / "bundle", KIND))
    known = KNOWN[{"U1": 1, "U2": 2}.get(name, 0)]
    clicks = ["N1", "N2"]
    user = model.encode_user(clicks, name, profile=record)
    merged = {**known, **{k: v for k, v in folded(record).items() if k in record}}
    wanted = [KIND.score([VECTORS[c] for c in clicks], VECTORS[i], user=merged) for i in VECTORS]
    assert model.score(user, list(VECTORS)) == pytest.approx(wanted, abs=1e-5)
    assert user.unseen == ({"region": ("elsewhere",)} if "elsewhere" in str(record) else {})
    ids, scores = model.recommend(user, k=3)
    order = np.argsort(-np.array(wanted), kind="stable")[:3]
    assert ids == [list(VECTORS)[place] for place in order]
    assert scores == pytest.approx(np.array(wanted)[order], abs=1e-5)


def test_a_row_of_users_that_is_not_there_is_refused(tmp_path):
    model = legoc_runtime.load(write_bundle(tmp_path / "bundle", KIND))
    with pytest.raises(RequestError, match="rows from 3 to 3, the bundle 3"):
        model.graphs.encode_users(
            np.zeros((1, 1, 5), np.float32), np.ones((1, 1), bool), np.array([3])
        )


@pytest.mark.parametrize("name", ["dot", "users", "din"])
def test_a_model_that_reads_no_attributes_refuses_a_profile(tmp_path, name):
    model = legoc_runtime.load(write_bundle(tmp_path / "bundle", KINDS[name]))
    with pytest.raises(RequestError, match="reads no attributes of users"):
        model.encode_user(["N1"], profile={"age": 3})


def test_a_bundle_whose_graph_holds_the_users_serves_them_by_name(tmp_path):
    """Written before graphs were given what is known of users."""
    folder = write_bundle(tmp_path / "bundle", KINDS["users"])
    rewrite(folder, lambda m: m["spec"].update(data={"user": [{"name": "age"}]}))
    model = legoc_runtime.load(folder)
    assert model.encode_user(["N1"], "U1").known
    with pytest.raises(RequestError, match="hold what is known of its users") as caught:
        model.encode_user(["N1"], profile={"age": 3})
    assert caught.value.help == "export the run again"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m["profile"]["reading"].update(rows=1), "`profile.reading.unknown` is 1"),
        (lambda m: m["profile"].update(file="cache/lost.safetensors"), "has no hash"),
        (lambda m: m["profile"]["reading"]["parts"].append({"ids": [1]}), "parts"),
        (lambda m: m["profile"]["reading"].update(layout="sequence"), "profile.reading.layout"),
        (lambda m: m["plan"].update(reads_user=False), "whom nothing reads"),
        (lambda m: m.update(profile=None), "profile_region, .*which nothing gives it"),
        (lambda m: m["profile"]["reading"].update(rows=11), "beyond the 11 rows"),
    ],
)
def test_a_manifest_that_lies_of_users_is_refused(tmp_path, change, said):
    folder = write_bundle(tmp_path / "bundle", KIND)
    rewrite(folder, change)
    with pytest.raises(BundleError, match=said):
        legoc_runtime.load(folder)
