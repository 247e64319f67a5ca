"""Clicks that come in while a bundle serves, against plain Python over every click."""

import math
import threading
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas
import pytest
from safetensors.numpy import save_file

import legoc_runtime
from legoc_runtime import BundleError, RequestError, tensors
from tests.runtime.bundles import (
    END,
    ITEMS,
    KEPT,
    MOMENT,
    NEVER,
    NUMBERS,
    Kind,
    rewrite,
    write_bundle,
)


IDS = [item["id"] for item in ITEMS]
HOUR = 3600 * 10**6
NOW = datetime.fromtimestamp(END / 10**6, UTC)
KINDS = {
    "dot": Kind(context=True),
    "dnn": Kind(context=True, predict="DNN"),
    "din": Kind(context=True, predict="DIN", user="clicks"),
    "many": Kind(context=True, predict="MINER", user="many"),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("bundles")
    return {name: write_bundle(root / name, kind) for name, kind in KINDS.items()}


@pytest.fixture
def model(folders):
    return legoc_runtime.load(folders["dot"])


def at(when):
    return NOW + timedelta(microseconds=int(when) - END)


def expected(row, when, clicks=()):
    """The numbers of an item by the definition: what was kept, and every click since."""
    found = []
    for column, number in enumerate(NUMBERS):
        if number["kind"] == "age":
            first = min([int(KEPT["first"][row]), *clicks, when])
            found.append((when - first) / HOUR)
            continue
        span = (number["seconds"] or math.inf) * 10**6
        kept, since = KEPT["values"][row, column], int(KEPT["moments"][row])
        value = kept * math.exp(-(when - since) / span) if kept else 0.0
        found.append(value + sum(math.exp(-(when - click) / span) for click in clicks))
    return found


def prior(numbers):
    return float((np.log1p(numbers) * MOMENT[0]).sum())


@pytest.mark.parametrize("name", list(KINDS))
@pytest.mark.parametrize("later", [None, 0, 5 * HOUR])
def test_scores_and_best_items_are_those_of_numpy(folders, name, later):
    kind, model = KINDS[name], legoc_runtime.load(folders[name])
    when = None if later is None else at(END + later)
    vectors = {item["id"]: kind.item(item) for item in ITEMS}
    user = model.encode_user(["N1", "N3"])
    right = [
        kind.score([vectors["N1"], vectors["N3"]], vectors[item])
        + prior(expected(1 + row, END + (later or 0)))
        for row, item in enumerate(IDS)
    ]
    assert model.score(user, IDS, when=when) == pytest.approx(right, abs=1e-5)
    (found,) = model.score_users([user], [IDS], [when])
    assert found == pytest.approx(right, abs=1e-5)
    for _ in range(2):  # the second answer is from what was kept of the first
        ids, scores = model.recommend(user, k=5, when=when)
        assert ids == [IDS[place] for place in np.argsort(-np.array(right))]
        assert scores == pytest.approx(sorted(right, reverse=True), abs=1e-5)


@pytest.mark.parametrize("name", list(KINDS))
def test_a_click_changes_what_is_recommended_next(folders, name):
    model = legoc_runtime.load(folders[name])
    user = model.encode_user([])
    before, _ = model.recommend(user, k=5)
    least = before[-1]
    made = model.items.clicked([least] * 400, NOW + timedelta(hours=1))
    assert made.counted == 400
    assert made.unknown == ()
    assert model.recommend(user, k=1)[0] == [least]
    assert model.self_test().difference < 1e-5


@pytest.mark.parametrize("seed", range(5))
def test_clicks_in_any_order_count_as_their_definition_says(model, seed):
    """The clock goes back between calls and within them, before the end of the data and after."""
    draw = np.random.default_rng(seed)
    rows = draw.integers(1, 6, 120)
    times = END + draw.integers(-2 * HOUR, 6 * HOUR, 120)
    # Two clicks of an item in one moment.
    rows[60], times[60] = rows[61], times[61]
    for part in np.array_split(draw.permutation(120), 7):
        model.items.clicked([IDS[row - 1] for row in rows[part]], [at(t) for t in times[part]])
    when = END + 7 * HOUR
    found = model.items.counters.at(np.arange(1, 6), when)
    for row in range(1, 6):
        clicks = times[rows == row].tolist()
        # What was kept is faded to a moment, and clicks from before it are faded to that moment.
        assert found[row - 1] == pytest.approx(expected(row, when, clicks), rel=1e-5)
    assert model.items.counters.last == max(times)


def test_a_question_from_before_the_last_click_does_not_take_it_back(model):
    early = model.items.counters.at(np.array([2]), END - HOUR)
    assert early[0, :2] == pytest.approx([1, 1])


def test_a_new_item_has_no_click_and_is_new(model):
    model.items.clicked(["N1"], END // 10**6 + 50)
    model.items.add([{"id": "X1", "title": "storm"}])
    model.items.add([{"id": "X2", "title": "goal"}], when=at(END - 2 * HOUR))
    rows = [model.items.table.places.get("X1"), model.items.table.places.get("X2")]
    last = END + 50 * 10**6
    assert model.items.counters.at(np.array(rows))[0].tolist() == [0, 0, 0]
    assert model.items.counters.at(np.array(rows), last + HOUR)[:, 2] == pytest.approx(
        [1, 3 + 50 / 3600], rel=1e-5
    )
    user = model.encode_user(["N1"])
    alone = float(model.items.vector("X1") @ user.vectors)
    assert model.score(user, ["X1"])[0] == pytest.approx(alone, abs=1e-5)
    assert {"X1", "X2"} <= set(model.recommend(user, k=9)[0])
    # A record for a known item is no new one: its clicks stay.
    kept = model.items.counters.at(np.array([1]))
    model.items.add([{"id": "N1", "title": "late"}])
    assert model.items.counters.at(np.array([1])).tolist() == kept.tolist()
    # What was kept of the last answer is not taken for one about another table.
    ids, scores = model.recommend(user, k=9)
    assert scores == pytest.approx(model.score(user, ids), abs=1e-5)
    model.items.clicked(["X1"], at(last))
    assert model.items.counters.at(np.array(rows))[0].tolist() == [1, 1, 0]


WHENS = [
    NOW, NOW.replace(tzinfo=None), NOW.astimezone(timezone(timedelta(hours=5))),
    NOW.isoformat(), "2023-11-14 22:13:20", END // 10**6, END / 10**6, END // 1000, END,
    np.datetime64("2023-11-14T22:13:20"), np.int64(END // 10**6), str(END // 10**6),
    np.longdouble(END // 10**6), np.array(END // 10**6), pandas.Timestamp(NOW),
]  # fmt: skip


@pytest.mark.parametrize("when", WHENS, ids=str)
def test_moments_are_read_as_times_of_logs_are(model, when):
    model.items.clicked(["N5"], when)
    assert model.items.counters.moments[model.items.table.places["N5"]] == END


def test_moments_may_come_one_after_the_other(model):
    for whens in (
        pandas.Series([END // 10**6] * 2), pandas.DatetimeIndex([NOW, NOW]), iter([NOW, NOW]),
        np.array([NOW.replace(tzinfo=None)] * 2, dtype="datetime64[us]"),
    ):  # fmt: skip
        before = model.items.counters.version
        assert model.items.clicked(["N5", "N1"], whens).counted == 2
        assert model.items.counters.version > before
        assert model.items.counters.last == END


class Scalar:
    """An array of no axes of another library: it has a method that iterates and no elements."""

    ndim = 0

    def __iter__(self):
        raise TypeError("iteration over a 0-d array")

    def __float__(self):
        return END / 10**6

    def item(self):
        return END / 10**6


def test_one_moment_of_another_library_is_no_list_of_them(model):
    with pytest.raises(RequestError) as caught:
        model.items.clicked(["N5", "N1"], Scalar())
    assert "which is no time" in str(caught.value)
    one = np.array(END // 10**6)
    assert model.items.clicked(["N5", "N1"], one).counted == 2


def test_a_date_is_its_midnight(model):
    model.items.clicked(["N5"], date(2023, 11, 15))
    assert model.items.counters.last == END + (24 * 3600 - (22 * 3600 + 13 * 60 + 20)) * 10**6


@pytest.mark.parametrize(
    "when",
    [
        "yesterday",
        "",
        None,
        True,
        float("nan"),
        "03/04/2024",
        -5,
        np.datetime64("NaT"),
        {},
        [1],
        # Alone a number has no unit unless that makes it a time of our days.
        0,
        1,
        "1",
        86_400,
        np.float32(12.5),
        5 * 10**9,
        10**30,
        pytest.param(10**400, id="10**400"),
        pandas.NaT,
        pandas.NA,
        np.datetime64(2**62, "s"),
        np.datetime64("9999999-01-01"),
        ...,
        b"soon",
    ],
    ids=str,
)
def test_what_is_no_time_is_refused_and_counts_nothing(model, when):
    before = model.items.counters.kept()
    with pytest.raises(RequestError, match="is no time") as caught:
        model.items.clicked(["N1", "N2"], [NOW, when])
    assert "2024-03-07 22:01:04" in caught.value.help
    for name, array in model.items.counters.kept().items():
        assert np.array_equal(array, before[name])


@pytest.fixture
def relative(tmp_path):
    """A bundle of a log that counts milliseconds from 0; the last one is an hour."""
    folder = write_bundle(tmp_path / "relative", KINDS["dot"])
    path = folder / "cache" / "counters.safetensors"
    moments = {name: KEPT[name] - END + HOUR for name in ("moments", "first")}
    known = {name: np.where(KEPT[name] == NEVER, NEVER, kept) for name, kept in moments.items()}
    save_file({**KEPT, **known, "last": np.array([HOUR])}, path)
    rewrite(folder, lambda manifest: manifest["context"].update(unit="milliseconds"))
    return legoc_runtime.load(folder)


@pytest.mark.parametrize("when", [3_700_000, 3.7e6, "3700000", np.int64(3_700_000)], ids=str)
def test_numbers_of_a_log_with_a_beginning_of_its_own_have_its_unit(relative, when):
    relative.items.clicked(["N1", "N2"], [when, when])
    assert relative.items.counters.last == 3700 * 10**6
    relative.items.add([{"id": "X1", "title": "goal"}], when=3_800_000)
    assert relative.items.counters.last == 3800 * 10**6
    user = relative.encode_user([])
    assert (
        relative.score(user, ["N1"], when=when) == relative.score_users([user], [["N1"]], [when])[0]
    )


@pytest.mark.parametrize(
    "when",
    [
        NOW,
        NOW.isoformat(),
        date(2023, 11, 15),
        np.datetime64("2023-11-14"),
        np.datetime64("NaT"),
        "soon",
        None,
        float("inf"),
        10**30,
        pytest.param(10**400, id="10**400"),
        pandas.NaT,
        [1],
    ],
    ids=str,
)
def test_the_calendar_says_nothing_to_a_log_with_a_beginning_of_its_own(relative, when):
    with pytest.raises(RequestError, match="numbers of milliseconds from a beginning") as caught:
        relative.items.clicked(["N1"], [when])
    assert "give a number of milliseconds" in caught.value.help
    assert relative.items.counters.last == HOUR


def test_two_threads_may_save_to_one_file(model, tmp_path, monkeypatch):
    """Both stand with a whole file before either takes the name."""
    met, failed = threading.Barrier(2), []
    sync = tensors.os.fsync
    monkeypatch.setattr(tensors.os, "fsync", lambda handle: (sync(handle), met.wait(20)))

    def save():
        try:
            model.items.save_counters(tmp_path / "clicks")
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=save) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [path.name for path in tmp_path.iterdir()] == ["clicks"]
    assert model.items.load_counters(tmp_path / "clicks") == ()


def test_calls_that_are_not_right_say_what_is(model):
    with pytest.raises(RequestError, match="2 moments for 1"):
        model.items.clicked(["N1"], [[1], [2, 3]])
    with pytest.raises(RequestError, match="one of `when` is \\[1\\], which is no time"):
        model.items.clicked(["N1", "N2"], [[1], [2, 3]])
    with pytest.raises(RequestError, match="2 moments for 1"):
        model.items.clicked(["N1"], [NOW, NOW])
    with pytest.raises(RequestError, match="are one text"):
        model.items.clicked("N1", NOW)
    assert model.items.clicked([], NOW).counted == 0
    made = model.items.clicked(["N1", "gone", "gone", "lost"], NOW)
    assert (made.counted, made.unknown) == (1, ("gone", "lost"))
    user = model.encode_user([])
    with pytest.raises(RequestError, match="1 users and 2 moments"):
        model.score_users([user], [["N1"]], [NOW, NOW])
    with pytest.raises(RequestError, match="is no time"):
        model.recommend(user, when="soon")


def test_a_model_without_context_has_no_use_for_a_moment(tmp_path):
    model = legoc_runtime.load(write_bundle(tmp_path / "plain", Kind()))
    user = model.encode_user([])
    calls = [
        lambda: model.score(user, ["N1"], when=NOW),
        lambda: model.recommend(user, when=NOW),
        lambda: model.score_users([user], [["N1"]], [NOW]),
        lambda: model.items.clicked(["N1"], NOW),
        lambda: model.items.add([{"id": "X", "title": "storm"}], when=NOW),
        lambda: model.items.save_counters(tmp_path / "x"),
        lambda: model.items.load_counters(tmp_path / "x"),
    ]
    for call in calls:
        with pytest.raises(RequestError, match="does not read what was clicked when") as caught:
            call()
        assert "context = [popularity(hours=24)]" in caught.value.help


def test_without_its_counters_the_prior_is_that_of_the_mean(tmp_path):
    kind = Kind(context=True)
    folder = write_bundle(tmp_path / "dropped", kind)
    (folder / "cache/counters.safetensors").unlink()
    rewrite(folder, lambda manifest: manifest["context"].update(file=None))
    model = legoc_runtime.load(folder)
    user = model.encode_user(["N1"])
    vectors = [kind.item(item) for item in ITEMS]
    neutral = prior(np.array([number["neutral"] for number in NUMBERS]))
    right = [kind.score([vectors[0]], vector) + neutral for vector in vectors]
    assert model.score(user, IDS) == pytest.approx(right, abs=1e-5)
    assert model.recommend(user, k=5)[1] == pytest.approx(sorted(right, reverse=True), abs=1e-5)
    with pytest.raises(RequestError, match="without its counters"):
        model.items.clicked(["N1"], NOW)


def test_what_was_counted_goes_on_in_another_process(folders, model, tmp_path):
    model.items.add([{"id": "X1", "title": "storm"}], when=NOW)
    model.items.clicked(["N1", "X1", "N5"], NOW + timedelta(minutes=5))
    model.items.save_counters(tmp_path / "clicks")
    model.items.save_counters(tmp_path / "clicks")  # in the place of the first
    assert [path.name for path in tmp_path.iterdir()] == ["clicks"]
    other = legoc_runtime.load(folders["dot"])
    assert other.items.load_counters(str(tmp_path / "clicks")) == ("X1",)
    rows = np.arange(1, 6)
    for when in (None, END + 9 * HOUR):
        assert np.array_equal(
            other.items.counters.at(rows, when), model.items.counters.at(rows, when)
        )
    user = model.encode_user(["N2"])
    assert np.array_equal(model.score(user, IDS), other.score(user, IDS))


def test_files_of_other_counters_are_refused(model, folders, tmp_path):
    model.items.save_counters(tmp_path / "clicks")
    with pytest.raises(BundleError, match="cannot be read"):
        model.items.load_counters(tmp_path / "nowhere")
    (tmp_path / "text").write_text("clicks")
    with pytest.raises(BundleError, match="is not a safetensors file"):
        model.items.load_counters(tmp_path / "text")
    folder = write_bundle(tmp_path / "other", Kind(context=True))

    def rename(manifest):
        manifest["context"]["numbers"][0]["name"] = "popularity(days=7)"

    rewrite(folder, rename)
    with pytest.raises(
        BundleError, match=r"`clicks` counts popularity\(hours=1\), popularity, age"
    ):
        legoc_runtime.load(folder).items.load_counters(tmp_path / "clicks")
    with pytest.raises(RequestError, match="nowhere"):
        model.items.save_counters(tmp_path / "nowhere" / "clicks")


CHANGES = {
    "fewer items": {"first": KEPT["first"][:-1]},
    "other columns": {"values": KEPT["values"][:, :2]},
    "floats for moments": {"moments": KEPT["moments"].astype(np.float64)},
    "no number": {"values": np.full_like(KEPT["values"], np.nan)},
    "clicks below none": {"values": KEPT["values"] - 1},
}


@pytest.mark.parametrize("name", list(CHANGES))
def test_damaged_counters_are_refused(tmp_path, name):
    from safetensors.numpy import save_file

    folder = write_bundle(tmp_path / "bundle", Kind(context=True))
    kept = {n: np.ascontiguousarray(a) for n, a in {**KEPT, **CHANGES[name]}.items()}
    save_file(kept, folder / "cache/counters.safetensors")
    rewrite(folder, lambda manifest: None)
    with pytest.raises(BundleError, match="does not hold the clicks of 6 items"):
        legoc_runtime.load(folder)


WRONG = [
    (lambda m: m["context"]["numbers"].pop(), "`context.numbers` has 2"),
    (lambda m: m.update(context=None), "reads context, which nothing gives it"),
    (lambda m: m["context"].update(file="cache/none"), "has no hash"),
    (lambda m: m["context"]["numbers"][0].pop("neutral"), r"context.numbers\[0\].neutral"),
    (lambda m: m["context"]["numbers"][0].update(seconds=0), "not above 0"),
    (lambda m: m["context"]["numbers"][0].update(kind="fame"), "not one of popularity, age"),
]


@pytest.mark.parametrize(("change", "said"), WRONG)
def test_a_manifest_that_does_not_fit_is_refused(tmp_path, change, said):
    folder = write_bundle(tmp_path / "bundle", Kind(context=True))
    rewrite(folder, change)
    with pytest.raises(BundleError, match=said):
        legoc_runtime.load(folder)


def test_threads_lose_no_click(model):
    def click():
        for _ in range(50):
            model.items.clicked(["N5", "N1"], NOW)
            model.recommend(model.encode_user([]), k=3)

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert model.items.counters.at(np.array([5]))[0, 1] == 200
