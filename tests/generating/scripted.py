"""A model that says what a function says, and remembers what it was asked."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from legoc.generating.answering import Question, Reply, Tokens
from legoc.generating.prompts import Messages
from legoc.language.checking import check
from legoc.language.diagnosing.document import Document
from legoc.language.ir.generation import Generation


@dataclass(eq=False)
class Scripted:
    """say: the answer to a question. room: characters of a question, at most."""

    say: Callable[[Question], str]
    room: int | None = None
    asked: list[Question] = field(default_factory=list)

    def fits(self, messages: Messages) -> bool:
        length = sum(len(message["content"]) for message in messages)
        return self.room is None or length <= self.room

    def answers(self, questions: Sequence[Question]) -> Iterator[tuple[Question, Reply]]:
        for question in questions:
            self.asked.append(question)
            yield question, Reply(text=self.say(question), tokens=Tokens(read=5, written=2))

    def close(self) -> None:
        pass

    @property
    def text(self) -> str:
        """Everything that it was ever shown."""
        return "\n".join(m["content"] for question in self.asked for m in question.messages)


DEMO = "data news { source = Demo(items=200, users=60, impressions=200)  content = [title(12)] }\n"
MODEL = '  model = API("none", base="http://127.0.0.1:1/v1")'


def declared(text: str, folder: object, name: str = "made") -> Generation:
    """The generation of a file in a folder."""
    checked = check(Document(f"{folder}/spec.lego", text))
    assert not checked.errors, checked.errors
    return next(each for each in checked.generations if each.name == name)
