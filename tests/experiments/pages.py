"""The page of runs read back: its tables and texts, and whether its elements are balanced."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


VOID = {"meta", "br", "img", "link", "input", "hr"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    text: str = ""
    inside: list["Element"] = field(default_factory=list)

    def all(self, tag: str) -> list["Element"]:
        """The elements of a name below this one, in order."""
        found = [self] if self.tag == tag else []
        return found + [each for inner in self.inside for each in inner.all(tag)]

    def whole(self) -> str:
        """All the text in it, in no order that matters here."""
        return " ".join([self.text, *(inner.whole() for inner in self.inside)])

    def has(self, name: str) -> bool:
        return name in (self.attributes.get("class") or "").split()


class Reader(HTMLParser):
    """Builds the tree; an end that closes another element than the open one is wrong."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("page", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, dict(attrs))
        self.open[-1].inside.append(made)
        if tag not in VOID:
            self.open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].inside.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        closed = self.open.pop()
        assert closed.tag == tag, f"</{tag}> closes <{closed.tag}>"

    def handle_data(self, data: str) -> None:
        self.open[-1].text += data


def read_page(text: str) -> Element:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


def rows_of(table: Element) -> list[list[str]]:
    """The texts of a table's body, one list per row."""
    (body,) = table.all("tbody")
    return [[" ".join(cell.whole().split()) for cell in row.inside] for row in body.all("tr")]
