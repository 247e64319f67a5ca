"""Attributes of users are inputs of the user graph: known users need their name alone, and a new
one is described in the request."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

import legoc_runtime
from legoc.data.indexing.names import Names
from legoc.data.reading.file_stems import file_stem
from legoc.data.reading.profiles import Profiles, write
from legoc.exporting import write_bundle
from legoc.language.declaring.declare import Attribute
from legoc.language.ir.plan import plan
from legoc.model import compile
from legoc_runtime import BundleError, RequestError
from tests.exporting.tiny import WIDTH, call, make, make_spec
from tests.runtime.bundles import rewrite


AGE = Attribute(name="age", kind="number", length=3)
REGION = Attribute(name="region", kind="category", length=2)
HOBBY = Attribute(name="clicks", kind="text", length=4)
USERS = [
    {},
    {"age": 20, "region": "north", "clicks": "Old trains"},
    {"age": 45, "region": ["south", "north"], "clicks": None},
    {"age": 61, "region": None, "clicks": "baking bread and trains and more"},
]
NAMES = ["", "U1", "U2", "U3"]


def write_tiny(tmp_path, flatten=None, *, alone=False, user=(AGE, REGION, HOBBY)):
    spec = make_spec(
        None if alone else call("content", "CNN"),
        None if flatten else call("behavior", "Additive"),
        call("predict", "Dot"), flatten=call("flatten", flatten) if flatten else None,
    )  # fmt: skip
    spec = dataclasses.replace(spec, data=dataclasses.replace(spec.data, user=user))
    tiny = make(spec, tmp_path)
    folder = tmp_path / "profiles"
    (folder / "vocabularies").mkdir(parents=True)
    found = write(USERS, user, folder)
    reading = found["reading"]
    profiles = Profiles(
        ids={a.name: np.load(folder / f"{file_stem(a.name)}.npy") for a in user},
        lengths={a.name: np.load(folder / f"{file_stem(a.name)}.lengths.npy") for a in user},
        rows=reading["rows"], reading=reading, folder=folder,
    )  # fmt: skip
    rows = dataclasses.replace(tiny.prepared.rows, users=len(NAMES), profile=reading["rows"])
    prepared = dataclasses.replace(
        tiny.prepared, rows=rows, profiles=profiles, users=Names(ids=NAMES)
    )
    torch.manual_seed(5)
    recommender = compile(spec).build(rows)
    recommender.profile.fill(profiles)
    for empty in recommender.profile.empty:
        torch.nn.init.normal_(empty)
    made = write_bundle(recommender, spec, plan(spec), prepared, tmp_path / "bundle")
    return recommender, made


def joined(recommender, mean, record, folder):
    """W [u; a_1; ...; a_n] + b with the vocabularies of the bundle, in double precision."""
    w = {n: v.double().numpy() for n, v in recommender.profile.state_dict().items()}
    parts = [mean.astype(np.float64)]
    for place, name in enumerate(recommender.profile.names):
        value = record.get(name)
        if name == "age":
            bins = json.loads((folder / "profile/vocabularies/age.json").read_text())
            ids = [] if value is None else [bins["first"] + sum(e <= value for e in bins["edges"])]
        elif name == "region":
            known = json.loads((folder / "profile/vocabularies/region.json").read_text())["values"]
            given = [value] if isinstance(value, str) else value or []
            ids = [known.get(one, 1) for one in given][:2]
        else:
            said = json.loads((folder / "profile/tokenizer.json").read_text())["model"]["vocab"]
            ids = [said.get(word, 1) for word in (value or "").lower().split()][:4]
        rows = [w["values.weight"][one] for one in ids]
        parts.append(sum(rows) / len(rows) if rows else w[f"empty.{place}"])
    return w["join.weight"] @ np.concatenate(parts) + w["join.bias"]


def pooled(recommender, model, clicks):
    """What the clicks alone make of a user, by torch."""
    vectors = torch.tensor(np.stack([model.items.vector(name) for name in clicks]))[None]
    with torch.no_grad():
        mask = torch.ones(vectors.shape[:2], dtype=torch.bool)
        return recommender.eval().encode_clicks(vectors, mask)[0].numpy()


NEW = {"age": 33, "region": ["west", "south"], "clicks": "bread and unheard things"}


def test_known_users_need_their_name_and_new_ones_say_who_they_are(tmp_path):
    recommender, made = write_tiny(tmp_path)
    ports = [port["name"] for port in made.manifest["graphs"]["user_encoder"]["inputs"]]
    assert ports == [
        "clicks", "clicks_mask", "profile_age", "profile_age_mask", "profile_region",
        "profile_region_mask", "profile_clicks", "profile_clicks_mask",
    ]  # fmt: skip
    model = legoc_runtime.load(made.path)
    assert model.self_test().difference < 1e-5
    mean = pooled(recommender, model, ["N1", "N5"])
    for name, record in zip(NAMES, USERS, strict=True):
        user = model.encode_user(["N1", "N5"], name or None)
        assert user.vectors == pytest.approx(joined(recommender, mean, record, made.path), abs=1e-5)
    told = model.encode_user(["N1", "N5"], profile=NEW)
    assert told.vectors == pytest.approx(joined(recommender, mean, NEW, made.path), abs=1e-5)
    assert (told.known, told.cold, told.unseen) == (False, None, {"region": ("west",)})


def test_a_profile_changes_what_it_names_of_a_known_user(tmp_path):
    recommender, made = write_tiny(tmp_path)
    model = legoc_runtime.load(made.path)
    mean = pooled(recommender, model, ["N2"])
    for given in ({"age": 50}, {"region": None}, {"age": None, "clicks": "trains"}, {}):
        user = model.encode_user(["N2"], "U1", profile=given)
        wanted = joined(recommender, mean, {**USERS[1], **given}, made.path)
        assert user.vectors == pytest.approx(wanted, abs=1e-5)
        assert user.known
    several = model.encode_users([["N2"]] * 3, ["U1", "U2", None], [None, {"age": 50}, NEW])
    alone = [("U1", None), ("U2", {"age": 50}), (None, NEW)]
    for user, (name, record) in zip(several, alone, strict=True):
        one = model.encode_user(["N2"], name, profile=record)
        assert user.vectors == pytest.approx(one.vectors, abs=1e-6)
    scores = model.score(several[2], ["N1", "N3"])
    wanted = [several[2].vectors @ model.items.vector(name) for name in ("N1", "N3")]
    assert scores == pytest.approx(wanted, abs=1e-5)


def test_what_is_wrong_with_a_profile_is_said(tmp_path):
    _, made = write_tiny(tmp_path)
    model = legoc_runtime.load(made.path)
    user = model.encode_user(["N1"], profile={"age": 3, "regoin": "north", 5: 1})
    assert user.ignored == ("5", "regoin")
    for wrong, said in (
        ({"aeg": 3}, "none of the attributes the model reads: `aeg`"),
        ("age", "the profile is 'age'"), ([1], "the profile is"), ({"age": "old"}, "`age` is"),
        ({"region": object()}, "`region` is"),
    ):  # fmt: skip
        with pytest.raises(RequestError, match=said):
            model.encode_user(["N1"], profile=wrong)
    with pytest.raises(RequestError, match="2 histories and 1 profiles"):
        model.encode_users([[], []], None, [{"age": 3}])


def test_who_is_described_is_not_nobody(tmp_path):
    _, made = write_tiny(tmp_path)
    rewrite(made.path, lambda manifest: manifest.update(cold={"answer": "error", "file": None}))
    model = legoc_runtime.load(made.path)
    assert model.encode_user([], profile={"age": 30}).cold is None
    assert model.encode_user([], "U1").cold is None
    for nobody in (None, {"age": None}, {"region": "unheard"}):
        with pytest.raises(RequestError, match="nothing is known"):
            model.encode_user([], profile=nobody)


def test_explanations_hold_the_profile_fast(tmp_path):
    _, made = write_tiny(tmp_path)
    model = legoc_runtime.load(made.path)
    user = model.encode_user(["N1", "N5", "N7"], profile=NEW)
    told = model.explain(user, "N2")
    without = model.encode_user(["N5", "N7"], profile=NEW)
    assert told.score == pytest.approx(model.score(user, ["N2"])[0], abs=1e-5)
    lost = told.score - model.score(without, ["N2"])[0]
    assert told.clicks[0][1] == pytest.approx(lost, abs=1e-5)


@pytest.mark.parametrize("alone", [False, True])
def test_models_that_flatten_read_it_too(tmp_path, alone):
    recommender, made = write_tiny(tmp_path, "Fastformer", alone=alone, user=(AGE,))
    model = legoc_runtime.load(made.path)
    assert model.self_test().difference < 1e-5
    plain, other = model.encode_user(["N1"]), model.encode_user(["N1"], profile={"age": 70})
    step = recommender.profile.join.weight.detach().numpy()[:, WIDTH:]
    assert not np.allclose(plain.vectors, other.vectors)
    moved = np.linalg.lstsq(step, other.vectors - plain.vectors, rcond=None)
    assert float(moved[1].sum() if len(moved[1]) else 0) < 1e-6


def test_a_damaged_table_of_users_is_refused(tmp_path):
    _, made = write_tiny(tmp_path)
    file = made.path / "cache/users.safetensors"
    sound = load_file(file)
    for change in (
        {"0/lengths": np.array([1, 1, 1, 1], np.int32)}, {"0/ids": sound["0/ids"] + 1000},
        {"1/ids": sound["1/ids"][:, :1].copy()}, {"2/lengths": sound["2/lengths"][:3]},
        {"1/lengths": sound["1/lengths"].astype(np.int64)},
    ):  # fmt: skip
        save_file({**sound, **change}, file)
        rewrite(made.path, lambda manifest: None)
        with pytest.raises(BundleError, match="does not hold"):
            legoc_runtime.load(made.path)
