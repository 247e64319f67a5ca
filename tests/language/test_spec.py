"""The pages of tests/spec, read as tests: what each fenced block must give stands in its comments.

tests/spec/README.md lists the comments.
"""

import re
import shlex
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from legoc.language.checking import Checked, check
from legoc.language.diagnosing.document import Document
from legoc.language.diagnosing.render import render
from legoc.language.syntax.fmt import format
from tests.language.declared import CATALOG


PAGES = Path(__file__).parents[1] / "spec"
FENCE = re.compile(r"^```lego\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SAID = re.compile(r"# (error|warning)( elsewhere)?: ([EW]\d+)")
STAGE = re.compile(r"(content|behavior|flatten|predict) ")
FILE = "# file: "
KEYS = ("spec", "item", "user", "prefix")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, and the blocks of that page that are kept as files."""

    page: str
    line: int
    text: str
    files: tuple[tuple[str, str], ...]

    def notes(self, word: str) -> list[tuple[int, str]]:
        """What follows `# word: ` in comments, with the line."""
        found = enumerate(self.text.split("\n"), start=1)
        return [
            (number, match.group(1).strip())
            for number, line in found
            if (match := re.search(rf"# {word}: ([^#]*)", line))
        ]


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    found = [(m.start(), m.group(1)) for m in FENCE.finditer(text)]
    files = tuple(
        (body.split("\n", 1)[0].removeprefix(FILE), body)
        for _, body in found
        if body.startswith(FILE)
    )
    for start, body in found:
        if not body.startswith(FILE):
            yield Block(page.name, text.count("\n", 0, start) + 1, body, files)


BLOCKS = [block for page in sorted(PAGES.glob("*.md")) for block in blocks(page)]


def checked(block: Block, folder: Path) -> Checked:
    for name, text in block.files:
        (folder / name).write_text(text, "utf-8")
    parser = ArgumentParser()
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--only")
    first = block.text.split("\n", 1)[0]
    command = "# legoc check "
    given = parser.parse_args(
        shlex.split(first.removeprefix(command)) if first.startswith(command) else []
    )
    document = Document(str(folder / "block.lego"), block.text)
    return check(document, overrides=given.set, only=given.only, known=CATALOG)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.page}:{block.line}")
def test_a_block_gives_what_it_says(block: Block, tmp_path: Path) -> None:
    found = checked(block, tmp_path)
    verify_messages(block, found)
    verify_types(block, found)
    verify_points(block, found)
    if not any(d.code in ("E0101", "E0102", "E0209") for d in found.diagnostics):
        formatted = format(Document("block.lego", block.text))
        assert format(Document("block.lego", formatted)) == formatted


def verify_messages(block: Block, found: Checked) -> None:
    """Every message on its line, and no other."""
    wanted: Counter[tuple[int | None, str, str]] = Counter()
    for number, line in enumerate(block.text.split("\n"), start=1):
        for severity, elsewhere, code in SAID.findall(line):
            wanted[None if elsewhere else number, severity, code] += 1
    given: Counter[tuple[int | None, str, str]] = Counter()
    for diagnostic in found.diagnostics:
        span = diagnostic.primary
        assert span is not None
        here = span.path.endswith("block.lego")
        given[span.position[0] if here else None, diagnostic.severity, diagnostic.code] += 1
    assert given == wanted, render(found.diagnostics)


def verify_types(block: Block, found: Checked) -> None:
    notes = block.notes("type")
    if not notes:
        return
    (spec,) = found.specs
    lines = block.text.split("\n")
    for number, wanted in notes:
        stage = STAGE.search(lines[number - 1])
        assert stage is not None
        role = stage.group(1)
        made = {"content": spec.types.item, "predict": "Score"}.get(role, spec.types.user)
        assert made == wanted


def verify_points(block: Block, found: Checked) -> None:
    for number, wanted in block.notes("points"):
        first = [p for p in found.points if p.run.position[0] == number]
        names = {point.name for point in first}
        assert sum(spec.name in names for spec in found.specs) == int(wanted)
    named = [name for _, name in block.notes("point")]
    assert [spec.name for spec in found.specs] == named or not named
    dropped = {text.split()[0]: int(text.split()[1]) for _, text in block.notes("dropped")}
    assert dict(found.dropped) == dropped
    assert found.excluded == sum(int(text) for _, text in block.notes("excluded"))


@pytest.mark.parametrize("page", sorted({block.page for block in BLOCKS}))
def test_keys_of_one_letter_are_equal_and_others_differ(page: str, tmp_path: Path) -> None:
    letters: dict[tuple[str, str], set[str]] = {}
    for block in BLOCKS:
        marked = [(key, letter) for key in KEYS for _, letter in block.notes(key)]
        if block.page != page or not marked:
            continue
        (spec,) = checked(block, tmp_path).specs
        for key, letter in marked:
            letters.setdefault((key, letter), set()).add(getattr(spec.keys, key))
    for key in KEYS:
        own = [digests for (name, _), digests in letters.items() if name == key]
        assert all(len(digests) == 1 for digests in own), (key, letters)
        assert len(set().union(*own)) == len(own), (key, letters)
