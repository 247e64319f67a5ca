"""Written text in the forms in which logs of it were published (Liu et al., WSDM 2024).

`news_summarizer.log` has an id, a tab, a tag and a text on each line; `user_profiler.log` and
`generator.log` are JSON lines that number the users, whose ids stand in `user/tok.uid.dat`.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.generation import Generation
from legoc.writing import write_text


NAMES = {"Summarise": "summarizer", "Profile": "profiler", "Invent": "generator"}
USERS = Path("user") / "tok.uid.dat"


def write_published(generation: Generation, folder: Path) -> Path:
    """The log of one finished generation below `folder`, and the users that it numbers. Users that
    another log numbered keep their places."""
    records = list(read_records(Path(generation.path)))
    target = folder / f"{generation.name}_{NAMES[generation.task.op]}.log"
    folder.mkdir(parents=True, exist_ok=True)
    if generation.task.op == "Summarise":
        lines = list(summaries(records, generation.task["to"]))
    else:
        places = number_users(folder / USERS, (record["user_id"] for record in records))
        lines = [
            json.dumps({"uid": places[record["user_id"]], **said(generation, record)},
                       ensure_ascii=False)
            for record in records
        ]  # fmt: skip
    write_text(target, "".join(f"{line}\n" for line in lines))
    return target


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            yield json.loads(line)


def summaries(records: Iterable[Mapping[str, Any]], tag: str) -> Iterator[str]:
    for record in records:
        if not re.fullmatch(r"\w+", record["item_id"]):
            raise fail(
                "E0933",
                f"the published form has no place for the id `{record['item_id']}`",
                "it knows ids of letters, digits and `_`; `augment` reads the written file itself",
            )
        yield f"{record['item_id']}\t[{tag}] {record[tag]}"


def said(generation: Generation, record: Mapping[str, Any]) -> dict[str, str]:
    """What a line says of its user: topics as bullets below a heading, or an item as JSON."""
    if generation.task.op == "Profile":
        bullets = "\n".join(f"- {topic}" for topic in record[generation.task["to"]])
        return {"interest": f"[topics]\n{bullets}"}
    return {"news": json.dumps(record["item"], ensure_ascii=False)}


def number_users(path: Path, users: Iterable[str]) -> dict[str, int]:
    """The place of each user in the table beside the logs, which is made longer as needed."""
    known = path.read_text("utf-8").split("\n")[:-1] if path.is_file() else []
    places = {user: place for place, user in enumerate(known)}
    for user in users:
        if "\n" in user:
            raise fail(
                "E0933",
                "the published form has no place for a user's id with a line end in it",
                "`augment` reads the written file itself",
            )
        places.setdefault(user, len(places))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, "".join(f"{user}\n" for user in places))
    return places
