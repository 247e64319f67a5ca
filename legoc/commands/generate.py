"""`legoc generate`: what models shall write about the items and users of a file."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legoc.commands.console import choose
from legoc.commands.flags import Command, at_least, caches, overrides, prints_json
from legoc.commands.messages import report
from legoc.commands.printing import console, print_json, table


if TYPE_CHECKING:
    from legoc.generating.generate import Outcome
    from legoc.language.ir.generation import Generation


def generate_flags(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE")
    overrides(parser, "override what the file declares: titles.model.max=40; may be repeated")
    parser.add_argument("--only", metavar="NAME", help="one `generate` of the file")
    parser.add_argument(
        "--limit", type=at_least(1), metavar="N",
        help="ask about the first N alone, and show what comes; their answers are kept",
    )  # fmt: skip
    parser.add_argument(
        "--published", metavar="FOLDER",
        help="write finished text in the forms of the published logs, too",
    )  # fmt: skip
    caches(parser)
    prints_json(parser)


def run_generate(arguments: Namespace) -> int:
    from legoc.data.cache import cache_root
    from legoc.generating.generate import generate
    from legoc.generating.published import write_published

    progress = choose(arguments.quiet)
    outcomes: list[dict[str, Any]] = []
    for generation in chosen(arguments):
        outcome = generate(
            generation, cache=cache_root(arguments.cache), limit=arguments.limit, progress=progress
        )
        outcomes.append(as_json(outcome))
        if not arguments.json:
            show(outcome)
        if arguments.published is not None and outcome.path is not None:
            written = write_published(generation, Path(arguments.published))
            progress.say(f"as it was published: {written}")
    if arguments.json:
        print_json(outcomes)
    return 0


def chosen(arguments: Namespace) -> "list[Generation]":
    """The generations of a file in the order in which they need each other: a file declares what
    another one reads before it."""
    from legoc.language import SpecError, check
    from legoc.language.diagnosing.diagnostics import fail
    from legoc.language.diagnosing.suggest import listing, nearest

    checked = check(arguments.file, overrides=arguments.overrides)
    if checked.errors:
        raise SpecError(*checked.diagnostics)
    # That text is missing is what this command is for.
    report([each for each in checked.diagnostics if each.code != "W104"])
    found = list(checked.generations)
    if not found:
        raise fail(
            "E0932",
            f"`{arguments.file}` declares no `generate`",
            "add one: `generate titles { of = DATA  task = Summarise(from=[title], to=newtitle)  "
            "model = LM(...) }`",
        )
    if arguments.only is None:
        return found
    names = [each.name for each in found]
    if arguments.only not in names:
        close = nearest(arguments.only, names)
        raise fail(
            "E0932",
            f"`{arguments.file}` declares no `generate {arguments.only}`",
            f"did you mean `{close}`?" if close else f"it declares {listing(names, quote='`')}",
        )
    return [each for each in found if each.name == arguments.only]


def as_json(outcome: "Outcome") -> dict[str, Any]:
    return {
        "name": outcome.generation.name, "subjects": outcome.subjects, "silent": outcome.silent,
        "kept": outcome.kept, "asked": outcome.asked, "again": outcome.again,
        "malformed": outcome.malformed, "left_out": outcome.left_out, "missing": outcome.missing,
        "tokens_read": outcome.tokens.read, "tokens_written": outcome.tokens.written,
        "seconds": round(outcome.seconds, 3), "price": round(outcome.price, 6),
        "path": None if outcome.path is None else str(outcome.path),
    }  # fmt: skip


def show(outcome: "Outcome") -> None:
    """What was asked, what came, what is missing."""
    out = console()
    name = outcome.generation.name
    kind = "items" if outcome.generation.task.op == "Summarise" else "users"
    rows = [
        (kind, f"{outcome.subjects:,}", "asked about"),
        (f"silent {kind}", f"{outcome.silent:,}", "nothing of them may be read"),
        ("answered before", f"{outcome.kept:,}", "not asked for again"),
        ("asked now", f"{outcome.asked:,}", f"{outcome.again:,} of them for the second time"),
        ("of another form", f"{outcome.malformed:,}", "answers, counted each time"),
        ("left out", f"{outcome.left_out:,}", f"{kind} without a sound answer"),
        ("missing", f"{outcome.missing:,}", f"{kind} not asked about yet"),
    ]
    shown = [row for row in rows if row[1] != "0" or row[0] in (kind, "asked now")]
    out.print(table(name, ("what", "how many", ""), shown))
    if outcome.broken:
        out.print(f"note: {outcome.broken:,} lines of the journal are broken, and passed over")
    for subject, text in outcome.examples:
        out.print(f"  {subject}: {text}", style="dim", markup=False, highlight=False)
    if outcome.asked:
        read, written = outcome.tokens.read, outcome.tokens.written
        rate = f", {written / outcome.seconds:,.0f} written a second" if outcome.seconds else ""
        price = f", price {outcome.price:,.4f}" if outcome.price else ""
        out.print(
            f"tokens: {read:,} read, {written:,} written in {outcome.seconds:.1f} s{rate}{price}"
        )
    if outcome.path is not None:
        out.print(f"written: {outcome.path}", highlight=False)
    else:
        out.print(f"`legoc generate` without `--limit` asks for the other {outcome.missing:,}")


COMMANDS = {"generate": Command(generate_flags, run_generate)}
