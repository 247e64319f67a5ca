"""The runs of a file one after another: one that fails keeps none of the others from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from legoc.commands.failure import answer, diagnosed


if TYPE_CHECKING:
    from legoc.language import Spec
    from legoc.model.run import Run
    from legoc.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A run that failed, and why."""

    spec: "Spec"
    error: Exception

    @property
    def why(self) -> tuple[str, ...]:
        """The same for failures that one message tells."""
        found = diagnosed(self.error)
        if found:
            return tuple(f"{one.code} {one.message}" for one in found)
        return (f"{type(self.error).__name__}: {self.error}",)

    def to_json(self) -> dict[str, Any]:
        """What the command line prints for machines, in the place of a run."""
        found = diagnosed(self.error)
        return {
            "name": self.spec.name,
            "folder": None,
            "finished": False,
            "code": found[0].code if found else None,
            "error": found[0].message if found else self.why[0],
        }


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What became of the runs, in the order of the file."""

    ended: "list[Run | Failure]" = field(default_factory=list)

    @property
    def done(self) -> "list[Run]":
        return [one for one in self.ended if not isinstance(one, Failure)]

    @property
    def failed(self) -> list[Failure]:
        return [one for one in self.ended if isinstance(one, Failure)]


def go_on(
    specs: "Sequence[Spec]", work: "Callable[[Spec], Run]", sweep: Sweep, progress: "Progress"
) -> None:
    """Do the work of each spec and enter what became of it into `sweep`, which holds what there is
    when the user interrupts."""
    for place, spec in enumerate(specs):
        try:
            sweep.ended.append(work(spec))
        except BrokenPipeError:
            raise
        except Exception as error:
            failure = Failure(spec=spec, error=error)
            sweep.ended.append(failure)
            left = len(specs) - place - 1
            if left:
                progress.say(f"{spec.name} failed ({failure.why[0]}); {left} more to go")


def show_failures(failed: Sequence[Failure], total: int) -> int:
    """Print why runs failed, each reason once with the runs it ended; the exit code."""
    import sys

    code = 0
    reasons: dict[tuple[str, ...], list[Failure]] = {}
    for failure in failed:
        reasons.setdefault(failure.why, []).append(failure)
    for together in reasons.values():
        if total > 1:
            names = ", ".join(failure.spec.name for failure in together)
            print(f"\n{len(together)} of {total} runs failed: {names}", file=sys.stderr)
        code = max(code, answer(together[0].error))
    return code
