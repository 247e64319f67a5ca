"""The runs of a file: one that fails keeps none of the others from their end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from legoc.language.diagnosing.failures import diagnosed
from legoc.language.ir.spec import Spec
from legoc.model.run import Run
from legoc.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A run that failed, and why."""

    spec: Spec
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
    """What became of the runs so far, by their place in the file."""

    known: dict[int, Run | Failure] = field(default_factory=dict[int, Run | Failure])

    def enter(self, place: int, ended: Run | Failure) -> None:
        self.known[place] = ended

    @property
    def ended(self) -> list[Run | Failure]:
        """In the order of the file."""
        return [self.known[place] for place in sorted(self.known)]

    @property
    def done(self) -> list[Run]:
        return [one for one in self.ended if not isinstance(one, Failure)]

    @property
    def failed(self) -> list[Failure]:
        return [one for one in self.ended if isinstance(one, Failure)]


def go_on(
    specs: Sequence[Spec],
    work: Callable[[Spec], Run],
    sweep: Sweep,
    progress: Progress,
    *,
    ends: Callable[[Exception], bool] = lambda error: False,
) -> None:
    """Do the work of each spec, one after another, and enter what became of it into `sweep`, which
    holds what there is when the user interrupts. ends: whether nothing can follow an error."""
    for place, spec in enumerate(specs):
        try:
            sweep.enter(place, work(spec))
        except BrokenPipeError:
            raise
        except Exception as error:
            if ends(error):
                raise
            failure = Failure(spec=spec, error=error)
            sweep.enter(place, failure)
            say_failure(failure, len(specs) - place - 1, progress)


def say_failure(failure: Failure, left: int, progress: Progress) -> None:
    """One line where others are still to come; why is told in full at the end."""
    if left:
        progress.say(f"{failure.spec.name} failed ({failure.why[0]}); {left} more to go")
