"""A model behind an interface as a recommender: what is asked, what a reply scores, what stays."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from legoc.commands.cli import main
from legoc.generating import api
from legoc.generating.asking import JOURNAL, write_question
from legoc.language import load
from legoc.language.ir.spec import Call
from tests.generating.servers import Asked, Served, serving


SECRET = "sk-very-secret-0123456789"
SPEC = """
data news {{
  source = Demo(items=200, users=60, impressions=200)
  content = [{content}]
  history = 4
}}
model asked = predict API("small", base="{base}"{more})
train as_it_is {{ metrics = [GAUC, LogLoss] }}
run asked on news with as_it_is
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "FIRST", 0.01)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write_spec(served: Served, more: str = "", content: str = "title(12)") -> Path:
        path = tmp_path / "asked.lego"
        path.write_text(SPEC.format(base=served.base, more=more, content=content), "utf-8")
        return path

    return write_spec


def run(command: str, path: Path, *flags: str) -> int:
    folder = path.parent
    return main(
        [command, str(path), "--runs", str(folder / "runs"), "--cache", str(folder / "cache"),
         "--no-baselines", *flags]
    )  # fmt: skip


def folder_of(path: Path) -> Path:
    (found,) = (path.parent / "runs").glob("asked-*")
    return found


def likes(question: str) -> float:
    """A chance of yes that depends on the candidate alone."""
    candidate = question.partition("Candidate item: ")[2].partition("\n")[0]
    return (len(candidate) % 9 + 1) / 11


def by_chances(asked: Asked) -> None:
    yes = likes(asked.question)
    listed = [{"token": t, "logprob": math.log(p)} for t, p in ((" Yes", yes), ("NO", 1 - yes))]
    first = {"token": " Yes", "logprob": math.log(yes), "top_logprobs": listed}
    asked.say("Yes", logprobs={"content": [first]})


def by_words(asked: Asked) -> None:
    asked.say("Yes." if likes(asked.question) > 0.5 else "no")


def read_scores(path: Path) -> list[tuple[str, float]]:
    import pyarrow.parquet as pq

    rows = pq.read_table(folder_of(path) / "scores.parquet").to_pylist()
    return [(row["item"], row["score"]) for row in rows]


def titles(path: Path) -> dict[str, str]:
    from legoc.data.prepare import prepare

    (spec,) = load(path)
    prepared = prepare(spec, cache=path.parent / "cache")
    records = prepared.item_records(range(1, len(prepared.items)))
    return {r["item_id"]: " ".join(r["title"].split()[:12]) for r in records}


def test_a_pair_is_asked_about_in_the_words_of_the_benchmark(write: Any) -> None:
    with serving(by_chances) as served:
        path = write(served)
        assert run("eval", path, "-q") == 0
    known = set(titles(path).values())
    for asked in served.asked:
        system, user = (message["content"] for message in asked.body["messages"])
        assert system.startswith("You are a recommender.")
        opening, clicks, rest = user.partition("User behavior sequence: \n")
        listed, _, ending = rest.partition("Candidate item: ")
        assert (opening, bool(clicks)) == ("", True)
        lines = listed.splitlines()
        assert [line.partition(" ")[0] for line in lines] == [
            f"({k})" for k in range(1, len(lines) + 1)
        ]
        assert len(lines) <= 4
        candidate = ending.removesuffix("\nAnswer (Yes/No): ")
        assert {candidate, *(line.partition(" ")[2] for line in lines)} <= known
        assert (asked.body["max_tokens"], asked.body["top_logprobs"]) == (8, 20)


def test_the_score_is_the_logarithm_of_the_odds(write: Any) -> None:
    with serving(by_chances) as served:
        path = write(served)
        assert run("train", path, "-q") == 0
    said = titles(path)
    rows = read_scores(path)
    assert len(rows) > 50
    for item, score in rows:
        yes = likes(f"Candidate item: {said[item]}\n")
        assert score == pytest.approx(math.log(yes / (1 - yes)), abs=1e-5)
    # The same question is sent once, however many pairs are that question.
    assert len({json.dumps(a.body, sort_keys=True) for a in served.asked}) == len(served.asked)
    told = json.loads((folder_of(path) / "metrics.json").read_text())["test"]
    assert told["engine"] == "http"
    asked = told["asked"]
    assert asked["asked"] == len(served.asked)
    assert asked["asked"] + asked["kept"] == told["counts"]["rows"]
    assert (asked["tokens_read"], asked["tokens_written"]) == (
        7 * len(served.asked), 3 * len(served.asked)
    )  # fmt: skip
    assert "LogLoss" in told["marks"]
    assert not (folder_of(path) / "bundle").exists()


def test_words_score_one_minus_one_and_between(write: Any, capsys: Any) -> None:
    def script(asked: Asked) -> None:
        if len(asked.question) % 5 == 0:
            asked.say("hard to tell")
        else:
            by_words(asked)

    with serving(script) as served:
        path = write(served, ", chances=0, price_read=1000000.0, price_written=1000000.0")
        assert run("train", path) == 0
    assert {score for _, score in read_scores(path)} == {1.0, 0.0, -1.0}
    assert "logprobs" not in served.asked[0].body
    told = capsys.readouterr().err
    assert "say neither yes nor no" in told
    assert f"price {10 * len(served.asked):.4f}" in told
    assert "most pairs tie" in told


def test_a_server_without_log_probabilities_is_asked_without(write: Any, capsys: Any) -> None:
    def script(asked: Asked) -> None:
        if asked.body.get("logprobs"):
            asked.fail(400, "logprobs are not supported")
        else:
            by_words(asked)

    with serving(script) as served:
        path = write(served)
        assert run("eval", path) == 0
    assert [bool(a.body.get("logprobs")) for a in served.asked].count(True) == 1
    assert "refuses log-probabilities (status 400: logprobs are not supported)" in (
        capsys.readouterr().err
    )


def test_nothing_is_asked_twice(write: Any, capsys: Any) -> None:
    def gone(asked: Asked) -> None:
        if asked.count > 20:
            asked.hang_up()
        else:
            by_chances(asked)

    with serving(gone) as served:
        path = write(served, ", retries=1, concurrency=2")
        assert run("train", path, "-q") == 1
        assert "E0928" in capsys.readouterr().err
        first = {a.question for a in served.asked[:20]}
        kept = (folder_of(path) / JOURNAL).read_text().splitlines()
        assert len(kept) == 20
    with serving(by_chances) as again:
        text = path.read_text().replace(served.base, again.base)
        path.write_text(text)
        # Another address is another model: its answers are its own.
        assert run("train", path, "-q") == 0
        assert len(again.asked) > 20
        count = len(again.asked)
        assert run("eval", path, "-q") == 0
        assert len(again.asked) == count
        (place,) = (
            f for f in (path.parent / "runs").glob("asked-*") if (f / "metrics.json").is_file()
        )
        lines = (place / JOURNAL).read_text().splitlines()
        (place / JOURNAL).write_text("\n".join(lines[:-5]) + "\n" + lines[-5][:40])
        (place / "metrics.json").unlink()
        assert run("train", path, "-q") == 0
        assert len(again.asked) == count + 5
    assert first


def test_a_refused_pair_stands_between(write: Any, capsys: Any) -> None:
    def script(asked: Asked) -> None:
        if len(asked.question) % 4 == 0:
            asked.fail(413, "too long")
        else:
            by_chances(asked)

    with serving(script) as served:
        path = write(served)
        assert run("train", path) == 0
    assert 0.0 in {score for _, score in read_scores(path)}
    assert "questions were refused: these pairs score 0" in capsys.readouterr().err
    assert served.asked


def test_the_key_is_sent_and_stands_nowhere(
    write: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("LEGOC_API_KEY", SECRET)
    with serving(by_chances) as served:
        path = write(served)
        assert run("train", path) == 0
    assert served.asked[0].headers["Authorization"] == f"Bearer {SECRET}"
    told = capsys.readouterr()
    assert SECRET not in told.out + told.err
    for file in path.parent.rglob("*"):
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes()


def test_a_template_is_filled_as_it_stands() -> None:
    call = Call(
        op="template",
        args={"text": "New: {candidate}. Read:\n{clicks}Again?", "click": "{k}) {item};",
              "chat_template": False},
    )  # fmt: skip
    clicks = ["a {candidate} b", "{clicks}"]
    assert write_question(call, clicks, "c {clicks}") == (
        "", "New: c {clicks}. Read:\n1) a {candidate} b;2) {clicks};Again?"
    )  # fmt: skip


def test_several_attributes_and_own_words(write: Any) -> None:
    with serving(by_chances) as served:
        path = write(served, ', prompt=template("{clicks}|{candidate}")', "title(2), category")
        assert run("eval", path, "-q") == 0
    (message,) = served.asked[0].body["messages"]
    candidate = message["content"].partition("|")[2]
    assert candidate.startswith("title: ")
    assert ", category: " in candidate
    assert len(candidate.partition(", category")[0].split()) == 3


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (', base="127.0.0.1:80"', "E0925"), (', yes=["X"], no=["X"]', "E0408"),
        (", prompt=recbench(chat_template=true)", "E0876"), (", prompt=recbench(e5=true)", "E0876"),
        (', prompt=template("{clicks}")', "E0407"), (', key="sk-123"', "E0925"),
    ],
)  # fmt: skip
def test_what_is_known_before_anything_is_sent(
    tmp_path: Path, capsys: Any, more: str, code: str
) -> None:
    base = "" if "base=" in more else ', base="http://127.0.0.1:9/v1"'
    path = tmp_path / "asked.lego"
    path.write_text(
        f'data d {{ source = Demo }}\nmodel m = predict API("small"{base}{more})\nrun m on d\n'
    )
    assert main(["check", str(path)]) == 1
    assert code in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("export e { precision = fp16 } run m on d as e", "cannot be exported"),
        ("train t { candidates = all } run m on d with t", "whole catalogue"),
    ],
)
def test_what_is_not_here_is_not_exported(
    tmp_path: Path, capsys: Any, line: str, what: str
) -> None:
    path = tmp_path / "asked.lego"
    path.write_text(
        'data d { source = Demo }\nmodel m = predict API("small", base="http://127.0.0.1:9/v1")\n'
        f"{line}\n"
    )
    assert main(["check", str(path)]) == 1
    told = capsys.readouterr().err
    assert "E0875" in told
    assert what in told


def test_stages_before_it_are_none(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "asked.lego"
    path.write_text(
        "data d { source = Demo }\nmodel m = content CNN -> behavior Additive -> "
        'predict API("small", base="http://127.0.0.1:9/v1")\nrun m on d\n'
    )
    assert main(["check", str(path)]) == 1
    assert "it is asked, and reads no stage before it" in capsys.readouterr().err


def test_it_is_neither_compiled_exported_nor_ranked_whole(write: Any, capsys: Any) -> None:
    with serving(by_chances) as served:
        path = write(served)
        assert main(["compile", str(path)]) == 1
        assert run("train", path, "-q") == 0
        place = str(folder_of(path))
        cache = ("--cache", str(path.parent / "cache"))
        count = len(served.asked)
        for command in (
            ["export", place, *cache], ["predict", place, "-o", "rows.csv", *cache],
            ["eval", place, "--candidates", "all", *cache],
        ):  # fmt: skip
            assert main(command) == 1, command
            assert "E0875" in capsys.readouterr().err
        assert len(served.asked) == count
        assert main(["eval", place, *cache, "-q"]) == 0
        assert len(served.asked) == count
