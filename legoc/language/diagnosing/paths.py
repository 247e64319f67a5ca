"""Texts for others, who have no use for the folders of the machine that wrote them."""

import re


# An absolute path in quotes, which end it, and the folders of one without.
QUOTED = re.compile(r"(?P<quote>[\"'`])(?:/|~/|[A-Za-z]:[\\/]|\\\\)(?P<rest>[^\"'`\n]*)(?P=quote)")
BARE = re.compile(r"(?<![\w.…/\\:~<])(?:~|[A-Za-z]:)?[/\\](?:[^\s\"'`:;,()/\\]+[/\\])+")


def shorten_paths(text: str) -> str:
    """The text with each absolute path as `…/last`."""

    def last(found: re.Match[str]) -> str:
        name = re.split(r"[\\/]", found["rest"].rstrip("\\/"))[-1]
        return f"{found['quote']}…/{name}{found['quote']}"

    return BARE.sub("…/", QUOTED.sub(last, text))
