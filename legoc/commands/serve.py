"""`legoc score` and `legoc recommend`: histories in, scores or the best items out."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from legoc.commands.bundles import bundle_of
from legoc.commands.flags import Command


if TYPE_CHECKING:
    from legoc.commands.answers import Answer
    from legoc.commands.asked import Block
    from legoc.commands.records import Record, Refused
    from legoc.language.diagnosing.diagnostics import LegoError
    from legoc_runtime import Model, User

    # What records are answered, once their users are encoded: an answer each, or what is wrong.
    Reply = Callable[[Model, list[User], list[Record]], list[Answer | LegoError]]


def score_flags(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="BUNDLE|RUN")
    records(parser, '{"history": ["N1"], "candidates": ["N5"]}')


def run_score(arguments: Namespace) -> int:
    """Score `candidates` for each record; the answer's `scores` are in their order. A candidate the
    bundle does not know is an error: it cannot be ranked with the others."""

    return serve(arguments, score_block, ("history", "candidates"))


def score_block(
    model: "Model", users: "list[User]", records: "list[Record]"
) -> "list[Answer | LegoError]":
    from legoc.language.diagnosing.diagnostics import fail
    from legoc_runtime import RequestError

    wrong: dict[int, LegoError] = {}
    for place, record in enumerate(records):
        try:
            model.verify_candidates(record.candidates)
        except RequestError as error:
            wrong[place] = fail("E0850", f"{record.place}: {error.message}", error.help)
    right = [place for place in range(len(records)) if place not in wrong]
    scores = model.score_users(
        [users[place] for place in right],
        [records[place].candidates for place in right],
        [records[place].when for place in right],
    )
    scored = dict(zip(right, scores, strict=True))
    return [
        wrong[place]
        if place in wrong
        else {"candidates": record.candidates, "scores": scored[place].tolist()}
        for place, record in enumerate(records)
    ]


def recommend_flags(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="BUNDLE|RUN")
    records(parser, '{"history": ["N1", "N2"]}')
    parser.add_argument("-k", type=int, default=10, help="items per user (default: 10)")
    parser.add_argument(
        "--keep-clicked", action="store_true", help="items of the history may return"
    )
    parser.add_argument(
        "--approximate", action="store_true",
        help="search the index of the bundle, which `legoc index` makes, instead of all items",
    )  # fmt: skip


def run_recommend(arguments: Namespace) -> int:
    """The `k` best items for each record, clicked ones left out unless `keep_clicked`."""
    from legoc.language.diagnosing.diagnostics import fail

    if arguments.k < 1:
        raise fail("E0861", f"`-k {arguments.k}` asks for no items", "give a number of at least 1")

    def recommend_block(
        model: "Model", users: "list[User]", records: "list[Record]"
    ) -> "list[Answer | LegoError]":
        found: list[Answer | LegoError] = []
        # Records of one moment are scored together.
        for when, group in groupby(zip(users, records, strict=True), lambda pair: pair[1].when):
            asked = list(group)
            clicked = [() if arguments.keep_clicked else record.history for _, record in asked]
            best = model.recommend_users(
                [user for user, _ in asked], k=arguments.k, exclude=clicked, when=when,
                approximate=arguments.approximate,
            )  # fmt: skip
            found += [{"items": ids, "scores": scores.tolist()} for ids, scores in best]
        return found

    return serve(arguments, recommend_block, ("history",))


def records(parser: ArgumentParser, example: str) -> None:
    parser.add_argument(
        "input", nargs="?", default="-",
        help=f"records such as {example}, as .jsonl, .csv, .tsv or .parquet; - reads JSON lines",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", default="-", help="where the answers go, by the same endings"
    )
    parser.add_argument(
        "--when", metavar="TIME",
        help="the moment, for models with a `context`, of records without `when` or `time`; the "
        "last one the bundle knows unless given",
    )  # fmt: skip
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
        model = legoc_runtime.load(bundle_of(arguments.folder))
        verify_when(model, arguments.when)
        if getattr(arguments, "approximate", False):
            verify_approximate(model)
        for block in read_blocks(arguments.input, needs):
            block = timed(model, block, arguments.when)
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


def verify_when(model: "Model", when: str | None) -> None:
    """E0867 where the model reads no moment, or `--when` is none."""
    from legoc.language.diagnosing.diagnostics import fail
    from legoc_runtime import RequestError

    try:
        model.moment(when)
    except RequestError as error:
        raise fail("E0867", f"`--when`: {error.message}", error.help) from None


def verify_approximate(model: "Model") -> None:
    """E0874 where the bundle cannot be searched approximately."""
    from legoc.language.diagnosing.diagnostics import fail
    from legoc_runtime import RequestError

    try:
        model.recommender.need_nearest()
    except RequestError as error:
        raise fail("E0874", f"`--approximate`: {error.message}", error.help) from None


def timed(model: "Model", block: "Block", when: str | None) -> "Block":
    """The records with the moments they are answered at. A model that reads none leaves the field
    alone, as any other it has no use for."""
    from dataclasses import replace

    from legoc.commands.records import Record, Refused
    from legoc.language.diagnosing.diagnostics import fail
    from legoc_runtime import RequestError

    made: Block = []
    for record in block:
        if not isinstance(record, Record):
            made.append(record)
            continue
        if model.items.counters is None:
            made.append(replace(record, when=None))
            continue
        try:
            model.moment(record.when)
        except RequestError as error:
            said = fail("E0866", f"{record.place}: {error.message}", error.help)
            made.append(Refused(error=said, user=record.user))
        else:
            made.append(record if record.when is not None else replace(record, when=when))
    return made


def answers(
    model: "Model", records: "Block", reply: "Reply"
) -> "Iterator[tuple[Answer, User | None, LegoError | None]]":
    """What each record of a block is answered, its user, and what is wrong with it. The whole block
    is computed together."""
    from legoc.commands.records import Refused

    block = encoded(model, records)
    right = [pair for pair in block if not isinstance(pair, Refused)]
    users = [user for _, user in right]
    replies = iter(zip(users, reply(model, users, [record for record, _ in right]), strict=True))
    for pair in block:
        record = pair if isinstance(pair, Refused) else pair[0]
        named: Any = {} if record.user is None else {"user": record.user}
        user, found = (None, pair.error) if isinstance(pair, Refused) else next(replies)
        if isinstance(found, dict) and user is not None:
            yield {**named, **found, **described(model, user, named, pair[0])}, user, None
        else:
            yield {**named, **refusal(found)}, user, found


def encoded(model: "Model", block: "Block") -> "list[tuple[Record, User] | Refused]":
    """The records with their users. Where the bundle refuses a user, so is his record."""
    from legoc.commands.records import Record, Refused
    from legoc.language.diagnosing.diagnostics import fail
    from legoc_runtime import RequestError

    right = [record for record in block if isinstance(record, Record)]
    try:
        users = model.encode_users(
            [r.history for r in right], [r.user_id for r in right], [r.profile for r in right]
        )
    except RequestError:
        # One of them is at fault: each is asked alone.
        users = None
    together = None if users is None else iter(users)
    made: list[tuple[Record, User] | Refused] = []
    for record in block:
        if isinstance(record, Refused):
            made.append(record)
        elif together is not None:
            made.append((record, next(together)))
        else:
            try:
                user = model.encode_user(record.history, record.user_id, profile=record.profile)
                made.append((record, user))
            except RequestError as error:
                code = "E0833" if record.profile is None else "E0834"
                said = fail(code, f"{record.place}: {error.message}", error.help)
                made.append(Refused(error=said, user=record.user))
    return made


def described(model: "Model", user: "User", named: "Answer", record: "Record") -> "Answer":
    """What an answer says of its user: the clicks that the bundle has no item for, whether it knows
    who was named, what of the profile is not read or was never seen, and what was answered instead
    where nothing is known of him."""
    known: Answer = {"known": user.known} if named and model.users else {}
    if record.profile is not None:
        seen = {name: list(values) for name, values in user.unseen.items()}
        known |= {"ignored": list(user.ignored), "unseen": seen}
    return {"unknown": list(user.unknown), **known, "cold": user.cold}


def refusal(error: "LegoError") -> "Answer":
    """An error as the answer of a record."""
    found = error.diagnostics[0]
    return {"error": found.message, "code": found.code}


COMMANDS = {
    "score": Command(score_flags, run_score),
    "recommend": Command(recommend_flags, run_recommend),
}
