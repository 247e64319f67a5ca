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
    for written, item in zip(("N123", "N77", "N5", "N9"), items, strict=False):
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


def run_beside(folder: Path, name: str, heading: str, use: str, before: str = "") -> str:
    """Write an example of CONTRIBUTING.md as a module, run `use` beside it, give what it prints."""
    code = block("CONTRIBUTING.md", heading)
    (folder / f"{name}.py").write_text(before + code, encoding="utf-8")
    command = [sys.executable, "-c", use]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_data_set_is_one(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    jokes = "".join(f"j{n}\tWhy {n}?\n" for n in range(6))
    (raw / "jokes.tsv").write_text("id\ttext\n" + jokes, encoding="utf-8")
    rows = "".join(f"u{n % 4}\tj{n % 6}\t{n % 5 + 1}\t{1000 + n}\n" for n in range(40))
    broken = "u1\tj1\n"
    (raw / "ratings.tsv").write_text(
        "user\tjoke\tstars\tseconds\n" + rows + broken, encoding="utf-8"
    )
    use = (
        "from pathlib import Path\nimport jokes\n"
        "from legoc.data.indexing.tables import convert\nfrom legoc.language.ir.spec import Call\n"
        "source = jokes.Jokes(jokes.Jokes.Config(path='raw'))\n"
        "made = convert(source, Call(op='time', args={'valid': 0.1, 'test': 0.1}), Path('cache'))\n"
        "lost = sum(drop.count for drop in made.report.drops)\n"
        "print(len(made.items()), len(made.interactions()), lost)\n"
    )
    # A rating of 3 is neither a click nor a non-click: 8 of 40, and one row is short.
    assert run_beside(tmp_path, "jokes", "## Add a data set", use).split() == ["6", "32", "9"]


def test_the_example_metric_is_one(tmp_path: Path) -> None:
    before = (
        "import numpy as np\nfrom legoc.evaluation.metrics import F64, GROUPS, Metric\n"
        "from legoc.evaluation.ranking import Ranking\n"
        "from legoc.language.declaring.declare import operator, param\n"
    )
    use = (
        "import numpy as np, waste\nfrom legoc.evaluation.metrics import METRICS\n"
        "from legoc.evaluation.ranking import rank\n"
        "ranking = rank([3., 2., 2., 1.], [True, True, False, False], [0, 0, 0, 0])\n"
        "made = waste.Waste(waste.Waste.Config(k=2))\n"
        "print(made.measure(ranking).tolist(), 'Waste' in METRICS)\n"
    )
    # The second place is shared by a click and a non-click.
    assert run_beside(tmp_path, "waste", "## Add a metric", use, before) == "[0.25] False\n"


def test_the_example_check_is_one(tmp_path: Path) -> None:
    use = (
        "import many\nfrom legoc.language.codes import all_codes\n"
        "assert many.CODES[0].code not in all_codes()\n"
        "from legoc.language.diagnosing.document import Document, Span\n"
        "from legoc.language.diagnosing.render import render\n"
        "found = many.too_many_negatives(Span(Document('t.lego', 'abc'), 0, 3), 1000)\n"
        "print(found.code == many.CODES[0].code, render([found], format='concise'))\n"
    )
    assert run_beside(tmp_path, "many", "## Add a check", use).startswith("True t.lego:1:1:")


def test_the_example_command_is_one(tmp_path: Path) -> None:
    spec = str(ROOT / "specs/naml.lego")
    use = (
        "import argparse, count\nparser = argparse.ArgumentParser()\n"
        "count.COMMANDS['count'].flags(parser)\n"
        f"count.COMMANDS['count'].run(parser.parse_args([{spec!r}]))\n"
    )
    assert run_beside(tmp_path, "count", "## Add a command", use) == "1\n"


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
# The files of the chapter on the language lie side by side; test_language_chapter.py checks them.
ALONE = [path for path in DOCUMENTS if path.name != "language.md"]


@pytest.mark.parametrize("path", ALONE, ids=lambda path: path.name)
def test_every_spec_shown_checks(path: Path) -> None:
    for text in LEGO.findall(path.read_text(encoding="utf-8")):
        found = check(Document(str(ROOT / "shown.lego"), text))
        assert not found.errors, [d.message for d in found.errors]
