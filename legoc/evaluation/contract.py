"""The contract of a measurement: what has to be equal before two figures may be compared."""

import hashlib
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from legoc.data.splitting.feedback import HISTORY
from legoc.evaluation.catalogue import name_catalogue, offered
from legoc.language.ir.spec import Spec


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared

Candidates: TypeAlias = Literal["shown", "all"]

# Raise when the same scores of the same rows would give other figures than before.
VERSION = 1
TIES = "expected value over their orders"
LEFT_OUT = "rows without a label; in grouped metrics, groups without a click or without a non-click"


def write_contract(
    spec: Spec, prepared: "Prepared", part: str, candidates: Candidates = "shown"
) -> dict[str, Any]:
    """How the figures of a part of the data came about, in JSON's types. candidates: those of each
    group, or `all` for full ranking."""
    split = spec.data.split
    # Where a file of halves, or of an order, lies differs between machines.
    given = {n: os.path.basename(v) if isinstance(v, str) else v for n, v in split.args.items()}
    if given.get("order", "") is None:
        # As it was before an order could be told.
        del given["order"]
    contract = {
        "version": VERSION,
        "part": part,
        "split": {"op": split.op, "args": given},
        "group": spec.data.group,
        "candidates": prepared.report.candidates,
        "ties": TIES,
        "left out": LEFT_OUT,
    }
    if candidates == "all":
        contract |= {
            "candidates": "all",
            "catalogue": name_catalogue(prepared.items.ids, offered(prepared)),
            "ranked as of": "the first row of the group",
            "left out of lists": "items of the history, but for what the group clicks",
            "history kept": max(spec.data.history, HISTORY),
        }
    return contract


def hash_contract(contract: Mapping[str, Any]) -> str:
    """The first 16 hex digits of its SHA-256."""
    text = json.dumps(contract, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What differs between two contracts, one phrase each: "group: impression, user"."""
    return [
        f"{key}: {phrase(one.get(key))}, {phrase(other.get(key))}"
        for key in dict.fromkeys((*one, *other))
        if one.get(key) != other.get(key)
    ]


def phrase(value: Any) -> str:
    """A value of a contract as one reads it."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{name}={each}" for name, each in value["args"].items())
        return f"{value['op']}({inner})" if inner else str(value["op"])
    return "nothing" if value is None else str(value)
