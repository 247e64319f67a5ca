"""The Steam release of SCGRec (Yang et al., WWW 2022): ragged lines of games per user."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from legoc.data.formats.opened import decode, read_lines
from legoc.data.staging.losses import Losses
from legoc.data.staging.staged import Staged
from legoc.language.diagnosing.diagnostics import fail


# id, name, type, price, release, metacritic, required age, multiplayer.
GAME = 8
LISTS = {
    "Games_Genres.txt": "genres",
    "Games_Developers.txt": "developer",
    "Games_Publishers.txt": "publisher",
}
WRONG_WIDTH = ("row with another number of columns", "dropped")


def read_games(path: Path, lists: Sequence[Path], staged: Staged, losses: Losses) -> None:
    """Stage the games of `App_ID_Info.txt` with the values that other files list for them."""
    more = {LISTS[p.name.removesuffix(".gz")]: read_list(p, losses) for p in lists}
    good = False
    for line, fields in read_rows(path):
        if len(fields) != GAME:
            if not good:
                raise fail(
                    "E0621",
                    f"`{path.name}` line {line} has {len(fields)} columns, not {GAME}",
                    "use the publisher's file: commas between columns, no header",
                    notes=(f"the file is {path}",),
                )
            # A comma in a name that is not quoted shifts what follows it.
            losses.add(*WRONG_WIDTH, "items", f"{path.name}:{line}: {fields[0][:40]}")
            continue
        good = True
        item, name, _, price, *_ = fields
        staged.add(
            path.name, line, item, mend(name), more.get("genres", {}).get(item, []),
            more.get("developer", {}).get(item, []), more.get("publisher", {}).get(item, []),
            [], read_price(price),
        )  # fmt: skip


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line and fields of a comma-separated file without a header."""
    for number, raw in read_lines(path, path.name):
        text = decode(raw, number, path.name).rstrip("\r\n")
        if text:
            yield number, next(csv.reader([text]), [])


def read_list(path: Path, losses: Losses) -> dict[str, list[str]]:
    """The values of each game: `id,value`, a line each."""
    found: dict[str, list[str]] = {}
    for line, fields in read_rows(path):
        if len(fields) < 2:
            losses.add(*WRONG_WIDTH, "items", f"{path.name}:{line}: {fields[0][:40]}")
        else:
            # A value with a comma that is not quoted comes in pieces.
            found.setdefault(fields[0], []).append(mend(",".join(fields[1:])))
    return found


def mend(text: str) -> str:
    """A text whose UTF-8 was once taken for Latin-1, as it was meant."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def read_price(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def read_log(paths: Sequence[Path], staged: Staged, losses: Losses) -> tuple[bool, bool]:
    """Stage `train_game.txt` and what follows it: a user and the games, as many as there are.
    Whether the log has non-clicks and whether it has times: neither."""
    for path in paths:
        for number, raw in read_lines(path, path.name):
            user, _, rest = decode(raw, number, path.name).rstrip("\r\n").partition(",")
            games = [game for game in rest.split(",") if game]
            if user and not games:
                losses.add("user without a game", "dropped", "log", f"{path.name}:{number}: {user}")
            for game in games:
                staged.add(path.name, number, user, game, None, None)
    return False, False
