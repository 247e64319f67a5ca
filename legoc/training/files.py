"""The files of a run, which are there completely or not at all."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from legoc.tensor_files import save_tensors
from legoc.writing import replacing, write_text


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically, indented, with a final line break."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_tensors(path: Path, tensors: Mapping[str, Tensor], note: str = "") -> None:
    """Write a safetensors file atomically; `note` is kept in its header."""
    with replacing(path) as made:
        save_tensors(made, tensors, note)
