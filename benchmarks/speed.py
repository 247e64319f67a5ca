"""Training and validation of this build against another: steps of both take turns in one run.

`python -m benchmarks speed` measures this build; `python -m benchmarks.speed --against FOLDER CASE
...` measures it beside the checkout in that folder. A case is `model:rows`, the rows of its largest
table, with `:touched` where every row has been read before, as late in a training, or `:validate`.
`minilm` is the last block of MiniLM with LoRA on kept states, as `language_models` has it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import mind_like


HERE = Path(__file__).resolve().parents[1]
CASES = (
    "naml:7000", "naml:50000", "naml:200000", "nrms:7000", "dcn_text:7000", "dcn_text:50000",
    "dcn_text:200000", "id_naml:23000", "id_naml:220000", "id_naml:2200000", "minilm:30522",
)  # fmt: skip
TURNS = 9


class Worker:
    """A process that holds the model of a case in one build."""

    def __init__(self, build: Path, case: str, raw: Path, cache: Path) -> None:
        environment = {
            **os.environ, "PYTHONPATH": f"{build}:{build / 'runtime'}", "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "benchmarks/speed_worker.py"), case, str(raw), str(cache)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=build,
        )  # fmt: skip
        assert self.process.stdout is not None
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"{build}: {case} did not start")

    def turn(self) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("turn\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def compare(builds: Sequence[Path], case: str, turns: int, place: Path) -> None:
    """One line: milliseconds of a step of each build, and the ratio of the first to the last, turn
    by turn."""
    items = int(case.split(":")[1]) if case.endswith(":validate") else 22_500
    raw = place / f"raw{items}"
    if not raw.exists():
        mind_like.write(raw, items=items, impressions=2_000)
    workers = [Worker(build, case, raw, place / f"cache{n}") for n, build in enumerate(builds)]
    found: list[list[dict[str, Any]]] = [[] for _ in workers]
    for _ in range(turns):
        for made, worker in zip(found, workers, strict=True):
            made.append(worker.turn())
    for worker in workers:
        worker.close()
    seconds = [[one["seconds"] for one in made] for made in found]
    line = "  ".join(f"{1000 * statistics.median(some):>9.2f} ms" for some in seconds)
    peaks = "  ".join(f"{made[-1]['peak'] / 2**20:>6,.0f} MiB" for made in found)
    ratio = ""
    if len(builds) > 1:
        ratios = [a / b for a, b in zip(seconds[0], seconds[-1], strict=True)]
        ratio = f"   {statistics.median(ratios):5.2f} x ({min(ratios):.2f} to {max(ratios):.2f})"
        apart = max(abs(a["loss"] - b["loss"]) for a, b in zip(found[0], found[-1], strict=True))
        ratio += f"   losses apart by {apart:.1e}"
    print(f"  {case:<28} {line}  {peaks}{ratio}", flush=True)


def run(cases: Sequence[str] = (), against: Path | None = None, turns: int = TURNS) -> None:
    """Print a line for each case."""
    builds = [HERE] if against is None else [against.resolve(), HERE]
    print("\nCPU time of a step, and the most memory of its process")
    with tempfile.TemporaryDirectory() as place:
        for case in cases or CASES:
            compare(builds, case, turns, Path(place))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--against", type=Path, metavar="FOLDER")
    parser.add_argument("--turns", type=int, default=TURNS)
    given = parser.parse_args(arguments)
    run(given.cases, given.against, given.turns)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
