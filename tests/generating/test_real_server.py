"""The server of transformers, with a tiny model made here: the same answers as without it."""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from legoc.commands.cli import main
from legoc.generating.api import Client, settings_of
from legoc.generating.local import open_local
from legoc.language.ir.spec import Call
from legoc.progress import SILENT
from tests.generating.tiny import make_causal


# It starts an interpreter with torch, which takes a while on a busy machine.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("openai") is None, reason="`transformers serve` needs openai"
    ),
]
ASK = (
    {"role": "system", "content": "You write titles."},
    {"role": "user", "content": "title: late goal wins the cup"},
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_causal(tmp_path_factory.mktemp("model") / "chat", template=True)


@pytest.fixture(scope="module")
def base(model: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = model.parent / "serve.log"
    command = [
        sys.executable, "-c", "from transformers.cli.transformers import main; main()", "serve",
        str(model), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu",
        "--dtype", "float32",
    ]  # fmt: skip
    with log.open("w") as output:
        server = subprocess.Popen(
            command, stdout=output, stderr=output,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""},
        )  # fmt: skip
        try:
            end = time.monotonic() + 240
            while time.monotonic() < end:
                assert server.poll() is None, log.read_text("utf-8")
                with suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
                    break
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def test_the_server_says_what_the_model_says_here(base: str, model: Path) -> None:
    asking = Client.of(settings_of(str(model), base, {"max": 12, "timeout": 120.0}))
    there = asking.ask(ASK)
    args = {
        "path": str(model), "max": 12, "temperature": 0.0, "seed": 1, "dtype": "float32",
        "chat_template": True, "batch": 1,
    }  # fmt: skip
    here = open_local(Call(op="LM", args=args), SILENT)
    ids = here.encode(ASK)
    ((made, cut),) = here.write([ids])
    assert there.text == here.tokenizer.decode(made, skip_special_tokens=True)
    assert there.tokens.read == len(ids)
    assert there.tokens.written >= len(made)
    assert there.cut == cut


def test_a_column_is_written_through_it_and_training_reads_it(
    base: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "news.lego"
    spec.write_text(
        f"""
        data news {{ source = Demo(items=200, users=60, impressions=200)  content = [title(12)] }}
        generate titles {{
          of = news  task = Summarise(from=[title], to=newtitle)
          model = API("{model}", base="{base}", max=8, timeout=120s)
        }}
        data more = news(augment=[titles], content=[newtitle(20)])
        model m = content Pooling(hidden=8) -> behavior Additive -> predict Dot
        train quick {{ epochs = 1  samples = 64 }}
        run m on more with quick
        """,
        "utf-8",
    )
    cache = ("--cache", str(tmp_path / "cache"), "-q")
    assert main(["generate", str(spec), *cache, "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["asked"] - told["again"], told["missing"]) == (200, 0)
    assert told["tokens_written"] > 200
    assert main(["train", str(spec), *cache, "--runs", str(tmp_path / "runs")]) == 0


def test_it_recommends(base: str, model: Path, tmp_path: Path) -> None:
    spec = tmp_path / "asked.lego"
    spec.write_text(
        f"""
        data news {{ source = Demo(items=200, users=50, impressions=60)  content = [title(6)]
          history = 3 }}
        model asked = predict API("{model}", base="{base}", max=2, timeout=120s)
        train as_it_is {{ metrics = [GAUC] }}
        run asked on news with as_it_is
        """,
        "utf-8",
    )
    runs = tmp_path / "runs"
    command = ["train", str(spec), "--cache", str(tmp_path / "cache"), "-q", "--runs", str(runs)]
    assert main([*command, "--no-baselines"]) == 0
    (place,) = runs.glob("asked-*")
    told = json.loads((place / "metrics.json").read_text())["test"]
    assert told["asked"]["asked"] > 20
    assert told["asked"]["refused"] == 0
    assert told["asked"]["tokens_read"] > told["asked"]["asked"]
