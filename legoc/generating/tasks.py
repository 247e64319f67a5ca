"""What a model may be asked to write: declarations of the tasks of `generate`."""

from typing import Literal

from legoc.data.augmenting.generated import WRITTEN
from legoc.language.declaring.declare import Column, File, operator, param


PAPER = (
    "Liu et al., ONCE: Boosting Content-based Recommendation with Both Open- and Closed-source "
    "Large Language Models, WSDM 2024"
)
PROMPT = "a text file with {field}s to ask by, in place of the one that ships"
UNTIL = (
    "how far the clicks of a user are read: those before the first of all rows, or those before "
    "the first row that is no training row"
)


@operator("writing", "Summarise", paper=PAPER)
class Summarise:
    """A text about each item from its attributes: a title that says what the item is."""

    class Config:
        from_: list[Column] = param(doc="attributes of an item that the model reads")
        to: Column = param(doc="the new attribute of the items")
        prompt: File | None = param(None, doc=PROMPT)

    example = "Summarise(from=[title, abstract], to=newtitle)"


@operator("writing", "Profile", paper=PAPER)
class Profile:
    """Topics that each user cares about, from what the user clicked."""

    class Config:
        from_: list[Column] = param(doc="attributes of each clicked item that the model reads")
        to: Column = param(doc="the new attribute of the users")
        topics: list[str] = param((), doc="all topics there are; empty: the model's own words")
        most: int = param(5, min=1, max=50, doc="topics kept of a user")
        history: int = param(30, min=1, doc="clicks read, the most recent ones")
        until: Literal["first", "test"] = param("first", doc=UNTIL)
        prompt: File | None = param(None, doc=PROMPT)

    example = "Profile(from=[title], to=topics, most=3)"


@operator("writing", "Invent", paper=PAPER, facts={"writes": list(WRITTEN)})
class Invent:
    """An item for each user with 1 to 5 clicks, which then stands last in the user's short
    histories and nowhere else. With `profile` the user's topics are read first (the chain)."""

    class Config:
        from_: list[Column] = param(doc="attributes of each clicked item that the model reads")
        profile: list[Column] = param((), doc="attributes of the user that the model reads first")
        write: list[Column] = param(
            ("title",), doc="what is written: title, and of abstract, description, category"
        )
        until: Literal["first", "test"] = param("first", doc=UNTIL)
        prompt: File | None = param(None, doc=PROMPT)

    example = "Invent(from=[title, category], write=[title, category])"
