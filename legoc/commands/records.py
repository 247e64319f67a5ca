"""What `legoc score` and `legoc recommend` read and write.

A record has `history` (item ids, most recent last), for scoring `candidates`, and optionally
`user`, which is copied to the answer and read by models that know users. Records come as JSON
lines, CSV, TSV (ids separated by blanks) or Parquet, and answers leave in the same choice of forms.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from legoc.language.diagnosing.diagnostics import fail
from legoc.writing import replacing


Record = dict[str, Any]
FORMS = (".jsonl", ".json", ".csv", ".tsv", ".parquet")


def listed(value: Any) -> list[str]:
    """A list of ids, or one written with blanks between them."""
    if value is None:
        return []
    return value.split() if isinstance(value, str) else [str(name) for name in value]


def form(path: str) -> str:
    """How a file holds records, by its ending."""
    if path == "-":
        return ".jsonl"
    ending = Path(path).suffix.lower()
    if ending not in FORMS:
        raise fail(
            "E0862",
            f"`{path}` ends in {ending or 'nothing'}, which says nothing of its form",
            f"use one of {', '.join(FORMS)}, or - for JSON lines",
        )
    return ending


def read(source: str) -> Iterator[tuple[str, Record]]:
    """The records of a file, each with its place for messages."""
    ending = form(source)
    if source != "-" and not Path(source).is_file():
        raise fail(
            "E0863",
            f"there is no file `{source}`",
            "check the path, or give - and pipe the records in",
        )
    if ending in (".jsonl", ".json"):
        with nullcontext(sys.stdin) if source == "-" else open(source, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{source}:{number}", read_line(f"{source}:{number}", line)
        return
    import pandas

    if ending == ".parquet":
        frame = pandas.read_parquet(source)
    else:
        separator = "," if ending == ".csv" else "\t"
        frame = pandas.read_csv(source, sep=separator, dtype=str, keep_default_na=False)
    for number, row in enumerate(frame.to_dict(orient="records"), 1):
        yield f"{source}, row {number}", {str(key): value for key, value in row.items()}


def read_line(place: str, line: str) -> Record:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise fail(
            "E0864",
            f"{place}: not JSON ({error.msg} at column {error.colno})",
            'each line is one record, such as {"history": ["N1", "N2"]}',
        ) from None
    if not isinstance(record, dict):
        raise fail(
            "E0864", f"{place}: a {type(record).__name__}, not a record", "write {...} on each line"
        )
    return record


def write(records: Iterable[Record], output: str) -> None:
    """Write records as they come (JSON lines), or at once, whole or not at all (tables)."""
    ending = form(output)
    if output == "-":
        for record in records:
            print(json.dumps(record, ensure_ascii=False), flush=False)
        return
    with replacing(output) as made:
        if ending in (".jsonl", ".json"):
            with made.open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(r, ensure_ascii=False) + "\n" for r in records)
        else:
            import pandas

            frame = pandas.DataFrame(list(records))
            if ending == ".parquet":
                frame.to_parquet(made)
            else:
                for name in frame.columns:
                    if frame[name].map(lambda value: isinstance(value, list)).any():
                        frame[name] = frame[name].map(
                            lambda v: " ".join("" if x is None else str(x) for x in v)
                        )
                frame.to_csv(made, sep="," if ending == ".csv" else "\t", index=False)
