"""Options of the whole suite."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--promote", action="store_true", help="rewrite the recordings of tests/bad for review"
    )
