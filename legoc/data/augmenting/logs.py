"""Logs of generated text (Liu et al., WSDM 2024, "ONCE"; GENRE), read as they were published.

What a language model wrote may be malformed: such records are counted and never fatal.
"""

from collections.abc import Iterator
from pathlib import Path

from legoc.data.augmenting.files import Joining, Once, unreadable
from legoc.data.augmenting.generated import MALFORMED, Generated, stage_generated
from legoc.data.staging.losses import Losses
from legoc.data.staging.staged import Staged
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.typing.generated_logs import (
    PROFILE,
    find_kind,
    find_tag,
    join_texts,
    number_lines,
    read_profile,
    read_text,
)


def stage_log(path: Path, target: Path, losses: Losses) -> Joining | Generated:
    """Stage a log by what its first lines are. Raises E0640 for what is no log."""
    match find_kind(read_lines(path)):
        case "texts":
            return stage_texts(path, target, losses)
        case "profiles":
            return stage_profiles(path, target, losses)
        case "items":
            return stage_generated(read_lines(path), lambda: read_users(path), path, target, losses)
        case None:
            number = next((n for n, text in read_lines(path) if text.strip()), 1)
            raise unreadable(path, number, "not a log of generated text")


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    number = 0
    try:
        for number, line in number_lines(path):
            yield number, line
    except UnicodeDecodeError as error:
        raise unreadable(path, number + 1, "not UTF-8") from error


def stage_texts(path: Path, target: Path, losses: Losses) -> Joining:
    """A summariser's log: the tag of the first tagged text names the attribute."""
    tag = find_tag(read_lines(path))
    kept = Once(path, losses)
    with Staged(target, {"item_id": "text", tag: "text"}, numbered=None) as staged:
        for line, item, text in join_texts(read_lines(path)):
            words = read_text(text)
            if not words:
                losses.add(*MALFORMED, "augment", f"{path.name}:{line}: {item}")
            elif kept.first(item, line, [words]):
                staged.add(item, words)
    return Joining(key="item_id", columns=(tag,), path=target, shown=path.name, retells=True)


def stage_profiles(path: Path, target: Path, losses: Losses) -> Joining:
    """A profiler's log: `topics` and `region` of users, whose names stand in `tok.uid.dat`."""
    users = read_users(path)
    kept = Once(path, losses)
    kinds = {"user_id": "text", **dict.fromkeys(PROFILE, "texts")}
    with Staged(target, kinds, numbered=None) as staged:
        for line, text in read_lines(path):
            if not text.strip():
                continue
            place = f"{path.name}:{line}"
            found = read_profile(text)
            if found is None:
                losses.add(*MALFORMED, "augment", f"{place}: {text[:40]}")
                continue
            place_of_user, topics, regions = found
            if not 0 <= place_of_user < len(users):
                reason = "user beyond `tok.uid.dat`"
                losses.add(reason, "dropped", "augment", f"{place}: {place_of_user}")
            elif kept.first(users[place_of_user], line, [topics, regions]):
                staged.add(users[place_of_user], topics or None, regions or None)
    return Joining(key="user_id", columns=PROFILE, path=target, shown=path.name)


def read_users(path: Path) -> list[str]:
    """The raw id of each `uid`: one per line of the tokenised user table beside the log."""
    choices = [path.parent / "user" / "tok.uid.dat", path.parent / "tok.uid.dat"]
    found = next((choice for choice in choices if choice.is_file()), None)
    if found is None:
        raise fail(
            "E0640",
            f"`{path.name}` numbers its users, and `{choices[0]}` is missing",
            "put the publisher's `user/tok.uid.dat` beside the log: it names the users",
        )
    return [line for _, line in read_lines(found)]
