"""Recommendations over HTTP under load, beside the same application calling torch.

`python -m benchmarks.http_load serve legoc|torch RUN` is the server that the load is put on.
"""

import http.client
import json
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


SECONDS = 5.0
CLIENTS = 16


def run(run_folder: Path) -> None:
    print(f"\nPOST /recommend over HTTP, {CLIENTS} connections for {SECONDS:g} s")
    for engine in ("legoc", "torch"):
        rate, spent = load(engine, run_folder)
        print(
            f"  {engine}: {rate:,.0f} requests per second, p50 {np.percentile(spent, 50):.1f} ms, "
            f"p99 {np.percentile(spent, 99):.1f} ms"
        )


def load(engine: str, run_folder: Path) -> tuple[float, list[float]]:
    """Requests per second, and the milliseconds of each."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.http_load", "serve", engine, str(run_folder), str(port)]
    )
    try:
        ids = wait_for(port)
        spent: list[float] = []
        end = time.perf_counter() + SECONDS
        threads = [
            threading.Thread(target=ask, args=(port, ids, seed, end, spent))
            for seed in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(spent) / SECONDS, spent
    finally:
        server.terminate()
        server.wait()


def wait_for(port: int) -> list[str]:
    """The ids of the items, once the server answers."""
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/items")
            return json.loads(connection.getresponse().read())["items"]
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server does not start")


def ask(port: int, ids: Sequence[str], seed: int, end: float, spent: list[float]) -> None:
    draw = random.Random(seed)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while (began := time.perf_counter()) < end:
        body = json.dumps({"history": draw.sample(ids, draw.randint(1, 30)), "k": 10})
        connection.request("POST", "/recommend", body)
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content
        spent.append(1000 * (time.perf_counter() - began))


def serve(engine: str, run_folder: Path, port: int) -> None:
    """The server of the runtime; with torch its model is asked instead, one request after the
    other, as such an application would."""
    import uvicorn

    from legoc_runtime.serving.app import make_app
    from legoc_runtime.serving.measures import Measures
    from legoc_runtime.serving.served import Served

    served = Served(run_folder / "bundle", Measures())
    if engine == "torch":
        instead(served.model, run_folder)
    app = make_app(served, Measures())
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


def instead(model: Any, run_folder: Path) -> None:
    """Have torch encode the users and rank the items of a model."""
    import torch

    from benchmarks.torch_answers import TorchAnswers

    other = TorchAnswers.open(run_folder)

    def encode(clicks: Any, mask: Any, *rest: Any) -> Any:
        with torch.inference_mode():
            made = other.recommender.encode_users(torch.from_numpy(clicks), torch.from_numpy(mask))
            return made.numpy()

    def rank(users: Any, k: int, *rest: Any, **named: Any) -> Any:
        found = [other.recommend(torch.from_numpy(user.vectors), k) for user in users]
        return [([other.ids[row] for row in rows], np.array(scores)) for rows, scores in found]

    model.graphs.encode_users = encode
    model.recommend_users = rank


if __name__ == "__main__":
    _, _, engine, folder, port = sys.argv
    serve(engine, Path(folder), int(port))
