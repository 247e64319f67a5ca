"""One question to a server and its answer, over HTTP of the standard library.

What goes wrong is told apart by what helps: asking again (`Busy`), nothing for this question
(`Refused`), nothing at all (`Closed`). Redirects are not followed: the key is for one address.
"""

import http.client
import json
import math
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from legoc.generating.answering import Reply, Tokens


# Bytes that are read of an answer, at least, and for each token that was asked for.
LEAST, PER_TOKEN = 1 << 20, 64
# Characters that are shown of what a server says.
SHOWN = 200


class Busy(Exception):
    """Worth asking again, after so many seconds where the server says so."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class Refused(Exception):
    """The server does not answer this question, however often it is asked."""


class Closed(Exception):
    """The server answers no question like this: a wrong key, model or address."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where questions go. `key` is sent and never shown."""

    base: str
    key: str | None
    timeout: float

    def post(self, path: str, body: Mapping[str, Any], most: int) -> Any:
        """The JSON that the server answers. Raises Busy, Refused, Closed."""
        parts = urlsplit(self.base)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else (
            http.client.HTTPConnection
        )  # fmt: skip
        connection = kind(parts.hostname or "", parts.port, timeout=self.timeout)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        try:
            connection.request("POST", parts.path.rstrip("/") + path, json.dumps(body), headers)
            # One that breaks off is closed by nobody else.
            with connection.getresponse() as answer:
                content = read_within(answer, LEAST + PER_TOKEN * most)
        except TimeoutError:
            raise Busy(f"no answer within {self.timeout:g} s") from None
        except ssl.SSLCertVerificationError as error:
            raise Closed(f"its certificate is not accepted ({error.verify_message})") from None
        except socket.gaierror:
            raise Closed(f"there is no host `{parts.hostname}`") from None
        except (http.client.HTTPException, OSError) as error:
            raise Busy(reason_of(error)) from None
        finally:
            connection.close()
        judge_status(answer.status, self.shown(content), answer.getheader("Retry-After"))
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            raise Busy("its answer is not JSON") from None

    def shown(self, content: bytes) -> str:
        """What a server says of an error, without the key."""
        text = content.decode("utf-8", "replace")
        try:
            found = json.loads(text)
            error = found.get("error", found.get("detail", text))
            text = error.get("message", text) if isinstance(error, dict) else error
        except (ValueError, AttributeError, RecursionError):
            pass
        text = " ".join(str(text).split())
        return (text.replace(self.key, "...") if self.key else text)[:SHOWN]


def read_within(answer: http.client.HTTPResponse, most: int) -> bytes:
    """The whole body. Raises Refused for one that has no end in sight, IncompleteRead for half."""
    content = answer.read(most + 1)
    if len(content) > most:
        raise Refused(f"an answer of more than {most:,} bytes")
    if answer.length:
        raise http.client.IncompleteRead(content, answer.length)
    return content


def judge_status(status: int, said: str, after: str | None) -> None:
    if status == 200:
        return
    reason = f"status {status}" + (f": {said}" if said else "")
    if status in (408, 409, 425, 429) or status >= 500:
        raise Busy(reason, seconds(after))
    if status in (400, 413, 422):
        raise Refused(reason)
    raise Closed(reason)


def seconds(after: str | None) -> float | None:
    """What `Retry-After` says, where it counts seconds."""
    try:
        found = float(after or "")
    except ValueError:
        return None
    return found if math.isfinite(found) and found >= 0 else None


def reason_of(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    if isinstance(error, http.client.IncompleteRead):
        return "its answer breaks off"
    return "the connection broke off" if isinstance(error, http.client.RemoteDisconnected) else (
        str(error) or type(error).__name__
    )  # fmt: skip


def read_completion(document: Any) -> Reply:
    """The reply in a chat completion. Busy where it is none: half an answer, or nonsense."""
    try:
        choice = document["choices"][0]
        text = choice["message"]["content"]
        if text is None and choice["message"].get("refusal"):
            return Reply(text="", refused=str(choice["message"]["refusal"])[:SHOWN])
        if not isinstance(text, str):
            raise TypeError
        usage = document.get("usage") or {}
        tokens = Tokens(
            read=count(usage.get("prompt_tokens")), written=count(usage.get("completion_tokens"))
        )
        cut = choice.get("finish_reason") == "length"
        return Reply(text=text, tokens=tokens, chances=read_chances(choice), cut=cut)
    except (KeyError, IndexError, TypeError, AttributeError):
        raise Busy("its answer is no chat completion") from None


def count(value: Any) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and value >= 0 else 0


def read_chances(choice: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    """The likeliest first tokens with their log-probabilities; none where the server tells none."""
    try:
        first = choice["logprobs"]["content"][0]
        listed = first.get("top_logprobs") or [first]
        found = [(each["token"], each["logprob"]) for each in listed]
    except (KeyError, IndexError, TypeError, AttributeError):
        return ()
    sound = all(isinstance(token, str) and isinstance(value, int | float) for token, value in found)
    return tuple((token, float(value)) for token, value in found) if sound else ()
