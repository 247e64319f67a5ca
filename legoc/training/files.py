"""Files that are there completely or not at all: temporary sibling, fsync, rename."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    sibling = path.with_name(f".{path.name}.{os.getpid()}")
    with open(sibling, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(sibling, path)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically, indented, with a final line break."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_tensors(path: Path, tensors: Mapping[str, Tensor], note: str = "") -> None:
    """Write a safetensors file atomically; `note` is kept in its header."""
    from safetensors.torch import save_file

    sibling = path.with_name(f".{path.name}.{os.getpid()}")
    stored: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        value = tensor.detach().cpu().contiguous()
        # Tied weights are views of one storage, which the format refuses to hold twice.
        if value.numel() and value.untyped_storage().data_ptr() in seen:
            value = value.clone()
        seen.add(value.untyped_storage().data_ptr())
        stored[name] = value
    save_file(stored, sibling, metadata={"note": note})
    with open(sibling, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(sibling, path)
