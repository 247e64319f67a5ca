"""Calls as an application makes them, right and wrong: a documented answer or a RequestError."""

import os
import subprocess
import sys

import numpy as np
import pandas
import pytest

import legoc_runtime
from legoc_runtime import RequestError, User
from legoc_runtime.ids import as_id
from tests.runtime.bundles import ITEMS, KINDS, write_bundle


NUMBERED = {"N1": 1, "N2": 2, "N3": 3, "N5": 9}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return legoc_runtime.load(write_bundle(tmp_path_factory.mktemp("b") / "bundle", KINDS["users"]))


@pytest.fixture
def numbered(model, tmp_path):
    """A model whose items have whole numbers as ids."""
    fresh = legoc_runtime.load(model.bundle.path)
    fresh.items.add([{**item, "id": NUMBERED[item["id"]]} for item in ITEMS
                     if item["id"] in NUMBERED])  # fmt: skip
    return fresh


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("N1", "N1"), ("007", "007"), ("", ""), (7, "7"), (-3, "-3"), (2**70, str(2**70)),
        (5.0, "5"), (np.int64(9), "9"), (np.uint8(9), "9"), (np.float32(4), "4"),
        (np.str_("N1"), "N1"), (pandas.Series(["N1"], dtype="string")[0], "N1"),
    ],
)  # fmt: skip
def test_an_id_is_the_text_it_is_written_as(given, text):
    assert as_id(given) == text
    assert type(as_id(given)) is str


@pytest.mark.parametrize(
    "given",
    [True, False, np.True_, 1.5, float("nan"), float("inf"), 2.0**53, np.float64(1e300), None, {},
     {"id": 1}, [], ["N1"], b"N1", object(), ("N1",), np.array([1])],
    ids=lambda value: "object" if type(value) is object else repr(value),
)  # fmt: skip
def test_what_has_no_one_text_is_refused_and_named(given):
    with pytest.raises(RequestError) as caught:
        as_id(given)
    assert repr(given)[:40] in caught.value.message


def test_numbers_and_texts_name_the_same_items(numbered):
    texts = numbered.encode_user(["1", "9"], user="U1")
    for given in (
        [1, 9], (1, 9), np.array([1, 9]), np.array([1.0, 9.0]), pandas.Series([1, 9]),
        iter([1, "9"]), [np.int32(1), 9.0],
    ):  # fmt: skip
        user = numbered.encode_user(given, user="U1")
        assert user.clicks == ("1", "9")
        assert np.array_equal(user.vectors, texts.vectors)
    best = numbered.recommend(texts, k=20)[0]
    assert numbered.recommend(texts, k=20, exclude=[1, 9.0])[0] == [
        name for name in best if name not in ("1", "9")
    ]
    assert np.array_equal(numbered.score(texts, [2, 3]), numbered.score(texts, ["2", "3"]))
    assert numbered.items.index(9) == numbered.items.index("9")
    assert numbered.items.add([{"id": 5, "title": "goal"}]).added == ("5",)
    with pytest.raises(RequestError, match="twice"):
        numbered.items.add([{"id": 6, "title": "goal"}, {"id": "6", "title": "goal"}])


def test_users_named_by_numbers(model, monkeypatch):
    monkeypatch.setattr(model.encoder, "rows", {"7": 1})
    assert model.encode_user([], user=7).known
    assert model.encode_user([], user="7").known
    assert not model.encode_user([], user=None).known
    assert [u.known for u in model.encode_users([[], []], np.array([7, 8]))] == [True, False]


USER = User(vectors=np.zeros(5, dtype=np.float32), clicks=(), unknown=(), known=False)
LIST = User(vectors=[0.0] * 5, clicks=(), unknown=(), known=False)
MATRIX = User(vectors=np.zeros((2, 5), "f4"), clicks=(), unknown=(), known=False)
BROKEN = User(vectors=np.full(5, np.nan, "f4"), clicks=(), unknown=(), known=False)
OTHER = User(vectors=np.zeros(4, dtype=np.float32), clicks=(), unknown=(), known=False)

WRONG = {
    "ids as one text": (lambda m: m.encode_user("N1"), "one text"),
    "ids as bytes": (lambda m: m.encode_user(b"N1"), "b'N1'"),
    "a dict for a list": (lambda m: m.encode_user({"N1": 1}), "{'N1': 1}"),
    "a record for a list": (lambda m: m.encode_user({"history": ["N1"]}), "not a list"),
    "a number for a list": (lambda m: m.encode_user(5), "5, not a list"),
    "nothing for a list": (lambda m: m.encode_user(None), "None, not a list"),
    "nothing among the ids": (lambda m: m.encode_user(["N1", None]), "None"),
    "a truth among the ids": (lambda m: m.encode_user(["N1", True]), "True"),
    "a fraction among the ids": (lambda m: m.encode_user([1.5]), "1.5"),
    "a list among the ids": (lambda m: m.encode_user([["N1"]]), r"\['N1'\]"),
    "a matrix of ids": (lambda m: m.encode_user(np.zeros((2, 2))), "2 dimensions"),
    "no dimension": (lambda m: m.encode_user(np.array(5)), "0 dimensions"),
    "a truth as the user": (lambda m: m.encode_user([], user=True), "the user is True"),
    "a dict as the user": (lambda m: m.encode_user([], user={"age": 3}), "the user is {'age'"),
    "a user for a history": (lambda m: m.encode_user(USER), "not a list"),
    "one history for several": (lambda m: m.encode_users(["N1", "N2"]), "one text"),
    "a text for histories": (lambda m: m.encode_users("N1"), "not a list"),
    "nothing for histories": (lambda m: m.encode_users(None), "not a list"),
    "fewer users than histories": (lambda m: m.encode_users([[], []], ["U1"]), "2 histories"),
    "one user for users": (lambda m: m.encode_users([[]], "U1"), "the users are 'U1'"),
    "users for a user": (lambda m: m.score([USER], ["N1"]), "the user is"),
    "an id for a user": (lambda m: m.score("U1", ["N1"]), "the user is 'U1'"),
    "a history for a user": (lambda m: m.recommend(["N1"]), "the user is 'N1'"),
    "a vector for a user": (lambda m: m.recommend(np.zeros(5)), "the user is np.float64"),
    "a user of another model": (lambda m: m.recommend(OTHER), "4 numbers, items have 5"),
    "a vector of NaN": (lambda m: m.recommend(BROKEN), "not finite"),
    "a vector of NaN to score": (lambda m: m.score(BROKEN, ["N1"]), "not finite"),
    "a vector of NaN among users": (lambda m: m.score_users([BROKEN], [["N1"]]), "not finite"),
    "a list as the vector": (lambda m: m.score(LIST, ["N1"]), "vectors of the user are"),
    "vectors for a vector": (lambda m: m.recommend(MATRIX), "one of 5 numbers is read"),
    "an item of nothing to explain": (lambda m: m.explain(USER, None), "the item is None"),
    "items to explain": (lambda m: m.explain(USER, ["N1"]), r"the item is \['N1'\]"),
    "a record to explain": (lambda m: m.explain(USER, {"titel": "a"}), "none of the attributes"),
    "a surrogate to score": (lambda m: m.score(USER, ["\ud800"]), "1 of 1 candidates"),
    "a candidate as one text": (lambda m: m.score(USER, "N1"), "one text"),
    "an unknown candidate": (lambda m: m.score(USER, ["N1", "X"]), "1 of 2 candidates"),
    "k of 0": (lambda m: m.recommend(USER, k=0), "k is 0"),
    "k below": (lambda m: m.recommend(USER, k=-1), "k is -1"),
    "k with a fraction": (lambda m: m.recommend(USER, k=2.5), "k is 2.5"),
    "k as a text": (lambda m: m.recommend(USER, k="10"), "k is '10'"),
    "k of nothing": (lambda m: m.recommend(USER, k=None), "k is None"),
    "k as a truth": (lambda m: m.recommend(USER, k=True), "k is True"),
    "excluded as one text": (lambda m: m.recommend(USER, exclude="N1"), "one text"),
    "an exclusion that is no list": (lambda m: m.recommend_users([USER], exclude=5), "items are 5"),
    "an exclusion as one text": (lambda m: m.recommend_users([USER], exclude="N"), "items are 'N'"),
    "one exclusion for several": (lambda m: m.recommend_users([USER], exclude=["N1"]), "one text"),
    "a user for users": (lambda m: m.recommend_users(USER), "the users are User"),
    "nothing for users": (lambda m: m.recommend_users(None), "the users are None"),
    "a user to score": (lambda m: m.score_users(USER, [["N1"]]), "the users are User"),
    "a number of candidates": (lambda m: m.score_users([USER], 5), "the candidates are 5"),
    "a text of candidates": (lambda m: m.score_users([USER], "N"), "the candidates are 'N'"),
    "an unknown candidate to rank": (
        lambda m: m.recommend(USER, candidates=["N1", "X"]),
        "1 of 2 candidates",
    ),
    "candidates as one text": (lambda m: m.recommend(USER, candidates="N1"), "one text"),
    "candidates for nobody": (
        lambda m: m.recommend([USER], candidates=[["N1"], ["N2"]]),
        "1 users and 2 lists of cand",
    ),
    "a filter that is none": (lambda m: m.recommend(USER, where=["news"]), "`where` is"),
    "a filter of what is not kept": (
        lambda m: m.recommend(USER, where={"category": "news"}),
        "it keeps no attribute",
    ),
    "a boost that is none": (lambda m: m.recommend(USER, boost=["N1"]), "`boost` is"),
    "a boost of an unknown id": (lambda m: m.recommend(USER, boost={"X": 1}), "`X` is not among"),
    "a boost that is no number": (
        lambda m: m.recommend(USER, boost={"N1": "1"}),
        "the boost of `N1` is '1'",
    ),
    "a boost without end": (
        lambda m: m.recommend(USER, boost={"N1": float("inf")}),
        "the boost of `N1` is inf",
    ),
    "like an unknown item": (lambda m: m.similar("X"), "`X` is not among the items"),
    "like several items": (lambda m: m.similar(["N1"]), r"the item is \['N1'\]"),
    "a removal as one text": (lambda m: m.items.remove("N1"), "one text"),
    "an update of an unknown item": (
        lambda m: m.items.update([{"id": "X", "title": "a"}]),
        "`X` is not among the items",
    ),
    "a catalogue in no folder": (
        lambda m: m.items.save(m.bundle.path / "no" / "items"),
        "No such file or directory",
    ),
    "a record alone": (lambda m: m.items.add({"id": "X", "title": "a"}), "not a list"),
    "a text for records": (lambda m: m.items.add("X"), "not a list"),
    "an id for a record": (lambda m: m.items.add(["X"]), "a record is 'X'"),
    "records of nothing": (lambda m: m.items.add(None), "None"),
    "a record without id": (lambda m: m.items.add([{"title": "goal"}]), "no `id`"),
    "an id that is none": (lambda m: m.items.add([{"id": 1.5, "title": "a"}]), "1.5"),
    "a misspelt attribute": (lambda m: m.items.add([{"id": "X", "titel": "a"}]), "none of the"),
    "an attribute of no kind": (lambda m: m.items.add([{"id": "X", "title": {}}]), "`title` is a"),
    "an index of nothing": (lambda m: m.items.index(None), "None"),
    "threads of 0": (lambda m: legoc_runtime.load(m.bundle.path, threads=0), "threads is 0"),
    "threads as a text": (lambda m: legoc_runtime.load(m.bundle.path, threads="2"), "'2'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_call_is_named(model, name):
    call, told = WRONG[name]
    before = len(model.items)
    with pytest.raises(RequestError, match=told) as caught:
        call(model)
    assert caught.value.help
    assert len(model.items) == before


def test_calls_that_look_wrong_and_have_an_answer(model):
    user = model.encode_user(["N1"] * 10_000)
    assert user.clicks == ("N1",) * 3  # the newest `history` count
    assert model.encode_user([]).clicks == ()
    assert model.encode_users([]) == []
    assert model.recommend_users(iter([user]), exclude=iter([["N1"]]))[0][0]
    assert model.score_users((u for u in [user]), (c for c in [["N1"]]))[0].shape == (1,)
    assert model.score(user, []).shape == (0,)
    assert len(model.recommend(user, k=10**9)[0]) == len(ITEMS)
    ids = [item["id"] for item in ITEMS]
    assert model.recommend(user, exclude=ids)[0] == []
    assert model.recommend(user, k=np.int64(2), exclude=["nobody", ""])[0]
    assert model.encode_user(["", "N1"]).unknown == ("",)


def test_what_is_read_of_hard_records(model):
    fresh = legoc_runtime.load(model.bundle.path)
    added = fresh.items.add([
        {"id": "a", "title": "storm " * 200_000},
        {"id": "b", "title": "late \ud800 goal"},
        {"id": "c", "title": "late \ufffd goal"},
        {"id": "d", "title": "late \ud83d\ude00 goal"},
        {"id": "e", "title": "late 😀 goal"},
    ])  # fmt: skip
    assert added.added == ("a", "b", "c", "d", "e")
    vector = {name: fresh.items.vectors[fresh.items.index(name)] for name in "abcde"}
    assert np.array_equal(vector["b"], vector["c"])
    assert np.array_equal(vector["d"], vector["e"])


def test_what_a_record_has_for_nothing_is_told(model):
    fresh = legoc_runtime.load(model.bundle.path)
    added = fresh.items.add([
        {"id": "a", "title": "goal", "titel": "x", "category": "chess"},
        {"id": "b", "title": "goal", "category": ["news", "go"], "url": None},
    ])  # fmt: skip
    assert added.ignored == ("titel", "url")
    assert added.unseen == {"category": ("chess", "go")}
    added = fresh.items.add([{"id": "c", "title": "goal", "category": "news"}])
    assert (added.ignored, added.unseen) == ((), {})


def test_a_user_of_clicks_from_another_model(tmp_path):
    model = legoc_runtime.load(write_bundle(tmp_path / "bundle", KINDS["din"]))
    user = User(vectors=np.zeros((1, 5), "f4"), clicks=("elsewhere",), unknown=(), known=False)
    with pytest.raises(RequestError, match="clicked `elsewhere`"):
        model.score_users([user], [["N1"]])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_model_answers_after_a_fork(model):
    """In a process of its own: one that has run a thread of a test must not be forked."""
    program = f"""
import os, sys
import legoc_runtime
model = legoc_runtime.load({str(model.bundle.path)!r})
before = model.recommend(model.encode_user(["N1", "N5"]), k=3)
child = os.fork()
after = model.recommend(model.encode_user(["N1", "N5"]), k=3)
same = before[0] == after[0] and (before[1] == after[1]).all()
if child == 0:
    os._exit(0 if same else 3)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status) or not same)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
