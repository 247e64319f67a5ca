"""What an evaluation found: figures, counts, and what it cost."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from legoc.data.indexing.log import F32
from legoc.evaluation.beyond import Beyond
from legoc.evaluation.compute import Figure, plain
from legoc.evaluation.marks import MARK, reasons


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One phase: seconds of the wall clock and of CPU time, over so many rows."""

    seconds: float
    cpu: float
    rows: int

    def to_json(self) -> dict[str, Any]:
        return {"seconds": self.seconds, "cpu": self.cpu, "rows": self.rows}


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The figures of one counted model, by part of the rows (`all`, then the slices) and metric."""

    name: str
    parts: Mapping[str, Mapping[str, float | None]]

    def to_json(self) -> dict[str, Any]:
        """As a report has them."""
        slices = {part: dict(found) for part, found in self.parts.items() if part != "all"}
        return {"metrics": dict(self.parts["all"]), "slices": slices}

    @staticmethod
    def from_json(name: str, value: Mapping[str, Any]) -> "Baseline":
        return Baseline(name=name, parts={"all": value["metrics"], **value["slices"]})


@dataclass(frozen=True, kw_only=True)
class Report:
    """The result of `evaluate`.

    engine: the name of the engine; split: the part of the data, where it is known; group: what the
    grouped metrics are averaged over (`impression` or `user`). metrics: figures by name, as
    `NDCG(5)`; slices: the same over parts of the rows, by the name of the part. counts: rows,
    groups, the rows whose user has an empty history, distinct users, items. timings: the phases
    `items`, `users`, `pairs`, and `prefixes` where users are read when their pairs are scored.
    scores [R]: the logits, where they were asked for; so `beyond`: what the first recommendations
    are like (`beyond.Beyond`). marks: metrics whose figures say nothing, with the reason.
    calibration: the two numbers of a calibrated model and what they bought. baselines: what
    counting reaches on the same rows, by the name of the model, where that was asked for.
    candidates: what was ranked, `all` for the whole catalogue; then the counts have the `lists`
    too, one for each group that clicks, and the size of the `catalogue`. left_out: metrics that
    have no figure there. stored: the vectors of items are those of the bundle.
    """

    engine: str
    split: str
    group: str
    metrics: Mapping[str, Figure]
    slices: Mapping[str, Mapping[str, Figure]]
    counts: Mapping[str, int]
    timings: Mapping[str, Timing]
    scores: F32 | None = field(default=None, compare=False, repr=False)
    marks: Mapping[str, str] = field(default_factory=dict[str, str])
    calibration: Mapping[str, Any] | None = None
    baselines: Mapping[str, Baseline] = field(default_factory=dict[str, Baseline])
    beyond: Beyond | None = None
    candidates: Literal["shown", "all"] = "shown"
    left_out: tuple[str, ...] = ()
    stored: bool = False

    def __getitem__(self, name: str) -> float:
        return self.metrics[name].value

    def to_json(self) -> dict[str, Any]:
        """Everything but the scores, in JSON's types; a figure that is not defined is null."""
        return {
            "engine": self.engine,
            "split": self.split,
            "group": self.group,
            **self.ranked(),
            "metrics": {name: plain(figure.value) for name, figure in self.metrics.items()},
            "marks": dict(self.marks),
            "calibration": None if self.calibration is None else dict(self.calibration),
            "slices": {
                part: {name: plain(figure.value) for name, figure in figures.items()}
                for part, figures in self.slices.items()
            },
            "groups": {part: counted(figures) for part, figures in self.parts().items()},
            "counts": dict(self.counts),
            "timings": {phase: timing.to_json() for phase, timing in self.timings.items()},
            **self.compared(),
            **({} if self.beyond is None else {"beyond": self.beyond.to_json()}),
        }

    def ranked(self) -> dict[str, Any]:
        """What was ranked, where it is not what was shown."""
        if self.candidates == "shown":
            return {}
        return {"candidates": self.candidates, "left out": list(self.left_out)}

    def compared(self) -> dict[str, Any]:
        """The baselines, where there are any."""
        found = {name: baseline.to_json() for name, baseline in self.baselines.items()}
        return {"baselines": found} if found else {}

    def parts(self) -> dict[str, Mapping[str, Figure]]:
        """The figures of all rows under `all`, then those of the slices."""
        return {"all": self.metrics, **self.slices}

    def table(self) -> list[tuple[str, ...]]:
        """Rows of texts under the titles (`metric`, *parts()): a metric's name and its figures, a
        dash where one is not defined. The last row says over how many groups they are."""
        parts = self.parts()
        rows = [
            (
                name + MARK * (name in self.marks),
                *(format_value(figures[name].value) for figures in parts.values()),
            )
            for name in self.metrics
        ]
        groups = [counted(figures) for figures in parts.values()]
        if groups[0] is not None:
            rows.append((f"{self.group}s", *(f"{count:,}" for count in groups)))
        return rows

    def summary(self) -> str:
        """What a reader of the figures has to know, one sentence each."""
        total = sum(timing.seconds for timing in self.timings.values())
        if self.candidates == "all":
            sentences = self.sum_up_lists(total)
        else:
            sentences = self.sum_up_rows(total)
        if self.calibration is not None:
            sentences.append(write_calibration(self.calibration))
        sentences += reasons(self.marks)
        return "\n".join(sentences)

    def sum_up_rows(self, total: float) -> list[str]:
        counts = self.counts
        sentences = [
            f"{counts['rows']:,} rows in {counts['groups']:,} {self.group}s; {self.engine} "
            f"{self.sum_up_encoded()} and scored the rows in {total:.1f} s"
        ]
        excluded = max((figure.excluded for figure in self.metrics.values()), default=0)
        if excluded:
            sentences.append(
                f"{excluded:,} {self.group}s lack a click or a non-click and are left out of the "
                "grouped metrics"
            )
        if counts["cold rows"]:
            sentences.append(f"{counts['cold rows']:,} rows belong to a user without clicks")
        return sentences

    def sum_up_encoded(self) -> str:
        items, users = f"{self.counts['items']:,} items", f"{self.counts['users']:,} histories"
        if self.stored:
            return f"took {items} from the bundle, encoded {users}"
        return f"encoded {items} and {users}"

    def sum_up_lists(self, total: float) -> list[str]:
        """The same of the whole catalogue."""
        counts = self.counts
        sentences = [
            f"{counts['lists']:,} of {counts['groups']:,} {self.group}s click, and each is ranked "
            f"against all {counts['catalogue']:,} items but those of its history; {self.engine} "
            f"{self.sum_up_encoded()} and ranked {counts['rows']:,} pairs in {total:.1f} s"
        ]
        if counts["cold rows"]:
            sentences.append(f"{counts['cold rows']:,} lists are of a user without clicks")
        if self.left_out:
            sentences.append(
                f"{', '.join(self.left_out)}: left out, full ranking keeps ranks and no scores"
            )
        return sentences


def write_calibration(found: Mapping[str, Any]) -> str:
    """What makes probabilities of scores, and what it bought."""
    loss = found["LogLoss"]
    return (
        f"calibrated on {found['rows']:,} rows of {found['split']}: temperature "
        f"{found['temperature']:.4g}, bias {found['bias']:.4g}; LogLoss {loss['before']:.4f} -> "
        f"{loss['after']:.4f} there"
    )


def counted(figures: Mapping[str, Figure]) -> int | None:
    """The groups that grouped metrics are averaged over; None without such a metric."""
    return next((figure.count for figure in figures.values() if figure.over == "groups"), None)


def format_value(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4f}"
