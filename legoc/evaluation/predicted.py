"""Scores of a part of the data as files: rows by name, or the form in which a publisher takes them.

Letters: R rows.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from legoc.data.indexing.log import F32
from legoc.data.indexing.row_names import RowNames
from legoc.evaluation.beside import REASON, beside_lines
from legoc.evaluation.kept import row_columns
from legoc.evaluation.ranking import rank_rows
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Spec


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared

# What a publisher calls the one file in the archive that it takes.
SUBMISSIONS = {"MIND": "prediction.txt", "EBNeRD": "predictions.txt"}
SUBMISSION = ".zip"
ENDINGS = (".parquet", ".csv", ".tsv", ".jsonl")
# `test/12`, and `test/12+2` for the second impression of that id.
IMPRESSION = re.compile(r"[^/]*/(?P<id>.*?)(?:\+\d+)?")
LINES = 100_000


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """The scores [R] of one part of the data with the names of its rows."""

    spec: Spec
    prepared: "Prepared"
    bundle: Path
    names: RowNames
    scores: F32

    def write(self, path: Path, ending: str) -> None:
        """Write the rows, or for `.zip` the submission, in the form of an ending that was verified
        before anything was scored."""
        if ending == SUBMISSION:
            write_submission(path, SUBMISSIONS[self.spec.data.source.op], self)
        else:
            write_rows(path, ending, self)


def ending_of(path: Path | str) -> str:
    """What says the form of a file; E0599 for an ending that no form has."""
    path = Path(path)
    if path.suffix not in (*ENDINGS, SUBMISSION):
        raise fail(
            "E0599",
            f"`{path.name}` does not say what is to be written",
            f"name a file that ends in {', '.join(ENDINGS)}, or {SUBMISSION} for a submission",
        )
    return path.suffix


def verify_ending(ending: str, spec: Spec) -> None:
    """E0599 for a submission to a publisher who takes none."""
    source = spec.data.source.op
    if ending == SUBMISSION and source not in SUBMISSIONS:
        raise fail(
            "E0599",
            f"{source} has no form of submission",
            f"write the rows themselves: name a file that ends in {', '.join(ENDINGS)}",
            notes=(f"{' and '.join(SUBMISSIONS)} have one",),
        )


def verify_rows(ending: str, prepared: "Prepared", names: RowNames) -> None:
    """E0599 for a submission of a part whose candidates are not all there."""
    part = part_of(names)
    lost = [
        f"{drop.count:,} x {drop.reason}"
        for drop in prepared.report.drops
        if drop.part == part and "dropped" in drop.policy and "history" not in drop.reason
    ]
    if ending == SUBMISSION and lost:
        raise fail(
            "E0599",
            f"a submission ranks every candidate of `{part}`, and some were dropped",
            "mend the publisher's files, which `legoc data` names with their lines",
            notes=lost,
        )


def part_of(names: RowNames) -> str:
    """What the publisher calls the part."""
    return names.impressions[0].as_py().partition("/")[0] if len(names.rows) else ""


def submission_lines(predicted: Predicted) -> Iterator[str]:
    """`12 [2,1,3]` for each impression, ranks of the candidates as published, in its order."""
    order = np.argsort(predicted.names.rows, kind="stable")
    codes = predicted.names.impression[order]
    bounds = np.flatnonzero(np.diff(codes, prepend=-1))
    numbered = np.repeat(np.arange(len(bounds)), np.diff(bounds, append=len(codes)))
    ranks = rank_rows(numbered, predicted.scores[order])
    ends = np.append(bounds[1:], len(codes))
    for first in range(0, len(bounds), LINES):
        some = slice(first, first + LINES)
        names = predicted.names.impressions.take(codes[bounds[some]]).to_pylist()
        for name, start, end in zip(names, bounds[some], ends[some], strict=True):
            found = IMPRESSION.fullmatch(name)
            shown = found["id"] if found else name
            yield f"{shown} [{','.join(map(str, ranks[start:end].tolist()))}]\n"


def write_submission(path: Path, name: str, predicted: Predicted) -> None:
    # A fixed moment: the same scores make the same file.
    entry = zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    with (
        zipfile.ZipFile(path, "w") as archive,
        archive.open(entry, "w", force_zip64=True) as file,
        io.TextIOWrapper(file, encoding="utf-8", newline="\n") as text,
    ):
        text.writelines(submission_lines(predicted))
        if any(drop.reason == REASON for drop in predicted.prepared.report.drops):
            root = Path(predicted.spec.data.source.args["path"])
            text.writelines(beside_lines(root, part_of(predicted.names), predicted.bundle))


def write_rows(path: Path, ending: str, predicted: Predicted) -> None:
    """`impression`, `user`, `item`, `score`, in the publisher's order."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    order = np.argsort(predicted.names.rows, kind="stable")
    columns: dict[str, Any] = row_columns(predicted.names)
    table = pa.table({**columns, "score": pa.array(predicted.scores, pa.float32())}).take(order)
    if ending == ".parquet":
        pq.write_table(table, path, compression="zstd")
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        for number, batch in enumerate(table.to_batches(LINES)):
            frame = batch.to_pandas()
            if ending == ".jsonl":
                frame.to_json(file, orient="records", lines=True, force_ascii=False)
            else:
                separator = "," if ending == ".csv" else "\t"
                frame.to_csv(file, sep=separator, index=False, header=not number)
