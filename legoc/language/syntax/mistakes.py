"""A syntax error as plain facts: where the parser stood, what it met, what it would have taken."""

from dataclasses import dataclass
from typing import Any

import lark

from legoc.language.diagnosing.document import Document


END = "$END"
WORDS = {
    name: name.lower()
    for name in (
        "USE", "PARAM", "DATA", "GENERATE", "TRAIN", "EXPORT", "MODEL", "RUN", "CONTENT",
        "BEHAVIOR", "FLATTEN", "PREDICT", "IN", "ON", "WITH", "AS", "WHERE", "VALID", "EXCEPT",
        "LOG",
    )
}  # fmt: skip

NAMED = ("PARAM", "DATA", "GENERATE", "TRAIN", "EXPORT", "MODEL", "AS", "LPAR", "COMMA")


@dataclass(frozen=True, eq=False, kw_only=True)
class Mistake:
    """`kind` is the type of the token that does not fit, None for a character that begins no token;
    `state` is the parser's own number, stable for one grammar only. `before` is the token read
    last, `stack` what lies half-built, `whole` the tree had the file ended here, if it could."""

    document: Document
    start: int
    offset: int
    text: str
    kind: str | None
    state: int
    accepted: frozenset[str]
    before: lark.Token | None
    stack: tuple[Any, ...]
    whole: Any = None

    @property
    def hides_name(self) -> bool:
        """Whether it is the name itself of something that is missing."""
        if self.before is None:
            return False
        if self.accepted <= {"NAME", "RPAR"}:
            return self.before.type in NAMED
        return self.before.type == "NAME" and str(self.before) in WORDS.values()

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the language that would have fitted."""
        return tuple(WORDS[kind] for kind in WORDS if kind in self.accepted)


def read_mistake(document: Document, start: int, error: lark.exceptions.UnexpectedInput) -> Mistake:
    """The facts in an exception of Lark's. With the contextual lexer its state is an object, whose
    position is the number."""
    interactive: Any = error.interactive_parser  # type: ignore[attr-defined]
    state: Any = interactive.parser_state
    accepted = frozenset(interactive.accepts())
    stack = tuple(state.value_stack)
    kind: str | None = None
    text, offset = "", len(document.text)
    if isinstance(error, lark.exceptions.UnexpectedToken):
        token = error.token
        kind, text = token.type, str(token)
        if kind != END:
            offset = token.start_pos or 0
    else:
        offset = error.pos_in_stream or 0
        text = document.text[offset]
    whole = None
    position = state.position
    if END in accepted:
        # Reductions extend the lists of what lies on the stack, so those are copied too.
        values = [
            lark.Tree(value.data, list(value.children)) if isinstance(value, lark.Tree) else value
            for value in stack
        ]
        copy = type(state)(state.parse_conf, state.lexer, list(state.state_stack), values)
        whole = copy.feed_token(lark.Token(END, "", offset, 1, 1), True)
    return Mistake(
        document=document, start=start, offset=offset, text=text, kind=kind, state=position,
        accepted=accepted, before=last_token(stack), stack=stack, whole=whole,
    )  # fmt: skip


def last_token(stack: tuple[Any, ...]) -> lark.Token | None:
    """The token shifted last."""
    for value in reversed(stack):
        while isinstance(value, lark.Tree) and value.children:
            value = value.children[-1]
        if isinstance(value, lark.Token):
            return value
    return None
