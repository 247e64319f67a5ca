"""`legoc score` and `legoc recommend`: histories in, scores or the best items out.

A record has `history` (item ids, most recent last), for scoring `candidates`, and optionally
`user`, which is copied to the answer and read by models that know users. Records come as JSON
lines, CSV, TSV (ids separated by blanks) or Parquet, and answers leave in the same choice of forms.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from legoc.language.diagnosing.diagnostics import fail


Record = dict[str, Any]
FORMS = (".jsonl", ".json", ".csv", ".tsv", ".parquet")


def run(
    bundle: str,
    source: str,
    output: str,
    answer: Callable[[Any, Record], Record],
    needs: tuple[str, ...],
) -> int:
    """Load a bundle, answer every record of `source`, write the answers to `output`."""
    import legoc_runtime

    form(output)
    model = legoc_runtime.load(bundle)
    unknown = [0, 0]

    def answers() -> Iterator[Record]:
        for place, record in read(source):
            for field in needs:
                if field not in record:
                    raise fail(
                        "E0860",
                        f"{place}: the record has no `{field}`",
                        f'give one, such as {{"{field}": ["N1", "N2"]}}',
                    )
            given = listed(record["history"])
            unknown[0] += sum(model.items.index(name) == 0 for name in given)
            unknown[1] += len(given)
            record = {**record, "history": given}
            named = {"user": record["user"]} if "user" in record else {}
            try:
                answered = answer(model, record)
            except legoc_runtime.RequestError as error:
                raise fail("E0850", f"{place}: {error.message}", error.help) from None
            yield {**named, **answered}

    write(answers(), output)
    if unknown[0]:
        print(
            f"{unknown[0]:,} of {unknown[1]:,} clicks name items this bundle does not know; "
            "they were left out",
            file=sys.stderr,
        )
    return 0


def score_lines(bundle: str, source: str, output: str = "-") -> int:
    """Score `candidates` for each record; the answer's `scores` are in their order. A candidate the
    bundle does not know is an error: it cannot be ranked with the others."""

    def answer(model: Any, record: Record) -> Record:
        candidates = listed(record["candidates"])
        user = model.encode_user(record["history"], user=record.get("user"))
        return {"candidates": candidates, "scores": model.score(user, candidates).tolist()}

    return run(bundle, source, output, answer, ("history", "candidates"))


def recommend_lines(
    bundle: str, source: str, output: str = "-", *, k: int = 10, keep_clicked: bool = False
) -> int:
    """The `k` best items for each record, clicked ones left out unless `keep_clicked`."""
    if k < 1:
        raise fail("E0861", f"`-k {k}` asks for no items", "give a number of at least 1")

    def answer(model: Any, record: Record) -> Record:
        user = model.encode_user(record["history"], user=record.get("user"))
        clicked = () if keep_clicked else record["history"]
        ids, scores = model.recommend(user, k=k, exclude=clicked)
        return {"items": list(ids), "scores": [float(score) for score in scores]}

    return run(bundle, source, output, answer, ("history",))


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
    target = Path(output)
    part = target.with_name(f".{target.name}.part")
    try:
        if ending in (".jsonl", ".json"):
            with part.open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(r, ensure_ascii=False) + "\n" for r in records)
        else:
            import pandas

            frame = pandas.DataFrame(list(records))
            if ending == ".parquet":
                frame.to_parquet(part)
            else:
                for name in frame.columns:
                    if frame[name].map(lambda value: isinstance(value, list)).any():
                        frame[name] = frame[name].map(
                            lambda v: " ".join("" if x is None else str(x) for x in v)
                        )
                frame.to_csv(part, sep="," if ending == ".csv" else "\t", index=False)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
