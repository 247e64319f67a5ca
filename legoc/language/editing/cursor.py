"""Where a place in a text stands: in which declaration, within which brackets, behind which key.

The text is read piece by piece and never refused: a place is known in the middle of typing, when no
tree exists.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from legoc.language.diagnosing.document import Document, Span
from legoc.language.syntax.scan import DECLARATIONS, PAIRS, PIECE, STAGES, Piece, declarations


CLAUSES = ("run", "on", "with", "as", "where", "except", "use")
BINDS = ("=", "in")


@dataclass(frozen=True, kw_only=True)
class Frame:
    """An open bracket, or the declaration itself (`sign` is empty), up to the place.

    callee: what is called, before `(`. end: the sign that closes it; the options of a search are
    a list here, whatever brackets they stand in. key: what the value at the place is bound to.
    axis: whether by `in`. clause: outermost, the last word of a clause or stage. index: commas so
    far.
    """

    sign: str
    start: int
    callee: str = ""
    key: str = ""
    axis: bool = False
    end: str = ""
    clause: str = ""
    index: int = 0


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """A place in a document.

    kind: the word of the declaration around it; empty at the margin, `bare` in a pipeline without
    a name. name: the name it declares. stages: those before the one around the place, each with
    its operator (empty where several are swept). word: the word that is being typed or stands
    there, dots and `$` included; typed: how much of it lies before the place. before: the piece
    before the word; after: the one behind it. quiet: in a comment or a string, so that no word
    stands there.
    """

    document: Document
    offset: int
    kind: str
    name: str
    frames: tuple[Frame, ...]
    stages: tuple[tuple[str, str], ...]
    word: Span
    before: Piece | None
    after: Piece | None
    quiet: str

    @property
    def at_key(self) -> bool:
        """Whether a word here would be a key: in a block behind a whole value, in parentheses where
        no key is bound yet."""
        top = self.frames[-1]
        if top.sign == "{":
            return self.before is None or self.before.text not in BINDS
        return top.sign == "(" and not top.key

    @property
    def typed(self) -> str:
        return self.document.text[self.word.start : self.offset]


class Reader:
    """Reads pieces and keeps what is open."""

    def __init__(self, begin: int) -> None:
        self.begin = begin
        self.kind = ""
        self.name = ""
        self.frames: list[Frame] = [Frame(sign="", start=0)]
        self.stages: list[tuple[str, str]] = []
        self.path = ""
        self.last: Piece | None = None

    def read(self, piece: Piece) -> None:
        top = self.frames[-1]
        text = piece.text
        fresh = piece.first or piece.start == self.begin
        begins = fresh and text in DECLARATIONS and top.sign == ""
        if begins or (not self.kind and text in STAGES):
            self.kind = text if begins else "bare"
            self.name, self.path = "", ""
            self.frames = [Frame(sign="", start=piece.start, clause=text)]
            self.stages = [] if begins else [(text, "")]
        elif text in PAIRS:
            callee = self.path if text == "(" else ""
            options = top.axis and self.last is not None and self.last.text == "in"
            self.frames.append(
                Frame(
                    sign="[" if options else text,
                    start=piece.start,
                    callee=callee,
                    end=PAIRS[text],
                )
            )
        elif text in PAIRS.values():
            opened = [n for n, f in enumerate(self.frames) if f.end == text]
            if opened:
                del self.frames[opened[-1] :]
        elif text == ",":
            self.frames[-1] = replace(top, key="", axis=False, index=top.index + 1)
        elif text in BINDS and self.path:
            self.frames[-1] = replace(top, key=self.path, axis=text == "in")
        elif top.sign == "" and (text in CLAUSES or (text in STAGES and self.takes_stages)):
            self.frames[-1] = replace(top, key="", axis=False, clause=text, index=0)
            self.stages += [(text, "")] if text in STAGES else []
        elif top.sign == "" and piece.is_word and self.last and self.last.text == self.kind:
            self.name = text
        elif top.sign == "" and piece.is_word and self.last and self.last.text == top.clause:
            self.stages[-1:] = [(role, text) for role, _ in self.stages[-1:]]
        self.follow(piece)

    @property
    def takes_stages(self) -> bool:
        return self.kind in ("model", "bare")

    def joins(self, piece: Piece) -> bool:
        """Whether a word goes on with a path: `content.hidden`."""
        last = self.last
        return last is not None and last.text == "." and last.end == piece.start

    def follow(self, piece: Piece) -> None:
        """Keep the path read last: words and dots."""
        if piece.is_word:
            joined = self.joins(piece) and self.path
            self.path = f"{self.path}{piece.text}" if joined else piece.text
        elif piece.text == "." and self.path:
            self.path += "."
        else:
            self.path = ""
        self.last = piece


def read_cursor(document: Document, offset: int) -> Cursor:
    """The place at an offset."""
    text = document.text
    offset = max(0, min(offset, len(text)))
    word, quiet = word_at(document, offset)
    begin = 0
    for start in declarations(text):
        if start >= word.start:
            break
        begin = start
    reader = Reader(begin)
    after: Piece | None = None
    for piece in pieces_and_params(text, begin):
        if piece.start >= word.end:
            after = piece
            break
        if piece.start >= word.start:
            continue
        reader.read(piece)
    return Cursor(
        document=document,
        offset=offset,
        kind=reader.kind,
        name=reader.name,
        frames=tuple(reader.frames),
        stages=stages_before(reader),
        word=word,
        before=reader.last,
        after=after,
        quiet=quiet,
    )


def stages_before(reader: Reader) -> tuple[tuple[str, str], ...]:
    """The stages read, without the one the place belongs to: behind an arrow a new one begins."""
    ended = reader.last is not None and reader.last.text == "->"
    return tuple(reader.stages if ended else reader.stages[:-1])


def pieces_and_params(text: str, start: int) -> Iterator[Piece]:
    """The pieces of a text with `$name` in one."""
    from legoc.language.syntax.scan import pieces as scan

    dollar: Piece | None = None
    for piece in scan(text, start):
        if dollar is not None and piece.is_word and dollar.end == piece.start:
            yield Piece(f"${piece.text}", dollar.start, dollar.first)
            dollar = None
            continue
        if dollar is not None:
            yield dollar
        dollar = piece if piece.text == "$" else None
        if dollar is None:
            yield piece
    if dollar is not None:
        yield dollar


def word_at(document: Document, offset: int) -> tuple[Span, str]:
    """The word around an offset, empty where there is none, and whether it lies in a string or a
    comment."""
    text = document.text
    line = text.rfind("\n", 0, offset) + 1
    for match in PIECE.finditer(text, line):
        start, end, found = match.start(), match.end(), match.group()
        if start >= offset:
            break
        if found == '"':
            stop = text.find("\n", start)
            return Span(document, start, len(text) if stop < 0 else stop), "text"
        if found[0] == "#" and offset <= end:
            return Span(document, offset, offset), "comment"
        if found[0] == '"' and offset < end:
            return Span(document, start, end), "text"
    start, end = offset, offset
    while start > line and (text[start - 1].isalnum() or text[start - 1] in "_.$"):
        start -= 1
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return Span(document, start, end), ""
