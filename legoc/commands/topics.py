"""`legoc help`: the parts of the chapter on the language, by the words one looks for."""

import re
from dataclasses import dataclass

from legoc.language.declaring.shipped import shipped
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.diagnosing.suggest import nearest


CHAPTER = "docs/language.md"
HEADING = re.compile(r"^##+ (.*)$", re.MULTILINE)
WORDS = re.compile(r"<!-- help: (.*?) -->\n")
COMMENT = re.compile(r"<!--.*?-->\n", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A heading of the chapter with what stands below it; `words` are what it is found by."""

    title: str
    words: tuple[str, ...]
    text: str


def parts() -> tuple[Part, ...]:
    """The parts of the chapter, in order."""
    text = shipped(CHAPTER).read_text("utf-8")
    found: list[Part] = []
    heads = list(HEADING.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    for head, end in zip(heads, ends, strict=True):
        body = text[head.end() : end]
        named = WORDS.search(body)
        words = tuple(word.strip() for word in named.group(1).split(",")) if named else ()
        found.append(Part(title=head.group(1), words=words, text=COMMENT.sub("", body).strip()))
    return tuple(found)


def show_topics() -> int:
    """Every part with the words it is found by."""
    listed = parts()
    width = max(len(part.title) for part in listed)
    for part in listed:
        print(f"{part.title:<{width}}  {', '.join(part.words)}")
    print("\n`legoc help WORD` prints a part, `legoc COMMAND --help` explains a command.")
    return 0


def show_topic(topic: str) -> int:
    """The parts a word names; of a code or a command, where its page is."""
    from legoc.commands.cli import COMMANDS

    wanted = topic.strip("`-").lower()
    listed = parts()
    found = [p for p in listed if wanted in p.words or wanted == p.title.lower()]
    found = found or [p for p in listed if f"`{wanted}`" in p.text.lower()]
    if not found and wanted in COMMANDS:
        print(f"legoc {wanted}: {COMMANDS[wanted][1]}")
    elif not found:
        pool = [word for part in listed for word in part.words]
        near = nearest(wanted, pool)
        hint = f"did you mean `{near}`? " if near else ""
        if re.fullmatch(r"[ew]\d+", wanted):
            hint = f"a code has its page: `legoc explain {wanted.upper()}`. "
        raise fail(
            "E0212", f"the chapter has no part on `{topic}`", f"{hint}`legoc help` lists them"
        )
    for place, part in enumerate(found):
        print(f"{chr(10) if place else ''}{part.title}\n\n{part.text}")
    if wanted in COMMANDS:
        print(f"\n`legoc {wanted} --help` explains the command.")
    return 0
