"""The corpus of bad programs: each has a recording of what is said about it beside it.

A program is named after the code it shows. A first line `# legoc check ...` holds the arguments it
is checked with. `pytest tests/language/test_bad.py --promote` rewrites the recordings, which are
reviewed as text.
"""

import re
import shlex
from argparse import ArgumentParser
from functools import cache
from pathlib import Path

import pytest

from legoc.language.checking import Checked, check
from legoc.language.diagnosing.render import full, render
from tests.language.declared import CATALOG


ROOT = Path(__file__).parents[2]
BAD = ROOT / "tests" / "bad"
PROGRAMS = sorted(path.stem for path in BAD.glob("*.lego"))
WITH = "# legoc check "
# Every code of a .lego text that a module of the front end names. `failures` words what the machine
# does to any command.
CODES = {
    found
    for path in (ROOT / "legoc" / "language").rglob("*.py")
    if not {"codes", "editing"} & set(path.parts) and path.stem != "failures"
    for found in re.findall(r'"(E0[1-8]\d\d|W1\d\d)"', path.read_text("utf-8"))
}


@pytest.fixture(autouse=True)
def beside_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)


@cache
def checked(name: str) -> Checked:
    """What the check says of a program. The working directory is that of the corpus."""
    line = Path(f"{name}.lego").read_text("utf-8").split("\n", 1)[0]
    parser = ArgumentParser()
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--only")
    given = parser.parse_args(shlex.split(line.removeprefix(WITH)) if line.startswith(WITH) else [])
    return check(f"{name}.lego", overrides=given.set, only=given.only, known=CATALOG)


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_said_is_recorded(name: str, request: pytest.FixtureRequest) -> None:
    recording = BAD / f"{name}.txt"
    said = f"{render(checked(name).diagnostics)}\n"
    if request.config.getoption("--promote"):
        recording.write_text(said, "utf-8")
    assert said == recording.read_text("utf-8")


@pytest.mark.parametrize("name", PROGRAMS)
def test_one_mistake_is_one_message_of_the_code_it_is_named_after(name: str) -> None:
    found = [diagnostic.code for diagnostic in checked(name).diagnostics]
    code = name.partition("_")[0].upper()
    if code == "SEVERAL":
        assert len(found) > 1 or name.startswith("several_one")
    else:
        assert found == [code]


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_message_has_a_place_and_says_what_to_do(name: str) -> None:
    for diagnostic in checked(name).diagnostics:
        assert diagnostic.primary is not None
        assert diagnostic.help or diagnostic.fix, full(diagnostic)
        assert len(diagnostic.message) <= 88, diagnostic.message
        for text in (diagnostic.message, *(label.text for label in diagnostic.labels)):
            assert "\n" not in text
            assert not re.search(r"\b(please|invalid|illegal|TOKEN)\b|!", text, re.IGNORECASE), text
            assert not text.endswith("."), text


def test_every_code_of_the_front_end_has_a_program() -> None:
    shown = {diagnostic.code for name in PROGRAMS for diagnostic in checked(name).diagnostics}
    assert shown == CODES
    assert len(PROGRAMS) >= 120


def test_no_recording_is_left_behind() -> None:
    assert sorted(path.stem for path in BAD.glob("*.txt")) == PROGRAMS
