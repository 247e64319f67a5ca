"""How many rows the tables of a model have, once the data is known."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of the item, user and token tables, row 0 (padding, the unknown user) included; 0 where
    a model has no such table. vectors: the width of the pre-trained word vectors in the token
    table, 0 where there are none. profile: values of all attributes of users."""

    items: int
    users: int
    tokens: int
    vectors: int = 0
    profile: int = 0
