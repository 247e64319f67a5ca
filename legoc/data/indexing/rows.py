"""How many rows the tables of a model have, once the data is known."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of the item, user and token tables, row 0 (padding, the unknown user) included; 0 where
    a model has no such table. vectors: the width of the pre-trained word vectors in the token
    table, 0 where there are none. profile: values of all attributes of users. longest: the most
    tokens an item can have in a language model's ids, 0 for other models. checkpoint: the digest of
    that model's files. unknown, separator: those rows of the token table (None: no separator).
    text, ending: the most tokens of a text that a language model reads of a history, and of a
    candidate's part of it; 0 for models that read items apart."""

    items: int
    users: int
    tokens: int
    vectors: int = 0
    profile: int = 0
    longest: int = 0
    checkpoint: str = ""
    unknown: int = 1
    separator: int | None = 2
    text: int = 0
    ending: int = 0
