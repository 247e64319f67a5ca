"""Tables that start from the data: rows are found by id, never by position."""

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from legoc.data.indexing.log import Log
from legoc.data.reading.item_rows import read_rows
from legoc.language.ir.spec import Spec
from legoc.model.recommender import Recommender
from legoc.progress import SILENT, Progress


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared


# Rows whose numbers are looked up at once.
ROWS = 1 << 18


def fill_users(recommender: Recommender, prepared: "Prepared") -> None:
    """Put what is known of the users into a fresh model."""
    if recommender.profile is not None and prepared.profiles is not None:
        recommender.profile.fill(prepared.profiles)


def fill_prior(recommender: Recommender, log: Log) -> None:
    """Put the mean and the deviation of the context over the training rows into a fresh model."""
    if recommender.prior is not None:
        recommender.prior.fill(
            log.numbers(slice(start, start + ROWS)) for start in range(0, log.rows, ROWS)
        )


def fill_items(
    recommender: Recommender, spec: Spec, prepared: "Prepared", progress: Progress = SILENT
) -> None:
    """Put the rows of `content.file` into a fresh model; items without one get zeros and are
    counted, as are columns that tell nothing. Raises E0645 and E0646 for a file that does not hold
    such rows."""
    content = spec.model.get("content")
    path = None if content is None else content.args.get("file")
    operator = recommender.content
    if path is None or operator is None:
        return
    file = read_rows(Path(path), operator.rows)
    rows, has = file.align(prepared.items.ids)
    operator.fill(torch.from_numpy(rows), torch.from_numpy(has))
    count, found = len(has) - 1, int(has.sum())
    progress.say(
        f"{Path(path).name}: a row for {found:,} of {count:,} items"
        f"{'; the others start as zeros' * (found < count)}"
    )
    flat = file.flat_columns(prepared.items.ids) if operator.rows == "vectors" else ()
    if len(flat):
        shown = ", ".join(map(str, flat[:5])) + ", ..." * (len(flat) > 5)
        progress.say(
            f"{Path(path).name}: {len(flat)} of {rows.shape[1]} columns hold one value for every "
            f"item (columns {shown}) and tell nothing of any; look at how the file was made"
        )
