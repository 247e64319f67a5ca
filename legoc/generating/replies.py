"""What an answer means, by task; None for one that is not of the form asked for.

Models add words around an answer, so each form is looked for in what they say, and what cannot be
one is refused: an empty text, a whole page, a topic outside the list.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from legoc.data.augmenting.generated import clean, read_written
from legoc.language.ir.spec import Call
from legoc.language.typing.generated_logs import read_sections


# Words of a rewritten title, and of a topic, at most.
TITLE, TOPIC = 60, 6
LINES = re.compile(r"[\n,;]+")
LEADING = re.compile(r"^\s*(?:[-*•]|\d+[.)])?\s*")


def read_reply(task: Call, reply: str) -> Any:
    """A text of `Summarise`, a list of texts of `Profile`, a mapping of `Invent`; else None."""
    match task.op:
        case "Summarise":
            return read_title(reply, task["to"])
        case "Profile":
            return read_topics(reply, task["topics"], task["most"])
        case _:
            written = read_written(reply)
            if written is None or len(written["title"].split()) > TITLE:
                return None
            return {name: clean(printable(written[name])) for name in task["write"]}


def read_title(reply: str, tag: str) -> str | None:
    """The line behind `[tag]`; without one the first line that says something."""
    _, tagged, behind = reply.partition(f"[{tag}]")
    lines = (behind if tagged else reply).splitlines()
    line = next((text for line in lines if (text := plain(line))), "")
    spoken = any(character.isalnum() for character in line)
    return line if spoken and len(line.split()) <= TITLE else None


def read_topics(reply: str, known: Sequence[str], most: int) -> list[str] | None:
    """The topics that an answer lists, each once; of a closed list only those in it."""
    found = list(dict.fromkeys(filter(None, map(plain, split_topics(reply)))))
    if known:
        spelt = {topic.strip().lower(): topic for topic in known}
        found = [spelt[topic.lower()] for topic in found if topic.lower() in spelt]
    else:
        found = [topic for topic in found if len(topic.split()) <= TOPIC and speaks(topic)]
    found = list(dict.fromkeys(found))[:most]
    return found or None


def split_topics(reply: str) -> list[str]:
    """The parts of a list: of JSON, of bullets, else of lines and commas."""
    start, end = reply.find("["), reply.rfind("]")
    if 0 <= start < end:
        try:
            listed = json.loads(reply[start : end + 1])
        except (ValueError, RecursionError):
            listed = None
        if isinstance(listed, list):
            return [each for each in listed if isinstance(each, str)]
    bullets = [value for values in read_sections(reply).values() for value in values]
    return bullets or LINES.split(reply)


def plain(text: str) -> str:
    """One line without its bullet, quotes and blanks."""
    return clean(LEADING.sub("", printable(text))).strip(" .\"'`*#")


def printable(text: str) -> str:
    """Without the signs that steer terminals and end texts in files."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def speaks(text: str) -> bool:
    return any(character.isalpha() for character in text)
