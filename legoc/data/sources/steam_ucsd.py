"""The Steam release of UCSD (Kang and McAuley, ICDM 2018): one Python literal per line."""

import re
from calendar import timegm
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from legoc.data.formats.json_lines import read_json_lines
from legoc.data.formats.times import read_iso
from legoc.data.staging.losses import Losses
from legoc.data.staging.staged import Staged


# Posted November 5, 2011.
POSTED = re.compile(r"Posted (\w+) (\d{1,2}), (\d{4})\.?")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
SECOND = 1_000_000


def read_games(path: Path, lists: Sequence[Path], staged: Staged, losses: Losses) -> None:
    """Stage `steam_games.json`. A price may be text (`Free To Play`), a title stands under `title`
    or `app_name`; what is missing stays empty."""
    for line, game in read_json_lines(path, path.name, losses, "items"):
        price = game.get("price")
        if isinstance(price, str):
            price = 0.0 if "free" in price.lower() else None
        staged.add(
            path.name, line, name_of(game.get("id")),
            str(game.get("title") or game.get("app_name") or ""), texts(game.get("genres")),
            texts(game.get("developer")), texts(game.get("publisher")), texts(game.get("tags")),
            None if price is None else float(price),
        )  # fmt: skip


def name_of(value: Any) -> str:
    return "" if value is None else str(value)


def texts(value: Any) -> list[str]:
    """A list of texts, or one text, or nothing."""
    if isinstance(value, list):
        return [str(one) for one in value if one]
    return [str(value)] if value else []


def read_log(paths: Sequence[Path], staged: Staged, losses: Losses) -> tuple[bool, bool]:
    """Stage one of the three logs by its name. Whether it has non-clicks, and whether times."""
    (path,) = paths
    name = path.name
    if name.startswith("steam_reviews"):
        for line, review in read_json_lines(path, name, losses, "log"):
            user = name_of(review.get("user_id") or review.get("username"))
            item, time = name_of(review.get("product_id")), read_iso(str(review.get("date") or ""))
            staged.add(name, line, user, item, None, time)
        return False, True
    owned = name.startswith("australian_users_items")
    refused = False
    for line, record in read_json_lines(path, name, losses, "log"):
        user = name_of(record.get("user_id"))
        for one in record.get("items" if owned else "reviews") or ():
            item = name_of(one.get("item_id"))
            if owned:
                staged.add(name, line, user, item, None, None)
            else:
                liked = bool(one.get("recommend", True))
                refused = refused or not liked
                staged.add(name, line, user, item, float(liked), read_posted(one))
    return refused, not owned


def read_posted(review: Mapping[str, Any]) -> int | None:
    """The day of a review in microseconds, None where it says no year."""
    found = POSTED.fullmatch(str(review.get("posted") or "").strip())
    if found is None or found[1] not in MONTHS:
        return None
    try:
        day = date(int(found[3]), MONTHS.index(found[1]) + 1, int(found[2]))
    except ValueError:
        return None
    return timegm(day.timetuple()) * SECOND
