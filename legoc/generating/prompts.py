"""How a model is asked: messages with named fields, ours or a file's.

A file holds the question; a line `---` in it parts what the model is told of its work (the system
message) from the question itself. `{title}` is a field, any other brace stands for itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from legoc.data.cache import digest
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.generation import FIELDS
from legoc.language.ir.spec import Call


Messages = tuple[Mapping[str, str], ...]
PARTING = "---"

SUMMARISE = (
    "You write titles for a catalogue. From what is known of one item you write one line that "
    "tells a reader what the item is: whole, plain and fair, with nothing in it that is not known.",
    "What is known of the item:\n{item}\n\nAnswer with one line: [NAME], then the new title.",
)
PROFILE = (
    "You find out what readers care about. From the items somebody chose you name the topics that "
    "these items have in common, the most frequent one first.",
    "The items, oldest first:\n{history}\n\n{topics}Answer with at most {most} lines, each of them "
    "`- ` and one topic.",
)
INVENT = (
    "You know what readers like. From the items somebody chose you make up one further item that "
    "this reader would choose next: of the same taste, and none of those that are listed.",
    "{profile}The items, oldest first:\n{history}\n\n{categories}Answer with one JSON object and "
    "nothing else: KEYS.",
)
OWN = {"Summarise": SUMMARISE, "Profile": PROFILE, "Invent": INVENT}

# What is added where an answer was not of the form asked for.
AGAIN = {
    "Summarise": "Give the title alone, on one line, in at most forty words.",
    "Profile": "Give the topics alone, one on each line, each after `- `.",
    "Invent": "Give the JSON object alone, from { to }, with a `title` that is not empty.",
}


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """The two messages with their fields, and the task they belong to."""

    task: str
    system: str
    user: str

    def ask(self, fields: Mapping[str, str], *, again: bool = False) -> Messages:
        """The messages about one item or user. What fills a field is never filled itself."""
        system, user = fill(self.system, fields), fill(self.user, fields)
        if again:
            user = f"{user}\n\nThe last answer had another form. {AGAIN[self.task]}"
        asked = {"role": "user", "content": user}
        return ({"role": "system", "content": system}, asked) if system else (asked,)


def fill(text: str, fields: Mapping[str, str]) -> str:
    return FIELDS.sub(lambda found: fields.get(found[1], found[0]), text)


def make_prompt(task: Call) -> Prompt:
    """The prompt of a task: its file's, else ours. E0924 for a file that is not there."""
    if task["prompt"] is not None:
        return read_prompt(task.op, Path(task["prompt"]))
    system, user = OWN[task.op]
    if task.op == "Summarise":
        user = user.replace("NAME", task["to"])
    if task.op == "Invent":
        keys = ", ".join(f'"{name}": "..."' for name in task["write"])
        user = user.replace("KEYS", f"{{{keys}}}")
    return Prompt(task=task.op, system=system, user=user)


def read_prompt(task: str, path: Path) -> Prompt:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise fail(
            "E0924",
            f"the prompt `{path}` cannot be read",
            "`prompt` names a text file in UTF-8, relative to the spec",
        ) from None
    system, parted, user = text.partition(f"\n{PARTING}\n")
    if not parted:
        system, user = "", text
    return Prompt(task=task, system=system.strip(), user=user.strip())


def messages_digest(messages: Messages) -> str:
    """What tells one question from another."""
    return digest([dict(message) for message in messages])[:16]
