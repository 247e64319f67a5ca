"""safetensors files by numpy: eight bytes of length, a JSON header, the raw values.

A file may come from a stranger, so nothing in the header is believed before it is checked.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from legoc_runtime.errors import BundleError


Array = NDArray[Any]
Parts = list[Array]

HEADER_LIMIT = 100 << 20
TYPES = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16,
    "I64": np.int64, "I32": np.int32, "I16": np.int16, "I8": np.int8,
    "U64": np.uint64, "U32": np.uint32, "U16": np.uint16, "U8": np.uint8,
    "BOOL": np.bool_,
}  # fmt: skip


def read_tensors(path: Path, *, summed: str | None = None) -> dict[str, Array]:
    """All tensors of a safetensors file, by name. Raises BundleError where the file is not one, or
    where one that is `summed` does not hold what was written."""
    return parse_tensors(path.read_bytes(), path.name, summed)


def parse_tensors(content: bytes, name: str, summed: str | None = None) -> dict[str, Array]:
    """The same of what a file holds; `name` is the file's, for messages."""
    try:
        header, body = read_header(content)
        if summed in header and hashlib.blake2b(body[:-64]).digest() != bytes(body[-64:]):
            raise ValueError("it is not what was written: its sum differs")
        return {
            key: read_tensor(key, entry, body)
            for key, entry in header.items()
            if key != "__metadata__"
        }
    except ValueError as error:
        raise BundleError(
            f"`{name}` is not a safetensors file ({error})", "export the bundle again"
        ) from None


def write_tensors(
    path: Path, tensors: Mapping[str, Array | Parts], *, summed: str | None = None
) -> None:
    """Write a safetensors file in the place of what is there, whole or not at all.

    A tensor may come in parts, which lie one after the other along its first axis. summed: the name
    of one more tensor at the end, with the BLAKE2b of all others.
    """
    names = {np.dtype(kind): name for name, kind in TYPES.items()}
    header: dict[str, Any] = {}
    parts: list[Array] = []
    end = 0
    for name, tensor in tensors.items():
        given = tensor if isinstance(tensor, list) else [tensor]
        parts += given
        kind, size = given[0].dtype, sum(part.nbytes for part in given)
        shape = list(given[0].shape)
        if isinstance(tensor, list):
            shape[0] = sum(map(len, given))
        header[name] = {"dtype": names[kind], "shape": shape, "data_offsets": [end, end + size]}
        end += size
    if summed is not None:
        header[summed] = {"dtype": "U8", "shape": [64], "data_offsets": [end, end + 64]}
    text = json.dumps(header).encode()
    # Values begin at a multiple of eight, so that they can be read where they lie.
    text += b" " * (-len(text) % 8)
    # Threads and processes that write to one path each have a file of their own.
    made = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(8).hex()}.part")
    total = hashlib.blake2b()
    try:
        with made.open("xb") as file:
            file.write(len(text).to_bytes(8, "little"))
            file.write(text)
            for part in parts:
                plain = np.ascontiguousarray(part, dtype=part.dtype.newbyteorder("<"))
                content = plain.reshape(-1).view(np.uint8).data
                file.write(content)
                if summed is not None:
                    total.update(content)
            if summed is not None:
                file.write(total.digest())
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def read_header(content: bytes) -> tuple[dict[str, Any], memoryview]:
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or not 0 < length <= min(len(content) - 8, HEADER_LIMIT):
        raise ValueError("its header does not fit into it")
    try:
        header: object = json.loads(content[8 : 8 + length])
    except (ValueError, RecursionError):
        raise ValueError("its header is not JSON") from None
    if not isinstance(header, dict):
        raise ValueError("its header is not an object")
    return cast(dict[str, Any], header), memoryview(content)[8 + length :]


def read_tensor(name: str, entry: Any, body: memoryview) -> Array:
    """One tensor, a read-only view of the file where its place is aligned."""
    if not isinstance(entry, dict):
        raise ValueError(f"`{name}` is not described")
    fields = cast(dict[str, Any], entry)
    kind = TYPES.get(str(fields.get("dtype")))
    if kind is None:
        raise ValueError(f"`{name}` has the dtype {fields.get('dtype')!r}")
    shape, place = read_counts(fields.get("shape")), read_counts(fields.get("data_offsets"))
    if shape is None or place is None or len(place) != 2:
        raise ValueError(f"`{name}` has no shape or no place")
    begin, end = place
    if not begin <= end <= len(body) or end - begin != prod(shape) * np.dtype(kind).itemsize:
        raise ValueError(f"the place of `{name}` does not fit its shape or the file")
    if kind is np.bool_:
        flags = np.frombuffer(body[begin:end], dtype=np.uint8) != 0
        return cast(Array, flags.reshape(shape))
    values = np.frombuffer(body[begin:end], dtype=np.dtype(kind).newbyteorder("<"))
    return cast(Array, np.require(values, requirements="A").reshape(shape))


def read_counts(value: object) -> tuple[int, ...] | None:
    """A list of ints from 0, else None."""
    if not isinstance(value, list):
        return None
    counts = cast(list[object], value)
    if not all(type(count) is int and count >= 0 for count in counts):
        return None
    return tuple(cast(list[int], counts))
