"""A model behind an interface as a recommender: every pair is a question, and its reply a score.

An engine as evaluation wants one: items and histories are rows, and what they say is looked up when
a pair is asked about. Answers are kept as `generate` keeps them, one line each as they come, so a
command that is killed goes on and asks nothing twice.

Letters: N items, P pairs, S clicks.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from legoc.data.cache import digest
from legoc.data.indexing.log import F32, I32
from legoc.data.reading.inputs import ItemInputs
from legoc.data.reading.prompts import ITEM, NUMBER, label_parts, word
from legoc.generating.answering import Question, Reply, Tokens
from legoc.generating.api import Client
from legoc.generating.journal import Answer, Journal
from legoc.generating.prompts import Messages, messages_digest
from legoc.generating.subjects import shorten, text_of
from legoc.generating.yes_no import read_verdict
from legoc.language.ir.spec import Call, Prompt, Spec
from legoc.progress import SILENT, Progress


if TYPE_CHECKING:
    from legoc.data.prepare import Prepared

JOURNAL = "asked.jsonl"
PLACES = re.compile(r"\{clicks\}|\{candidate\}")
# The prompt unless one is given.
CHAT = Call(op="recbench", args={"form": "chat", "chat_template": False, "e5": False})
# What decides an answer; the rest of the settings says how it is fetched.
DECIDING = ("name", "base", "max", "temperature", "seed", "chances")


@dataclass(kw_only=True)
class Tally:
    """What became of the pairs. asked: questions sent now. kept: pairs that were answered before,
    or are the same question as another. silent: questions whose reply says neither yes nor no.
    tokens, price: of all answers, those of before included."""

    asked: int = 0
    kept: int = 0
    by_chances: int = 0
    by_text: int = 0
    silent: int = 0
    refused: int = 0
    tokens: Tokens = field(default_factory=Tokens)
    price: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As metrics.json has it."""
        return {
            "asked": self.asked, "kept": self.kept, "by_chances": self.by_chances,
            "by_text": self.by_text, "silent": self.silent, "refused": self.refused,
            "tokens_read": self.tokens.read, "tokens_written": self.tokens.written,
            "price": self.price,
        }  # fmt: skip

    def lines(self) -> list[str]:
        """For a person."""
        price = f", price {self.price:.4f}" if self.price else ""
        found = [
            f"asked {self.asked:,} questions, {self.kept:,} pairs were answered before; "
            f"all answers: {self.tokens.read:,} tokens read, {self.tokens.written:,} written{price}"
        ]
        if self.silent or self.refused:
            found.append(
                f"warning: {self.silent:,} replies say neither yes nor no and {self.refused:,} "
                "questions were refused: these pairs score 0, between the two"
            )
        if self.by_text and self.by_chances:
            found.append(
                f"warning: {self.by_chances:,} scores are log-probabilities and {self.by_text:,} "
                "the words of replies, which are of another scale: compare them with `chances=0`"
            )
        elif self.by_text:
            found.append(
                "scores are the words of replies, yes or no: most pairs tie, and ties count half"
            )
        return found


class Asked:
    """The engine of a spec whose predictor is asked. journal: the file of the answers.

    Raises E0928 where the server is gone and E0929 for a wrong key, model or address; what was
    answered until then is kept.
    """

    name = "http"
    reads_user = False

    def __init__(
        self, spec: Spec, prepared: "Prepared", journal: Path, progress: Progress = SILENT
    ) -> None:
        self.call = spec.model["predict"]
        self.parts = label_parts(spec.data)
        self.prepared, self.journal, self.progress = prepared, journal, progress
        self.model = digest({name: self.call[name] for name in DECIDING})[:16]
        self.prompt = self.call["prompt"] or CHAT
        self.chances = self.call["chances"]
        self.texts: dict[int, str] = {}
        self.tally = Tally()

    def encode_items(self, inputs: ItemInputs) -> Any:
        """The rows themselves: I32[N]."""
        return np.arange(len(inputs.lengths), dtype=np.int32)

    def encode_users(self, items: Any, clicks: Iterable[I32], users: Iterable[I32]) -> Any:
        """The rows of each history, oldest first."""
        return [row[row > 0] for block in clicks for row in block]

    def score(
        self, users: Any, items: Any, owner: I32, candidates: I32, context: F32 | None = None
    ) -> F32:
        """[P]: the score of each pair."""
        self.look_up({*map(int, candidates), *(int(i) for u in set(owner) for i in users[u])})
        messages = [
            self.ask([self.texts[int(i)] for i in users[user]], self.texts[int(item)])
            for user, item in zip(owner, candidates, strict=True)
        ]
        keys = [messages_digest(each) for each in messages]
        before = self.tally.asked
        scores = self.fetch(dict(zip(keys, messages, strict=True)))
        self.tally.kept += len(keys) - (self.tally.asked - before)
        return np.asarray([scores[key] for key in keys], dtype=np.float32)

    def look_up(self, rows: set[int]) -> None:
        """Know what these items say."""
        wanted = sorted(rows - self.texts.keys())
        for row, record in zip(wanted, self.prepared.item_records(wanted), strict=True):
            self.texts[row] = "".join(
                part.text if isinstance(part, Prompt)
                else shorten(text_of(record[part.name]), part.length)
                for part in self.parts
            )  # fmt: skip

    def ask(self, clicks: Sequence[str], candidate: str) -> Messages:
        """The messages about a pair."""
        system, user = write_question(self.prompt, clicks, candidate)
        asked = {"role": "user", "content": user}
        return ({"role": "system", "content": system}, asked) if system else (asked,)

    def fetch(self, questions: Mapping[str, Messages]) -> dict[str, float]:
        """The score of each question by its digest, of the journal or of the server."""
        with Journal(self.journal, model=self.model) as journal:
            pending = [
                Question(subject=key, messages=messages) for key, messages in questions.items()
                if (key, key) not in journal.known
            ]  # fmt: skip
            if pending:
                self.send(pending, journal)
            return {key: self.judge(journal.known[key, key]) for key in questions}

    def send(self, pending: Sequence[Question], journal: Journal) -> None:
        """Put the answers into the journal as they come. The first is asked alone: a server that
        refuses it with log-probabilities is asked without."""
        client = Client.of(self.call, self.progress, chances=self.chances)
        try:
            with self.progress.task("asking", len(pending), "answers") as bar:
                first = next(iter(client.answers(pending[:1])))
                if first[1].refused and client.chances:
                    client.chances = self.chances = 0
                    self.progress.say(
                        f"the server refuses log-probabilities ({first[1].refused}): "
                        "replies are read instead"
                    )
                    first = next(iter(client.answers(pending[:1])))
                rest = client.answers(pending[1:]) if pending[1:] else ()
                for question, reply in chain((first,), rest):
                    self.note(journal, question, reply)
                    bar.advance()
        finally:
            client.close()

    def note(self, journal: Journal, question: Question, reply: Reply) -> None:
        """Keep one answer."""
        journal.add(question, reply, not reply.refused, question.subject)
        self.tally.asked += 1

    def judge(self, answer: Answer) -> float:
        """The score of an answer: a logit, or 1, 0 and -1 for yes, neither and no."""
        self.tally.tokens += answer.tokens
        self.tally.price += (
            answer.tokens.read * self.call["price_read"]
            + answer.tokens.written * self.call["price_written"]
        ) / 1e6
        if answer.refused:
            self.tally.refused += 1
            return 0.0
        reply = Reply(text=answer.text, chances=answer.chances)
        found = read_verdict(reply, self.call["yes"], self.call["no"])
        if found.by == "chances":
            self.tally.by_chances += 1
            return float(found.score or 0.0)
        if found.score is None:
            self.tally.silent += 1
            return 0.0
        self.tally.by_text += 1
        return 2 * found.score - 1


def write_question(prompt: Call, clicks: Sequence[str], candidate: str) -> tuple[str, str]:
    """The system message, empty where there is none, and the user's, of texts that are never filled
    themselves."""
    if prompt.op == "template":
        click = prompt["click"]
        listed = "".join(
            text.join(part.replace(NUMBER, str(k)) for part in click.split(ITEM))
            for k, text in enumerate(clicks, start=1)
        )
        filled = {"{clicks}": listed, "{candidate}": candidate}
        return "", PLACES.sub(lambda found: filled[found[0]], prompt["text"])
    words = word(prompt, joined=True)
    _, request, opening = words.before
    listed = "".join(
        f"{words.number.replace(NUMBER, str(k))}{text}{words.between}"
        for k, text in enumerate(clicks, start=1)
    )
    user = f"{opening}{listed}{''.join(words.candidate)}{candidate}{''.join(words.after)}"
    return request.strip(), user
