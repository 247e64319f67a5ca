"""The closed set of codes: each explained once, its bad example gives it, its good one does not."""

import re
from pathlib import Path

import pytest

import legoc
from legoc.language.codes import all_codes
from tests.language.specs import checked


# What needs several files, overrides or data on disk is shown by the tests of its own phase.
CHECKED = [
    code for name, code in all_codes().items()
    if re.fullmatch(r"E03\d\d|E04\d\d|E050\d|E060\d|E0701|E080[0-7]|W10\d", name)
    and name != "E0401"
]  # fmt: skip


def test_every_code_that_legoc_names_is_declared() -> None:
    package = Path(legoc.__file__).parent
    named = {
        found
        for path in package.rglob("*.py")
        for found in re.findall(r'"([EW]\d{3,4})"', path.read_text("utf-8"))
    }
    assert named == set(all_codes())


def test_every_code_is_explained() -> None:
    for name, code in all_codes().items():
        assert code.code == name
        assert re.fullmatch(r"[EW]\d{3,4}", name)
        assert code.title
        assert len(code.explanation) > 40
        assert code.bad != code.good


@pytest.mark.parametrize("code", CHECKED, ids=lambda code: code.code)
def test_the_bad_example_gives_its_code(code: object) -> None:
    found = [d.code for d in checked(code.bad).diagnostics]  # type: ignore[attr-defined]
    assert code.code in found  # type: ignore[attr-defined]
    assert set(found) <= {code.code, "W104"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("code", CHECKED, ids=lambda code: code.code)
def test_the_good_example_does_not(code: object) -> None:
    found = [d.code for d in checked(code.good).diagnostics]  # type: ignore[attr-defined]
    assert set(found) <= {"W104"} - {code.code}  # type: ignore[attr-defined]
