"""What a search has found: its trials in order, the best of them, and what that has cost."""

from dataclasses import dataclass
from typing import Any

from legoc.experiments.search import Space, Trial
from legoc.experiments.study import Study
from legoc.language.resolving.points import Point
from legoc.model.run import Run


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What a search has found. best: the trial, point, spec and run of the best so far; monitor: by
    what; tried: whether there was nothing else to propose."""

    space: Space
    study: Study
    monitor: str
    lower: bool
    best: Trial | None = None
    point: Point | None = None
    run: Run | None = None
    tried: bool = False

    @property
    def ranked(self) -> list[Trial]:
        """The trials, best first; then what was given up, failed, or is still to be trained."""
        order = ("trained", "hopeless", "failed", "open")
        sign = 1 if self.lower else -1
        kept = [trial for trial in self.study.trials if trial.state in order]
        return sorted(
            kept,
            key=lambda trial: (
                order.index(trial.state),
                sign * (trial.value if trial.value is not None else 0.0),
            ),
        )

    @property
    def budget(self) -> dict[str, Any]:
        """What finding the best has cost, as budget.json says it."""
        return {
            "trials": len(self.study.trained),
            "proposals": len([t for t in self.study.trials if t.state != "open"]),
            "cpu": round(self.study.cpu, 3),
            "study": self.study.folder.name,
        }
