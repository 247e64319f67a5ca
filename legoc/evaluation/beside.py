"""Rows of EB-NeRD's test part that are no impressions: the same candidates for many users, from
which the publisher measures diversity. A submission ranks them behind the impressions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from legoc.evaluation.ranking import rank_rows
from legoc.language.diagnosing.diagnostics import fail


REASON = "row for measures beyond accuracy"
ROWS = 256


def beside_lines(root: Path, part: str, bundle: Path) -> Iterator[str]:
    """`0 [2,1,3]` for each such row of a part, in the order of its file. root: the folder of the
    data set. E0599 for a candidate that the bundle does not know."""
    import pyarrow.parquet as pq

    import legoc_runtime

    model = legoc_runtime.load(bundle)
    columns = ["impression_id", "user_id", "article_ids_inview", "is_beyond_accuracy"]
    filters = [("is_beyond_accuracy", "=", True)]
    table = pq.read_table(root / part / "behaviors.parquet", columns=columns, filters=filters)
    past = read_past(root / part / "history.parquet", table["user_id"].unique())
    for batch in table.to_batches(ROWS):
        rows = batch.to_pylist()
        histories = [past.get(row["user_id"], []) for row in rows]
        users = model.encode_users(histories, [str(row["user_id"]) for row in rows])
        candidates = [[str(item) for item in row["article_ids_inview"]] for row in rows]
        for offered in candidates:
            verify_known(model, offered)
        for row, scores in zip(rows, model.score_users(users, candidates), strict=True):
            ranks = rank_rows(np.zeros(len(scores), dtype=np.int64), np.asarray(scores))
            yield f"{row['impression_id']} [{','.join(map(str, ranks.tolist()))}]\n"


def read_past(path: Path, users: Any) -> dict[int, list[str]]:
    """The clicks of some users before the part, oldest first."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=["user_id", "article_id_fixed"])
    table = table.filter(pc.is_in(table["user_id"], value_set=users.cast(table["user_id"].type)))
    return {
        row["user_id"]: [str(item) for item in row["article_id_fixed"] or ()]
        for row in table.to_pylist()
    }


def verify_known(model: Any, offered: list[str]) -> None:
    from legoc_runtime import RequestError

    try:
        model.verify_candidates(offered)
    except RequestError as error:
        raise fail(
            "E0599",
            f"a row for measures beyond accuracy cannot be ranked: {error.message}",
            "mend the publisher's files, or write the rows of impressions as .parquet",
        ) from None
