"""Files that are there completely or not at all: temporary sibling, fsync, rename."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A sibling to write to. When the block ends it is on disk and has taken the place of `path`;
    when the block fails it is gone and `path` is as before."""
    sibling = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(sibling, "wb") as file:
            mode = os.fstat(file.fileno()).st_mode
        yield sibling
        # Some writers make a file private; a run is as readable as any folder of the user.
        sibling.chmod(mode)
        with open(sibling, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(sibling, path)
    finally:
        sibling.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with replacing(path) as sibling:
        sibling.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically, indented, with a final line break."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_tensors(path: Path, tensors: Mapping[str, Tensor], note: str = "") -> None:
    """Write a safetensors file atomically; `note` is kept in its header."""
    from safetensors.torch import save_file

    stored: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        value = tensor.detach().cpu().contiguous()
        # Tied weights are views of one storage, which the format refuses to hold twice.
        if value.numel() and value.untyped_storage().data_ptr() in seen:
            value = value.clone()
        seen.add(value.untyped_storage().data_ptr())
        stored[name] = value
    with replacing(path) as sibling:
        save_file(stored, sibling, metadata={"note": note})
