"""Single interactions (ratings, purchases, clicks) as histories and labelled rows.

A data set without impressions gives a source nothing but who did what and when. What is a history
and what a row then depends on the protocol, so it is made here, when the split is known. General
splits take each moment of a user as one impression whose history is the clicks strictly before it;
`recbench` and `legommenders` have rules of their own (`protocols`).
"""

from typing import TYPE_CHECKING

from legoc.data.splitting.derived import LEFT_OUT, derive_histories
from legoc.data.splitting.leaks import count_future_clicks
from legoc.data.splitting.protocols import PROTOCOLS, arrange_protocol
from legoc.data.splitting.protocols_told import arrange_told
from legoc.data.splitting.splits import split_impressions
from legoc.data.splitting.unseen import DRAWN, draw_unseen, list_touched
from legoc.data.staging.report import Drop
from legoc.data.staging.source import Extracted, Feedback
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Call


if TYPE_CHECKING:
    import duckdb


# Clicks kept of each history, unless a spec reads more.
HISTORY = 100


def arrange(
    connection: "duckdb.DuckDBPyConnection", split: Call, extracted: Extracted, history: int
) -> tuple[tuple[str, ...], tuple[Drop, ...]]:
    """Make histories, impressions, rows and assigned out of items and feedback; what a reader
    should know, and what the protocol left out.

    history: clicks kept of each.
    """
    notes, drops = arrange_rows(connection, split, extracted, history)
    return (*tell_order(split, extracted.order), *notes), drops


# What a split means where the order of a list or of a file stands for time.
ORDERS = {
    ("time", "list"): "`split = time` cuts every user's list at one place: test is what stands far "
    "down in long lists; `split = user` needs no order",
    ("time", "file"): "`split = time` cuts the file by its rows: test is its end, whenever that "
    "was; `split = user` needs no order",
    ("leave_one_out", "list"): "`split = leave_one_out` takes the end of every user's list, which "
    "need not be the latest",
    ("leave_one_out", "file"): "`split = leave_one_out` takes the last rows of every user in the "
    "file, which need not be the latest",
}


def tell_order(split: Call, order: str) -> tuple[str, ...]:
    return (ORDERS[split.op, order],) if (split.op, order) in ORDERS else ()


def arrange_rows(
    connection: "duckdb.DuckDBPyConnection", split: Call, extracted: Extracted, history: int
) -> tuple[tuple[str, ...], tuple[Drop, ...]]:
    """The same, without what the order of the log means for the split."""
    feedback = extracted.feedback
    if split.op in PROTOCOLS and extracted.bench is not None:
        return arrange_told(connection, split, extracted.bench)
    if split.op in PROTOCOLS and feedback is None and any(p.named for p in extracted.parts):
        raise fail(
            "E0623",
            f"`{split.op}` draws test and training rows, and those of this folder are drawn",
            "write `split = publisher`; of a RecBench folder `log=interactions` reads all rows",
        )
    if split.op in PROTOCOLS and (feedback is None or feedback.told):
        raise fail(
            "E0623",
            f"`{split.op}` makes histories of single interactions, and this data set has its own",
            "write `split = time`, or leave the table `histories` out",
        )
    if feedback is None or feedback.told:
        notes = split_impressions(connection, split, extracted.parts)
        if feedback is not None and feedback.negatives:
            notes += (add_negatives(connection, feedback),)
        return notes, ()
    if split.op in PROTOCOLS:
        return arrange_protocol(connection, split, feedback)
    views = feedback.views if split.op == "publisher" else {}
    derive_histories(connection, feedback, views, history)
    if split.op == "leave_one_out":
        connection.execute(LEFT_OUT)
        notes = (
            "leave_one_out leaks the future across users; non-clicks go with the click they "
            "stand before or after",
        )
    else:
        notes = split_impressions(connection, split, extracted.parts)
    if split.op == "publisher" and not views:
        notes += count_future_clicks(connection, history)
    if feedback.negatives:
        notes += (add_negatives(connection, feedback),)
    return notes, ()


def add_negatives(connection: "duckdb.DuckDBPyConnection", feedback: Feedback) -> str:
    """Give every click of validation and test its non-clicks, drawn from what the user never
    touched."""
    list_touched(connection)
    connection.execute(
        f"""
        CREATE TABLE wanted AS
        SELECT position AS key, user_id, count(*) * {feedback.negatives} AS amount
        FROM rows JOIN assigned USING (position) JOIN impressions USING (position)
        JOIN histories USING (history)
        WHERE split IN ('valid', 'test') AND label > 0 GROUP BY position, user_id
        """
    )
    missing = draw_unseen(connection, feedback.seed)
    connection.execute(f"INSERT INTO rows SELECT key, {DRAWN} + place, item_id, 0 FROM drawn")
    short = f"; {missing:,} fewer where a user knows nearly every item" if missing else ""
    return (
        f"{feedback.negatives} non-clicks per click of valid and test are drawn uniformly from "
        f"items the user never touched (seed {feedback.seed}){short}"
    )
