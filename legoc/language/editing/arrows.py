"""The type on each arrow of the pipelines of a file, beside the place where the arrow stands."""

from collections.abc import Iterable
from dataclasses import dataclass

from legoc.language.checking import Checked
from legoc.language.diagnosing.document import Document, Span
from legoc.language.resolving.points import Pipeline
from legoc.language.typing.lower import Lowering


SHOWN = 2


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """An arrow of a pipeline: the types that points put on it. `sign` is the `->`."""

    sign: Span
    types: tuple[str, ...]

    @property
    def text(self) -> str:
        """The type, or the first few of a sweep."""
        if len(self.types) <= SHOWN:
            return " | ".join(self.types)
        return f"{self.types[0]} | … {len(self.types)} types"


def find_arrows(document: Document, checked: Checked, lowering: Lowering) -> tuple[Arrow, ...]:
    """The arrows of a document's own pipelines, in order. Where a stage is at fault its arrow has
    no type and is left out.

    lowering: the one that made `checked`; it remembers what it has typed.
    """
    types: dict[int, dict[str, None]] = {}
    seen: set[Pipeline] = set()
    for point in (*checked.points, *checked.loose):
        if point.model in seen:
            continue
        seen.add(point.model)
        for start, text in on_arrows(point.model, document, lowering):
            types.setdefault(start, {})[text] = None
    return tuple(
        Arrow(sign=Span(document, start, start + 2), types=tuple(found))
        for start, found in sorted(types.items())
    )


def on_arrows(
    pipeline: Pipeline, document: Document, lowering: Lowering
) -> Iterable[tuple[int, str]]:
    """Offset and type of each arrow. The arrow stands before the next stage's word; a stage that
    was replaced from elsewhere keeps the place of its word."""
    made = {stage.role: stage.made for stage in lowering.model(pipeline).stages}
    for before, after in zip(pipeline.stages, pipeline.stages[1:], strict=False):
        place = after[1]
        type_ = made.get(before[0])
        if place.document is not document or type_ is None:
            continue
        start = document.text.rfind("->", 0, place.start)
        if start >= 0:
            yield start, str(type_)
