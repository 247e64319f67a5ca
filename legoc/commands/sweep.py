"""How the failures of several runs are told."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from legoc.commands.failure import answer


if TYPE_CHECKING:
    from legoc.training.sweep import Failure


def show_failures(failed: "Sequence[Failure]", total: int) -> int:
    """Print why runs failed, each reason once with the runs it ended; the exit code."""
    code = 0
    reasons: dict[tuple[str, ...], list[Failure]] = {}
    for failure in failed:
        reasons.setdefault(failure.why, []).append(failure)
    if len(reasons) > 1:
        told = f"{len(failed)} of {total} runs failed, for {len(reasons)} reasons"
        print(f"\n{told}", file=sys.stderr)
    for together in reasons.values():
        if total > 1:
            names = ", ".join(failure.spec.name for failure in together)
            print(f"\n{len(together)} of {total} runs failed: {names}", file=sys.stderr)
        code = max(code, answer(together[0].error))
    return code
