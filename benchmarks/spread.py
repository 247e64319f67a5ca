"""Records answered by Ray's workers, two of which are killed on the way, beside one process: the
same rows, none lost, none doubled.

How much faster it is depends on the CPUs; what is printed is what is the same.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import legoc_runtime
from tests.training.processes import descendants, title


ROWS = 400_000
KILLS = 2
TEXT = """
data d { source = Demo(items=1000, users=80, impressions=240) content = [title(16)] history = 20 }
model m = content CNN(hidden=16) -> behavior Additive(dim=16) -> predict Dot
train t { epochs = 1 samples = 128 }
run m on d with t
"""


def run() -> None:
    """Print whether all rows are those of one process."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        bundle = make_bundle(place)
        write_records(bundle, place / "asked.parquet", ROWS)
        one, many = place / "one.parquet", place / "many.parquet"
        words = ["score", str(bundle), str(place / "asked.parquet"), "-o"]
        began = time.monotonic()
        legoc(*words, str(one)).wait()
        alone = time.monotonic() - began
        began = time.monotonic()
        process = legoc(*words, str(many), "--engine", "ray", "--jobs", "2")
        killed = kill_workers(process, alone / 4)
        assert process.wait() == 0
        print(f"\n{ROWS:,} rows by two workers of Ray, {killed} SIGKILLs: ", end="")
        print(f"{(time.monotonic() - began) / alone:.2f} of the time of one process")
        compare(pq.read_table(one), pq.read_table(many))


def legoc(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "legoc", *words, "-q"])


def make_bundle(place: Path) -> Path:
    (place / "m.lego").write_text(TEXT, encoding="utf-8")
    words = ["train", str(place / "m.lego"), "--until", "export", "--device", "cpu"]
    assert legoc(*words, "--runs", str(place / "runs"), "--cache", str(place)).wait() == 0
    return next((place / "runs").glob("m-*/bundle"))


def write_records(bundle: Path, path: Path, rows: int) -> None:
    """Records of up to 20 clicks and 5 candidates; each names its row as the user."""
    ids = np.array(legoc_runtime.load(bundle).items.ids)
    draws = np.random.default_rng(0)
    sizes = draws.integers(0, 20, rows)
    with pq.ParquetWriter(path, SCHEMA) as writer:
        for start in range(0, rows, 50_000):
            part = sizes[start : start + 50_000]
            columns = [
                np.arange(start, start + len(part)),
                [draws.choice(ids, size) for size in part],
                list(draws.choice(ids, (len(part), 5))),
            ]
            writer.write_table(pa.table(columns, schema=SCHEMA))


SCHEMA = pa.schema(
    {"user": pa.int64(), "history": pa.list_(pa.string()), "candidates": pa.list_(pa.string())}
)


def kill_workers(process: subprocess.Popen[bytes], pause: float) -> int:
    """Kill a worker again and again; how many."""
    killed: set[int] = set()
    while process.poll() is None and len(killed) < KILLS:
        busy = [n for n in descendants(process.pid) if is_busy(n) and n not in killed]
        if busy:
            time.sleep(pause)
            os.kill(busy[0], signal.SIGKILL)
            killed.add(busy[0])
        time.sleep(0.1)
    return len(killed)


def is_busy(number: int) -> bool:
    return title(number).startswith("ray::MapWorker(MapBatches(PartWorker))")


def compare(one: pa.Table, many: pa.Table) -> None:
    users = many.column("user").to_numpy()
    lost = ROWS - len(np.unique(users))
    doubled = len(users) - len(np.unique(users))
    same = many.equals(one.replace_schema_metadata(None))
    print(f"  lost {lost}, doubled {doubled}, ", end="")
    print("every value that of one process" if same else "NOT the values of one process")


if __name__ == "__main__":
    run()
