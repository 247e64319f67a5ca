"""Tables written as people write them: four formats, many ways to write a list, an id, a time."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


BEGIN = datetime(2024, 3, 1, tzinfo=UTC)
MICRO = timedelta(microseconds=1)
UNITS = {"seconds": 10**6, "milliseconds": 10**3, "microseconds": 1}


def written_list(values, form):
    """A list in one cell, by the libraries themselves where they write it."""
    match form:
        case "json":
            return json.dumps(values, ensure_ascii=False)
        case "python":
            return str(values)
        case "numpy":
            return str(np.array(values, dtype=object)) if values else "[]"
        case "tuple":
            return str(tuple(values)) if values else ""
        case _:
            return form.join(values)


def moment_of(micros):
    return BEGIN + micros * MICRO


def written_time(micros, form):
    """A time after 1 March 2024 in words or figures. Forms without a clock are of whole days."""
    moment = moment_of(micros)
    match form:
        case "iso":
            return moment.replace(tzinfo=None).isoformat(sep=" ")
        case "zone":
            away = moment + timedelta(hours=2)
            return away.replace(tzinfo=None).isoformat() + "+02:00"
        case "utc":
            return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
        case "slashes":
            return f"{moment:%Y/%m/%d %H:%M:%S}"
        case "month first":
            return f"{moment:%m/%d/%Y %I:%M:%S %p}"
        case "day first":
            return f"{moment:%d.%m.%Y %H:%M:%S}"
        case "words":
            return f"{moment.day} {moment:%b %Y %H:%M:%S}"
        case "figures":
            return int(f"{moment:%Y%m%d%H%M%S}")
        case "exponent":
            return f"{moment.timestamp():.9e}"
        case "nanoseconds":
            return (round((moment - datetime(1970, 1, 1, tzinfo=UTC)) / MICRO)) * 1000
        case "typed":
            return moment.replace(tzinfo=None)
        case _ if form.startswith("from 0: "):
            return micros // UNITS[form.removeprefix("from 0: ")]
        case _:
            return round((moment - datetime(1970, 1, 1, tzinfo=UTC)) / MICRO) // UNITS[form]


TIMES = (
    "iso", "zone", "utc", "slashes", "month first", "day first", "words", "figures", "exponent",
    "nanoseconds", "seconds", "milliseconds", "microseconds", "from 0: seconds",
    "from 0: milliseconds",
)  # fmt: skip


def write_rows(path, rows, format, lists="json"):
    """Rows (dictionaries with the same keys) as `path` with the ending of a format."""
    path = path.with_name(f"{path.name}.{format}")
    path.parent.mkdir(parents=True, exist_ok=True)
    match format:
        case "parquet":
            names = list(rows[0])
            pq.write_table(pa.table({n: pa.array([row[n] for row in rows]) for n in names}), path)
        case "jsonl":
            text = "".join(json.dumps(plain(row), ensure_ascii=False) + "\n" for row in rows)
            path.write_text(text, "utf-8")
        case "json":
            path.write_text(json.dumps([plain(row) for row in rows], ensure_ascii=False), "utf-8")
        case _:
            out = io.StringIO()
            cut = "\t" if format == "tsv" else ","
            writer = csv.writer(out, delimiter=cut, lineterminator="\n")
            writer.writerow(rows[0])
            writer.writerows([cell(value, lists) for value in row.values()] for row in rows)
            path.write_text(out.getvalue(), "utf-8")
    return path


def plain(row):
    """A record without its null keys every now and then would be another; here all are kept."""
    return {name: str(v) if isinstance(v, datetime) else v for name, v in row.items()}


def cell(value, lists):
    if value is None:
        return ""
    return written_list(value, lists) if isinstance(value, list) else value
