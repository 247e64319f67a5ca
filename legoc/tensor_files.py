"""safetensors files, written in one place and compared with what was to be written.

safetensors 0.8 writes a NumPy array that is not C-ordered with its values scrambled and says
nothing, so arrays are made contiguous first, and what lies on the disk is compared byte by byte.
"""

import errno
import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray


if TYPE_CHECKING:
    from torch import Tensor

AT_ONCE = 16 << 20


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays of any order in memory. Raises OSError where the disk refuses."""
    from safetensors.numpy import save_file

    kept = {name: np.asarray(values, order="C") for name, values in arrays.items()}
    save(lambda: save_file(kept, path), path)
    verify(path, {name: values.reshape(-1).view(np.uint8) for name, values in kept.items()})


def save_tensors(path: Path, tensors: Mapping[str, "Tensor"], note: str | None = None) -> None:
    """Write tensors of any order and device; `note` is kept in the header. Raises OSError where the
    disk refuses."""
    import torch
    from safetensors.torch import save_file

    kept: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        value = tensor.detach().cpu().contiguous()
        # Tied weights are views of one storage, which the format refuses to hold twice.
        if value.numel() and value.untyped_storage().data_ptr() in seen:
            value = value.clone()
        seen.add(value.untyped_storage().data_ptr())
        kept[name] = value
    metadata = None if note is None else {"note": note}
    save(lambda: save_file(kept, path, metadata=metadata), path)
    verify(path, {n: value.reshape(-1).view(torch.uint8).numpy() for n, value in kept.items()})


def save(write: Callable[[], None], path: Path) -> None:
    """Write with the library, whose errors of the disk become Python's."""
    from safetensors import SafetensorError

    try:
        write()
    except SafetensorError as error:
        found = re.search(r"os error (\d+)", str(error))
        if found is None:
            raise
        number = int(found[1])
        raise OSError(number, os.strerror(number), str(path)) from error


def verify(path: Path, expected: Mapping[str, NDArray[np.uint8]]) -> None:
    """Compare a file with the bytes of every tensor. Raises OSError where one differs."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        for name, content in expected.items():
            first, last = header[name]["data_offsets"]
            file.seek(8 + length + first)
            parts = (content[start : start + AT_ONCE] for start in range(0, len(content), AT_ONCE))
            whole = last - first == len(content)
            if not whole or any(file.read(len(part)) != part.tobytes() for part in parts):
                raise OSError(errno.EIO, f"`{name}` is not what was written", str(path))
