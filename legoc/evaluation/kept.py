"""What an evaluation keeps: the score of every row and the values of every group, as Parquet.

Tables and comparisons read these files and measure nothing again. Each says in its metadata what it
is of: the contract with its hash, the digests of data and rows, the metrics with their figures.
Letters: R rows, G groups.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from legoc.data.indexing.log import I64, Log
from legoc.data.indexing.row_names import RowNames, name_rows
from legoc.evaluation.compute import better, metric_name
from legoc.evaluation.contract import Candidates, hash_contract, write_contract
from legoc.evaluation.full_ranking import Lists
from legoc.evaluation.group_values import GroupValues, measure_groups
from legoc.evaluation.report import Report, plain
from legoc.language.ir.spec import Call, Spec
from legoc.writing import replacing


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared

FORMAT = "legoc-scores/1"
KEY = b"legoc"
# The columns of groups.parquet beside those of metrics.
GROUP_COLUMNS = ("group", "user", "rows", "clicks")


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where the files of one evaluation lie."""

    scores: Path
    groups: Path


def places(folder: Path, split: str, candidates: Candidates = "shown") -> Places:
    """Those of a run lie in it, those of a bundle in its run or, on its own, beside it: nothing is
    added to what its manifest has hashed. `test` has the plain names, another part its own, and so
    has full ranking, of which there are no scores."""
    part = "" if split == "test" else f"-{split}"
    part += "" if candidates == "shown" else f"-{candidates}"
    if (folder / "manifest.json").is_file():
        run = folder.resolve().parent
        alone = not (run / "spec.json").is_file()
        before = f"{folder.resolve().name}-" if alone else ""
        folder = run
    else:
        before = ""
    return Places(
        scores=folder / f"{before}scores{part}.parquet",
        groups=folder / f"{before}groups{part}.parquet",
    )


def keep(
    folder: Path,
    report: Report,
    metrics: Sequence[Call],
    spec: Spec,
    prepared: "Prepared",
    log: Log,
) -> Places:
    """Write the rows and the groups of an evaluation that kept its scores, each file whole or not
    at all. `folder` is that of the run or bundle, `metrics` are those of the report."""
    assert report.scores is not None
    found = places(folder, report.split)
    names = name_rows(prepared.tables, log, report.split, spec.data.group)
    about = describe(report, metrics, spec, prepared, log, names)
    write_rows(found.scores, names, log, report.scores, about)
    write_groups(found.groups, names, log, report, metrics, spec.data.group, about)
    return found


def keep_lists(
    folder: Path,
    report: Report,
    lists: Lists,
    metrics: Sequence[Call],
    spec: Spec,
    prepared: "Prepared",
    log: Log,
) -> Places:
    """Write the groups of full ranking. Scores of whole catalogues are not kept: there are as many
    as users times items."""
    found = places(folder, report.split, "all")
    names = name_rows(prepared.tables, log, report.split, spec.data.group)
    about = describe(report, metrics, spec, prepared, log, names)
    labelled = ~np.isnan(log.label)
    there = np.unique(np.asarray(log.group)[labelled])
    columns = group_columns(names, log, spec.data.group, lists.rows, lists.clicks, there)
    write_values(found.groups, columns, lists.values, there, about)
    return found


def describe(
    report: Report,
    metrics: Sequence[Call],
    spec: Spec,
    prepared: "Prepared",
    log: Log,
    names: RowNames,
) -> dict[str, Any]:
    """What both files say of themselves."""
    contract = write_contract(spec, prepared, report.split, report.candidates)
    return {
        "format": FORMAT,
        "name": spec.name,
        "spec": spec.keys.spec,
        "data": prepared.digest,
        "rows": names.digest(log.label),
        "contract": contract,
        "contract digest": hash_contract(contract),
        "engine": report.engine,
        "figures": {
            metric_name(call): {
                "value": plain(figure.value),
                "over": figure.over,
                "count": figure.count,
                "better": better(call),
            }
            for call in metrics
            if (figure := report.metrics.get(metric_name(call))) is not None
        },
    }


def write_rows(
    path: Path, names: RowNames, log: Log, scores: NDArray[np.float32], about: Mapping[str, Any]
) -> None:
    """`impression`, `user`, `item`, `label` (null where there is none) and `score`."""
    import pyarrow as pa

    write(path, row_columns(names) | {
        "label": pa.array(log.label, pa.float32(), from_pandas=True),
        "score": pa.array(scores, pa.float32()),
    }, about)  # fmt: skip


def row_columns(names: RowNames) -> dict[str, Any]:
    """The names of rows as columns; a name that repeats is stored once."""
    import pyarrow as pa

    return {
        "impression": pa.DictionaryArray.from_arrays(names.impression, names.impressions),
        "user": pa.DictionaryArray.from_arrays(names.user, names.users),
        "item": pa.DictionaryArray.from_arrays(names.item, names.items),
    }


def write_groups(
    path: Path,
    names: RowNames,
    log: Log,
    report: Report,
    metrics: Sequence[Call],
    grouping: str,
    about: Mapping[str, Any],
) -> None:
    """A row per group that has a labelled row. A metric of groups is a column of its name, null
    where the group was left out; one of rows is two, `LogLoss.sum` and `LogLoss.weight`, whose
    totals divide to the figure."""
    assert report.scores is not None
    labelled = ~np.isnan(log.label)
    group = np.asarray(log.group)
    count = int(group.max(initial=-1)) + 1
    values = measure_groups(
        metrics, report.scores[labelled], log.label[labelled], group[labelled], count
    )
    rows = np.bincount(group[labelled], minlength=count)
    clicks = np.bincount(group[labelled], log.label[labelled] > 0.5, minlength=count)
    there = np.flatnonzero(rows)
    columns = group_columns(names, log, grouping, rows, clicks, there)
    write_values(path, columns, values, there, about)


def group_columns(
    names: RowNames, log: Log, grouping: str, rows: I64, clicks: I64, there: I64
) -> dict[str, Any]:
    """What stands before the metrics, for the groups `there`; rows, clicks [G]."""
    import pyarrow as pa

    group, count = np.asarray(log.group), len(rows)
    # A group lies in one impression or has one user: any of its rows names both.
    one = np.zeros(count, dtype=np.int64)
    one[group] = np.arange(len(group))
    number, texts = names.impression, names.impressions
    if grouping == "user":
        number, texts = names.user, names.users
    return {
        "group": texts.take(number[one[there]]),
        "user": names.users.take(names.user[one[there]]),
        "rows": pa.array(rows[there], pa.int32()),
        "clicks": pa.array(clicks[there], pa.int32()),
    }


def write_values(
    path: Path,
    columns: dict[str, Any],
    values: Mapping[str, GroupValues],
    there: I64,
    about: Mapping[str, Any],
) -> None:
    for name, value in values.items():
        columns |= value_columns(name, value, there)
    figures = {
        name: figure | {"by groups": name in values} for name, figure in about["figures"].items()
    }
    write(path, columns, {**about, "figures": figures})


def value_columns(name: str, value: GroupValues, there: I64) -> dict[str, Any]:
    import pyarrow as pa

    numerator, denominator = value.numerator[there], value.denominator[there]
    if value.over == "groups":
        return {name: pa.array(numerator, pa.float64(), mask=denominator == 0)}
    return {
        f"{name}.sum": pa.array(numerator, pa.float64()),
        f"{name}.weight": pa.array(denominator, pa.float64()),
    }


def write(path: Path, columns: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(dict(columns))
    text = json.dumps(about, ensure_ascii=False)
    with replacing(path) as made:
        pq.write_table(
            table.replace_schema_metadata({KEY: text.encode()}), made, compression="zstd"
        )
