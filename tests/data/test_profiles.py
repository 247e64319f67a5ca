"""Attributes of users: read as items are, a row per user that trains."""

from dataclasses import replace

import numpy as np

from legoc.data import prepare
from legoc.language.declaring.declare import Attribute
from tests.data.test_prepare import make_spec


AGE = Attribute(name="age", kind="number", length=4)
REGION = Attribute(name="region", kind="category", length=1)


def test_every_user_has_what_the_table_says(demo_cache):
    prepared = prepare(make_spec(user=(AGE, REGION)), cache=demo_cache)
    profiles = prepared.profiles
    assert profiles is not None
    assert prepared.rows.profile == profiles.rows
    told = {record["user_id"]: record for record in prepared.tables.users().to_dict("records")}
    assert set(prepared.users.ids[1:]) <= set(told)
    ages = np.array([told[name]["age"] for name in prepared.users.ids[1:]], dtype=np.float64)
    assert 0 < np.isnan(ages).sum() < len(ages)
    edges = np.unique(np.quantile(ages[~np.isnan(ages)], [0.25, 0.5, 0.75]))
    first = int(profiles.ids["age"][profiles.lengths["age"] > 0].min())
    regions: dict[str, set[int]] = {}
    for row, name in enumerate(prepared.users.ids[1:], start=1):
        age, region = ages[row - 1], told[name]["region"]
        assert profiles.lengths["age"][row] == (not np.isnan(age))
        if not np.isnan(age):
            assert profiles.ids["age"][row, 0] == first + np.sum(edges <= age)
        has = isinstance(region, str) and bool(region)
        assert profiles.lengths["region"][row] == has
        if has:
            regions.setdefault(region, set()).add(int(profiles.ids["region"][row, 0]))
    assert all(len(ids) == 1 for ids in regions.values())
    assert len(set.union(*regions.values())) == len(regions) == 5
    used = set.union(*regions.values()) | set(profiles.ids["age"].ravel().tolist())
    assert max(used) < profiles.rows
    assert not profiles.lengths["age"][0]
    assert not profiles.lengths["region"][0]


def test_only_a_model_that_asks_has_them(demo_cache):
    prepared = prepare(make_spec(), cache=demo_cache)
    assert prepared.profiles is None
    assert prepared.rows.profile == 0


def test_texts_of_users_are_read_as_words(demo_cache):
    words = replace(REGION, kind="text", length=3)
    profiles = prepare(make_spec(user=(words,)), cache=demo_cache).profiles
    assert profiles is not None
    assert profiles.ids["region"].shape[1] == 3
    assert set(profiles.lengths["region"].tolist()) == {0, 1}
