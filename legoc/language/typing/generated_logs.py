"""Logs of generated text (`.log` in `augment`): what kind one is, and the columns it brings.

A summariser writes `item<TAB>[tag] text` of items; a profiler `{"uid": 3, "interest": ...}` of
users; a generator (GENRE, ONCE) `{"uid": 3, "news": "{...}"}`, an item made up for a user.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Literal, TypeAlias, cast


LogKind: TypeAlias = Literal["texts", "profiles", "items"]

TAGGED = re.compile(r"\[(?P<tag>\w+)\]\s*(?P<text>.*)", re.DOTALL)
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
            if "uid" in names and len(names) == 2:
                return "items"
    return None


def log_columns(path: Path) -> Mapping[str, Literal["word", "category"]]:
    """Kinds by column name, the key among them. ValueError for what is no log."""
    match find_kind(number_lines(path)):
        case "texts":
            return {"item_id": "word", find_tag(number_lines(path)): "word"}
        case "profiles":
            return {"user_id": "word", **dict.fromkeys(PROFILE, "category")}
        case "items":
            # The attributes of the items it adds are those the items have.
            return {"user_id": "word"}
        case None:
            raise ValueError(f"{path} is no log of generated text")
