"""What an evaluation of a run left behind, read for comparisons and tables.

Letters: G groups, C clusters.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legoc.evaluation.contract import Candidates, differences
from legoc.evaluation.kept import FORMAT, KEY, places
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.ir.spec import Spec
from legoc.model.run import Run


F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Result:
    """The groups of one run on one part of the data; `about` is what their file says of itself."""

    run: Run
    path: Path
    about: Mapping[str, Any]

    @property
    def spec(self) -> Spec:
        return self.run.spec

    @property
    def metrics(self) -> list[str]:
        """The metrics that groups add up to."""
        return [name for name, figure in self.about["figures"].items() if figure["by groups"]]

    @property
    def whole(self) -> dict[str, float]:
        """The figures of the metrics that only all rows together have."""
        return {
            name: math.nan if figure["value"] is None else figure["value"]
            for name, figure in self.about["figures"].items()
            if not figure["by groups"]
        }

    @cached_property
    def groups(self) -> int:
        """Those that have a labelled row."""
        import pyarrow.parquet as pq

        return pq.read_metadata(self.path).num_rows

    @cached_property
    def clusters(self) -> tuple[NDArray[np.int32], int]:
        """The cluster of each group [G], and how many there are: the users."""
        codes = self.read("user").combine_chunks().dictionary_encode()
        return np.asarray(codes.indices, dtype=np.int32), len(codes.dictionary)

    def sums(self, metric: str) -> tuple[F64, F64]:
        """Numerators and denominators [C] of a metric."""
        if self.about["figures"][metric]["over"] == "groups":
            column = self.read(metric)
            numerator = column.fill_null(0).to_numpy()
            denominator = column.is_valid().to_numpy().astype(np.float64)
        else:
            numerator = self.read(f"{metric}.sum").to_numpy()
            denominator = self.read(f"{metric}.weight").to_numpy()
        own, count = self.clusters
        return (
            np.bincount(own, numerator, minlength=count),
            np.bincount(own, denominator, minlength=count),
        )

    def read(self, column: str) -> Any:
        import pyarrow.parquet as pq

        return pq.read_table(self.path, columns=[column]).column(0)


def read_result(
    folder: Path, split: str | None = None, candidates: Candidates | None = None
) -> Result:
    """The result of a run on a part of the data: `test`, or where there is none `valid`, unless one
    is asked for; of the candidates that its recipe has ranked, or of those asked for. E0595 where
    it was not kept, E0560 for what is no run."""
    run = Run(folder)
    name = run.spec.name
    usual = "shown" if run.spec.train is None else run.spec.train.candidates
    candidates = candidates or usual
    choices = (split,) if split is not None else ("test", "valid")
    path = next(
        (found for each in choices if (found := places(folder, each, candidates).groups).is_file()),
        None,
    )
    if path is None:
        part = "" if split is None else f" --split {split}"
        part += "" if candidates == usual else f" --candidates {candidates}"
        missing = places(folder, choices[0], candidates).groups.name
        first = "" if run.bundle.is_dir() else f"`legoc export {folder}`, then "
        raise fail(
            "E0595",
            f"the run `{folder}` ({name}) has no `{missing}`",
            f"make it with {first}`legoc eval {folder} --scores{part}`",
        )
    return Result(run, path, read_about(path, folder))


def read_about(path: Path, folder: Path) -> Mapping[str, Any]:
    """What a file of groups says of itself; E0595 for one that does not."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    again = f"make it anew with `legoc eval {folder} --scores`"
    try:
        about = json.loads((pq.read_schema(path).metadata or {})[KEY])
    except (pa.ArrowInvalid, OSError, KeyError, ValueError):
        raise fail("E0595", f"`{path}` cannot be read as the groups of a run", again) from None
    if about.get("format") != FORMAT:
        raise fail("E0595", f"`{path}` is of the format {about.get('format')}, not {FORMAT}", again)
    return about


def verify_comparable(results: Sequence[Result]) -> None:
    """Refuse results of other rows or another contract than those of the first (E0596)."""
    first = results[0]
    for other in results[1:]:
        found = differences(first.about["contract"], other.about["contract"])
        if found:
            raise incomparable(first, other, "under another contract", found)
        if first.about["rows"] != other.about["rows"]:
            found = [
                f"data digest: {first.about['data'][:12]}, {other.about['data'][:12]}",
                *data_differences(first.spec, other.spec),
            ]
            raise incomparable(first, other, "on other rows", found)


def data_differences(one: Spec, other: Spec) -> list[str]:
    """What differs in how two specs describe their data, as phrases."""
    from legoc.language.ir.difference import changes, write

    return [
        f"{change.path}: {write(change.before)}, {write(change.after)}"
        for change in changes(one, other)
        if change.path.startswith("data.")
    ]


def incomparable(one: Result, other: Result, how: str, found: Sequence[str]) -> LegoError:
    return fail(
        "E0596",
        f"`{other.run.folder}` was measured {how} than `{one.run.folder}`",
        "compare runs of the same data, split, grouping and candidates; put the others into a "
        "table of their own",
        notes=[f"{phrase}" for phrase in found],
    )
