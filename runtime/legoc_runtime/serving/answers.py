"""What goes over the wire: strict JSON in and out, and errors that say what to send."""

import json
import math
from collections.abc import AsyncIterator, Mapping
from typing import Any

from legoc_runtime.errors import LegoRuntimeError


class Refused(Exception):
    """A request that is not answered. status: the code of HTTP."""

    def __init__(self, status: int, message: str, help: str) -> None:
        super().__init__(message)
        self.status, self.message, self.help = status, message, help


def refuse_error(error: LegoRuntimeError) -> Refused:
    """What the runtime refuses is the caller's mistake."""
    return Refused(400, error.message, error.help)


async def read_body(declared: str | None, parts: AsyncIterator[bytes], most: int) -> bytes:
    """The body of a request. declared: its Content-Length. Refused with 413 as soon as it is known
    to be too long, without reading the rest."""
    help = f"send at most {most:,} bytes; the server's `--body` changes that"
    if declared is not None and declared.isdecimal() and int(declared) > most:
        raise Refused(413, f"the request has {int(declared):,} bytes", help)
    found = bytearray()
    async for part in parts:
        found += part
        if len(found) > most:
            raise Refused(413, f"the request has more than {most:,} bytes", help)
    return bytes(found)


def read_json(body: bytes) -> Mapping[str, Any]:
    """A JSON object. NaN and Infinity are not JSON, though Python reads them."""
    help = 'send a JSON object, as in {"history": ["N1"]}'
    try:
        found = json.loads(body.decode("utf-8"), parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"the request is not JSON ({error})", help) from None
    if not isinstance(found, dict):
        raise Refused(400, "the request is not a JSON object", help)
    return found


def refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def write_json(value: object) -> bytes:
    """Strict JSON: a number that is none is null."""
    return json.dumps(without_nan(value), ensure_ascii=False, allow_nan=False).encode()


def without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(each) for each in value]
    return value
