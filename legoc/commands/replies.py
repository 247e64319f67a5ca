"""What records are answered by a bundle, block by block: scores, or the best items."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from legoc.commands.records import Record, Refused
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc_runtime import RequestError


if TYPE_CHECKING:
    from legoc.commands.answers import Answer
    from legoc.commands.asked import Block
    from legoc_runtime import Model, User

# What records are answered, once their users are encoded: an answer each, or what is wrong.
Reply = Callable[["Model", "list[User]", list[Record]], "list[Answer | LegoError]"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a command asks of every record. k: how many items are recommended, None where
    candidates are scored. keep_clicked, approximate: as `legoc recommend` takes them. when: the
    moment of records without one."""

    k: int | None = None
    keep_clicked: bool = False
    approximate: bool = False
    when: str | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The fields that a record has to have."""
        return ("history",) if self.k is not None else ("history", "candidates")

    @property
    def reply(self) -> Reply:
        return score_block if self.k is None else self.recommend_block

    def recommend_block(
        self, model: "Model", users: "list[User]", records: list[Record]
    ) -> "list[Answer | LegoError]":
        found: list[Answer | LegoError] = []
        # Records of one moment are scored together.
        for when, group in groupby(zip(users, records, strict=True), lambda pair: pair[1].when):
            asked = list(group)
            clicked = [() if self.keep_clicked else record.history for _, record in asked]
            best = model.recommend_users(
                [user for user, _ in asked], k=self.k or 1, exclude=clicked, when=when,
                approximate=self.approximate,
            )  # fmt: skip
            found += [{"items": ids, "scores": scores.tolist()} for ids, scores in best]
        return found


def verify_asked(model: "Model", asked: Asked) -> None:
    """E0867 where the model reads no moment, or `--when` is none; E0874 where the bundle cannot be
    searched approximately."""
    try:
        model.moment(asked.when)
    except RequestError as error:
        raise fail("E0867", f"`--when`: {error.message}", error.help) from None
    if asked.approximate:
        try:
            model.recommender.need_nearest()
        except RequestError as error:
            raise fail("E0874", f"`--approximate`: {error.message}", error.help) from None


def score_block(
    model: "Model", users: "list[User]", records: list[Record]
) -> "list[Answer | LegoError]":

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


def timed(model: "Model", block: "Block", when: str | None) -> "Block":
    """The records with the moments they are answered at. A model that reads none leaves the field
    alone, as any other it has no use for."""

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

    block = encoded(model, records)
    right = [pair for pair in block if not isinstance(pair, Refused)]
    users = [user for _, user in right]
    replies = iter(zip(users, reply(model, users, [record for record, _ in right]), strict=True))
    for pair in block:
        if isinstance(pair, Refused):
            yield {**naming(pair), **refusal(pair.error)}, None, pair.error
            continue
        named = naming(pair[0])
        user, found = next(replies)
        if isinstance(found, LegoError):
            yield {**named, **refusal(found)}, user, found
        else:
            yield {**named, **found, **described(model, user, named, pair[0])}, user, None


def naming(record: Record | Refused) -> "Answer":
    return {} if record.user is None else {"user": record.user}


def encoded(model: "Model", block: "Block") -> "list[tuple[Record, User] | Refused]":
    """The records with their users. Where the bundle refuses a user, so is his record."""

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


@dataclass(kw_only=True)
class Tally:
    """What is told at the end: records that were asked, those that could not be answered, their
    clicks, and those on items that the bundle does not know."""

    asked: int = 0
    wrong: int = 0
    clicks: int = 0
    unknown: int = 0

    def add(self, other: "Tally") -> None:
        self.asked += other.asked
        self.wrong += other.wrong
        self.clicks += other.clicks
        self.unknown += other.unknown


def answer_block(
    model: "Model", block: "Block", asked: Asked, tally: Tally, *, keep_going: bool
) -> "tuple[list[Answer], LegoError | None]":
    """The answers of a block, up to the first record that is not right unless `keep_going`, and
    what is wrong with that one."""
    given: list[Answer] = []
    for answer, user, error in answers(model, timed(model, block, asked.when), asked.reply):
        tally.asked += 1
        if user is not None:
            tally.clicks += len(user.clicks) + len(user.unknown)
            tally.unknown += len(user.unknown)
        if error is not None:
            tally.wrong += 1
            if not keep_going:
                return given, error
        given.append(answer)
    return given, None
