"""`legoc score` and `legoc recommend`: histories in, scores or the best items out."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from legoc.commands.flags import Command


if TYPE_CHECKING:
    from legoc.commands.answers import Answer
    from legoc.commands.asked import Block
    from legoc.commands.records import Record
    from legoc.language.diagnosing.diagnostics import LegoError
    from legoc_runtime import Model, User

    # What one record is answered, once its user is encoded.
    Reply = Callable[[Model, User, Record], Answer]


def score_flags(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="BUNDLE")
    records(parser, '{"history": ["N1"], "candidates": ["N5"]}')


def run_score(arguments: Namespace) -> int:
    """Score `candidates` for each record; the answer's `scores` are in their order. A candidate the
    bundle does not know is an error: it cannot be ranked with the others."""

    def reply(model: "Model", user: "User", record: "Record") -> "Answer":
        scores = model.score(user, record.candidates)
        return {"candidates": record.candidates, "scores": scores.tolist()}

    return serve(arguments, reply, ("history", "candidates"))


def recommend_flags(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="BUNDLE")
    records(parser, '{"history": ["N1", "N2"]}')
    parser.add_argument("-k", type=int, default=10, help="items per user (default: 10)")
    parser.add_argument(
        "--keep-clicked", action="store_true", help="items of the history may return"
    )


def run_recommend(arguments: Namespace) -> int:
    """The `k` best items for each record, clicked ones left out unless `keep_clicked`."""
    from legoc.language.diagnosing.diagnostics import fail

    if arguments.k < 1:
        raise fail("E0861", f"`-k {arguments.k}` asks for no items", "give a number of at least 1")

    def reply(model: "Model", user: "User", record: "Record") -> "Answer":
        clicked = () if arguments.keep_clicked else record.history
        ids, scores = model.recommend(user, k=arguments.k, exclude=clicked)
        return {"items": list(ids), "scores": scores.tolist()}

    return serve(arguments, reply, ("history",))


def records(parser: ArgumentParser, example: str) -> None:
    parser.add_argument(
        "input", nargs="?", default="-",
        help=f"records such as {example}, as .jsonl, .csv, .tsv or .parquet; - reads JSON lines",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", default="-", help="where the answers go, by the same endings"
    )
    parser.add_argument(
        "--keep-going", action="store_true",
        help="answer a record that is not right with `error` and go on; exit 1 at the end",
    )  # fmt: skip


def serve(arguments: Namespace, reply: "Reply", needs: tuple[str, ...]) -> int:
    """Load a bundle and answer every record. A record that is not right ends the command, or with
    `--keep-going` is answered by what is wrong with it; then the exit code is 1."""
    import legoc_runtime
    from legoc.commands.answers import answers_to
    from legoc.commands.asked import read_blocks, verify_source

    verify_source(arguments.input)
    clicks = unknown = asked = wrong = 0
    with answers_to(arguments.output) as give:
        model = legoc_runtime.load(arguments.folder)
        for block in read_blocks(arguments.input, needs):
            given: list[Answer] = []
            stop: LegoError | None = None
            for answer, user, error in answers(model, block, reply):
                asked += 1
                if user is not None:
                    clicks += len(user.clicks) + len(user.unknown)
                    unknown += len(user.unknown)
                if error is not None:
                    wrong += 1
                    if not arguments.keep_going:
                        stop = error
                        break
                given.append(answer)
            give(given)
            if stop is not None:
                raise stop
    if unknown:
        print(
            f"{unknown:,} of {clicks:,} clicks name items this bundle does not know; "
            "they were left out",
            file=sys.stderr,
        )
    if wrong:
        print(f"{wrong:,} of {asked:,} records could not be answered", file=sys.stderr)
    return 1 if wrong else 0


def answers(
    model: "Model", block: "Block", reply: "Reply"
) -> "Iterator[tuple[Answer, User | None, LegoError | None]]":
    """What each record of a block is answered, its user, and what is wrong with it. Users are
    encoded together."""
    import legoc_runtime
    from legoc.commands.records import Record
    from legoc.language.diagnosing.diagnostics import fail

    right = [record for record in block if isinstance(record, Record)]
    encoded = iter(model.encode_users([r.history for r in right], [r.user_id for r in right]))
    for record in block:
        named: Any = {} if record.user is None else {"user": record.user}
        if not isinstance(record, Record):
            yield {**named, **refusal(record.error)}, None, record.error
            continue
        user = next(encoded)
        try:
            yield {**named, **reply(model, user, record)}, user, None
        except legoc_runtime.RequestError as error:
            wrong = fail("E0850", f"{record.place}: {error.message}", error.help)
            yield {**named, **refusal(wrong)}, user, wrong


def refusal(error: "LegoError") -> "Answer":
    """An error as the answer of a record."""
    found = error.diagnostics[0]
    return {"error": found.message, "code": found.code}


COMMANDS = {
    "score": Command(score_flags, run_score),
    "recommend": Command(recommend_flags, run_recommend),
}
