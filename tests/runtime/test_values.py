"""What one value means, and what many values say of their column."""

import random
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pytest

from legoc_runtime.errors import RequestError
from legoc_runtime.kinds import Look, count_words, tell_kind
from legoc_runtime.lists import read_list
from legoc_runtime.moments import Moments, UndecidedError, read_column
from legoc_runtime.values import (
    Notation,
    read_categories,
    read_id,
    read_ids,
    read_number,
    read_text,
)


BARS = Notation(separator="|")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("news", ["news"]), (["a", "b"], ["a", "b"]), (("a",), ["a"]), (None, []), ("", []),
        (float("nan"), []), ([], []), ("[]", []), ("['a', 'b']", ["a", "b"]),
        ('["a", "b"]', ["a", "b"]), ("['a' 'b'\n 'c']", ["a", "b", "c"]), ("('a',)", ["a"]),
        ('["it\'s", \'say "x"\']', ["it's", 'say "x"']), ("[a, b]", ["a", "b"]),
        ("[1 2 3]", ["1", "2", "3"]), ("[1, 2.0]", ["1", "2"]), ("[007, 8]", ["007", "8"]),
        ("[['a'], ['b', 'c']]", ["a", "b", "c"]), 
        ("[REC]", ["[REC]"]),
        ("(500) Days", ["(500) Days"]),
        (1, ["1"]), (1.0, ["1"]), ("1.0", ["1"]), ("1.50", ["1.50"]), (np.int64(3), ["3"]),
        (np.array(["a", "b"]), ["a", "b"]), (np.float32(2), ["2"]), (b"caf\xc3\xa9", ["café"]),
        (True, ["true"]), ("True", ["true"]), ("true", ["true"]), (Decimal("2.00"), ["2"]),
        (" mug ", ["mug"]), ("Drama, War", ["Drama, War"]), ("Drama | War", ["Drama | War"]),
        (date(2024, 3, 7), ["2024-03-07"]), (["a", None, ""], ["a"]), ("\\u00e9", ["\\u00e9"]),
        ('["\\u00e9\\n"]', ["é"]),
    ],
)  # fmt: skip
def test_categories(given, expected):
    assert read_categories("x", given) == expected
    # What was read once is read again by the runtime: nothing changes.
    assert read_categories("x", expected) == expected


def test_categories_between_separators():
    assert read_categories("x", "Drama | War", BARS) == ["Drama", "War"]
    assert read_categories("x", "Drama|", BARS) == ["Drama"]
    assert read_categories("x", "['a|b', 'c']", BARS) == ["a", "b", "c"]
    assert read_categories("x", "N/A", Notation(missing=frozenset(["N/A"]))) == []
    assert read_categories("x", "a b", Notation(separator=" ")) == ["a", "b"]


@pytest.mark.parametrize("given", ["['a' ... 'z']", "['a', 'b]", {"a": 1}, object(), b"\xe9"])
def test_what_is_no_category_is_refused(given):
    with pytest.raises(RequestError, match="`x`"):
        read_categories("x", given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Warm [live]", "Warm [live]"), (["a", "b"], "a, b"), ("['a', 'b']", "a, b"),
        (["a", None, "b"], "a, b"), ("[1, 2]", "[1, 2]"), ("[]", ""), (1e9, "1000000000"),
        (1000000000, "1000000000"), (0.1, "0.1"), (True, "True"), (None, ""), (b"a", "a"),
        (float("nan"), ""), (np.array(["a", "b"]), "a, b"), (np.str_("a"), "a"),
    ],
)  # fmt: skip
def test_texts(given, expected):
    assert read_text("x", given) == expected
    assert read_text("x", expected) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (9.5, 9.5), ("9.5", 9.5), (" 7 ", 7.0), ("1e9", 1e9), ("", None), ("N/A", None),
        ("-", None), ("null", None), (None, None), (np.float32(1), 1.0), (Decimal("1.5"), 1.5),
    ],
)  # fmt: skip
def test_numbers(given, expected):
    assert read_number("x", given) == expected


@pytest.mark.parametrize("given", ["dear", "1_000", "0x10", "1,5", "1,234.5", True, [1], 10**400])
def test_what_is_no_number_is_refused(given):
    with pytest.raises(RequestError, match="`x`"):
        read_number("x", given)


def test_numbers_with_a_comma():
    comma = Notation(decimal=",")
    assert read_number("x", "8,5", comma) == 8.5
    assert read_number("x", "1.234,5", comma) == 1234.5
    assert read_number("x", "1.234", comma) == 1234
    assert read_number("x", 8.5, comma) == 8.5
    with pytest.raises(RequestError):
        read_number("x", "8.5", comma)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("007", "007"), (7, "7"), (7.0, "7"), (7.5, "7.5"), ("12.0", "12.0"), (None, ""),
        (float("nan"), ""), (b"i1", "i1"), (2**63, str(2**63)), (float(2**53 - 1), str(2**53 - 1)),
        (" a", " a"),
    ],
)  # fmt: skip
def test_ids(given, expected):
    assert read_id("item_id", given) == expected


@pytest.mark.parametrize("given", [float(2**53), -float(2**60), 1.2345678901234568e17, [1, 2]])
def test_ids_that_may_be_several_are_refused(given):
    with pytest.raises(RequestError, match="`item_id`"):
        read_id("item_id", given)


def test_lists_of_ids():
    for given in ("a b", '["a", "b"]', "['a', 'b']", ["a", "b"], "[a, b]", np.array(["a", "b"])):
        assert read_ids("clicks", given) == ["a", "b"]
    assert read_ids("clicks", "a, b", Notation(separator=",")) == ["a", "b"]
    assert read_ids("clicks", "[7]") == ["7"]
    assert read_ids("clicks", "[a]") == ["a"]
    assert read_ids("clicks", 7.0) == ["7"]
    assert read_ids("clicks", None) == read_ids("clicks", "") == read_ids("clicks", []) == []
    with pytest.raises(RequestError, match="a list that cannot be read"):
        read_ids("clicks", "['a' ... 'z']")


def test_lists_are_read_as_python_json_and_numpy_write_them():
    rng = random.Random(5)
    signs = "ab '\"\\,|[]()é\n東"
    for _ in range(2000):
        values = [
            "".join(rng.choices(signs, k=rng.randrange(1, 6))) for _ in range(rng.randrange(6))
        ]
        import json

        for text in (str(values), json.dumps(values), json.dumps(values, ensure_ascii=False)):
            assert read_list(text) == values, text
            assert read_list(text, quoted=True) == values
        if values:
            assert read_list(str(np.array(values, dtype=object))) == values
            assert read_list(str(tuple(values))) == values


def test_the_kind_of_a_column_comes_from_many_values():
    assert tell_kind([None, None, 9.5, 7]).kind == "number"
    assert tell_kind(["", "N/A", "-", "9.5", "7"]).kind == "number"
    assert tell_kind(["001", "002"]).kind == "word"
    assert tell_kind(["mug", "-", "lamp"]).kind == "word"
    assert tell_kind([True, False]).kind == "word"
    assert tell_kind([date(2024, 3, 7)]).kind == "word"
    assert tell_kind([None]).kind == "word"
    assert tell_kind(["cheap", *["9.5"] * 20]).odd == ("cheap",)
    assert tell_kind(["cheap", "dear", "9.5"]).odd == ()
    assert tell_kind([]).kind == "word"


def test_the_length_of_lists_keeps_nearly_all_of_them_whole():
    rng = random.Random(3)
    values = [["x"] * rng.choice([0, 1, 2, 3, 3, 3, 4, 20]) for _ in range(500)]
    found = tell_kind(values)
    lengths = [len(v) for v in values if v]
    share = sum(n > found.length for n in lengths) / len(lengths)
    assert found.kind == "category"
    assert share <= 0.05 < sum(n > found.length - 1 for n in lengths) / len(lengths)
    assert found.cut == pytest.approx(share)
    assert found.most == 20


def test_a_column_that_says_something_else_everywhere_speaks():
    titles = [f"a title of item {n}" for n in range(100)]
    assert tell_kind(titles).speaks
    assert not tell_kind(titles[:10]).speaks
    assert not tell_kind([f"brand {n % 40}" for n in range(100)]).speaks
    wordy = [[f"the {n} part is good", f"and {n} is more of it"] for n in range(100)]
    assert (tell_kind(wordy).kind, tell_kind(wordy).speaks) == ("word", True)
    assert tell_kind([[f"tag {n}"] for n in range(100)]).kind == "category"


def test_bars_are_seen_and_a_separator_decides():
    genres = ["Drama|War", "Comedy", "Crime|Drama"] * 10
    assert tell_kind(genres).barred == "|"
    assert tell_kind(genres).mostly_barred
    assert (tell_kind(genres, BARS).kind, tell_kind(genres, BARS).length) == ("category", 2)
    few = [*["a title"] * 90, *["News | Live"] * 10]
    assert (tell_kind(few, BARS).kind, tell_kind(few, BARS).barred) == ("word", "|")


def test_long_lists_are_counted_and_no_more():
    look = Look()
    look.see([0.5] * 768)
    assert look.tell().length == 768
    assert not look.seen


DAY = 86400
NOW = 1_709_825_464
TIMES = {
    "seconds": [NOW + n * DAY for n in range(40)],
    "milliseconds": [(NOW + n * DAY) * 1000 for n in range(40)],
    "microseconds": [(NOW + n * DAY) * 10**6 for n in range(40)],
    "nanoseconds": [(NOW + n * DAY) * 10**9 for n in range(40)],
}


@pytest.mark.parametrize("unit", TIMES)
@pytest.mark.parametrize("written", [int, str, float, "{:.9e}".format])
def test_one_unit_for_all_numbers(unit, written):
    found, rule = read_column([written(n) for n in TIMES[unit]])
    assert found == [(NOW + n * DAY) * 10**6 for n in range(40)]
    assert rule.told == f"times read as {unit} since 1970"
    assert not rule.own


@pytest.mark.parametrize(("scale", "unit"), [(1, "seconds"), (1000, "milliseconds")])
def test_a_log_that_counts_from_0_keeps_its_order(scale, unit):
    rng = random.Random(1)
    times = [rng.randrange(200 * DAY * scale) for _ in range(500)]
    found, rule = read_column([0, *times])
    assert found[1:] == [n * 10**6 // scale for n in times]
    assert rule.told.startswith(f"times read as {unit}, counted from a beginning of their own")
    assert (rule.unit, rule.own) == (unit, True)


def test_a_unit_that_is_named_does_not_say_since_when():
    def decide(values):
        moments = Moments("time", unit="milliseconds")
        for value in values:
            moments.see(value)
        return moments.decide()

    assert decide([0, 10, 20_000, 3_600_000]).own
    assert not decide([NOW * 1000, NOW * 1000 + 1, 5]).own
    # A slip among dates is no clock.
    assert not decide(["2024-03-01", "2024-03-02", "2024-03-03", 7]).own


def test_dates_in_figures():
    found, rule = read_column([20240301, "20240302", 20240229])
    days = [datetime(2024, 3, 1), datetime(2024, 3, 2), datetime(2024, 2, 29)]
    assert found == [int(day.replace(tzinfo=UTC).timestamp()) * 10**6 for day in days]
    assert "dates in figures" in rule.told


FORMS = [
    "{0:%Y-%m-%d %H:%M:%S}", "{0:%Y-%m-%dT%H:%M:%S}Z", "{0:%Y-%m-%d %H:%M:%S} UTC",
    "{0:%Y/%m/%d %H:%M:%S}", "{0:%Y.%m.%d %H:%M:%S}", "{0.day}/{0.month}/{0.year} {0:%H:%M:%S}",
    "{0:%m/%d/%Y %I:%M:%S %p}", "{0:%d.%m.%Y %H:%M:%S}", "{0:%d-%m-%Y %H:%M:%S}",
    "{0:%d %b %Y %H:%M:%S}", "{0:%d %B %Y %H:%M:%S}", "{0:%B} {0.day}, {0:%Y %H:%M:%S}",
    "{0:%a, %d %b %Y %H:%M:%S} GMT", "{0:%a %b %d %H:%M:%S} +0000 {0:%Y}", "{0:%Y%m%d%H%M%S}",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_dates_as_people_write_them(form):
    moments = [datetime(2023, 11, 5, 22, 1, 4) + timedelta(hours=37 * n) for n in range(60)]
    found, _ = read_column([form.format(each) for each in moments])
    assert found == [int(each.replace(tzinfo=UTC).timestamp()) * 10**6 for each in moments]


def test_zones_are_honoured():
    (found, *_), _ = read_column(["2024-03-07 22:01:04 +02:00", "2024-03-07T22:01:04+0200"])
    assert found == int(datetime(2024, 3, 7, 20, 1, 4, tzinfo=UTC).timestamp()) * 10**6


@pytest.mark.parametrize(
    ("values", "said", "help"),
    [
        ([NOW, NOW * 1000], f"`{NOW}`, `{NOW}000`", "time_unit"),
        ([*[0] * 60, *[NOW] * 20, *[NOW * 1000] * 20], f"`{NOW}`, `{NOW}000`", "time_unit"),
        ([-5, 3, 7], "`-5`, `3`, `7`", "time_unit"),
        (["03/07/2024", "04/05/2024"], "`03/07/2024`, `04/05/2024`", 'time_format="day first"'),
        (["soon", "later", "2024-03-07"], "`soon`, `later`", "time_format"),
    ],
)
def test_a_column_without_one_meaning_shows_its_values(values, said, help):
    with pytest.raises(UndecidedError) as error:
        read_column(values)
    assert said in error.value.message
    assert help in error.value.help


def test_what_the_spec_says_of_times_holds():
    moments = Moments("t", unit="milliseconds")
    seen = [moments.see(value) for value in (5, NOW)]
    assert [moments.decide().read(each) for each in seen] == [5000, NOW * 1000]
    day = Moments("t", form="day first")
    seen = [day.see("03/04/2024")]
    assert day.decide().read(seen[0]) == int(datetime(2024, 4, 3, tzinfo=UTC).timestamp()) * 10**6
    form = Moments("t", form="%d|%m|%y")
    seen = [form.see("03|04|24")]
    assert form.decide().read(seen[0]) == int(datetime(2024, 4, 3, tzinfo=UTC).timestamp()) * 10**6


def test_a_few_slips_are_no_reason_to_stop():
    found, _ = read_column([*TIMES["seconds"] * 5, "soon", None, 0])
    assert found[-3:] == [None, None, None]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # Where the clocks of a zone are, the year may be one that no datetime has.
        ("9999-12-31T23:59:59-14:00", datetime(9999, 12, 31, 23, 59, 59).replace(tzinfo=UTC)
         .timestamp() + 14 * 3600),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), -62135596800 - 14 * 3600),
        ("2024-03-07 22:01:04.5+01:30",
         datetime(2024, 3, 7, 20, 31, 4, 500_000, tzinfo=UTC).timestamp()),
    ],
)  # fmt: skip
def test_a_moment_at_the_ends_of_the_calendar(given, expected):
    (found,), _ = read_column([given])
    assert found == round(expected * 10**6)


def test_numbers_too_large_for_any_time_are_no_time():
    found, _ = read_column([1709848864, 10**400])
    assert found == [1709848864 * 10**6, None]


@pytest.mark.parametrize(
    "text",
    [
        "A fine thing, number 7", "北京今天发布最新芯片,AI 2024", "ประเทศไทย ไม่มี", 
        "東京タワーへ行く。", "한국 뉴스 오늘", "हिन्दी समाचार", "Café au lait – 3 euros", "မြန်မာ",
        "abc中文def", "ខ្មែរ",
        "ー々〇𠀀𠀁", "ຂ່າວ", "don't stop...", "naïve_word",
    ],
)  # fmt: skip
def test_words_are_counted_as_the_tokenizer_parts_them(text):
    from legoc.data.reading.splitting import split_words

    assert count_words(text) == len(split_words().pre_tokenize_str(text))


def test_titles_in_a_script_without_blanks_are_text():
    column = tell_kind([f"今天北京发布第{n}号消息" for n in range(30)])
    assert (column.kind, column.speaks, column.words) == ("word", True, 11)
    # Sixteen of thirty differ: a sentence of a few words says something else than a category.
    assert tell_kind([f"今天北京发布第{n % 16}号消息" for n in range(30)]).speaks
    assert not tell_kind([f"体育{n % 16}" for n in range(30)]).speaks
