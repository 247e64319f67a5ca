"""What has been proved so far: a record per case, valid for one state of the code."""

import hashlib
import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

import legoc
import legoc_runtime
from legoc.training.files import write_json


PACKAGES = ("torch", "onnx", "onnxscript", "onnxruntime", "numpy")
APART = ("proving", "server")
"""Packages of legoc that a proof's outcome does not depend on."""


def code_digest() -> str:
    """Digest of the sources of legoc and its runtime and of the versions they run on: a proof is
    about the code that was run, whether or not somebody raised a version."""
    found = hashlib.sha256()
    for package in (legoc, legoc_runtime):
        root = Path(package.__file__ or "").parent
        for path in sorted(root.rglob("*.py")):
            if path.relative_to(root).parts[0] not in APART:
                found.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    found.update(" ".join(f"{name} {version(name)}" for name in PACKAGES).encode())
    return found.hexdigest()[:16]


class State:
    """Records as files of a folder, each written whole or not at all."""

    def __init__(self, folder: Path, code: str) -> None:
        self.folder = folder / "points"
        self.code = code

    def read(self, key: str) -> "dict[str, Any] | None":
        """The record of a case proved with this code; None where there is none to rely on."""
        try:
            record = json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return record if record.get("code") == self.code else None

    def write(self, record: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f"{record['key']}.{os.getpid()}"
        write_json(part, record)
        part.replace(self.folder / f"{record['key']}.json")
