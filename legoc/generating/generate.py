"""One `generate` from its data to the file that training joins."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from legoc.data.cache import cache_root
from legoc.data.prepare import build_source, make_tables
from legoc.generating.answering import Answering, Question, Reply, Tokens
from legoc.generating.journal import Answer, Journal
from legoc.generating.models import open_model
from legoc.generating.prompts import Prompt, make_prompt, messages_digest
from legoc.generating.replies import read_reply
from legoc.generating.subjects import WORDS, Subject, Subjects, find_subjects
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.generation import Generation
from legoc.language.ir.spec import Call
from legoc.progress import SILENT, Progress
from legoc.writing import write_text


# Of each field so many words at first, and by halves down to so few where the prompt does not fit.
FEWEST = 6
# How often one subject is asked about: an answer of another form is asked for once more.
ATTEMPTS = 2


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a generation.

    subjects: items or users that are asked about. silent: those of whom nothing may be read. kept:
    answered before. asked: questions sent now, `again` of them for the second time. malformed:
    answers of another form. left_out: subjects without a sound answer after all. missing: not asked
    yet. examples: some of what was written. path: the written file, None while any is missing.
    """

    generation: Generation
    subjects: int
    silent: int
    kept: int
    asked: int
    again: int
    malformed: int
    left_out: int
    missing: int
    tokens: Tokens
    seconds: float
    price: float
    examples: tuple[tuple[str, str], ...]
    path: Path | None
    broken: int = 0
    others: int = 0


@dataclass(eq=False)
class Work:
    """What is known of one generation while it is done; `values` are sound answers, read."""

    generation: Generation
    prompt: Prompt
    subjects: Subjects
    journal: Journal
    model: Answering
    tokens: Tokens = field(default_factory=Tokens)
    asked: int = 0
    again: int = 0
    malformed: int = 0
    first: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def task(self) -> Call:
        return self.generation.task

    def take(self, subject: str, answer: Answer) -> None:
        value = read_reply(self.task, answer.text) if answer.sound else None
        if value is not None:
            self.values[subject] = value


def generate(
    generation: Generation,
    *,
    cache: str | Path | None = None,
    limit: int | None = None,
    model: Answering | None = None,
    progress: Progress = SILENT,
) -> Outcome:
    """Ask about every item or user that has no answer yet, and write the file once all have one.

    limit: subjects that are looked at, the first ones. model: who answers, in place of the one the
    generation names. Raises E092x and E093x for a model, a server or a prompt that cannot be used;
    what was answered until then is kept.
    """
    root = cache_root(cache)
    data = generation.data
    tables = make_tables(data, build_source(data, root), root, progress)
    subjects = find_subjects(tables, generation.task)
    chosen = subjects.each if limit is None else subjects.each[:limit]
    if not subjects.each:
        raise nothing_to_ask(generation, subjects)
    began = time.monotonic()
    opened = open_model(generation.model, root, progress) if model is None else model
    try:
        with Journal(Path(generation.journal), model=generation.asked) as journal:
            work = Work(generation, make_prompt(generation.task), subjects, journal, opened)
            pending = prepare_questions(work, chosen)
            kept = len(chosen) - len(pending)
            ask(work, pending, progress)
            return finish(work, chosen, kept, time.monotonic() - began)
    finally:
        if model is None:
            opened.close()


def prepare_questions(work: Work, chosen: Sequence[Subject]) -> list[Question]:
    """The questions that have no final answer, each of a length that the model takes."""
    found: list[Question] = []
    for subject in chosen:
        messages = fitting(work, subject)
        first = messages_digest(messages)
        work.first[subject.id] = first
        answer = work.journal.known.get((first, subject.id))
        if answer is not None:
            work.take(subject.id, answer)
        if answer is not None and (answer.sound or answer.attempt >= ATTEMPTS):
            continue
        attempt = 1 if answer is None else answer.attempt + 1
        found.append(question(work, subject, attempt))
    return found


def question(work: Work, subject: Subject, attempt: int) -> Question:
    messages = fitting(work, subject, again=attempt > 1)
    return Question(subject=subject.id, messages=messages, attempt=attempt)


def fitting(work: Work, subject: Subject, *, again: bool = False) -> Any:
    """The messages about a subject, with texts cut by halves and the oldest clicks left out until
    there is room for an answer. E0927 where there is none for the shortest of them."""
    words, clicks = WORDS, work.task.args.get("history", len(subject.clicks))
    while True:
        fields = subject.fields(
            work.task, words=words, clicks=max(clicks, 1), categories=work.subjects.categories
        )
        messages = work.prompt.ask(fields, again=again)
        if work.model.fits(messages):
            return messages
        if words <= FEWEST and clicks <= 1:
            raise fail(
                "E0927",
                f"the prompt of `{work.generation.name}` leaves the model no room for an answer",
                "write a shorter `prompt`, or lower `max` of the model",
            )
        words, clicks = max(words // 2, FEWEST), max(clicks // 2, 1)


def ask(work: Work, pending: Sequence[Question], progress: Progress) -> None:
    """Send the questions, and once more those that were answered in another form."""
    if not pending:
        return
    by_id = {subject.id: subject for subject in work.subjects.each}
    with progress.task(f"asking for {work.generation.name}", len(pending), "answers") as bar:
        again: list[Question] = []
        for asked, reply in work.model.answers(pending):
            bar.advance()
            if not note(work, asked, reply) and asked.attempt < ATTEMPTS and not reply.refused:
                again.append(question(work, by_id[asked.subject], asked.attempt + 1))
        for asked, reply in work.model.answers(again) if again else ():
            note(work, asked, reply)


def note(work: Work, asked: Question, reply: Reply) -> bool:
    """Keep one answer; whether it is sound."""
    value = None if reply.refused else read_reply(work.task, reply.text)
    # What a server refused once it refuses again.
    asked = replace(asked, attempt=ATTEMPTS) if reply.refused else asked
    work.asked += 1
    work.again += asked.attempt > 1 and not reply.refused
    work.malformed += value is None
    work.tokens += reply.tokens
    work.journal.add(asked, reply, value is not None, work.first[asked.subject])
    if value is not None:
        work.values[asked.subject] = value
    return value is not None


def finish(work: Work, chosen: Sequence[Subject], kept: int, seconds: float) -> Outcome:
    """Write the file where everybody has been asked about."""
    made = work.generation
    known = work.journal.known
    done = {
        subject.id for subject in chosen
        if (found := known.get((work.first[subject.id], subject.id))) is not None
        and (found.sound or found.attempt >= ATTEMPTS)
    }  # fmt: skip
    missing = len(work.subjects.each) - len(done)
    path = None
    if not missing:
        if not work.values:
            raise fail(
                "E0930",
                f"no answer to `{made.name}` is of the form asked for, in {len(done):,} questions",
                "ask a larger model, or write a `prompt` that shows the form",
                notes=(f"the answers are in {made.journal}",),
            )
        path = Path(made.path)
        write_text(path, "".join(f"{line}\n" for line in records(made, work.values, chosen)))
    args = made.model.args
    price = (
        work.tokens.read * args.get("price_read", 0.0)
        + work.tokens.written * args.get("price_written", 0.0)
    ) / 1e6
    shown = [(id, show(work.values[id])) for id in (s.id for s in chosen) if id in work.values]
    return Outcome(
        generation=made, subjects=len(work.subjects.each), silent=work.subjects.silent, kept=kept,
        asked=work.asked, again=work.again, malformed=work.malformed,
        left_out=len(done) - sum(id in work.values for id in done), missing=missing,
        tokens=work.tokens, seconds=seconds, price=price, examples=tuple(shown[:3]), path=path,
        broken=work.journal.broken, others=work.journal.others,
    )  # fmt: skip


def records(made: Generation, values: dict[str, Any], chosen: Sequence[Subject]) -> Iterator[str]:
    """The lines of the written file: a table by its key, or invented items by their users."""
    key, name = {
        "Summarise": ("item_id", made.task.args.get("to")),
        "Profile": ("user_id", made.task.args.get("to")),
        "Invent": ("user_id", "item"),
    }[made.task.op]
    for subject in chosen:
        if subject.id in values:
            yield json.dumps({key: subject.id, name: values[subject.id]}, ensure_ascii=False)


def show(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {text}" for name, text in value.items() if text)
    return ", ".join(value) if isinstance(value, list) else str(value)


def nothing_to_ask(generation: Generation, subjects: Subjects) -> Exception:
    users = generation.task.op != "Summarise"
    help = "name attributes that the items have a value of in `from`"
    if users:
        help = "write `until=test` in the task: clicks before the first row that does not train"
    kind = "user has clicks that may be read" if users else "item has anything to read"
    return fail(
        "E0932",
        f"there is nobody to ask `{generation.name}` about: no {kind}",
        help,
        notes=(f"{subjects.silent:,} users without a click before their first row",)
        if users
        else (),
    )
