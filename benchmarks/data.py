"""From raw files to training batches on a log of MIND-large's shape: memory, growth over three
sizes, against the same joins in plain pandas, and a second start.

`python -m benchmarks data` runs small sizes; `python -m benchmarks.data 1` runs a quarter, a half
and the whole of MIND-large (about 10 GB of disk). Each figure is of a process of its own.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import large_log


SMALL = 0.04
TEXT = """
data log {{ source = MIND("{folder}") content = [title(30), category] history = 50 }}
model naml = content CNN(hidden=64) -> behavior Additive -> predict Dot
run naml on log
"""
BATCHES = 200
STEPS = 20
# The scale up to which pandas is run: at this one it holds about 14 GB.
PANDAS_MOST = 0.3


def run(scale: float = SMALL) -> None:
    """Print every figure for a quarter, a half and the whole of a scale of MIND-large."""
    print(f"\ndata: raw files to batches, scale {scale:g} of MIND-large; each line is a process")
    ours: list[tuple[int, float]] = []
    theirs: list[tuple[int, float]] = []
    with tempfile.TemporaryDirectory() as place:
        for share in (0.25, 0.5, 1.0):
            folder = large_log.write(Path(place) / f"raw{share:g}", scale=scale * share)
            spec = Path(place) / f"log{share:g}.lego"
            spec.write_text(TEXT.format(folder=folder), encoding="utf-8")
            cache = Path(place) / f"cache{share:g}"
            first, again = (measure("legoc", spec, cache) for _ in range(2))
            rows = first["rows"]
            show(f"legoc, {rows:,} rows", first)
            show("  a second start", again)
            print(
                f"    of it prepared from the cache in {again['prepared_cpu']:.2f} s CPU, "
                f"{again['prepared']:.2f} s wall"
            )
            ours.append((rows, first["cpu"]))
            if scale * share > PANDAS_MOST:
                print(f"    plain pandas is left out above {PANDAS_MOST:g}: it would hold too much")
                continue
            pandas = measure("pandas", folder, Path(place) / f"pandas{share:g}")
            check_equal(first, pandas)
            show("  plain pandas, joins alone", pandas)
            joins = first["tables"] + first["logs"]
            print(
                f"    joins: legoc {joins:.1f} s of {first['cpu']:.1f} s CPU, pandas "
                f"{pandas['cpu']:.1f} s CPU: {pandas['cpu'] / joins:.1f} x"
            )
            theirs.append((rows, pandas["cpu"]))
        step = measure("naml", spec, cache)
    print(
        f"  a batch of 64 takes {step['batch']:.2f} ms to assemble, a NAML step of it "
        f"{step['step']:.1f} ms: {step['batch'] / step['step']:.1%}"
    )
    for name, seconds in (("legoc", ours), ("pandas", theirs)):
        if len(seconds) > 1:
            slope = np.polyfit(*np.log(np.array(seconds, dtype=float)).T, 1)[0]
            print(f"  {name}: CPU seconds grow as rows to the power {slope:.2f}")


def show(name: str, figures: Mapping[str, Any]) -> None:
    print(
        f"  {name:<34} {figures['cpu']:>8.1f} s CPU {figures['wall']:>8.1f} s wall "
        f"{figures['peak'] / 2**20:>8,.0f} MiB resident at most"
    )


def check_equal(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    """The baseline must do the same work."""
    for name in ("rows", "clicks", "checksum"):
        if ours[name] != theirs[name]:
            raise RuntimeError(f"{name}: legoc has {ours[name]} and pandas {theirs[name]}")


def measure(work: str, path: Path, cache: Path) -> dict[str, Any]:
    """The figures of one process."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.data", work, str(path), str(cache)],
        capture_output=True, text=True, check=False, env=dict(os.environ),
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def work_legoc(spec_file: Path, cache: Path) -> dict[str, Any]:
    """Everything up to training batches, the joins timed apart from the tokens."""
    from legoc.data import prepare
    from legoc.data.batching.sampling import matching_batches
    from legoc.language import load

    (spec,) = load(spec_file)
    clock, began, began_cpu = Clock(), time.monotonic(), time.process_time()
    prepared = prepare(spec, cache=cache, progress=clock)
    seconds = time.monotonic() - began
    prepared_at = time.process_time()
    logs = {name: prepared.logs[name] for name in prepared.logs}
    logs_time = time.process_time() - prepared_at
    sampler = matching_batches(prepared, batch=64, seed=1)
    for step in range(min(BATCHES, sampler.steps)):
        sampler.batch(0, step)
    return {
        "rows": sum(log.rows for log in logs.values()),
        "clicks": sum(len(log.clicks) for log in logs.values()),
        "checksum": checksum(
            {name: (log.item, log.label, log.clicks) for name, log in logs.items()}
        ),
        "tables": clock.spent("reading", "learning"),
        "logs": logs_time,
        "prepared": seconds,
        "prepared_cpu": prepared_at - began_cpu,
    }


class Clock:
    """Notes the CPU time at each line of progress."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, float]] = []

    def say(self, text: str) -> None:
        self.lines.append((text, time.process_time()))

    def task(self, name: str, total: int | None, unit: str = "") -> Any:
        from legoc.progress import SILENT

        return SILENT.task(name, total, unit)

    def spent(self, first: str, last: str) -> float:
        """Seconds between the lines that begin so; 0 where nothing was made."""
        times = {text.split()[0]: at for text, at in reversed(self.lines)}
        return times[last] - times[first] if first in times and last in times else 0.0


def work_naml(spec_file: Path, cache: Path) -> dict[str, Any]:
    """Milliseconds of assembling a batch and of a whole update of NAML with it."""
    import torch

    from legoc.data import prepare
    from legoc.data.batching.sampling import matching_batches
    from legoc.language import load
    from legoc.model import compile

    torch.set_num_threads(1)
    (spec,) = load(spec_file)
    prepared = prepare(spec, cache=cache)
    model = compile(spec).build(prepared.rows)
    optimiser = torch.optim.Adam(model.parameters())
    sampler = matching_batches(prepared, batch=64, seed=1)
    assembling = updating = 0.0
    for step in range(-2, STEPS):
        began = time.process_time()
        batch = sampler.batch(0, step + 2)
        assembled = time.process_time()
        loss = torch.nn.functional.cross_entropy(
            model(batch).scores, torch.zeros(len(batch.labels), dtype=torch.long)
        )
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        # The first two warm up.
        if step >= 0:
            assembling += assembled - began
            updating += time.process_time() - began
    return {"batch": 1000 * assembling / STEPS, "step": 1000 * updating / STEPS}


def work_pandas(folder: Path, cache: Path) -> dict[str, Any]:
    """The same three tables and the same arrays, joined as one would in pandas."""
    import pandas as pd

    cache.mkdir(exist_ok=True)
    options = {"sep": "\t", "header": None, "quoting": 3, "keep_default_na": False, "dtype": str}
    news = pd.concat([pd.read_csv(folder / part / "news.tsv", **options) for part in PARTS])
    items = news[[0, 1, 2, 3, 4]].drop_duplicates(0).reset_index(drop=True)
    items.columns = ["item_id", "category", "subcategory", "title", "abstract"]
    frames = []
    for part in PARTS:
        frame = pd.read_csv(folder / part / "behaviors.tsv", **options)
        frame.columns = ["impression", "user_id", "time", "history", "candidates"]
        frame["impression_id"] = part + "/" + frame["impression"]
        frames.append(frame.assign(part=part))
    shown = pd.concat(frames, ignore_index=True)
    shown["time"] = pd.to_datetime(shown["time"], format="%m/%d/%Y %I:%M:%S %p")
    train = shown[shown["part"] == "train"]
    cut = train["time"].sort_values(kind="stable").iloc[int(0.9 * len(train) + 1e-9)]
    shown["split"] = np.where(
        shown["part"] == "dev", "test", np.where(shown["time"] >= cut, "valid", "train")
    )
    told = shown[["user_id", "history"]].drop_duplicates().reset_index(drop=True)
    told["history_id"] = told.index
    clicks = told.assign(item_id=told["history"].str.split(" ")).explode("item_id")
    clicks = clicks.merge(items[["item_id"]], on="item_id")
    listed = clicks.groupby("history_id")["item_id"].agg(list).rename("clicks")
    histories = told.merge(listed, on="history_id", how="left")
    shown = shown.merge(told, on=["user_id", "history"])
    shown["candidate"] = shown["candidates"].str.split(" ")
    rows = shown[["impression_id", "history_id", "user_id", "time", "split", "candidate"]]
    rows = rows.explode("candidate")
    rows["item_id"] = rows["candidate"].str[:-2]
    rows["label"] = rows["candidate"].str[-1].astype(np.float32)
    rows = rows.drop(columns="candidate").merge(items[["item_id"]], on="item_id")
    items.to_parquet(cache / "items.parquet")
    histories[["history_id", "user_id", "clicks"]].to_parquet(cache / "histories.parquet")
    rows.to_parquet(cache / "interactions.parquet")
    places = pd.DataFrame({"item_id": items["item_id"], "place": np.arange(1, len(items) + 1)})
    arrays: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
    for name in ("train", "valid", "test"):
        chosen = rows[rows["split"] == name].merge(places, on="item_id")
        known = histories[histories["history_id"].isin(chosen["history_id"])]
        past = known.assign(clicks=known["clicks"].str[-50:]).explode("clicks")
        past = past.dropna(subset="clicks").merge(places, left_on="clicks", right_on="item_id")
        arrays[name] = (
            chosen["place"].to_numpy(), chosen["label"].to_numpy(), past["place"].to_numpy()
        )  # fmt: skip
    return {
        "rows": sum(len(item) for item, _, _ in arrays.values()),
        "clicks": sum(len(clicks) for _, _, clicks in arrays.values()),
        "checksum": checksum(arrays),
    }


PARTS = ("train", "dev")


def checksum(arrays: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> int:
    """A sum that depends on every item, label and click, and not on their order."""
    total = 0
    for item, label, clicks in arrays.values():
        total += int((item.astype(np.int64) * (1 + label.astype(np.int64))).sum())
        total += int((clicks.astype(np.int64) ** 2).sum())
    return total


WORK: Mapping[str, Callable[[Path, Path], dict[str, Any]]] = {
    "legoc": work_legoc, "pandas": work_pandas, "naml": work_naml,
}  # fmt: skip


def main(arguments: list[str]) -> int:
    if arguments and arguments[0] in WORK:
        wall, cpu = time.monotonic(), time.process_time()
        figures = WORK[arguments[0]](Path(arguments[1]), Path(arguments[2]))
        figures["wall"] = time.monotonic() - wall
        figures["cpu"] = time.process_time() - cpu
        figures["peak"] = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps(figures))
        return 0
    run(float(arguments[0]) if arguments else SMALL)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
