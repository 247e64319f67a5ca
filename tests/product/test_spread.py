"""Records answered and items encoded by Ray's workers: the rows of one process, none lost and none
doubled, though workers are killed; and what is refused."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import legoc_runtime
from legoc.commands.part_worker import ATTEMPTS, Order, PartWorker, begin
from legoc.commands.parts import BLOCK, Cursor, Spool, cut, to_bytes
from legoc.commands.ray_parts import Attempts
from tests.product.conftest import ROOT, run
from tests.training.processes import PATIENCE, descendants, title, wait_for


ROWS = 6000
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"} | {
    "RAY_worker_niceness": "0"
}


@pytest.fixture(scope="module")
def place(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with records to score, and raw items."""
    place = tmp_path_factory.mktemp("spread")
    (place / "bundle").symlink_to(bundle)
    ids = legoc_runtime.load(bundle).items.ids
    draws = np.random.default_rng(0)
    histories = [
        [ids[n] for n in draws.integers(0, len(ids), draws.integers(0, 9))] for _ in range(ROWS)
    ]
    candidates = [[ids[n] for n in draws.integers(0, len(ids), 1 + row % 4)] for row in range(ROWS)]
    histories[7].append("a stranger")
    asked = pa.table({"user_id": range(ROWS), "history": histories, "candidates": candidates})
    pq.write_table(asked, place / "asked.parquet", row_group_size=1700)
    titles = [" ".join(f"word{n}" for n in draws.integers(0, 50, row % 17)) for row in range(ROWS)]
    items = pa.table(
        {"item_id": [f"X{row}" for row in range(ROWS)], "title": titles, "extra": range(ROWS)}
    )
    pq.write_table(items, place / "items.parquet", row_group_size=2500)
    return place


def page(name: str) -> list[str]:
    """The words of a command that docs/scaling.md shows, behind `legoc`."""
    text = (ROOT / "docs/scaling.md").read_text("utf-8")
    (line,) = re.findall(rf"<!-- {name} -->\n```console\n\$ legoc (.+)\n```", text)
    return line.split()


def spread(place: Path, *words: object, kills: int = 0) -> subprocess.CompletedProcess[str]:
    """A command on Ray; so many of its workers are killed while they work."""
    process = subprocess.Popen(
        [sys.executable, "-m", "legoc", *map(str, words), "--jobs", "2"],
        cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
    )  # fmt: skip
    killed: set[int] = set()

    def busy() -> list[int]:
        return [
            number for number in descendants(process.pid)
            if number not in killed and title(number).startswith("ray::MapWorker(MapBatches(PartW")
        ]  # fmt: skip

    try:
        for _ in range(kills):
            (number, *_) = wait_for(
                lambda: (process.poll() is not None and [0]) or busy(), "a worker"
            )
            if not number:
                break
            killed.add(number)
            os.kill(number, signal.SIGKILL)
        out, err = process.communicate(timeout=PATIENCE)
    except BaseException:
        process.kill()
        raise
    assert len(killed) == kills, (out, err)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def test_scores_are_those_of_one_process_though_workers_are_killed(
    place: Path, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ray.data", reason="the extra `ray` is not installed")
    assert run("score", bundle, place / "asked.parquet", "-o", place / "one.parquet") == 0
    told = capsys.readouterr().err.splitlines()[-1]
    done = spread(place, *page("score ray"), kills=3)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[-1] == told
    one, many = (pq.read_table(place / f"{name}.parquet") for name in ("one", "scores"))
    assert many.column("user").to_pylist() == list(range(ROWS))
    assert many.equals(one.replace_schema_metadata(None))
    # Ray 2.60 says itself that it was told to be silent.
    said = [line for line in lines if "ray" in line.lower() and "logging.cc" not in line]
    assert said == ["starting Ray"]
    # Nothing else is left beside the answers.
    assert {path.suffix for path in place.iterdir() if path.is_file()} == {".parquet"}


def test_a_record_that_is_not_right_ends_it_as_one_process_ends(place: Path, bundle: Path) -> None:
    pytest.importorskip("ray.data", reason="the extra `ray` is not installed")
    table = pq.read_table(place / "asked.parquet")
    candidates = table.column("candidates").to_pylist()
    candidates[3333] = candidates[5555] = ["nobody"]
    wrong = place / "wrong.parquet"
    pq.write_table(table.set_column(2, "candidates", pa.array(candidates)), wrong)
    done = spread(place, "score", bundle, "wrong.parquet", "-o", "none.parquet", "--engine", "ray")
    assert done.returncode == 1
    assert "E0850" in done.stderr
    assert "row 3334: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not (place / "none.parquet").exists()


def test_vectors_are_those_of_the_runtime(place: Path, bundle: Path) -> None:
    pytest.importorskip("ray.data", reason="the extra `ray` is not installed")
    words = ["embed", bundle, "--items", place / "items.parquet", "-o", place / "here.parquet"]
    assert run(*words, "--json") == 0
    done = spread(place, *page("embed ray"), "--json", kills=1)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"path": "vectors.parquet", "items": ROWS}
    here, there = (pq.read_table(place / f"{name}.parquet") for name in ("here", "vectors"))
    assert there.equals(here)
    model = legoc_runtime.load(bundle)
    some = pq.read_table(place / "items.parquet").slice(100, 40).to_pylist()
    model.items.add([{"id": row["item_id"], "title": row["title"]} for row in some])
    found = {row["item_id"]: row["vector"] for row in here.to_pylist()}
    for row in some:
        np.testing.assert_allclose(
            found[row["item_id"]], model.items.vector(row["item_id"]), atol=1e-6
        )


def test_vectors_do_not_depend_on_how_the_file_is_cut(place: Path, bundle: Path) -> None:
    order = Order(bundle=str(bundle), source=str(place / "items.parquet"), rows=ROWS)

    def vectors(size: int) -> list[object]:
        worker = begin(order)
        cuts = [(start, min(start + size, ROWS)) for start in range(0, ROWS, size)]
        return [row for start, stop in cuts for row in worker.do(start, stop)[0].to_pylist()]

    assert vectors(BLOCK) == vectors(4 * BLOCK) == vectors(16 * BLOCK)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("score {bundle} asked.jsonl -o out.parquet --engine ray", "E0881"),
        ("score {bundle} asked.parquet -o out.jsonl --engine ray", "E0881"),
        ("score {bundle} asked.parquet -o out.parquet --jobs 2", "E0881"),
        ("recommend {bundle} asked.parquet -o out.parquet --address auto", "E0881"),
        ("score {bundle} items.parquet -o out.parquet --engine ray", "E0860"),
        ("score {bundle} asked.parquet -o out.parquet --engine ray --when 2024-01-01", "E0867"),
        ("recommend {bundle} asked.parquet -o out.parquet --engine ray --approximate", "E0874"),
        ("embed {bundle} --items items.parquet -o out.safetensors", "E0882"),
        ("embed {bundle} --items items.csv -o out.parquet", "E0882"),
        ("embed {bundle} --items none.parquet -o out.parquet", "E0863"),
        ("embed {bundle} --items items.parquet -o out.parquet --pooling cls", "E0882"),
        ("embed {bundle} --items items.parquet -o out.parquet --jobs 2", "E0881"),
        ("embed {bundle} -o out.safetensors --engine ray", "E0882"),
        ("embed {bundle} -o out.safetensors --jobs 2", "E0881"),
        ("embed . --items items.parquet -o out.parquet", "E0882"),
        ("embed {bundle} --items asked.parquet -o out.parquet", "E0883"),
        ("embed {bundle} --items broken.parquet -o out.parquet", "E0864"),
        ("embed {bundle} --items twice.parquet -o out.parquet", "E0883"),
        ("embed {bundle} --items nameless.parquet -o out.parquet", "E0883"),
        ("embed {bundle} --items numbers.parquet -o out.parquet", "E0883"),
        ("embed {bundle} --items items.parquet -o nowhere/out.parquet", "E0562"),
    ],
)
def test_what_is_refused(
    words: str, code: str, place: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(place)
    (place / "asked.jsonl").write_text('{"history": [], "candidates": []}\n')
    (place / "broken.parquet").write_bytes((place / "items.parquet").read_bytes()[:-100])
    for name, ids, titles in (
        ("twice", ["a", "b", "a"], ["x", "y", "z"]),
        ("nameless", ["a", None], ["x", "y"]),
        ("numbers", ["a", "b"], [{"no": 1}, {"no": 2}]),
    ):
        pq.write_table(pa.table({"id": ids, "title": titles}), f"{name}.parquet")
    assert run(*words.format(bundle=bundle).split()) == 1
    assert code in capsys.readouterr().err
    assert not (place / "out.parquet").exists()
    for left in ("asked.jsonl", "broken.parquet", "twice.parquet", "nameless.parquet",
                 "numbers.parquet"):  # fmt: skip
        (place / left).unlink()


def test_no_items_are_no_vectors(place: Path, bundle: Path) -> None:
    empty = pq.read_table(place / "items.parquet").slice(0, 0)
    pq.write_table(empty, place / "empty.parquet")
    out = place / "no.parquet"
    assert run("embed", bundle, "--items", place / "empty.parquet", "-o", out, "-q") == 0
    assert pq.read_table(out).num_rows == 0
    assert pq.read_schema(out).names == ["item_id", "vector"]


def test_a_worker_tells_of_another_file(place: Path, bundle: Path) -> None:
    def said(**changes: object) -> str:
        given = {"bundle": str(bundle), "source": str(place / "items.parquet"), "rows": ROWS}
        worker = PartWorker(Order(**{**given, **changes}).to_text())  # type: ignore[arg-type]
        return worker({"number": [0], "start": [0], "stop": [1]})["said"][0]

    assert '"rows": 1' in said()
    for changes in ({"rows": 5}, {"source": "/none.parquet"}, {"bundle": "/none"}):
        assert json.loads(said(**changes))["failed"]["diagnostics"][0]["code"] == "E0880"


def test_a_part_that_kills_every_worker_ends(place: Path, bundle: Path) -> None:
    order = Order(bundle=str(bundle), source=str(place / "items.parquet"), rows=ROWS)
    begun = Attempts()
    for attempt in range(ATTEMPTS + 1):
        worker = PartWorker(order.to_text(), begun.begin)
        said = json.loads(worker({"number": [3], "start": [0], "stop": [2]})["said"][0])
        assert ("failed" in said) == (attempt == ATTEMPTS)
    assert said["failed"]["diagnostics"][0]["code"] == "E0884"
    assert begun.begin(4) == 1


def test_parts_are_whole_blocks_of_all_rows() -> None:
    for rows in (0, 1, 511, 512, 513, 6000, 400_000, 10_000_000):
        for workers in (1, 3, 64):
            parts = cut(rows, workers)
            assert [part.number for part in parts] == list(range(len(parts)))
            assert sum(part.stop - part.start for part in parts) == rows
            assert all(part.start % BLOCK == 0 for part in parts)


def test_rows_are_read_from_anywhere(place: Path) -> None:
    cursor = Cursor(str(place / "asked.parquet"), ["user_id"])
    for start, stop in ((0, 10), (10, 512), (3000, 3001), (3001, 6000), (1700, 1701), (0, 6000)):
        assert cursor.read(start, stop).column(0).to_pylist() == list(range(start, stop))


def test_users_that_are_numbers_in_some_parts_are_texts(tmp_path: Path) -> None:
    tables = [
        pa.table({"user": [1, 2], "unknown": [[], []]}),
        pa.table({"user": pa.array(["a"], pa.large_string()), "unknown": [["N"]]}),
        pa.table({"unknown": [["M"]]}),
    ]
    with Spool(tmp_path) as spool:
        for table in tables:
            spool.add(to_bytes(table))
        spool.write(tmp_path / "all.parquet")
    found = pq.read_table(tmp_path / "all.parquet").to_pylist()
    assert [row["user"] for row in found] == ["1", "2", "a", None]
    assert [row["unknown"] for row in found] == [[], [], ["N"], ["M"]]
