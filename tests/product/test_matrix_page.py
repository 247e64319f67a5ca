"""The page of `legoc prove`: every state can be told without colour, and nothing names a folder."""

import re
from datetime import UTC, datetime

from legoc.proving.matrix import Cell, Matrix
from legoc.proving.page import page
from tests.experiments.pages import read_page


WHEN = datetime(2031, 5, 17, 8, 9, tzinfo=UTC)
STATES = {"green": "✓", "red": "✗", "open": "?", "illegal": "·"}


def drawn() -> str:
    cells = tuple(
        Cell(encoder="CNN", user="Additive", predict=f"P<{n}>", state=state, cases=n + 1,
             why="E0403: `no` reads" if state == "illegal" else "")
        for n, state in enumerate(STATES)
    )  # fmt: skip
    other = Cell(encoder="Null", user="GRU", predict="Dot", state="green", cases=1)
    names = ("points", "excluded", "illegal", "legal", "architectures", "cases", "green", "red",
             "open")  # fmt: skip
    matrix = Matrix(
        name="zoo", code="0123", cells=(*cells, other), counts=dict.fromkeys(names, 7),
        dropped={"E0403": 1}, notes=("a note on /home/ann/specs/zoo.lego",),
        failures=({"labels": {"content": "CNN", "predict": "Dot"},
                   "reason": "No such file: '/home/ann/models/y.onnx' <b>"},),
        facts={"largest difference": 1e-6, "largest export difference": 1e-6,
               "graphs exported": 3, "seconds": {"build": 1.0}},
    )  # fmt: skip
    return "\n".join(page(matrix, WHEN))


def test_a_state_has_a_sign_in_its_cell_and_in_the_key() -> None:
    root = read_page(drawn())
    first, second = root.all("table")
    found = {cell.attributes["class"]: " ".join(cell.whole().split()) for cell in first.all("td")}
    expected = {
        state: sign if n == 0 else f"{sign} {n + 1}"
        for n, (state, sign) in enumerate(STATES.items())
    }
    assert found == expected
    (key,) = [each for each in root.all("ul") if each.has("key")]
    assert {mark.attributes["class"]: mark.text for mark in key.all("b")} == STATES
    # Columns that a content stage never meets are not there.
    assert [head.whole().strip() for head in first.all("th")[1:5]] == [f"P<{n}>" for n in range(4)]
    assert [head.whole().strip() for head in second.all("th")[1:]] == ["Dot", "GRU"]
    assert {head.attributes.get("scope") for head in root.all("th")} == {"col", "row"}


def test_reasons_can_be_read_without_a_mouse() -> None:
    root = read_page(drawn())
    (folded,) = root.all("details")
    assert [item.text for item in folded.all("li")] == ["E0403: `no` reads: 1"]


def test_when_and_by_what_and_no_folder() -> None:
    text = drawn()
    assert "2031-05-17 08:09 UTC by legoc " in text
    assert "/home/ann" not in text
    assert "…/zoo.lego" in text
    assert "…/y.onnx" in text
    assert "<b> " not in re.sub(r"<b class", "", text)
    assert not re.search(r"https?:|\bsrc=|href=|<script", text)
