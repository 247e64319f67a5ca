"""`legoc score` and `legoc recommend`: histories in, scores or the best items out."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from legoc.commands.flags import Command


if TYPE_CHECKING:
    from legoc.commands.records import Record


def score_flags(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="BUNDLE")
    records(parser, '{"history": ["N1"], "candidates": ["N5"]}')


def run_score(arguments: Namespace) -> int:
    return score_lines(arguments.folder, arguments.input, arguments.output)


def recommend_flags(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="BUNDLE")
    records(parser, '{"history": ["N1", "N2"]}')
    parser.add_argument("-k", type=int, default=10, help="items per user (default: 10)")
    parser.add_argument(
        "--keep-clicked", action="store_true", help="items of the history may return"
    )


def run_recommend(arguments: Namespace) -> int:
    return recommend_lines(
        arguments.folder, arguments.input, arguments.output,
        k=arguments.k, keep_clicked=arguments.keep_clicked,
    )  # fmt: skip


def records(parser: ArgumentParser, example: str) -> None:
    parser.add_argument(
        "input", nargs="?", default="-",
        help=f"records such as {example}, as .jsonl, .csv, .tsv or .parquet; - reads JSON lines",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", default="-", help="where the answers go, by the same endings"
    )


def run(
    bundle: str,
    source: str,
    output: str,
    answer: "Callable[[Any, Record], Record]",
    needs: tuple[str, ...],
) -> int:
    """Load a bundle, answer every record of `source`, write the answers to `output`."""
    import legoc_runtime
    from legoc.commands.records import form, listed, read, write
    from legoc.language.diagnosing.diagnostics import fail

    form(output)
    model = legoc_runtime.load(bundle)
    unknown = [0, 0]

    def answers() -> "Iterator[Record]":
        for place, record in read(source):
            for field in needs:
                if field not in record:
                    raise fail(
                        "E0860",
                        f"{place}: the record has no `{field}`",
                        f'give one, such as {{"{field}": ["N1", "N2"]}}',
                    )
            given = listed(record["history"])
            unknown[0] += sum(model.items.index(name) == 0 for name in given)
            unknown[1] += len(given)
            record = {**record, "history": given}
            named = {"user": record["user"]} if "user" in record else {}
            try:
                answered = answer(model, record)
            except legoc_runtime.RequestError as error:
                raise fail("E0850", f"{place}: {error.message}", error.help) from None
            yield {**named, **answered}

    write(answers(), output)
    if unknown[0]:
        print(
            f"{unknown[0]:,} of {unknown[1]:,} clicks name items this bundle does not know; "
            "they were left out",
            file=sys.stderr,
        )
    return 0


def score_lines(bundle: str, source: str, output: str = "-") -> int:
    """Score `candidates` for each record; the answer's `scores` are in their order. A candidate the
    bundle does not know is an error: it cannot be ranked with the others."""
    from legoc.commands.records import listed

    def answer(model: Any, record: "Record") -> "Record":
        candidates = listed(record["candidates"])
        user = model.encode_user(record["history"], user=record.get("user"))
        return {"candidates": candidates, "scores": model.score(user, candidates).tolist()}

    return run(bundle, source, output, answer, ("history", "candidates"))


def recommend_lines(
    bundle: str, source: str, output: str = "-", *, k: int = 10, keep_clicked: bool = False
) -> int:
    """The `k` best items for each record, clicked ones left out unless `keep_clicked`."""
    from legoc.language.diagnosing.diagnostics import fail

    if k < 1:
        raise fail("E0861", f"`-k {k}` asks for no items", "give a number of at least 1")

    def answer(model: Any, record: "Record") -> "Record":
        user = model.encode_user(record["history"], user=record.get("user"))
        clicked = () if keep_clicked else record["history"]
        ids, scores = model.recommend(user, k=k, exclude=clicked)
        return {"items": list(ids), "scores": [float(score) for score in scores]}

    return run(bundle, source, output, answer, ("history",))


COMMANDS = {
    "score": Command(score_flags, run_score),
    "recommend": Command(recommend_flags, run_recommend),
}
