"""How labelled impressions become train, valid and test.

Cuts by time are global: everything from the cut on belongs to the later split, unless that would
leave a part empty (`time_cuts`). An impression is never divided. Parts without labels are `predict`
under every split.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from legoc.data.splitting.time_cuts import cut_times
from legoc.data.staging.source import Published
from legoc.language.declaring.declare import Quantity, operator, param
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.spec import Call


if TYPE_CHECKING:
    import duckdb


SPLITS = ("train", "valid", "test", "predict")

Share = Quantity["share"]

# What `publisher` takes from the end of the first of two published parts.
VALID_SHARE = 0.1


@operator("split", "publisher")
class Publisher:
    """The publisher's parts.

    Of two labelled parts the second is test, and the last tenth of the first, by time, is valid.
    Three labelled parts stay as they are, and so do two that are named as train and valid.
    """

    example = "split = publisher"

    def __init__(self, config: Any = None) -> None:
        pass

    def assign(
        self, connection: "duckdb.DuckDBPyConnection", parts: Sequence[Published]
    ) -> tuple[str, ...]:
        labelled = [part.name for part in parts if part.labelled]
        if len(labelled) not in (2, 3):
            raise fail(
                "E0623",
                "`split = publisher` needs two or three labelled parts, and here "
                f"{'is' if len(labelled) == 1 else 'are'} {len(labelled)}"
                + (f" (`{labelled[0]}`)" if len(labelled) == 1 else ""),
                "add the publisher's other part, or write `split = time`",
            )
        if len(labelled) == 3:
            names = dict(zip(labelled, SPLITS, strict=False))
            cases = " ".join(f"WHEN '{part}' THEN '{name}'" for part, name in names.items())
            assign(connection, f"CASE part {cases} END")
            return ()
        first, second = labelled
        if second == "valid" and any(part.name == second and part.named for part in parts):
            assign(connection, "part")
            return ()
        cuts, notes = cut_times(connection, {"valid": VALID_SHARE}, f"part = '{first}'")
        assign(
            connection,
            f"CASE WHEN part = '{second}' THEN 'test' WHEN {cuts['valid']} THEN 'valid' "
            "ELSE 'train' END",
        )
        return notes


class Shares:
    """A split that takes a share for valid and one for test."""

    class Config:
        valid: Share = param(
            0.1, min=0, max=1, doc="Share of the impressions, or of the users, that is valid."
        )
        test: Share = param(
            0.1, min=0, max=1, doc="Share of the impressions, or of the users, that is test."
        )

    def __init__(self, config: Any) -> None:
        self.config = config

    def read(self, name: str) -> tuple[float, float]:
        """Both shares; E0623 where they leave nothing."""
        valid, test = self.config.valid, self.config.test
        if valid + test >= 1:
            raise fail(
                "E0623",
                f"`{name}(valid={valid:.0%}, test={test:.0%})` leaves nothing for training",
                f"write smaller shares, such as `{name}(valid=10%, test=10%)`",
            )
        return valid, test


@operator("split", "time")
class Time(Shares):
    """Global cut-off times: the last impressions are test, those before them valid."""

    example = "split = time(valid=10%, test=10%)"

    def assign(
        self, connection: "duckdb.DuckDBPyConnection", parts: Sequence[Published]
    ) -> tuple[str, ...]:
        valid, test = self.read("time")
        shares = {name: share for name, share in (("test", test), ("valid", valid)) if share}
        cuts, notes = cut_times(connection, shares)
        cases = [f"WHEN {cut} THEN '{name}'" for name, cut in cuts.items()]
        assign(connection, f"CASE {' '.join(cases)} ELSE 'train' END" if cases else "'train'")
        return notes


@operator("split", "user")
class User(Shares):
    """Whole users, chosen by a hash of their ids: no user is in two splits."""

    example = "split = user(valid=10%, test=10%)"

    def assign(
        self, connection: "duckdb.DuckDBPyConnection", parts: Sequence[Published]
    ) -> tuple[str, ...]:
        valid, test = self.read("user")

        def amount(share: float) -> str:
            # A part that is asked for has somebody in it, where three can share.
            return f"greatest(round({share} * n), {int(share > 0)} * (n >= 3)::INTEGER)"

        # The order of the hashes is a shuffle that does not depend on any library's generator.
        assign(
            connection,
            f"""
            (SELECT CASE WHEN place < {amount(test)} THEN 'test'
                         WHEN place < {amount(test)} + {amount(valid)} THEN 'valid'
                         ELSE 'train' END FROM chosen WHERE chosen.user_id = labelled.user_id)
            """,
            before="""
            CREATE OR REPLACE TABLE chosen AS
            SELECT user_id, row_number() OVER (ORDER BY md5(user_id), user_id) - 1 AS place,
                   count(*) OVER () AS n
            FROM (SELECT DISTINCT user_id FROM labelled)
            """,
        )
        return ("the validation users are of the training period: an easier task than test",)


@operator("split", "leave_one_out")
class LeaveOneOut:
    """Each user's last impression is test, the one before it valid.

    Users with fewer than three impressions stay in train. Other users' later clicks are seen in
    training, so the figures are too good for a forecast.
    """

    example = "split = leave_one_out"

    def __init__(self, config: Any = None) -> None:
        pass

    def assign(
        self, connection: "duckdb.DuckDBPyConnection", parts: Sequence[Published]
    ) -> tuple[str, ...]:
        assign(
            connection,
            "CASE WHEN n >= 3 AND back = 1 THEN 'test' WHEN n >= 3 AND back = 2 THEN 'valid' "
            "ELSE 'train' END",
            source="""(
                SELECT *, count(*) OVER (PARTITION BY user_id) AS n,
                       row_number() OVER (PARTITION BY user_id ORDER BY time DESC, position DESC)
                           AS back
                FROM labelled)""",
        )
        return ("leave_one_out leaks the future across users",)


CHOICES = {"publisher": Publisher, "time": Time, "user": User, "leave_one_out": LeaveOneOut}


def split_impressions(
    connection: "duckdb.DuckDBPyConnection", split: Call, parts: Sequence[Published]
) -> tuple[str, ...]:
    """Make the table assigned(position, split) and return what a reader should know about it."""
    unlabelled = ", ".join(f"'{part.name}'" for part in parts if not part.labelled) or "''"
    columns = [name for name, *_ in connection.execute("DESCRIBE impressions").fetchall()]
    connection.execute(
        "CREATE OR REPLACE VIEW labelled AS SELECT impressions.*, histories.user_id, "
        f"{'turn' if 'turn' in columns else 'impressions.position AS turn'} "
        "FROM impressions JOIN histories USING (history) "
        # Impressions that lost all their rows would shift the cuts.
        f"WHERE part NOT IN ({unlabelled}) AND position IN (SELECT position FROM rows)"
    )
    chosen = CHOICES[split.op]
    config = getattr(chosen, "Config", None)
    notes = chosen(config(**split.args) if config else None).assign(connection, parts)
    connection.execute(
        "INSERT INTO assigned SELECT position, 'predict' FROM impressions "
        f"WHERE part IN ({unlabelled})"
    )
    return notes


def assign(
    connection: "duckdb.DuckDBPyConnection",
    expression: str,
    *,
    source: str = "labelled",
    before: str | None = None,
) -> None:
    """Fill assigned(position, split) with an expression over the labelled impressions."""
    if before is not None:
        connection.execute(before)
    alias = "" if source == "labelled" else " AS labelled"
    connection.execute(
        "CREATE OR REPLACE TABLE assigned AS "
        f"SELECT position, {expression} AS split FROM {source}{alias}"
    )
