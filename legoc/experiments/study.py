"""The folder of a search: what is searched, and a line for each proposal and for each end.

A line is on the disk before anything rests on it. What a killed process left of one is cut off.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from legoc import __version__
from legoc.experiments.search import Choice, State, Trial
from legoc.language.diagnosing.diagnostics import fail
from legoc.training.files import write_json


FORMAT = 1
STUDY, TRIALS = "study.json", "trials.jsonl"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What makes a search the same search: the points with their ranges, the data, the seed."""

    name: str
    spec: str
    data: str
    seed: int


class Study:
    """A search as far as it has come."""

    def __init__(self, folder: Path, trials: list[Trial]) -> None:
        self.folder = folder
        self.trials = trials

    @property
    def open(self) -> list[Trial]:
        """The trials that were proposed and have not ended."""
        return [trial for trial in self.trials if trial.state == "open"]

    def read(self) -> None:
        """What another command may have added since."""
        self.trials[:] = read_trials(self.folder / TRIALS)

    def place(self, trial: Trial) -> int:
        """Which one it is among those that were models, from 1."""
        earlier = self.trials[: trial.number]
        return 1 + sum(each.state != "no model" for each in earlier)

    @property
    def trained(self) -> list[Trial]:
        """Those that have cost a training, whatever came of it."""
        return [trial for trial in self.trials if trial.state not in ("open", "no model")]

    @property
    def refused(self) -> list[Trial]:
        """Those that were no models."""
        return [trial for trial in self.trials if trial.state == "no model"]

    @property
    def cpu(self) -> float:
        """Seconds of all trainings; two proposals that come to one model are one."""
        return sum({trial.folder: trial.cpu for trial in self.trials if trial.folder}.values())

    def best(self, *, lower: bool) -> Trial | None:
        found = [trial for trial in self.trials if trial.state == "trained"]
        key = (lambda t: t.value) if lower else (lambda t: -t.value)
        return min(found, key=key, default=None)

    def enter(self, name: str, choices: tuple[Choice, ...]) -> Trial:
        """A proposal, before anything is done for it."""
        trial = Trial(number=len(self.trials), name=name, choices=choices)
        self.write(
            "proposal", trial=trial.number, name=name, choices=[each.to_json() for each in choices]
        )
        self.trials.append(trial)
        return trial

    def end(
        self,
        trial: Trial,
        state: State,
        *,
        value: float | None = None,
        by_epoch: Mapping[int, float] | None = None,
        cpu: float = 0.0,
        folder: str = "",
        why: str = "",
    ) -> Trial:
        ended = replace(
            trial, state=state, value=value, by_epoch=by_epoch, cpu=cpu, folder=folder, why=why
        )
        epochs = None if by_epoch is None else {str(each): by_epoch[each] for each in by_epoch}
        self.write(
            "end", trial=trial.number, state=state, value=value, by_epoch=epochs, cpu=cpu,
            folder=folder, why=why,
        )  # fmt: skip
        self.trials[trial.number] = ended
        return ended

    def write(self, event: str, **entry: Any) -> None:
        line = json.dumps({"event": event, **entry}, ensure_ascii=False)
        with open(self.folder / TRIALS, "ab") as file:
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def open_study(folder: Path, identity: Identity) -> Study:
    """The study of a folder, begun where there is none. E0570 for that of another search, E0571 for
    one that cannot be read."""
    path = folder / STUDY
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, {"format": FORMAT, "legoc": __version__, **asdict(identity)})
        return Study(folder, [])
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        there = Identity(**{name: found[name] for name in asdict(identity)})
        known = found["format"] == FORMAT
    except (OSError, ValueError, KeyError, TypeError):
        raise unreadable(path) from None
    if not known:
        raise unreadable(path)
    if there != identity:
        raise fail(
            "E0570",
            f"`{folder}` holds the search of another spec",
            "name another folder with `--study`, or leave it out and each search has its own",
            notes=[
                f"there: {told(there)}",
                f"here:  {told(identity)}",
            ],
        )
    return Study(folder, read_trials(folder / TRIALS))


def told(identity: Identity) -> str:
    return (
        f"{identity.name}, spec {identity.spec[:12]}, data {identity.data[:12]}, "
        f"seed {identity.seed}"
    )


def read_trials(path: Path) -> list[Trial]:
    """The trials of a file; the half of a line that a killed process left is cut off."""
    if not path.is_file():
        return []
    text = path.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    if len(whole) < len(text):
        os.truncate(path, len(whole))
    trials: list[Trial] = []
    try:
        for line in whole.splitlines():
            entry = json.loads(line)
            number = entry["trial"]
            if entry["event"] == "proposal":
                if number != len(trials):
                    raise unreadable(path)
                choices = tuple(Choice.from_json(each) for each in entry["choices"])
                trials.append(Trial(number=number, name=entry["name"], choices=choices))
                continue
            epochs = entry["by_epoch"]
            trials[number] = replace(
                trials[number],
                state=entry["state"],
                value=entry["value"],
                by_epoch=None if epochs is None else {int(e): v for e, v in epochs.items()},
                cpu=entry["cpu"],
                folder=entry["folder"],
                why=entry["why"],
            )
    except (ValueError, LookupError, TypeError):
        raise unreadable(path) from None
    return trials


def unreadable(path: Path) -> Exception:
    return fail(
        "E0571",
        f"`{path}` cannot be read as that of a search",
        "remove its folder to search anew: trained runs stay, and are not trained again",
    )
