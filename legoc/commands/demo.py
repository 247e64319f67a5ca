"""`legoc demo`: the main job on the embedded data set, with what it shows printed for people.

A text model and its id-only twin are trained, exported and evaluated through onnxruntime; then
the text model's bundle recommends to one user and scores an article that was never in the data.
"""

import json
import shlex
import shutil
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from legoc.commands.console import choose
from legoc.commands.flags import Command, caches, runs
from legoc.commands.printing import console


# A newcomer's first bundle should survive the demo: it is written below the working directory.
ARTICLE = "demo-article"
NEWCOMERS = "no clicks before"


def demo_flags(parser: ArgumentParser) -> None:
    caches(parser)
    runs(parser)


def run_demo(arguments: Namespace) -> int:
    """Train, export, evaluate and recommend; print one table and two short lists."""
    from legoc.data import prepare
    from legoc.language import load
    from legoc.language.declaring.shipped import shipped
    from legoc.training import train

    progress = choose(arguments.quiet)
    specs = load(shipped("specs") / "demo.lego")
    prepared = prepare(specs[0], cache=arguments.cache, progress=progress)
    done = [
        train(spec, runs=arguments.runs, cache=arguments.cache, progress=progress) for spec in specs
    ]
    out = console()
    show_scores(out, done, prepared)
    bundle = done[0].folder / "bundle"
    history = show_user(out, bundle, prepared)
    show_next(out, bundle, history[-2:])
    return 0


def show_scores(out: Any, done: list[Any], prepared: Any) -> None:
    """GAUC of each model overall, on known and on new items and for users without clicks, beside
    what counting alone reaches and the best possible."""
    from rich.table import Table

    from legoc.commands.printing import figure

    best = prepared.best
    parts = {"all": "all items", "known": "known items", "new": "new items"}
    parts[NEWCOMERS] = "users without clicks"
    table = Table(title="GAUC on the last day, through onnxruntime", title_justify="left")
    table.add_column("model")
    for title in parts.values():
        table.add_column(title, justify="right")
    reports = {run.spec.name: run.metrics["test"] for run in done}
    counted = reports[done[0].spec.name].get("baselines", {})
    for name, report in {**reports, **counted}.items():
        told = {"all": report["metrics"], **report["slices"]}
        table.add_row(name, *(figure(told.get(part, {}).get("GAUC")) for part in parts))
    table.add_row("best possible", *(figure(best.get(part, {}).get("GAUC")) for part in parts))
    out.print(table)
    out.print("The models below the first two are counted, not trained.", style="dim")


def show_user(out: Any, bundle: Path, prepared: Any) -> list[str]:
    """Five recommendations for one user, and the score of an article typed in as raw text; gives
    the user's clicks."""
    import numpy as np

    import legoc_runtime

    model = legoc_runtime.load(bundle)
    log = prepared.logs["test"]
    sizes = np.diff(log.starts)
    chosen = int(np.argmax(sizes == np.median(sizes)))
    rows = log.clicks[log.starts[chosen] : log.starts[chosen + 1]]
    history = [prepared.items.ids[row] for row in rows]
    titles = {r["item_id"]: r for r in prepared.item_records(range(1, len(prepared.items)))}

    def line(name: str, score: str = "") -> str:
        return f"  {score:>7}  {titles[name]['title']}  [{titles[name]['category']}]"

    out.print("\nOne user has clicked, most recent last:", highlight=False)
    for name in history[-5:]:
        out.print(line(name), highlight=False, markup=False)
    user = model.encode_user(history)
    ids, scores = model.recommend(user, k=5, exclude=history)
    out.print("\nRecommended:", highlight=False)
    for name, score in zip(ids, scores, strict=True):
        out.print(line(name, f"{score:.3f}"), highlight=False, markup=False)
    article = write_article(titles[ids[0]], titles[ids[1]])
    model.items.add([{"id": ARTICLE, **article}])
    score = float(model.score(user, [ARTICLE])[0])
    everyone = np.sort(model.score(user, [name for name in titles]))
    place = len(everyone) - int(np.searchsorted(everyone, score)) + 1
    out.print("\nA new article, typed in as raw text:", highlight=False)
    out.print(
        f"  {score:7.3f}  {article['title']}\n"
        f"           would be number {place:,} of {len(everyone) + 1:,} for this user",
        highlight=False,
        markup=False,
    )
    return history


def write_article(one: dict[str, Any], other: dict[str, Any]) -> dict[str, str]:
    """A title nobody has seen, from words of two others, with nothing but `other` as its
    subcategory: only its text can tell what it is about."""
    words = [*one["title"].split()[:4], *other["title"].split()[-4:]]
    return {"title": " ".join(words), "subcategory": "other"}


def typed() -> str:
    """How this very command is typed in this shell: `legoc` where the shell finds it, else where it
    lies (`make demo` leaves it in `.venv/bin`)."""
    given = Path(sys.argv[0])
    if given.name != "legoc" or not given.is_file():
        return f"{Path(sys.executable).name} -m legoc" if given.name == "__main__.py" else "legoc"
    found = shutil.which("legoc")
    return "legoc" if found is not None and given.samefile(found) else shlex.quote(str(given))


def show_next(out: Any, bundle: Path, history: list[str]) -> None:
    """What a reader may type next."""
    legoc = typed()
    echo = f"echo '{json.dumps({'history': history})}'"
    out.print(
        f"\nThe bundle is in {bundle}. Try:\n"
        f"  {legoc} inspect {bundle}\n"
        f"  {echo} | {legoc} recommend {bundle} -k 5",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    sys.stdout.flush()


COMMANDS = {"demo": Command(demo_flags, run_demo)}
