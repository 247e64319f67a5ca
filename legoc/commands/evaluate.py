"""`legoc eval`: the metrics of a bundle, a run, or of the models of a file as they are."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from legoc.commands.bundles import name_of
from legoc.commands.chosen_runs import chosen_folder, is_file, specs_of, verify_selects
from legoc.commands.comparing import show_baselines
from legoc.commands.console import choose
from legoc.commands.flags import (
    Command,
    at_least,
    caches,
    compares,
    finds_data,
    prints_json,
    ranks,
    runs,
    selects,
)
from legoc.commands.printing import console, print_json, show_warnings, table


# What the columns of `legoc eval` are taken over.
PARTS = {
    "new": "candidates that training never showed, clicks against non-clicks among them",
    "new users": "lists of users that training never showed",
    "no clicks before": "lists of users without a click in their history",
}


def eval_flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "folder", metavar="BUNDLE|RUN|FILE",
        help="a folder, the name of a point that was trained, or a spec file whose models need no "
        "training: those of `epochs = 0`, and what is counted",
    )  # fmt: skip
    selects(parser)
    parser.add_argument(
        "--uncached", action="store_true", help="encode every pair anew, to compare"
    )
    parser.add_argument(
        "--device", metavar="NAME", default=None,
        help="measure the weights of a run by torch on cpu or cuda, with or without a bundle "
        "(default: the bundle, through onnxruntime)",
    )  # fmt: skip
    parser.add_argument(
        "--cold", action="store_true",
        help="also measure new users and users without clicks",
    )  # fmt: skip
    finds_data(parser)
    parser.add_argument(
        "--scores", action="store_true",
        help="also write the score of every row and the values of every group",
    )  # fmt: skip
    parser.add_argument(
        "--top", type=at_least(1), metavar="K", default=None,
        help="also say what the first K recommendations are like: coverage, novelty, diversity",
    )  # fmt: skip
    ranks(
        parser, "rank what was shown, or all items of the catalogue for each group that clicks "
        "(default: what the recipe says)",
    )  # fmt: skip
    parser.add_argument("--split", choices=("train", "valid", "test"), default=None)
    caches(parser)
    runs(parser)
    compares(parser)
    prints_json(parser)


def run_eval(arguments: Namespace) -> int:
    files = [arguments.folder] if is_file(arguments.folder) else []
    verify_selects(arguments, files)
    if not files:
        eval_folder(chosen_folder(arguments), "onnxruntime", arguments)
        return 0
    for folder in untrained(arguments):
        # What was not trained need not be exported to be measured.
        eval_folder(str(folder), "torch", arguments)
    return 0


def untrained(arguments: Namespace) -> list[Path]:
    """The folders of the models of a file, which are as they are: nothing is trained. E0633 for one
    that would be."""
    from legoc.language.diagnosing.diagnostics import fail
    from legoc.language.ir.spec import is_alone
    from legoc.training import train

    specs = specs_of(arguments.folder, arguments)
    trained = [s for s in specs if s.train is not None and s.train.epochs and not is_alone(s)]
    if len(trained) == len(specs):
        first = trained[0]
        epochs = 0 if first.train is None else first.train.epochs
        raise fail(
            "E0633",
            f"`{first.name}` trains up to {epochs} epochs, and `legoc eval` takes the models of a "
            "file as they are",
            f"`legoc train {arguments.folder}` first, or evaluate it untrained with "
            "`--set train.epochs=0`",
        )
    if trained:
        named = ", ".join(spec.name for spec in trained)
        show_warnings([f"left out, for they train: {named}; `legoc train` measures them"])
    progress = choose(arguments.quiet)
    return [
        train(
            spec, runs=arguments.runs, until="train", cache=arguments.cache, progress=progress
        ).folder
        for spec in specs
        if spec not in trained
    ]


def eval_folder(folder: str, engine: Any, arguments: Namespace) -> None:
    from legoc.evaluation import evaluate
    from legoc.evaluation.kept import places

    if arguments.device is not None:
        from legoc.training.machine import choose_device

        choose_device(arguments.device)
        engine = "torch"
    result = evaluate(
        folder, engine=engine, cached=not arguments.uncached, device=arguments.device or "cpu",
        split=arguments.split,
        cold=arguments.cold, scores=arguments.scores, top=arguments.top, data=arguments.data,
        candidates=arguments.candidates,
        cache=arguments.cache, baselines=not arguments.no_baselines,
        progress=choose(arguments.quiet),
    )  # fmt: skip
    if arguments.json:
        print_json(result.to_json())
    else:
        name = name_of(folder)
        full = ", full ranking" if result.candidates == "all" else ""
        show_report(result, f"{name} on {result.split}{full}", name)
    if arguments.scores:
        found = places(Path(folder), result.split, result.candidates)
        if result.candidates == "shown":
            print(f"rows: {found.scores}", file=sys.stderr)
        else:
            print("rows: not kept, they are users times items", file=sys.stderr)
        print(f"groups: {found.groups}", file=sys.stderr)


def show_report(result: Any, title: str, name: str = "model") -> None:
    """The metrics of one evaluation, overall and per slice, with what was counted."""
    out = console()
    out.print(table(title, ("metric", *result.parts()), result.table()))
    for part in result.parts():
        if part in PARTS:
            out.print(f"{part}: {PARTS[part]}", style="dim")
    if result.beyond is not None:
        columns = (f"first {result.beyond.k}", "", "what it is")
        out.print(table("beyond accuracy", columns, result.beyond.table()))
    out.print(result.summary())
    if result.baselines:
        show_baselines(out, [(name, result.to_json())])


COMMANDS = {"eval": Command(eval_flags, run_eval)}
