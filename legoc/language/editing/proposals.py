"""What may be typed at a place, as values."""

from dataclasses import dataclass
from typing import Literal

from legoc.language.declaring.catalog import Catalog
from legoc.language.diagnosing.document import Span
from legoc.language.editing.cursor import Cursor
from legoc.language.editing.slots import Slot
from legoc.language.resolving.scope import Files, Scope


Sort = Literal["keyword", "operator", "parameter", "value", "attribute", "name", "file"]
ORDER: tuple[Sort, ...] = (
    "parameter", "attribute", "value", "operator", "name", "keyword", "file",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """One completion: `text` takes the place of `span`. `page` is Markdown, empty where there is
    nothing to say. `fits` is false for an operator that cannot read what comes before it."""

    sort: Sort
    label: str
    text: str
    span: Span
    detail: str = ""
    page: str = ""
    fits: bool = True


@dataclass(frozen=True, kw_only=True)
class Place:
    """All that is known of the place to complete."""

    cursor: Cursor
    slot: Slot
    scope: Scope
    catalog: Catalog
    files: Files
    kinds: frozenset[str]
    span: Span

    @property
    def begins_line(self) -> bool:
        text = self.cursor.document.text
        return not text[text.rfind("\n", 0, self.span.start) + 1 : self.span.start].strip()


def proposal(
    place: Place, sort: Sort, label: str, text: str = "", detail: str = "", page: str = ""
) -> Proposal:
    return Proposal(
        sort=sort, label=label, text=text or label, span=place.span, detail=detail, page=page
    )
