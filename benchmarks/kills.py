"""Kills at any moment: twenty SIGKILLs and five SIGTERMs over a whole job, which has to end with
the bytes of one that was never killed.

The job prepares data, keeps the states of a language model's frozen blocks, trains above them,
validates, exports and evaluates. Each kill comes a random time after the command was given again,
so they fall on all of these; what lies in the folders when it comes says on which.
"""

import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.lm.tiny import save_model
from tests.lm_data.folders import ROWS, wordpiece


KILLS, STOPS = 20, 5
# After so many a job comes to its end and is compared, and another one begins.
ROUND = 3
TEXT = """
data small {{
  source = Demo(items=1200, users=120, impressions=500)
  content = [title(10), subcategory]
  history = 8
}}
model m = content BERT(path="{model}", split=-2, lora=4) -> behavior Additive(dim=16) -> predict Dot
train t {{ epochs = 6 patience = 6 batch = 32 samples = 640 lr = 1e-3 metrics = [GAUC, LogLoss] calibrate = true }}
run m on small with t
"""  # noqa: E501
# What says how long something took, and which machines worked on it.
TIMES = ("cost.json", "environment.json")
CLOCKS = ("seconds", "timings")


@dataclass(frozen=True, kw_only=True)
class Place:
    """The folders of a job."""

    file: Path
    runs: Path
    cache: Path

    @property
    def command(self) -> list[str]:
        return [
            sys.executable, "-m", "legoc", "train", str(self.file), "--runs", str(self.runs),
            "--cache", str(self.cache), "--device", "cpu", "--quiet",
        ]  # fmt: skip


def run() -> None:
    """Print how many kills fell on what, and whether anything differs."""
    fell, differences = measure(KILLS, STOPS)
    print(f"\n{KILLS} SIGKILLs and {STOPS} SIGTERMs, {ROUND} to a job, fell on:")
    for what, count in fell.most_common():
        print(f"  {what:<12} {count}")
    for name in differences:
        print(f"  differs: {name}")
    print("the same bytes as without" if not differences else "NOT the same bytes")


def measure(kills: int, stops: int, seed: int = 1) -> tuple[Counter[str], list[str]]:
    """On what so many kills and stops fell, and which files differ from those of a job without."""
    signals = [signal.SIGKILL] * kills + [signal.SIGTERM] * stops
    draws = random.Random(seed)
    draws.shuffle(signals)
    fell = Counter[str]()
    differences: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        file = write_job(root)
        straight = place_below(root, file, "straight")
        seconds = finish(straight)
        while signals:
            killed = place_below(root, file, f"killed{len(signals)}")
            for _ in range(min(ROUND, len(signals))):
                what = kill(killed, signals[-1], draws.uniform(0.05, 0.95) * seconds)
                if what is None:
                    break
                fell[what] += 1
                signals.pop()
            finish(killed)
            differences += differing(straight.runs, killed.runs)
            shutil.rmtree(killed.runs.parent)
    return fell, differences


def write_job(root: Path) -> Path:
    """The file of the job, with a language model beside it."""
    model = save_model(root / "model", "BERT", words=ROWS)
    wordpiece(model / "tokenizer.json")
    file = root / "job.lego"
    file.write_text(TEXT.format(model=model), encoding="utf-8")
    return file


def place_below(root: Path, file: Path, name: str) -> Place:
    return Place(file=file, runs=root / name / "runs", cache=root / name / "cache")


def finish(place: Place) -> float:
    """Let the job come to its end, in so many seconds."""
    began = time.monotonic()
    subprocess.run(place.command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def kill(place: Place, number: int, after: float) -> str | None:
    """Begin the job, or go on with it, and send it a signal after so many seconds; on what it fell,
    None where it was done before."""
    process = subprocess.Popen(place.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        code = process.wait(after)
        assert code == 0, f"a job that goes on ended with {code}"
        return None
    except subprocess.TimeoutExpired:
        found = stage(place)
        process.send_signal(number)
        code = process.wait()
    assert code in (-number, 128 + number, 0), f"{signal.Signals(number).name} gave {code}"
    return found


def stage(place: Place) -> str:
    """How far the job has come, as its folders say."""
    run = next(iter(place.runs.glob("*/spec.json")), None)
    if run is None:
        return "prepare"
    folder = run.parent
    if (folder / "bundle" / "manifest.json").is_file():
        return "evaluate"
    if (folder / "resume" / "state.safetensors").is_file():
        last = (folder / "log.jsonl").read_bytes().rstrip().rpartition(b"\n")[2]
        return "validate" if last.startswith(b'{"event": "evaluation"') else "train"
    if (folder / "best.safetensors").is_file():
        return "export"
    return "states"


def differing(one: Path, other: Path) -> Iterator[str]:
    """The files of runs that are not the same, times aside."""
    names = {p.relative_to(root) for root in (one, other) for p in root.rglob("*") if p.is_file()}
    for name in sorted(names):
        if name.name not in TIMES and told(one / name) != told(other / name):
            yield str(name)


def told(path: Path) -> object:
    """What a file says without how long it took."""
    if not path.is_file():
        return None
    if path.suffix == ".jsonl":
        return [timeless(json.loads(line)) for line in path.read_text("utf-8").splitlines()]
    if path.suffix == ".json":
        return timeless(json.loads(path.read_text("utf-8")))
    return path.read_bytes()


def timeless(value: object) -> object:
    if isinstance(value, dict):
        return {name: timeless(one) for name, one in value.items() if name not in CLOCKS}
    return [timeless(one) for one in value] if isinstance(value, list) else value
