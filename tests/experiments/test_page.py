"""docs/experiments.md, done as it says: from one file to a LaTeX table with intervals."""

import csv
import json
import re
import shlex
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from legoc.commands.cli import parser_of
from legoc.evaluation.kept import GROUP_COLUMNS
from legoc.training.energy import CORE, GPU, INTENSITY
from tests.experiments.pages import read_page
from tests.experiments.test_table import verify_latex
from tests.product.conftest import run


ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "experiments.md").read_text("utf-8")


def block(mark: str) -> str:
    """The fenced block after a mark of the page."""
    fenced = PAGE.split(f"<!-- {mark} -->\n```", 1)[1]
    return fenced.split("\n", 1)[1].split("```")[0]


def commands(mark: str) -> list[list[str]]:
    """The words of the commands in a block, without `$ legoc`."""
    lines = block(mark).splitlines()
    assert all(line.startswith("$ legoc ") for line in lines)
    return [shlex.split(line)[2:] for line in lines]


@pytest.fixture(scope="module")
def place(tmp_path_factory, cache):
    """A folder in which the file of the page has been trained."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "news.lego").write_text(block("news.lego"), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (words,) = commands("train")
        assert run(*words, "--cache", cache, "-q") == 0
    return folder


@pytest.fixture(autouse=True)
def there(place, cache, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setenv("LEGOC_CACHE", str(cache))


def done(mark, capsys):
    """What the commands of a block print, the run of the page being one that is there."""
    folder = str(next(Path("runs").glob("text-*"), ""))
    for line in commands(mark):
        words = [folder if word.startswith("runs/text-") else word for word in line]
        assert run(*words, "-q") == 0
    return capsys.readouterr().out


def test_the_files_have_the_columns_of_the_page(place):
    folder = next((place / "runs").glob("text-*"))
    for name in ("scores", "groups"):
        line = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}.parquet`"))
        told = re.findall(r"`(\w+)`", line.split("|")[3])
        there = pq.read_schema(folder / f"{name}.parquet").names
        assert there[: len(told)] == told
    assert tuple(told) == GROUP_COLUMNS
    assert there[len(told) :] == ["GAUC", "MRR", "NDCG(5)"]
    assert (folder / "cost.json").is_file()


def test_text_is_really_better(capsys):
    said = done("compare", capsys)
    assert block("verdict").strip() in said.splitlines()
    assert "144 users" in said


def test_the_table_is_the_one_shown(place, capsys):
    done("table", capsys)
    text = (place / "news.tex").read_text("utf-8")
    lines = verify_latex(text)
    assert block("latex") in text
    bold = re.findall(r"\\textbf\{[\d.]+ \$\\pm\$ [\d.]+ \[[\d.]+, [\d.]+\]\}", lines[1])
    assert lines[1].startswith("text & 3 & ")
    assert bold
    assert "\\textbf" not in lines[2]


def test_electricity_stands_with_its_mark(capsys):
    said = " ".join(done("energy", capsys).split())
    assert "estimated: 12 W per core at work" in said
    assert "ApC per kg: (GAUC in percent - 50) / kg CO2e x 100" in said
    for constant in (f"{CORE:g} W", f"{GPU:g} W", f"{INTENSITY:g} g per kWh"):
        assert constant in PAGE


def test_the_figures_of_a_paper_stand_beside_ours(place, capsys):
    (place / "paper.csv").write_text(block("paper.csv"), encoding="utf-8")
    said = " ".join(done("published", capsys).split())
    assert "published: 1 of the 1 rows of paper.csv are here" in said
    assert "0.6175" in said
    for line in commands("papers"):
        made = parser_of(line[0]).parse_args(line[1:])
        named = [line[1], *([made.published] if line[0] == "table" else [])]
        assert all((ROOT / name).is_file() for name in named)


def test_the_search_finds_a_model_and_the_table_says_what_it_cost(place, cache, capsys):
    (place / "search.lego").write_text(block("search.lego"), encoding="utf-8")
    said = done("tune", capsys)
    lines = [line.strip() for line in said.splitlines()]
    begun = block("found").splitlines()
    for line in begun:
        # All but the values found is as the page shows it.
        head = re.split(r"[\d(]", line)[0]
        assert any(each.startswith(head) for each in lines), line
    assert re.search(r"\d of \d+ proposals were no models", said)
    assert "5 trials" in said
    (budget,) = Path("runs").glob("small-*/budget.json")
    assert run("table", budget.parent, "--format", "csv", "--no-baselines", "-q") == 0
    head, row = capsys.readouterr().out.splitlines()
    assert (head.split(",")[-1], row.split(",")[-1]) == ("trials", "5")
    # The lines put into the file name the same run, budget and all.
    best = said[said.index("    model best_small") :].split("\n\n")[0]
    text = block("search.lego").partition("run small")[0] + best
    (place / "best.lego").write_text(text, encoding="utf-8")
    assert run("train", "best.lego", "-q", "--no-baselines") == 0
    capsys.readouterr()
    (other,) = Path("runs").glob("best_small-*/budget.json")
    assert other.read_bytes() == budget.read_bytes()
    assert other.parent.name[-12:] == budget.parent.name[-12:]


def test_the_page_says_what_compare_and_table_say(place, capsys):
    done("report", capsys)
    page = read_page((place / "news.html").read_text("utf-8"))
    told = " ".join(page.whole().split())
    assert "text is better than ids GAUC:" in told
    titles = [head.text for head in page.all("h2")]
    assert titles == [
        "In short", "Figures", "Differences from the best", "Known, new and cold",
        "Accuracy against cost", "How they learned", "Whether probabilities hold", "The data",
        "What stands behind each row", "How it was measured",
    ]  # fmt: skip


def test_lists_and_scores(place, capsys):
    assert "diversity of vectors" in done("top", capsys)
    done("predict", capsys)
    with (place / "scores.csv").open(newline="") as file:
        assert next(csv.reader(file)) == ["impression", "user", "item", "score"]


def test_several_at_a_time_find_what_is_there(place, cache, capsys):
    (words,) = commands("jobs")
    assert run(*words, "--cache", cache, "--json") == 0
    shown = capsys.readouterr()
    assert len(json.loads(shown.out)) == 6
    assert "run 6 of 6 (" in shown.err
    assert "epoch 1" not in shown.err


def test_a_row_replays_itself(capsys):
    """The form that the page shows, with the figures of the run."""
    said = done("replay", capsys)
    (shown,) = re.findall(r"^  GAUC +[\d.]+ and [\d.]+: (.+)$", PAGE, re.MULTILINE)
    assert re.search(rf"^  GAUC +([\d.]+) and \1: {shown}$", said, re.MULTILINE)


def test_the_whole_catalogue_is_ranked(capsys):
    said = done("full", capsys)
    assert "full ranking" in said
    assert "first 10" in said
    assert "full ranking: each that clicks" in done("full_table", capsys)


def test_runs_are_found_again(place, capsys):
    said = done("runs", capsys)
    assert "text[seed=1]: measured, in runs" in said
    assert "(train.lr: 0.003, now 0.01)" in said
    left = [path.name.split("-")[0] for path in (place / "runs").glob("*-*")]
    assert left.count("ids") == 3
    assert "text" not in left
