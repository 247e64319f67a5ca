"""What a bundle answers users of whom nothing is known (`export { cold = ... }`).

Letters: N items with row 0, D width, C vectors of a user.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from legoc.data.indexing.log import F32, Log
from legoc.exporting.engine import Side, encode_users, score_pairs
from legoc.language.diagnosing.diagnostics import fail
from legoc.model.counting import training_clicks
from legoc.tensor_files import save_arrays


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared


POPULARITY = "cache/popularity.safetensors"
MEAN = "cache/mean_user.safetensors"
# Items whose scores tell whether a model has an answer, and histories that a mean is taken over.
ITEMS = 1024
HISTORIES = 8192
# Scores that differ by less are one score that was rounded.
ROUNDING = 1e-6


def write_cold(
    folder: Path, asked: str | None, side: Side, prepared: "Prepared", table: F32
) -> dict[str, Any]:
    """The entry of the manifest, with its file below `folder`.

    asked: one of the four answers, None for the model's own where it has one, else popularity.
    table: the item matrix [N, D]. Raises E0832 where training has nothing that the answer is made
    of.
    """
    log = prepared.logs.get("train")
    answer = asked or choose_answer(side, log, prepared, table)
    if answer == "popularity":
        clicks = None if log is None else training_clicks(prepared)
        if clicks is None or not clicks.any():
            raise without("popularity", "no item is clicked in the training part")
        save_arrays(folder / POPULARITY, {"clicks": clicks.astype(np.int64)})
        return {"answer": answer, "file": POPULARITY}
    if answer == "mean":
        mean = None if log is None else mean_user(side, log, table)
        if mean is None:
            raise without("mean", "no history of the training part has a click")
        save_arrays(folder / MEAN, {"user": mean})
        return {"answer": answer, "file": MEAN}
    return {"answer": answer, "file": None}


def choose_answer(side: Side, log: Log | None, prepared: "Prepared", table: F32) -> str:
    """`model` where the model ranks items for an empty history, else `popularity` if there is any:
    a score that all items share would leave their order to the file."""
    if side.plan.context or log is None or ranks_items(side, table):
        return "model"
    return "popularity" if training_clicks(prepared).any() else "model"


def ranks_items(side: Side, table: F32) -> bool:
    """Whether items have different scores for a user without clicks whom nobody knows."""
    none = np.zeros(0, dtype=np.int32)
    nobody = Log(
        clicks=none, starts=np.zeros(2, dtype=np.int64), user=np.zeros(1, dtype=np.int32),
        history=none, item=none, label=np.zeros(0, dtype=np.float32), group=none,
    )  # fmt: skip
    users = None
    if side.keeps_users:
        users = encode_users(side, table, nobody, np.zeros(1, dtype=np.int32))
    items = np.arange(1, min(len(table), 1 + ITEMS), dtype=np.int32)
    scores = score_pairs(side, table, nobody, users, np.zeros(len(items), np.int32), items)
    largest = max(1.0, float(np.abs(scores).max(initial=0.0)))
    return len(scores) > 1 and float(np.ptp(scores)) > ROUNDING * largest


def mean_user(side: Side, log: Log, table: F32) -> F32 | None:
    """The mean [D] or [C, D] of the users of training who clicked something: of all their
    histories, or of so many spread evenly. None where nobody did."""
    clicked = np.flatnonzero(np.diff(log.starts))
    if not len(clicked):
        return None
    if len(clicked) > HISTORIES:
        clicked = clicked[np.linspace(0, len(clicked) - 1, HISTORIES).astype(np.int64)]
    made = encode_users(side, table, log, clicked.astype(np.int32))
    return made.mean(axis=0, dtype=np.float64).astype(np.float32)


def without(answer: str, why: str) -> Exception:
    return fail(
        "E0832",
        f"`cold = {answer}` has nothing to answer with: {why}",
        "leave `cold` out, or write `cold = error`",
    )
