"""What the processes of a sweep tell each other: one line of JSON each.

A spec travels with its text and the places it was written at, so that what is wrong with it is
shown where it stands; an error comes back as its diagnostics, or as its traceback where it is ours.
"""

import json
import traceback
from collections.abc import Mapping
from typing import Any

from legoc.language.diagnosing.diagnostics import Diagnostic, Label, LegoError
from legoc.language.diagnosing.document import Document, Span
from legoc.language.diagnosing.failures import diagnosed
from legoc.language.ir import form
from legoc.language.ir.spec import Spec


class WorkerError(Exception):
    """A defect of ours that showed in another process; its cause carries the traceback there."""


class RemoteTraceback(Exception):
    """Prints the traceback of another process."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def encode(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=True).encode("ascii") + b"\n"


def decode(line: bytes) -> dict[str, Any] | None:
    """The message of a line; None for one that was broken off with its process."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def write_epochs(by_epoch: Mapping[int, float]) -> dict[str, float]:
    """The monitor after each epoch."""
    return {str(epoch): value for epoch, value in by_epoch.items()}


def read_epochs(message: Mapping[str, float]) -> dict[int, float]:
    return {int(epoch): value for epoch, value in message.items()}


def write_spec(spec: Spec) -> dict[str, Any]:
    documents = {span.path: span.document.text for span in spec.origin.values()}
    return {
        "ir": form.to_json(spec),
        "text": spec.source_text,
        "documents": documents,
        "origin": {path: write_span(span) for path, span in spec.origin.items()},
    }


def read_spec(message: Mapping[str, Any]) -> Spec:
    from dataclasses import replace

    documents = {path: Document(path, text) for path, text in message["documents"].items()}
    origin = {path: read_span(span, documents) for path, span in message["origin"].items()}
    spec = form.from_json(message["ir"])
    return replace(spec, source_text=message["text"], origin=origin)


def write_span(span: Span) -> list[Any]:
    return [span.path, span.start, span.end]


def read_span(message: list[Any], documents: Mapping[str, Document]) -> Span:
    path, start, end = message
    return Span(documents[path], start, end)


def write_error(error: Exception) -> dict[str, Any]:
    """An error whose labels, if any, are places of the spec that was sent."""
    found = diagnosed(error)
    if not found:
        text = "".join(traceback.format_exception(error))
        return {"defect": f"{type(error).__name__}: {error}", "traceback": text}
    return {"diagnostics": [write_diagnostic(one) for one in found]}


def write_diagnostic(one: Diagnostic) -> dict[str, Any]:
    return {
        "code": one.code, "message": one.message, "severity": one.severity, "brief": one.brief,
        "notes": one.notes, "help": one.help,
        "labels": [[write_span(each.span), each.text, each.primary] for each in one.labels],
    }  # fmt: skip


def read_error(message: Mapping[str, Any], spec: Spec | None = None) -> Exception:
    """The error that was written; without its places where no spec was sent."""
    if "defect" in message:
        error = WorkerError(message["defect"])
        error.__cause__ = RemoteTraceback(message["traceback"])
        return error
    spans = () if spec is None else spec.origin.values()
    documents = {span.path: span.document for span in spans}
    return LegoError(*(read_diagnostic(one, documents) for one in message["diagnostics"]))


def read_diagnostic(message: Mapping[str, Any], documents: Mapping[str, Document]) -> Diagnostic:
    labels = tuple(
        Label(span=read_span(span, documents), text=text, primary=primary)
        for span, text, primary in message["labels"]
        if span[0] in documents
    )
    return Diagnostic(
        code=message["code"], message=message["message"], severity=message["severity"],
        labels=labels, notes=tuple(message["notes"]), help=tuple(message["help"]),
        brief=message["brief"],
    )  # fmt: skip
