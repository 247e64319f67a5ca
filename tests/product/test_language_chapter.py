"""docs/language.md: every file in it checks, every command prints what stands below it, and every
field of the language is in its tables. `pytest --promote` writes the output anew, for review."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from legoc.commands.cli import main
from legoc.commands.param_text import write_default
from legoc.commands.topics import parts
from legoc.language.checking import check
from legoc.language.declaring.records import RECORDS
from legoc.language.diagnosing.document import Document
from legoc.language.syntax.fmt import format
from legoc.language.syntax.scan import RESERVED


ROOT = Path(__file__).resolve().parents[2]
CHAPTER = ROOT / "docs" / "language.md"
TEXT = CHAPTER.read_text("utf-8")
FENCE = re.compile(
    r"(?:<!-- (\S+\.lego) -->\n)?```(lego|lego-wrong|console)\n(.*?)```\n", re.DOTALL
)
BLOCKS = [match.groups() for match in FENCE.finditer(TEXT)]
COMMAND = re.compile(r"^\$ (.*)$", re.MULTILINE)
# How a table names a default that a source, a predictor or another field gives.
GIVEN = {
    "source": "the source's", "predict": "the predictor's", "task": "the task's",
    "content": "the content's", "metrics": "the first metric",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the chapter, side by side."""
    found = tmp_path_factory.mktemp("chapter")
    shutil.copytree(ROOT / "specs", found / "specs")
    for name, _, text in BLOCKS:
        if name is not None:
            assert not (found / name).exists(), name
            (found / name).write_text(text, "utf-8")
    return found


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, kind, text in BLOCKS if kind == "lego"]
)
def test_every_file_checks_and_is_laid_out(folder: Path, name: str | None, text: str) -> None:
    document = Document(str(folder / (name or "shown.lego")), text)
    found = check(document)
    assert not found.errors, [each.message for each in found.errors]
    assert found.specs
    assert format(document) == text


@pytest.mark.parametrize(("name", "text"), [b[::2] for b in BLOCKS if b[1] == "lego-wrong"])
def test_what_is_shown_as_wrong_is(folder: Path, name: str | None, text: str) -> None:
    assert check(Document(str(folder / (name or "shown.lego")), text)).errors


def said(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    program, *words = shlex.split(command)
    assert program == "legoc"
    main(words)
    captured = capsys.readouterr()
    return captured.err + captured.out


def test_every_command_prints_what_is_shown(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.chdir(folder)
    text = TEXT
    count = 0
    for _, kind, block in BLOCKS:
        if kind != "console":
            continue
        commands = COMMAND.findall(block)
        count += len(commands)
        fresh = "".join(f"$ {each}\n{said(each, capsys)}" for each in commands)
        if request.config.getoption("--promote"):
            text = text.replace(f"```console\n{block}```", f"```console\n{fresh}```")
        else:
            assert fresh == block
    assert count > 15
    if text != TEXT:
        CHAPTER.write_text(text, "utf-8")


ROW = re.compile(r"^\| `(\w+)` \| (.*?) \| .* \|$", re.MULTILINE)


@pytest.mark.parametrize("kind", RECORDS)
def test_every_field_is_in_a_table_with_its_default(kind: str) -> None:
    title = {
        "data": "Data", "generate": "Generated text", "train": "Recipes", "export": "Export"
    }[kind]  # fmt: skip
    (part,) = [each for each in parts() if each.title == title]
    rows = dict(ROW.findall(part.text))
    expected: dict[str, str] = {}
    for p in RECORDS[kind].params:
        default = write_default(p, RECORDS[kind]).removeprefix(" = ").removeprefix(", ")
        expected[p.name] = GIVEN.get(p.inherit or "", default)
    shown = {name: text.strip("`") for name, text in rows.items()}
    assert shown == expected
    # And an example gives every field a value.
    (example,) = [text for name, _, text in BLOCKS if name == f"all_{kind}.lego"]
    for name in expected:
        assert re.search(rf"^  {name} = ", example, re.MULTILINE), name


def test_every_word_of_the_language_is_shown() -> None:
    shown = " ".join(text for _, kind, text in BLOCKS if kind == "lego")
    for word in RESERVED - {"true", "false"}:
        assert re.search(rf"\b{word}\b", shown), word


def test_the_parts_are_found_by_their_words(capsys: pytest.CaptureFixture[str]) -> None:
    words = [word for part in parts() for word in part.words]
    assert all(part.words for part in parts())
    assert len(words) == len(set(words))
    for part in parts():
        for word in part.words:
            assert (
                main(["help", *word.split()] if not word.startswith("-") else ["help", "--", word])
                == 0
            )
            assert part.title in capsys.readouterr().out
    assert main(["help", "sweep"]) == 0
    assert "`in` sweeps several" in capsys.readouterr().out
    assert main(["help"]) == 0
    listed = capsys.readouterr().out
    assert all(part.title in listed for part in parts())
    # A command that the chapter has no part on says what it does.
    assert main(["help", "report"]) == 0
    assert "legoc report: write runs as one page" in capsys.readouterr().out
    assert main(["help", "swep"]) == 1
    assert "did you mean `sweep`?" in capsys.readouterr().err
    assert main(["help", "E0403"]) == 1
    assert "legoc explain E0403" in capsys.readouterr().err


@pytest.mark.parametrize("topic", ["train", "data", "generate", "export"])
def test_the_page_of_a_record_lists_fields_and_forms(
    topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["operators", topic]) == 0
    text = capsys.readouterr().out
    for p in RECORDS[topic].params:
        assert re.search(rf"^  {p.name}: ", text, re.MULTILINE)
    assert f"--set {topic}.FIELD=VALUE" in text
    assert main(["operators", topic, "--json"]) == 0
    assert f'"name": "{topic}"' in capsys.readouterr().out


def test_the_list_of_codes_names_each(capsys: pytest.CaptureFixture[str]) -> None:
    from legoc.language.codes import all_codes

    assert main(["explain"]) == 0
    text = capsys.readouterr().out
    for name, code in all_codes().items():
        assert f"  {name}  {code.title}\n" in text
    assert re.findall(r"^([EW]\d+)$", text, re.MULTILINE) == []
