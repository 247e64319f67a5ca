"""Showings that come in while a bundle serves, against plain Python over every event."""

import math
import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import legoc_runtime
from legoc_runtime import BundleError, RequestError
from tests.runtime.bundles import END, ITEMS, KEPT, Kind, rewrite, write_bundle


IDS = [item["id"] for item in ITEMS]
HOUR = 3600 * 10**6
NOW = datetime.fromtimestamp(END / 10**6, UTC)
OVERALL, WEIGHT = 0.2, 10
SHARE = {"kind": "share", "neutral": 0.25, "overall": OVERALL, "weight": WEIGHT}
# Two shares beside a count: item 3 was clicked at every showing, items 4 and 5 were never shown.
TOLD = [
    {"name": "share(hours=1)", "seconds": 3600, **SHARE},
    {"name": "popularity", "kind": "popularity", "seconds": None, "neutral": 2.0},
    {"name": "share", "seconds": None, **SHARE},
]
STOOD = {
    **KEPT,
    "values": np.array([[0, 0, 0], [2.5, 4, 4], [1, 1, 0], [1.2, 9, 9], [0, 0, 0], [0, 0, 0.0]]),
    "showings": np.array([[0, 0], [30.5, 60], [8, 20], [1.2, 9], [0, 0], [0, 0.0]]),
}


def write(folder, kept=STOOD, numbers=TOLD):
    """The bundle of three numbers of the moment, of which two are shares."""
    write_bundle(folder, Kind(context=True))
    arrays = {name: np.ascontiguousarray(array) for name, array in kept.items()}
    save_file(arrays, folder / "cache/counters.safetensors")
    rewrite(folder, lambda manifest: manifest["context"].update(numbers=numbers))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("bundles") / "shares")


@pytest.fixture
def model(folder):
    return legoc_runtime.load(folder)


def at(when):
    return NOW + timedelta(microseconds=int(when) - END)


def expected(row, when, shown=(), clicked=()):
    """The numbers of an item by the definition: what was kept, and every event since. No more
    clicks than showings were told."""
    found, shares = [], 0
    for column, number in enumerate(TOLD):
        span = (number["seconds"] or math.inf) * 10**6
        since = int(STOOD["moments"][row])

        def faded(kept, events, span=span, since=since):
            old = kept * math.exp(-(when - since) / span) if kept else 0.0
            return old, sum(math.exp(-(when - event) / span) for event in events)

        old, new = faded(STOOD["values"][row, column], clicked)
        if number["kind"] == "popularity":
            found.append(old + new)
            continue
        seen, more = faded(STOOD["showings"][row, shares], shown)
        shares += 1
        found.append((old + min(new, more) + WEIGHT * OVERALL) / (seen + more + WEIGHT))
    return found


def test_what_the_data_knew_is_what_is_read_first(model):
    found = model.items.counters.at(np.arange(1, 6))
    for row in range(1, 6):
        assert found[row - 1] == pytest.approx(expected(row, END), rel=1e-6)
    assert found[3] == pytest.approx([OVERALL, 0, OVERALL])
    # The clicks of item 1 are a fifteenth of its showings, item 3 was clicked at each of them.
    assert found[0, 2] == pytest.approx((4 + 2) / (60 + 10))
    assert found[2, 2] == pytest.approx((9 + 2) / (9 + 10))


@pytest.mark.parametrize("seed", range(6))
def test_events_in_any_order_count_as_their_definition_says(model, seed):
    """The clock goes back between calls and within them, clicks are told before and after their
    showings, and some clicks have none."""
    draw = np.random.default_rng(seed)
    rows = draw.integers(1, 6, 160)
    times = END + draw.integers(-2 * HOUR, 6 * HOUR, 160)
    rows[60], times[60] = rows[61], times[61]
    clicked = draw.random(160) < 0.3
    # Item 2 is clicked more often than shown.
    clicked |= rows == 2
    shown = draw.random(160) < np.where(rows == 2, 0.4, 0.9)
    calls = [(model.items.shown, part) for part in np.array_split(np.flatnonzero(shown), 6)]
    calls += [(model.items.clicked, part) for part in np.array_split(np.flatnonzero(clicked), 5)]
    for place in draw.permutation(len(calls)):
        count, part = calls[place]
        told = count([IDS[row - 1] for row in rows[part]], [at(t) for t in times[part]])
        assert told.counted == len(part)
    for later in (6 * HOUR, 7 * HOUR):
        found = model.items.counters.at(np.arange(1, 6), END + later)
        for row in range(1, 6):
            own = rows == row
            right = expected(row, END + later, times[own & shown], times[own & clicked])
            assert found[row - 1] == pytest.approx(right, rel=1e-5)
    assert model.items.counters.last == max(times[shown | clicked])


def test_clicks_alone_leave_the_shares_as_they_were(model):
    """An application that tells no showings would else make every share that of what is popular."""
    counters = model.items.counters
    before = counters.at(np.arange(1, 6), END + HOUR)
    model.items.clicked(["N1"] * 500 + ["N5"] * 50, at(END + HOUR))
    after = counters.at(np.arange(1, 6), END + HOUR)
    assert after[:, [0, 2]] == pytest.approx(before[:, [0, 2]], rel=1e-6)
    assert after[[0, 4], 1].tolist() == [504, 50]
    # Told later, showings of that hour take up the clicks.
    model.items.shown(["N1"] * 500, at(END + HOUR))
    found = counters.at(np.array([1]), END + HOUR)[0, 2]
    assert found == pytest.approx((504 + 2) / (560 + 10), rel=1e-6)


def test_what_is_shown_and_not_clicked_falls(model):
    counters = model.items.counters
    shares = []
    for _ in range(3):
        shares.append(counters.at(np.array([3]))[0, 2])
        model.items.shown(["N3"] * 20, NOW)
    assert shares == sorted(shares, reverse=True)
    assert shares[1] == pytest.approx((9 + 2) / (29 + 10))
    assert counters.at(np.array([3]))[0, 1] == 9, "a showing is no click"


def test_a_showing_changes_what_is_recommended_next(model):
    """In the graph of this bundle a higher third number raises a score."""
    user = model.encode_user([])
    ids, scores = model.recommend(user, k=5)
    model.items.shown([ids[0]] * 50, NOW)
    again = dict(zip(*model.recommend(user, k=5), strict=True))
    assert again[ids[0]] != pytest.approx(scores[0], abs=1e-4)
    assert model.score(user, [ids[0]])[0] == pytest.approx(again[ids[0]], abs=1e-6)
    assert model.self_test().difference < 1e-5


def test_a_question_from_before_the_last_showing_does_not_take_it_back(model):
    model.items.shown(["N2"] * 5, at(END + 2 * HOUR))
    early, late = (model.items.counters.at(np.array([2]), when)[0] for when in
                   (END, END + 2 * HOUR))  # fmt: skip
    assert early.tolist() == late.tolist()


def test_a_new_item_has_the_overall_share_until_it_is_shown(model):
    model.items.add([{"id": "X1", "title": "storm"}])
    row = np.array([model.items.table.places.get("X1")])
    assert model.items.counters.at(row)[0] == pytest.approx([OVERALL, 0, OVERALL])
    model.items.shown(["X1"] * 4, NOW)
    model.items.clicked(["X1"], NOW)
    right = (1 + 2) / (4 + 10)
    assert model.items.counters.at(row, END)[0] == pytest.approx([right, 1, right])
    # A record for a known item is no new one: its showings stay.
    model.items.add([{"id": "X1", "title": "late"}])
    assert model.items.counters.at(row, END)[0] == pytest.approx([right, 1, right])


def test_what_was_counted_goes_on_in_another_process(folder, model, tmp_path):
    model.items.add([{"id": "X1", "title": "storm"}], when=NOW)
    model.items.shown(["N1", "X1", "N5", "N5"], NOW + timedelta(minutes=5))
    # Clicks that still wait for their showings wait on.
    model.items.clicked(["N1", "N5"] * 3, NOW + timedelta(minutes=6))
    model.items.save_counters(tmp_path / "counted")
    other = legoc_runtime.load(folder)
    assert other.items.load_counters(tmp_path / "counted") == ("X1",)
    rows = np.arange(1, 6)
    for each in (model, other):
        each.items.shown(["N1"] * 2, NOW + timedelta(minutes=7))
    for when in (None, END + 9 * HOUR):
        assert np.array_equal(
            other.items.counters.at(rows, when), model.items.counters.at(rows, when)
        )
    user = model.encode_user(["N2"])
    assert np.array_equal(model.score(user, IDS), other.score(user, IDS))


def test_threads_lose_no_showing(model):
    def report():
        for _ in range(50):
            model.items.shown(["N5", "N1", "N5"], NOW)
            model.items.clicked(["N5"], NOW)
            model.recommend(model.encode_user([]), k=3)

    threads = [threading.Thread(target=report) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = model.items.counters.at(np.array([5]))[0]
    assert found[1:] == pytest.approx([200, (200 + 2) / (400 + 10)], rel=1e-6)


def test_calls_that_are_not_right_say_what_is(model):
    before = model.items.counters.kept()
    with pytest.raises(RequestError, match="2 moments for 1"):
        model.items.shown(["N1"], [NOW, NOW])
    with pytest.raises(RequestError, match="are one text"):
        model.items.shown("N1", NOW)
    with pytest.raises(RequestError, match="is no time"):
        model.items.shown(["N1", "N2"], [NOW, "yesterday"])
    assert model.items.shown([], NOW).counted == 0
    for name, array in model.items.counters.kept().items():
        assert np.array_equal(array, before[name])
    made = model.items.shown(["N1", "gone", "gone", "lost"], NOW)
    assert (made.counted, made.unknown) == (1, ("gone", "lost"))


def test_without_a_share_a_showing_is_a_first_sight(tmp_path):
    """As in training, where age counts from the first row of an item, whatever its label."""
    model = legoc_runtime.load(write_bundle(tmp_path / "plain", Kind(context=True)))
    counters = model.items.counters
    never = 4
    assert counters.at(np.array([never]), END + 5 * HOUR)[0].tolist() == [0, 0, 0]
    before = counters.at(np.arange(1, 6), END + HOUR)
    model.items.shown([IDS[never - 1], "N1"], at(END + 3 * HOUR))
    after = counters.at(np.arange(1, 6), END + HOUR)
    assert np.array_equal(before, after), "no click, and no moment of a click, is another"
    assert counters.at(np.array([never]), END + 5 * HOUR)[0].tolist() == [0, 0, 2]
    assert counters.last == END + 3 * HOUR
    assert set(counters.kept()) == {"values", "moments", "first", "last"}
    bare = legoc_runtime.load(write_bundle(tmp_path / "bare", Kind()))
    with pytest.raises(RequestError, match="does not read what was clicked when"):
        bare.items.shown(["N1"], NOW)


def test_without_its_counters_a_share_is_that_of_the_mean(tmp_path):
    folder = write(tmp_path / "dropped")
    (folder / "cache/counters.safetensors").unlink()
    rewrite(folder, lambda manifest: manifest["context"].update(file=None))
    model = legoc_runtime.load(folder)
    assert model.graphs.neutral.tolist() == [0.25, 2.0, 0.25]
    with pytest.raises(RequestError, match="without its counters"):
        model.items.shown(["N1"], NOW)


CHANGES = {
    "no showings": {"showings": None},
    "one share": {"showings": STOOD["showings"][:, :1]},
    "fewer items": {"showings": STOOD["showings"][1:]},
    "floats of another width": {"showings": STOOD["showings"].astype(np.float32)},
    "no number": {"showings": np.full_like(STOOD["showings"], np.nan)},
    "below none": {"showings": STOOD["showings"] - 1},
}


def changed(kept, change):
    both = {**kept, **change}
    return {name: array for name, array in both.items() if array is not None}


@pytest.mark.parametrize("name", list(CHANGES))
def test_damaged_showings_are_refused(tmp_path, name):
    folder = write(tmp_path / "bundle", changed(STOOD, CHANGES[name]))
    with pytest.raises(BundleError, match="does not hold the clicks of 6 items"):
        legoc_runtime.load(folder)


SAVED = {
    **CHANGES,
    "no surplus": {"surplus": None},
    "surplus of one share": {"surplus": np.zeros((6, 1))},
    "surplus that is no number": {"surplus": np.full((6, 2), np.inf)},
}


@pytest.mark.parametrize("name", list(SAVED))
def test_damaged_files_of_counters_are_refused(model, tmp_path, name):
    model.items.clicked(["N1"] * 9, NOW)
    model.items.save_counters(tmp_path / "counted")
    kept = load_file(tmp_path / "counted")
    assert (kept["surplus"] < 0).any(), "which is as it should be"
    save_file(changed(kept, SAVED[name]), tmp_path / "damaged")
    with pytest.raises(BundleError, match="`damaged` does not hold"):
        model.items.load_counters(tmp_path / "damaged")


def test_counters_of_a_model_without_shares_are_others(model, tmp_path):
    plain = legoc_runtime.load(write_bundle(tmp_path / "plain", Kind(context=True)))
    plain.items.save_counters(tmp_path / "clicks")
    with pytest.raises(BundleError, match=r"this model reads share\(hours=1\), popularity, share"):
        model.items.load_counters(tmp_path / "clicks")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"overall": None}, "is a share without `overall` and `weight`"),
        ({"weight": None}, "is a share without `overall` and `weight`"),
        ({"overall": 1.5}, "above 1"),
        ({"weight": 0}, "not above 0"),
    ],
)
def test_a_share_says_what_it_is_made_of(tmp_path, change, said):
    first = changed(TOLD[0], change)
    folder = write(tmp_path / "bundle", numbers=[first, *TOLD[1:]])
    with pytest.raises(BundleError, match=said):
        legoc_runtime.load(folder)
