"""Options of the whole suite."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--promote", action="store_true", help="rewrite the recordings of tests/bad for review"
    )


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes that are no text do not name a test: they may hold the time at which they were packed,
    and then two processes of one run collect different tests."""
    if isinstance(val, bytes) and not (val.isascii() and val.decode("ascii").isprintable()):
        return "bytes"
    return None
