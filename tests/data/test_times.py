"""Moments as publishers write them, against the standard library."""

from datetime import UTC, date, datetime

import pytest

from legoc.data.formats.times import read_american, read_epoch, read_time


def micro(*parts):
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2012-01-03", micro(2012, 1, 3)),
        ("2012-01-03 15:28:18", micro(2012, 1, 3, 15, 28, 18)),
        ("2009-05-04T23:08:57Z", micro(2009, 5, 4, 23, 8, 57)),
        ("2009-05-04T23:08:57+02:00", micro(2009, 5, 4, 21, 8, 57)),
        ("2009-05-04T23:08:57.25", micro(2009, 5, 4, 23, 8, 57) + 250_000),
        ("20170101", micro(2017, 1, 1)),
        ("2009/05/04 11:08 PM", micro(2009, 5, 4, 23, 8)),
        ("4 May 2009 23:08:57 GMT", micro(2009, 5, 4, 23, 8, 57)),
        # Which unit a number has, the column says.
        ("1325604498", None), (1325604498000, None),
        (date(2012, 1, 3), micro(2012, 1, 3)),
        (datetime(2012, 1, 3, 4), micro(2012, 1, 3, 4)),
        ("", None), ("soon", None), (None, None), (True, None), (float("nan"), None),
        ("2012-13-03", None), ("-5", None), (10**30, None), ("nan", None),
    ],
)  # fmt: skip
def test_times_of_every_form(given, expected):
    assert read_time(given) == expected


def test_american_dates_padded_or_not():
    assert read_american("06 17, 2018") == micro(2018, 6, 17)
    assert read_american("02 6, 2014") == micro(2014, 2, 6)
    assert read_american("13 1, 2014") is None
    assert read_american("2014-02-06") is None
    assert read_epoch("five") is None
    assert read_epoch("1325604498") == 1325604498 * 10**6
    assert read_epoch(1325604498.5) == 1325604498500000
    assert read_epoch(1325604498000, "milliseconds") == 1325604498 * 10**6
    # A number of seconds that would be in the year 43,000 is no time.
    assert read_epoch(1325604498000) is None
