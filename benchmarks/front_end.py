"""Whole processes of the light commands: CPU seconds from start to exit."""

import resource
import statistics
import subprocess
import sys
from pathlib import Path


ROOT = Path(__file__).resolve().parents[1]
RUNS = 9
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "legoc --help": [sys.executable, "-m", "legoc", "--help"],
    "legoc check specs/naml.lego": [sys.executable, "-m", "legoc", "check", "specs/naml.lego"],
    "legoc check specs/demo.lego": [sys.executable, "-m", "legoc", "check", "specs/demo.lego"],
}


def run() -> None:
    """Print the median of nine runs of each command, taken in turn."""
    spent: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for turn in range(RUNS + 1):
        for name, command in COMMANDS.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            if turn:  # the first writes caches
                spent[name].append(
                    after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
                )
    print("\nCPU milliseconds of a whole process (median of nine; range)")
    base = statistics.median(spent["python -c pass"])
    for name, seconds in spent.items():
        middle = statistics.median(seconds)
        print(
            f"  {name:<30} {1000 * middle:6.0f}  ({1000 * min(seconds):.0f} to "
            f"{1000 * max(seconds):.0f})   {middle / base:.1f} x an empty Python"
        )
