"""What looks wrong in prepared data: futures that leak, ids that do not meet, texts that are not
there. Each finding is one sentence with its figures."""

from typing import TYPE_CHECKING

from legoc.data.staging.report import Report


if TYPE_CHECKING:
    import duckdb


# Shares from which on a loss is worth a warning.
UNKNOWN = 0.01
OVERLAP = 0.01
SEEN = 0.05
EMPTY = 0.2
NEW = 0.05

# Ids of a column of whole numbers that a gap turned into floats.
POINT = "without its `.0`"
FLOATS = (
    "ids such as `12.0` are of a column of whole numbers with gaps that was written as floats: "
    "write it as whole numbers or as text"
)

SAME = "check that all files are of one release and ids kept their zeros"

REMEDY = "; `context = [popularity]` in `data` tells it what everybody clicks"

# Tables joined to the items, whose further records are no loss.
JOINED = ("augment", "translations")


def suspect(
    connection: "duckdb.DuckDBPyConnection", report: Report, *, moment: bool = False
) -> tuple[str, ...]:
    """The warnings, the gravest kind first. moment: whether the model knows what everybody clicks
    (`context`)."""
    found = [
        *overlapping_times(connection, report),
        *shared_impressions(connection, report),
        *targets_in_histories(connection, report),
        *unknown_ids(connection, report),
        *report.warnings,
        *empty_attributes(report),
        *single_class(report),
        *without_clicks(report, moment),
    ]
    return tuple(found)


def overlapping_times(connection: "duckdb.DuckDBPyConnection", report: Report) -> list[str]:
    """Training impressions that are later than the first of a later split."""
    found: list[str] = []
    for split in ("valid", "test") if report.order == "time" else ():
        if split not in report.parts or "train" not in report.parts:
            continue
        ((late, total),) = connection.execute(
            f"""
            SELECT count(*) FILTER (WHERE time > (SELECT min(time) FROM interactions
                                                  WHERE split = '{split}')), count(*)
            FROM interactions WHERE split = 'train'
            """
        ).fetchall()
        if total and late / total > OVERLAP:
            found.append(
                f"leakage: {late / total:.1%} of the training rows are later than the first row of "
                f"{split}; figures are too good for a forecast (`split = time` cuts all users at "
                "one time)"
            )
    return found


def shared_impressions(connection: "duckdb.DuckDBPyConnection", report: Report) -> list[str]:
    """Clicks of a later split that stand in the training rows too: same user, item and time."""
    found: list[str] = []
    keys = "user_id, item_id, time"
    base = "FROM interactions JOIN histories USING (history_id)"
    for split in ("valid", "test"):
        if split not in report.parts or not report.parts[split].clicks:
            continue
        ((shared,),) = connection.execute(
            f"""
            SELECT count(*) FROM (
                SELECT {keys} {base} WHERE split = '{split}' AND label > 0
                INTERSECT SELECT {keys} {base} WHERE split = 'train' AND label > 0)
            """
        ).fetchall()
        if shared:
            found.append(
                f"leakage: {shared:,} clicks of {split} are training rows too (same user, item and "
                "time); look for repeated rows in the raw files"
            )
    return found


def targets_in_histories(connection: "duckdb.DuckDBPyConnection", report: Report) -> list[str]:
    """Clicks on an item the history before them holds."""
    found: list[str] = []
    for split in ("valid", "test"):
        part = report.parts.get(split)
        if part is None or not part.clicks:
            continue
        ((seen,),) = connection.execute(
            f"""
            SELECT count(*) FROM interactions JOIN histories USING (history_id)
            WHERE split = '{split}' AND label > 0 AND list_contains(clicks, item_id)
            """
        ).fetchall()
        if seen / part.clicks > SEEN:
            found.append(
                f"{seen / part.clicks:.1%} of the clicks of {split} are on items of their own "
                "history: either people return to items here, or the history holds the future"
            )
    return found


def unknown_ids(connection: "duckdb.DuckDBPyConnection", report: Report) -> list[str]:
    """Histories and rows that lost much to items no item table has."""
    ((kept,),) = connection.execute(
        "SELECT coalesce(sum(len(clicks)), 0) FROM histories"
    ).fetchall()
    rows = sum(part.rows for part in report.parts.values())
    found: list[str] = []
    for histories, total in ((True, kept), (False, rows)):
        lost = sum(
            drop.count
            for drop in report.drops
            if "unknown item" in drop.reason
            and drop.part not in JOINED
            and ("history" in drop.reason) == histories
        )
        if lost and lost / (lost + total) > UNKNOWN:
            where = "the clicks of histories" if histories else "the rows"
            pointed = any(POINT in drop.reason for drop in report.drops)
            hint = FLOATS if pointed else SAME
            found.append(
                f"unknown ids: {lost / (lost + total):.1%} of {where} name an item that has no "
                f"record; {hint}"
            )
    return found


def empty_attributes(report: Report) -> list[str]:
    """Attributes few items have."""
    return [
        f"`{name}` is empty for {1 - share:.1%} of the items"
        for name, share in report.coverage.items()
        if 1 - share > EMPTY
    ]


def single_class(report: Report) -> list[str]:
    """Splits whose grouped metrics would rest on few groups."""
    return [
        f"{part.one_class / part.groups:.1%} of the {report.group}s of {name} lack a click or a "
        "non-click: grouped metrics leave them out"
        for name, part in report.parts.items()
        if name in ("valid", "test") and part.groups and part.one_class / part.groups > EMPTY
    ]


def without_clicks(report: Report, moment: bool) -> list[str]:
    """Splits with many rows of which nothing is known but who asks."""
    shares = {name: part.cold_rows / part.rows for name, part in report.parts.items() if part.rows}
    found = [f"{share:.1%} of {name}" for name, share in shares.items() if share > NEW]
    if not found:
        return []
    return [
        f"rows without a click before them: {', '.join(found)}; their users have an empty history, "
        "and a model knows the candidates alone"
        + ("" if moment or report.order != "time" else REMEDY)
    ]
