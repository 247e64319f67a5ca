"""docs/generating.md, done as it says, with tiny models that are made here."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from legoc.commands.cli import main
from legoc.commands.param_text import write_default
from legoc.data.augmenting.generated import SHORT
from legoc.generating.prompts import OWN
from legoc.language.checking import check
from legoc.language.declaring.catalog import catalog
from legoc.language.diagnosing.document import Document
from legoc.language.syntax.fmt import format
from legoc.language.typing.generations import OWN_FIELDS
from tests.generating.servers import Asked, serving
from tests.generating.tiny import make_causal


PAGE = (Path(__file__).resolve().parents[2] / "docs" / "generating.md").read_text("utf-8")


def block(mark: str) -> str:
    """The fenced block after a mark of the page."""
    fenced = PAGE.split(f"<!-- {mark} -->\n```", 1)[1]
    return fenced.split("\n", 1)[1].split("```")[0]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_causal(tmp_path / "models" / "small")
    for name in ("titles.lego", "chain.lego", "retell.txt"):
        (tmp_path / name).write_text(block(name), "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEGOC_CACHE", str(tmp_path / "cache"))
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    assert main(list(words)) == code
    found = capsys.readouterr()
    return found.out, found.err


@pytest.mark.parametrize("name", ["titles.lego", "chain.lego"])
def test_the_files_check_and_are_laid_out(place: Path, name: str) -> None:
    document = Document(name, block(name))
    assert not check(document).errors
    assert format(document) == block(name)


def test_a_column_from_nothing_to_a_trained_model(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, errors = said(capsys, "train", "titles.lego", "-q", code=1)
    assert block("missing").strip() in errors
    out, _ = said(capsys, "generate", "titles.lego", "--limit", "8")
    assert "asks for the other 192" in out
    (told,) = json.loads(said(capsys, "generate", "titles.lego", "--json", "-q")[0])
    assert (told["kept"], told["missing"]) == (8, 0)
    assert said(capsys, "train", "titles.lego", "-q")
    assert len(list(Path("runs").glob("naml-*"))) == 1


def answers(asked: Asked) -> None:
    """A server that does as it is told."""
    if "JSON object" in asked.question:
        assert asked.question.startswith("The reader cares about: ")
        asked.say('{"title": "snow on the coast", "category": "news"}')
    else:
        assert "The topics there are: weather, sports" in asked.question
        asked.say("- weather\n- health\n- chess")


@pytest.fixture
def served() -> Iterator[str]:
    with serving(answers) as server:
        yield server.base


def test_the_chain_through_a_server(
    place: Path, served: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = re.sub(r"LM\(.*?\)", f'API("small", base="{served}")', block("chain.lego"))
    Path("chain.lego").write_text(text, "utf-8")
    topics, more = json.loads(
        said(capsys, "generate", "chain.lego", "--json", "-q", "--published", "logs")[0]
    )
    assert topics["malformed"] == more["malformed"] == 0
    assert topics["subjects"] > more["subjects"] > 0
    assert {each.name for each in Path("logs").rglob("*.*")} == {
        "topics_profiler.log", "more_generator.log", "tok.uid.dat"
    }  # fmt: skip
    short = ("--set", "train.epochs=1", "--set", "train.samples=64")
    text = f"train quick {{ epochs = 1  samples = 64 }}\n{text.rstrip()} with quick\n"
    Path("chain.lego").write_text(text, "utf-8")
    said(capsys, "train", "chain.lego", "-q", *short[:0])
    (run,) = Path("runs").glob("naml-*")
    assert "user = [topics(3)]" in (run / "model.lego").read_text("utf-8")


def test_the_prompt_of_a_file_is_asked(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found: list[Asked] = []

    def script(asked: Asked) -> None:
        found.append(asked)
        asked.say("[newtitle] fine")

    with serving(script) as server:
        text = block("titles.lego").replace("to=newtitle", 'to=newtitle, prompt="retell.txt"')
        text = re.sub(r"LM\(.*?\)", f'API("small", base="{server.base}")', text)
        Path("titles.lego").write_text(text, "utf-8")
        said(capsys, "generate", "titles.lego", "-q", "--limit", "3")
    first = found[0].body["messages"]
    assert [message["role"] for message in first] == ["system", "user"]
    assert first[0]["content"] == "You edit a newspaper."
    assert first[1]["content"].startswith("Headline: ")
    assert first[1]["content"].endswith("one line that begins with [newtitle].")


def test_the_tables_say_what_is_declared() -> None:
    for task, fields in OWN_FIELDS.items():
        (row,) = [x for x in PAGE.splitlines() if x.startswith(f"| `{task}` |")]
        assert set(re.findall(r"`\{(\w+)\}`", row)) == set(fields)
        assert task in OWN
    api = catalog().get("writer", "API")
    assert api is not None
    settings = PAGE.split("| setting | default |")[1].split("\n\n")[0]
    defaults = {p.name: write_default(p, api).removeprefix(" = ") for p in api.params}
    for row in settings.splitlines()[2:]:
        names, shown = (cell.strip() for cell in row.split("|")[1:3])
        told = [cell.strip() for cell in shown.split(",")]
        named = re.findall(r"`(\w+)`", names)
        told = told * len(named) if len(told) == 1 else told
        for name, default in zip(named, told, strict=True):
            assert defaults[name] in (default, f"{default}.0"), name
    assert f"1 to {SHORT} clicks" in PAGE


def test_only_one_is_asked_where_it_is_named(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, errors = said(capsys, "generate", "titles.lego", "--only", "title", code=1)
    assert "did you mean `titles`?" in errors
    Path("none.lego").write_text("content CNN -> behavior Additive -> predict Dot\n")
    assert "declares no `generate`" in said(capsys, "generate", "none.lego", code=1)[1]
