"""Records of `legoc score` and `legoc recommend`: one schema, and a located message where a record
does not hold to it."""

import csv
import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

import legoc_runtime
from legoc.commands.asked import BLOCK, whole_lines
from legoc.commands.records import Record, read_record
from tests.product.conftest import ROOT, run
from tests.runtime.bundles import KINDS, write_bundle


def ask(bundle: Path, source: Path, *flags: Any, command: str = "recommend") -> int:
    return run(command, bundle, source, *flags)


@pytest.mark.parametrize(
    ("record", "code", "says"),
    [
        ('{"history": 5}', "E0866", "`history` is the number 5, not a list of item ids"),
        ('{"history": true}', "E0866", "`history` is true"),
        ('{"history": {"N1": 3}}', "E0866", "`history` is an object"),
        ('{"history": ["N1", null]}', "E0866", "`history` holds null"),
        ('{"history": [1e17]}', "E0866", "several ids become one"),
        ('{"history": [NaN]}', "E0866", "`history` holds a number"),
        ('{"history": [["N1"]]}', "E0866", "`history` holds a list"),
        ('{"history": ["\\ud800"]}', "E0866", "no text in UTF-8"),
        ('{"history": "[\'N1\', \'N2"}', "E0866", "a list that cannot be read"),
        ('{"history": ["N1"], "user": ["a"]}', "E0866", "`user` is a list"),
        ('{"history": ["N1"], "user": {}}', "E0866", "`user` is an object"),
        ('{"history": ["N1"], "user": "\\udc00"}', "E0866", "`user` holds"),
        ('{"history": ["N1"], "history": []}', "E0864", "`history` is given twice"),
        ("[" * 100_000, "E0864", "nested too deep"),
        ('{"history": [' + "9" * 5000 + "]}", "E0864", "too many digits"),
        ("NaN", "E0864", "not a record"),
        ("{", "E0864", "not JSON"),
        ('{"histori": []}', "E0860", "no `history`"),
    ],
)
def test_a_record_out_of_the_schema(
    record: str,
    code: str,
    says: str,
    bundle: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = tmp_path / "asked.jsonl"
    asked.write_text('{"history": []}\n\n' + record + "\n", encoding="utf-8")
    assert ask(bundle, asked) == 1
    shown = capsys.readouterr()
    # What came before is answered.
    assert len(shown.out.splitlines()) == 1
    assert f"error[{code}]: {asked}:3: " in shown.err
    assert says in shown.err
    assert "Traceback" not in shown.err
    # The others are answered too where that is asked for, and a file holds all of it.
    with asked.open("a", encoding="utf-8") as file:
        file.write('{"history": []}')
    out = tmp_path / "out.jsonl"
    assert ask(bundle, asked, "-o", out) == 1
    assert not out.exists()
    assert ask(bundle, asked, "-o", out, "--keep-going") == 1
    first, wrong, last = (json.loads(line) for line in out.read_text("utf-8").splitlines())
    assert first == last
    assert (wrong["code"], says in wrong["error"]) == (code, True)
    assert "1 of 3 records could not be answered" in capsys.readouterr().err


def test_a_candidate_nobody_knows_is_told_beside_the_others(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    item = legoc_runtime.load(bundle).items.ids[0]
    asked = tmp_path / "asked.jsonl"
    wanted = [[item], ["nobody"], 7, [item]]
    asked.write_text(
        "".join(
            json.dumps({"history": [], "candidates": c, "user": n}) + "\n"
            for n, c in enumerate(wanted)
        )
    )
    assert ask(bundle, asked, "--keep-going", command="score") == 1
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["user"] for one in found] == [0, 1, 2, 3]
    assert [one.get("code") for one in found] == [None, "E0850", "E0866", None]
    assert found[0]["scores"] == found[3]["scores"]


TABLES = {
    "quotes.csv": (b'history\n"N1', "E0864", "quotes.csv:2"),
    "cells.csv": (b"history\nN1,N2\n", "E0864", "cells.csv:2: 2 cells, and the header names 1"),
    "empty.csv": (b"", "E0864", "`"),
    "header.csv": (b"a,b\n1,2\n", "E0860", "no column `history`"),
    "twice.tsv": (b"history\thistory\nN1\tN2\n", "E0864", "two columns `history`"),
    "latin.csv": (b"history\n\xff\n", "E0864", "latin.csv:2: not UTF-8"),
    "utf16.jsonl": ('{"history": []}'.encode("utf-16"), "E0864", "utf16.jsonl:1: not UTF-8"),
    "pandas.csv": (b"history\n\"['N1', 'N2'\"\n", "E0866", "pandas.csv:2: `history` is"),
    "text.parquet": (b"history\nN1\n", "E0864", "cannot be read as Parquet"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_file_that_is_none_of_its_form(
    name: str, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, code, says = TABLES[name]
    (tmp_path / name).write_bytes(content)
    assert ask(bundle, tmp_path / name) == 1
    said = capsys.readouterr().err
    assert f"error[{code}]" in said
    assert says in said
    assert "Traceback" not in said


@pytest.mark.parametrize("place", ["nowhere/out.jsonl", "nowhere/out.csv", "nowhere/out.parquet"])
def test_answers_that_have_nowhere_to_go(
    place: str, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = tmp_path / "asked.jsonl"
    asked.write_text('{"history": []}\n')
    assert ask(bundle, asked, "-o", tmp_path / place) == 1
    assert f"E0562]: `{tmp_path / place}` cannot be written" in capsys.readouterr().err


def test_every_form_is_answered_alike(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = legoc_runtime.load(bundle).items.ids
    random = np.random.default_rng(1)
    records = [
        {
            "user": f"u{n}",
            "history": [str(one) for one in random.choice(ids, n % 7)],
            "candidates": list(ids[n : n + 3]),
        }
        for n in range(40)
    ]
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (tmp_path / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + lines.replace("\n", "\r\n").encode())
    for name, separator in (("a.csv", ","), ("a.tsv", "\t")):
        with (tmp_path / name).open("w", newline="", encoding="utf-8-sig") as file:
            table = csv.writer(file, delimiter=separator)
            table.writerow(records[0])
            table.writerows(
                [r["user"], " ".join(r["history"]), " ".join(r["candidates"])] for r in records
            )
    parquet.write_table(pa.Table.from_pylist(records), tmp_path / "a.parquet")
    found = {}
    for form in ("jsonl", "csv", "tsv", "parquet"):
        assert ask(bundle, tmp_path / f"a.{form}", command="score") == 0
        found[form] = capsys.readouterr().out
    # As pandas writes the lists of a frame.
    (tmp_path / "b.csv").write_text(
        "user,history,candidates\n"
        + "".join(f'{r["user"]},"{r["history"]}","{r["candidates"]}"\n' for r in records)
    )
    assert ask(bundle, tmp_path / "b.csv", command="score") == 0
    found["pandas"] = capsys.readouterr().out
    assert set(found.values()) == {found["jsonl"]}
    assert [json.loads(line)["user"] for line in found["csv"].splitlines()] == [
        record["user"] for record in records
    ]
    for form in ("csv", "parquet"):
        out = tmp_path / f"out.{form}"
        assert ask(bundle, tmp_path / "a.jsonl", "-o", out, command="score") == 0
        assert out.stat().st_size
    scores = [json.loads(line)["scores"] for line in found["jsonl"].splitlines()]
    assert parquet.read_table(tmp_path / "out.parquet")["scores"].to_pylist() == scores


def test_whole_lines_are_given_as_they_come() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as file:
        lines = whole_lines(file)
        os.write(writer, b"a\nb")
        assert next(lines) == [b"a"]
        os.write(writer, b"c\n\nd\n")
        assert next(lines) == [b"bc", b"", b"d"]
        os.write(writer, b"last")
        os.close(writer)
        assert list(lines) == [[b"last"]]


def test_a_line_is_answered_before_the_next_is_asked(bundle: Path) -> None:
    command = [sys.executable, "-m", "legoc", "recommend", str(bundle), "-k", "2"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(3):
            process.stdin.write(b'{"history": []}\n')
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], 60)
            assert ready, "no answer to a line that is whole"
            assert len(json.loads(process.stdout.readline())["items"]) == 2
        process.stdin.close()
    assert process.returncode == 0


def test_a_file_is_answered_in_blocks_and_in_order(
    bundle: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = legoc_runtime.load(bundle).items.ids
    histories = [[ids[n % len(ids)]] * (n % 9) for n in range(BLOCK + 30)]
    asked = tmp_path / "asked.jsonl"
    asked.write_text(
        "".join(json.dumps({"history": h, "user": n}) + "\n" for n, h in enumerate(histories))
    )
    sizes: list[int] = []
    encode = legoc_runtime.Model.encode_users

    def counted(self: Any, histories: Any, *given: Any) -> Any:
        sizes.append(len(histories))
        return encode(self, histories, *given)

    monkeypatch.setattr(legoc_runtime.Model, "encode_users", counted)
    assert ask(bundle, asked, "-k", 3) == 0
    assert sizes == [BLOCK, 30]
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["user"] for one in found] == list(range(len(histories)))
    model = legoc_runtime.load(bundle)
    for n in (0, 5, BLOCK - 1, BLOCK, BLOCK + 29):
        _, scores = model.recommend(model.encode_user(histories[n]), k=3, exclude=histories[n])
        np.testing.assert_allclose(found[n]["scores"], scores, atol=1e-6)


@pytest.mark.parametrize("written", ["N1 N2", "['N1', 'N2']", '["N1", "N2"]', "['N1' 'N2']"])
def test_ids_are_read_as_the_tables_of_training_are(written: str) -> None:
    found = read_record("1", {"history": written}, ("history",))
    assert isinstance(found, Record)
    assert found.history == ["N1", "N2"]


def test_answers_say_who_and_what_is_unknown(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = list(legoc_runtime.load(bundle).items.ids[:3])
    asked = [
        {"history": [ids[0], "nobody", 5], "user_id": 7}, {"history": ["nobody"]},
        {"history": [ids[0]], "user": 7, "user_id": "8"},
    ]  # fmt: skip
    file = tmp_path / "asked.jsonl"
    file.write_text("\n".join(map(json.dumps, asked)))
    assert run("recommend", bundle, file, "-k", "2", "--keep-going") == 1
    first, second, third = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["user"], first["unknown"], first["cold"]) == (7, ["nobody", "5"], None)
    assert second["unknown"] == ["nobody"]
    assert second["cold"] in ("model", "popularity")
    assert "`user` is 7 and `user_id` is '8'" in third["error"]


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_records_describe_their_users(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = write_bundle(tmp_path / "bundle", KINDS["profile"])
    model = legoc_runtime.load(bundle)
    profiles: list[Any] = [{"age": 60, "region": "moon"}, None, {"region": "south", "regoin": "x"}]
    rows = [{"history": ["N1"], "user": "U1", "profile": each} for each in profiles]
    source = tmp_path / f"asked.{form}"
    if form == "jsonl":
        source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif form == "csv":
        with source.open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(rows[0])
            for row in rows:
                told = "" if row["profile"] is None else json.dumps(row["profile"])
                table.writerow(["N1", "U1", told])
    else:
        told = [None if each is None else json.dumps(each) for each in profiles]
        parquet.write_table(
            pa.table({"history": [["N1"]] * 3, "user": ["U1"] * 3, "profile": told}), source
        )
    assert ask(bundle, source, "-k", 3) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for each, answer in zip(profiles, answers, strict=True):
        user = model.encode_user(["N1"], "U1", profile=each)
        ids, scores = model.recommend(user, k=3, exclude=["N1"])
        assert answer["items"] == ids
        assert answer["scores"] == pytest.approx(scores, abs=1e-5)
        assert ("unseen" in answer) == (each is not None)
    assert answers[0]["unseen"] == {"region": ["moon"]}
    assert answers[2]["ignored"] == ["regoin"]


@pytest.mark.parametrize(
    ("profile", "code", "says"),
    [
        ("5", "E0866", "`profile` is the number 5, not the attributes of a user"),
        ('"age 5"', "E0866", "`profile` is a text"), ("[]", "E0866", "`profile` is a list"),
        ('{"aeg": 3}', "E0834", "none of the attributes the model reads: `aeg`"),
        ('{"age": "old"}', "E0834", "`age` is 'old'"),
    ],
)  # fmt: skip
def test_a_profile_that_cannot_be_read(
    profile: str, code: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = write_bundle(tmp_path / "bundle", KINDS["profile"])
    asked = tmp_path / "asked.jsonl"
    asked.write_text(f'{{"history": ["N1"]}}\n{{"history": [], "profile": {profile}}}\n')
    assert ask(bundle, asked) == 1
    said = capsys.readouterr().err
    assert f"error[{code}]" in said
    assert says in said
    assert "asked.jsonl:2" in said
