"""Which example labels the place where the parser stopped."""

from functools import lru_cache

from legoc.language.diagnosing.document import Document
from legoc.language.syntax.examples import ANYTHING, EXAMPLES, Example
from legoc.language.syntax.mistakes import Mistake
from legoc.language.syntax.scan import STAGES


INSERTED = {"-> ": "ARROW", "= ": "EQUAL", "in ": "IN"}


def example_at(mistake: Mistake) -> Example | None:
    """The example for a syntax error, if one of its snippets stops in the same place."""
    table = labels()
    example = table.get((mistake.state, group(mistake.kind)))
    example = example or table.get((mistake.state, ANYTHING))
    # States are shared by places that end alike; what may be inserted tells them apart.
    if example and example.insert and INSERTED[example.insert] not in mistake.accepted:
        return None
    return example


def group(kind: str | None) -> str:
    """The four stage words mean one thing to a message."""
    return "STAGE" if (kind or "").lower() in STAGES else kind or ""


@lru_cache(maxsize=1)
def labels() -> dict[tuple[int, str], Example]:
    """The examples by the place where their snippets stop; made at the first syntax error."""
    return {found: example for found, example, _ in label_places()}


def label_places() -> list[tuple[tuple[int, str], Example, str]]:
    """Each snippet with the place where it stops; ValueError for one that is not malformed."""
    from legoc.language.syntax.attempt import raw_or_mistake

    found: list[tuple[tuple[int, str], Example, str]] = []
    for example in EXAMPLES:
        for snippet in example.snippets:
            text = snippet.removesuffix(ANYTHING)
            stopped = raw_or_mistake(Document("example", text), 0, "start")
            if not isinstance(stopped, Mistake):
                raise ValueError(f"{snippet!r} is no longer malformed")
            kind = ANYTHING if text != snippet else group(stopped.kind)
            found.append(((stopped.state, kind), example, snippet))
    return found
