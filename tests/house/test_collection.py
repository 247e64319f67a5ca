"""Every process of a run collects the same tests by the same names."""

import gzip

import pytest


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"plain text", None),
        (gzip.compress(b"packed at some time"), "bytes"),
        (b"\xff\xfe", "bytes"),
        (b"two\nlines", "bytes"),
    ],
)
def test_bytes_that_are_no_text_do_not_name_a_test(request, value, name):
    call = request.config.hook.pytest_make_parametrize_id
    assert call(config=request.config, val=value, argname="value") == name
