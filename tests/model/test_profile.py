"""What is known of users joins their vectors as OPERATORS section 11 says."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from legoc.data.reading.profiles import Profiles
from legoc.language.declaring.declare import Attribute
from legoc.model import compile
from legoc.model.profile import Profile
from tests.model.pipelines import ROWS, spec


AGE = Attribute(name="age", kind="number", length=4)
TOPICS = Attribute(name="topics", kind="category", length=3)
USERS, VALUES = 5, 9
PROFILES = Profiles(
    ids={
        "age": np.array([[0], [2], [3], [0], [2]], dtype=np.int32),
        "topics": np.array([[0] * 3, [6, 7, 8], [8, 0, 0], [7, 6, 0], [0] * 3], dtype=np.int32),
    },
    lengths={
        "age": np.array([0, 1, 1, 0, 1], dtype=np.int32),
        "topics": np.array([0, 3, 1, 2, 0], dtype=np.int32),
    },
    rows=VALUES,
)


def make(width: int) -> Profile:
    torch.manual_seed(3)
    made = Profile((AGE, TOPICS), users=USERS, values=VALUES, width=width)
    for empty in made.empty:
        torch.nn.init.normal_(empty)
    made.fill(PROFILES)
    return made


def oracle(profile: Profile, user: np.ndarray, row: int) -> np.ndarray:
    """u' = W [u; a_1; a_2] + b, one user at a time, in double precision."""
    w = {name: value.double().numpy() for name, value in profile.state_dict().items()}
    parts = [user.astype(np.float64)]
    for place, name in enumerate(("age", "topics")):
        real = PROFILES.ids[name][row, : PROFILES.lengths[name][row]]
        rows = [w["values.weight"][each] for each in real]
        parts.append(sum(rows) / len(rows) if rows else w[f"empty.{place}"])
    return w["join.weight"] @ np.concatenate(parts) + w["join.bias"]


@pytest.mark.parametrize("width", [4, 16])
def test_it_computes_the_equation(width: int) -> None:
    profile = make(width)
    users = torch.randn(USERS, width)
    rows = torch.tensor([3, 0, 1, 4, 2], dtype=torch.int32)
    with torch.no_grad():
        found = profile(users, profile.known(rows)).numpy()
        many = profile(torch.stack([users, 2 * users], 1), profile.known(rows)).numpy()
    for place, row in enumerate(rows.tolist()):
        expected = oracle(profile, users[place].numpy(), row)
        np.testing.assert_allclose(found[place], expected, atol=1e-5)
        np.testing.assert_allclose(many[place, 0], expected, atol=1e-5)
        twice = oracle(profile, 2 * users[place].numpy(), row)
        np.testing.assert_allclose(many[place, 1], twice, atol=1e-5)


def test_gradients_reach_every_weight_and_not_the_padding() -> None:
    profile = make(8)
    profile(torch.randn(USERS, 8), profile.known(torch.arange(USERS))).square().sum().backward()
    for name, weight in profile.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name
    assert not profile.values.weight.grad[0].any()


def test_what_is_known_starts_from_nothing() -> None:
    fresh = Profile((AGE, TOPICS), users=USERS, values=VALUES, width=8)
    assert not any(empty.any() for empty in fresh.empty)
    assert not fresh.values.weight[0].any()
    assert 0.05 < fresh.values.weight[1:].std() < 0.15


@pytest.mark.parametrize("name", ["naml", "nrms", "dcn_id"])
def test_a_model_with_user_attributes_tells_users_apart(name: str) -> None:
    plain = spec(name)
    asked = replace(plain, data=replace(plain.data, user=(AGE, TOPICS)))
    model = compile(asked).build(replace(ROWS, users=USERS, profile=VALUES)).eval()
    model.profile.fill(PROFILES)
    assert model.reads_user
    clicks, mask = torch.randn(1, 3, model.width), torch.ones(1, 3, dtype=torch.bool)
    with torch.no_grad():
        found = [
            model.encode_users(clicks, mask, torch.tensor([row])).numpy() for row in range(USERS)
        ]
    for first in range(USERS):
        for second in range(first):
            assert not np.allclose(found[first], found[second])
    cost = compile(asked).cost
    assert cost.user > compile(plain).cost.user
