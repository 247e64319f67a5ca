"""Users of a language model that goes on from what it has read of them, one after the other.

Letters: S clicks, N tokens of a user's part, W numbers of a token, P candidates, n numbers.
"""

from collections.abc import Sequence

from legoc_runtime.chunks import stack_padded
from legoc_runtime.cold import ColdUsers
from legoc_runtime.graphs import F32, I32, Graphs, at_least_one
from legoc_runtime.prefixes import TOGETHER
from legoc_runtime.scoring import Scorer
from legoc_runtime.table import Table
from legoc_runtime.users import User


def read_prefixes(graphs: Graphs, table: Table, rows: Sequence[I32], users: I32) -> list[F32]:
    """The states [N, W] of users given by the rows of their clicks, a few at a time, each without
    the padding of the others."""
    prompt = graphs.parts.prompt
    assert prompt is not None
    assert table.tokens is not None
    made: list[F32] = []
    for start in range(0, len(rows), TOGETHER):
        part = rows[start : start + TOGETHER]
        clicks = stack_padded([at_least_one(each[None]) for each in part])
        ids, mask = prompt.users(table.tokens, clicks)
        named = users[start : start + TOGETHER]
        states = graphs.read_users({"tokens": ids, "tokens_mask": mask}, named)
        made += [state[real].copy() for state, real in zip(states, mask, strict=True)]
    return made


def score_each(
    scorer: Scorer, cold: ColdUsers, users: Sequence[User], table: Table, rows: Sequence[I32],
    context: F32 | None,
) -> list[F32]:  # fmt: skip
    """The scores of each user's candidates [P], user by user: their states are not of one length,
    and need no copy side by side. context: the numbers [.., n] of all pairs, end to end."""
    found: list[F32] = []
    start = 0
    for user, part in zip(users, rows, strict=True):
        numbers = None if context is None else context[start : start + len(part)]
        start += len(part)
        own = cold.scores(user, table, part)
        found.append(scorer.one(user.vectors, table.vectors[part], numbers) if own is None else own)
    return found
