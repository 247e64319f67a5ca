"""`legoc tune`: the best values of what a file leaves open, found by training."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.commands.console import choose
from legoc.commands.flags import (
    Command,
    at_least,
    caches,
    compares,
    machine,
    prints_json,
    runs,
    takes_file,
    verifies,
)
from legoc.commands.points import checked_points
from legoc.commands.printing import console, figure, print_json, show_warnings, table
from legoc.commands.train import data_warnings, show_beside, show_runs


if TYPE_CHECKING:
    from legoc.experiments.search import Trial
    from legoc.experiments.trials import Search
    from legoc.experiments.tuned import Tuned

# What a trial that has no figure is called.
STATES = {"hopeless": "given up", "failed": "failed", "open": "to be trained"}


def tune_flags(parser: ArgumentParser) -> None:
    takes_file(parser)
    parser.add_argument(
        "--trials", type=at_least(1), default=40, metavar="N",
        help="trainings of each search, those of earlier commands included (default: 40)",
    )  # fmt: skip
    parser.add_argument(
        "--jobs", type=at_least(1, 1024), default=1, metavar="N",
        help="train so many trials at a time, as far as memory lasts (default: 1)",
    )  # fmt: skip
    parser.add_argument(
        "--stop-hopeless", action="store_true",
        help="give a training up when it is behind the median of the others",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=at_least(0, 2**31 - 1), default=0, metavar="S",
        help="of the proposals; another one is another search (default: 0)",
    )  # fmt: skip
    parser.add_argument(
        "--study", metavar="FOLDER",
        help="where the search is kept (default: below `studies` of the runs)",
    )  # fmt: skip
    parser.add_argument(
        "--until", choices=("train", "evaluate"), default="evaluate",
        help="`train` leaves the best untested: the same command tests it later",
    )  # fmt: skip
    caches(parser)
    runs(parser)
    machine(parser)
    verifies(parser)
    compares(parser)
    prints_json(parser)


def run_tune(arguments: Namespace) -> int:
    from legoc.experiments.search import spaces
    from legoc.experiments.tuning import begin, go_on
    from legoc.language.diagnosing.diagnostics import fail
    from legoc.training.settings import Settings

    checked = checked_points(arguments)
    found = spaces(checked.points)
    if not found:
        raise fail(
            "E0705",
            f"`{arguments.file}` leaves nothing open, so there is nothing to search",
            "write a range or a set: `lr in 1e-5..1e-2 log`, `hidden in {64, 128}`; "
            f"or train it with `legoc train {arguments.file}`",
        )
    settings = Settings(
        runs=arguments.runs, until=arguments.until, cache=arguments.cache, strict=arguments.strict,
        truncated=arguments.keep_truncated, threads=arguments.threads, device=arguments.device,
        baselines=not arguments.no_baselines,
    )  # fmt: skip
    progress = choose(arguments.quiet)
    # All of them are found sound before anything trains.
    searches = [
        begin(
            space,
            settings,
            seed=arguments.seed,
            folder=place,
            stop_hopeless=arguments.stop_hopeless,
            progress=progress,
        )
        for space, place in zip(found, places(arguments, found), strict=True)
    ]
    ended: list[Tuned] = []
    try:
        ended.extend(go_on(search, arguments.trials, arguments.jobs) for search in searches)
    except KeyboardInterrupt:
        if not arguments.json:
            show_far(searches[len(ended)])
        raise
    finally:
        # What is found is shown, whatever ends the others.
        show(ended, arguments)
    return 0


def places(arguments: Namespace, spaces: list[Any]) -> list[Path | None]:
    """The folder of each search, where one is named: of several searches, one below it for each."""
    if arguments.study is None:
        return [None] * len(spaces)
    given = Path(arguments.study)
    if len(spaces) == 1:
        return [given]
    return [given / str(place) for place in range(1, len(spaces) + 1)]


def show(ended: "list[Tuned]", arguments: Namespace) -> None:
    from legoc.experiments.recipe import write_best

    taken: set[str] = set()
    texts: list[str] = []
    for found in ended:
        assert found.point is not None
        assert found.run is not None
        text = write_best(found.point, taken) or found.run.spec.source_text
        taken |= {word for word in text.replace("(", " ").split() if word.startswith("best")}
        texts.append(text)
    if arguments.json:
        print_json([to_json(found, text) for found, text in zip(ended, texts, strict=True)])
        return
    out = console()
    for found, text in zip(ended, texts, strict=True):
        show_trials(found)
        assert found.run is not None
        show_runs([found.run])
        if not arguments.no_baselines:
            show_beside([found.run])
        out.print(f"\nthe best of {found.space.name}, to put into the file:\n")
        out.print("\n".join(f"    {line}".rstrip() for line in text.splitlines()) + "\n")
    done = [found.run for found in ended if found.run is not None]
    show_warnings(data_warnings(done, arguments))


def show_far(search: "Search") -> None:
    """What a search that is interrupted has come to."""
    found = search.so_far()
    if found.study.trained:
        show_trials(found)


def show_trials(found: "Tuned") -> None:
    """The trials, best first, and what they have cost."""
    ranked = found.ranked
    # An axis within an option is shown by the option.
    keys = list(dict.fromkeys(c.key for trial in ranked for c in trial.choices))
    places = {trial.number: place for place, trial in enumerate(sorted_by_number(ranked), 1)}
    rows = [
        (str(places[trial.number]), *(cell(trial, key) for key in keys), *told(trial))
        for trial in ranked
    ]
    out = console()
    columns = ("trial", *keys, found.monitor, "epochs", "CPU s")
    out.print(table(f"trials of {found.space.name}, by {found.monitor} on valid", columns, rows))
    out.print(f"{sentence(found)}; kept in {found.study.folder}", style="dim")


def sorted_by_number(trials: "Sequence[Trial]") -> "list[Trial]":
    """The trials as they were trained, without the proposals that were no models."""
    return sorted(trials, key=lambda trial: trial.number)


def cell(trial: "Trial", key: str) -> str:
    return next((choice.text for choice in trial.choices if choice.key == key), "-")


def told(trial: "Trial") -> tuple[str, str, str]:
    state = STATES.get(trial.state)
    value = figure(trial.value) if trial.value is not None else ""
    shown = value if state is None else f"{value} {state}".strip()
    return shown, str(trial.epochs), f"{trial.cpu:,.1f}"


def sentence(found: "Tuned") -> str:
    """`40 trials, 3 of them given up, 812 CPU seconds; 7 of 47 proposals were no models`."""
    study = found.study
    trained = study.trained
    parts = [f"{len(trained)} trial{'s' * (len(trained) != 1)}"]
    for state in ("hopeless", "failed"):
        count = sum(trial.state == state for trial in trained)
        if count:
            parts.append(f"{count} of them {STATES[state]}")
    parts.append(f"{study.cpu:,.0f} CPU seconds")
    said = ", ".join(parts)
    if study.refused:
        proposals = len(trained) + len(study.refused)
        were = "was no model" if len(study.refused) == 1 else "were no models"
        said += f"; {len(study.refused)} of {proposals} proposals {were}"
    if found.tried:
        said += "; there was nothing else to try"
    return said


def to_json(found: "Tuned", text: str) -> Mapping[str, Any]:
    best, run = found.best, found.run
    assert best is not None
    assert run is not None
    return {
        "name": found.space.name,
        "study": str(found.study.folder),
        "monitor": found.monitor,
        "budget": found.budget,
        "no_models": len(found.study.refused),
        "best": {"trial": best.number + 1, "lego": text, **run.to_json()},
        "trials": [
            {
                "trial": trial.number + 1,
                "name": trial.name,
                "state": trial.state,
                "choices": {choice.key: choice.value for choice in trial.choices},
                "value": trial.value,
                "epochs": trial.epochs,
                "cpu": trial.cpu,
                "folder": trial.folder or None,
                "why": trial.why or None,
            }
            for trial in (*found.ranked, *found.study.refused)
        ],
    }


COMMANDS = {"tune": Command(tune_flags, run_tune)}
