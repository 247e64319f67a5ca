"""Logs of generated text (`.log` in `augment`): what kind one is, and the columns it brings.

A summariser writes `item<TAB>[tag] text` of items; a profiler `{"uid": 3, "interest": ...}` of
users; a generator (GENRE, ONCE) `{"uid": 3, "news": "{...}"}`, an item made up for a user, and
`legoc generate` the same with `user_id`.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from legoc_runtime.kinds import LOOK, Column, tell_kind


LogKind: TypeAlias = Literal["texts", "profiles", "items"]

TAGGED = re.compile(r"\[(?P<tag>\w+)\]\s*(?P<text>.*)", re.DOTALL)
SECTION = re.compile(r"\s*\[(?P<name>[^\]]+)\]:?\s*(?P<rest>.*)")
BULLET = re.compile(r"\s*(?:[-*•]|\d+[.)])\s+(?P<text>.*)")
STARTS = re.compile(r"(?P<id>\w+)\t(?P<text>.*)")

# What a profiler's log says of users.
PROFILE = ("topics", "region")
# Lines looked at for the kind: a model's first answers may be broken.
FIRST = 20
UNTAGGED = "generated"


def number_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number (from 1) and text of every line. UnicodeDecodeError for what is not UTF-8."""
    # Lines end at \n only: a model's text may hold other separators.
    with path.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            yield number, line.rstrip("\r\n")


def join_texts(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str, str]]:
    """Line, item and text of a summariser's log; a line that does not start with an id continues
    the one before."""
    began, item, text = 0, "", ""
    for number, line in lines:
        found = STARTS.match(line)
        if found is None:
            text = f"{text}\n{line}"
            continue
        if began:
            yield began, item, text
        began, item, text = number, found["id"], found["text"]
    if began:
        yield began, item, text


def find_tag(lines: Iterable[tuple[int, str]]) -> str:
    """The attribute a summariser's log brings: the tag of the first text that has one."""
    tags = (TAGGED.match(text.strip()) for _, _, text in join_texts(lines))
    return next((found["tag"] for found in tags if found), UNTAGGED)


def find_kind(lines: Iterable[tuple[int, str]]) -> LogKind | None:
    """The kind of a log by its first lines; None for what is no log of generated text."""
    for _, text in islice(lines, FIRST):
        if STARTS.match(text):
            return "texts"
        try:
            found: object = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            names = set(cast("dict[str, object]", found))
            if names == {"uid", "interest"}:
                return "profiles"
            if ("uid" in names or "user_id" in names) and len(names) == 2:
                return "items"
    return None


def log_columns(path: Path) -> Mapping[str, Column]:
    """The columns of a log, the key among them; what its records hold tells how long lists are.
    ValueError for what is no log."""
    match find_kind(number_lines(path)):
        case "texts":
            texts = (read_text(text) for _, _, text in join_texts(number_lines(path)))
            found = tell_kind(islice(filter(None, texts), LOOK))
            tag = find_tag(number_lines(path))
            return {"item_id": Column(), tag: replace(found, kind="word", odd=(), barred=None)}
        case "profiles":
            read = (read_profile(text) for _, text in number_lines(path))
            known = list(islice(filter(None, read), LOOK))
            return {"user_id": Column()} | {
                name: replace(
                    tell_kind(profile[place] for profile in known),
                    kind="category", odd=(), barred=None, speaks=False,
                )
                for place, name in enumerate(PROFILE, start=1)
            }  # fmt: skip
        case "items":
            # The attributes of the items it adds are those the items have.
            return {"user_id": Column()}
        case None:
            raise ValueError(f"{path} is no log of generated text")


def read_text(text: str) -> str:
    """What a summariser wrote, without its tag and its quotes."""
    found = TAGGED.match(text.strip())
    return " ".join((found["text"] if found else text).split()).strip('"').strip()


def read_profile(text: str) -> tuple[int, list[str], list[str]] | None:
    """Place of the user, topics and regions of one line; None where it cannot be read."""
    try:
        record = json.loads(text)
        user, interest = record["uid"], record["interest"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(user, int) or isinstance(user, bool):
        return None
    if isinstance(interest, list):
        return user, [one for one in map(clean, interest) if one], []
    if not isinstance(interest, str):
        return None
    sections = read_sections(interest)
    topics = sections.get("topics", []) or sections.get("", [])
    regions = sections.get("region", []) or sections.get("regions", [])
    return (user, topics, regions) if topics or regions else None


def read_sections(text: str) -> dict[str, list[str]]:
    """The bullets below each `[heading]`; those before any heading are under ""."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines():
        if heading := SECTION.fullmatch(line):
            name = heading["name"].strip().lower()
            line = heading["rest"]
        if (bullet := BULLET.fullmatch(line)) and (value := clean(bullet["text"])):
            found.setdefault(name, []).append(value)
    return found


def clean(value: Any) -> str:
    return " ".join(str(value).split()).strip(" .\"'")
