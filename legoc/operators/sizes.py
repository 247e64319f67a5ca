"""What an operator is told about its surroundings, beside its own settings."""

from dataclasses import dataclass

from legoc.language.declaring.declare import Attribute
from legoc.language.ir.checkpoints import Named


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Widths and table rows around one operator.

    width: of the operator's input: the token embedding for a content operator, the item vector for
        a behavior operator, the user vector (or each of many, or each click) for a predictor.
    item: width of the candidate, for predictors.
    attributes: those of the item in reading order, for content operators.
    items, users, tokens: rows of the item, user and token tables, row 0 included.
    codes: user vectors per user, for predictors that read many.
    tokens_each, clicks: the most tokens of an item laid end to end, separators included, and the
        most clicks of a history; 0 where unknown.
    file: width of the rows of the file an operator reads (codes per item of `SemanticID`).
    model: the pre-trained language model an operator is, with its folder where it is found.
    state: numbers that a language model keeps of a token, where its predictor reads a prefix.
    whole: a language model is asked about each pair as one text.
    """

    width: int
    item: int = 0
    attributes: tuple[Attribute, ...] = ()
    items: int = 0
    users: int = 0
    tokens: int = 0
    codes: int = 0
    tokens_each: int = 0
    clicks: int = 0
    file: int = 0
    model: Named | None = None
    state: int = 0
    whole: bool = False
