"""What the documents show is what happens: specs check, messages are printed, code runs, commands
exist."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import legoc_runtime
from legoc.commands.cli import COMMANDS, command, listing
from legoc.language import check
from legoc.language.diagnosing.document import Document
from legoc.language.diagnosing.render import render


ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def block(document: str, mark: str) -> str:
    """The fenced block after a mark of a document."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.split(r"```\w*\n", text.split(mark, 1)[1], maxsplit=2)[1].split("```")[0]


def test_the_first_line_checks() -> None:
    found = check(Document("first.lego", block("README.md", "the line is a program")))
    assert not found.diagnostics
    assert len(found.specs) == 1


def test_the_spec_checks() -> None:
    found = check(Document("news.lego", block("README.md", "<!-- spec -->")))
    assert not found.errors
    assert [spec.name for spec in found.specs] == ["naml", "nrms"]


def test_the_message_is_the_one_printed() -> None:
    shown = block("README.md", "<!-- message -->")
    program = (
        "model nrms =\n  content CNN(hidden=250)\n  -> behavior Attention(heads=8)\n"
        "  -> predict Dot\n"
    )
    found = check(Document("nrms.lego", program))
    assert render(found.errors).strip() == shown.strip()


def test_the_serving_code_runs(bundle: Path) -> None:
    code = block("README.md", "## Serve it").replace("runs/naml-0123456789ab/bundle", str(bundle))
    items = legoc_runtime.load(bundle).items.ids
    for written, item in zip(("N123", "N77", "N5", "N9"), items[1:], strict=False):
        code = code.replace(f'"{written}"', f'"{item}"')
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    assert isinstance(names["ids"], list)
    assert len(names["ids"]) == 10


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_named_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    known = set(COMMANDS)
    named = set(re.findall(r"(?:^|[`|] ?)legoc ([a-z]+)\b", text, re.MULTILINE))
    assert named <= known, f"{path.name} names {named - known}"


def test_the_example_operator_is_one(tmp_path: Path) -> None:
    code = block("CONTRIBUTING.md", "## Add an operator")
    (tmp_path / "last.py").write_text(code, encoding="utf-8")
    use = (
        "import torch, last\nfrom legoc.operators.sizes import Sizes\n"
        "made = last.Last(last.Last.Config(), Sizes(width=2))\n"
        "x = torch.tensor([[[1., 2.], [3., 4.], [9., 9.]]])\n"
        "assert made(x, torch.tensor([[True, True, False]])).tolist() == [[3., 4.]]\n"
        "assert last.Last.declaration.signature == 'Seq[Vec[d]] -> Vec[d]'\n"
    )
    command = [sys.executable, "-c", use]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_command_that_can_be_typed_does_something() -> None:
    listed = re.findall(r"^    ([a-z]+)(?:  |$)", listing().format_help(), re.MULTILINE)
    assert listed == list(COMMANDS)
    assert all(callable(command(name).run) for name in COMMANDS)


def test_every_command_that_a_module_declares_can_be_typed() -> None:
    folder = ROOT / "legoc/commands"
    for path in folder.glob("*.py"):
        declared = getattr(import_module(f"legoc.commands.{path.stem}"), "COMMANDS", {})
        if path.stem != "cli":
            assert {name for name, (home, _) in COMMANDS.items() if home == path.stem} == set(
                declared
            )


LEGO = re.compile(r"```lego\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_spec_shown_checks(path: Path) -> None:
    for text in LEGO.findall(path.read_text(encoding="utf-8")):
        found = check(Document(str(ROOT / "shown.lego"), text))
        assert not found.errors, [d.message for d in found.errors]
