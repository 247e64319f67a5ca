"""What a language model is asked: the words around the clicks and the candidate."""

from typing import Literal

from legoc.language.declaring.declare import operator, param


TOKENISE = (
    "each piece by itself, or a whole text at once, as RecBench does where nothing is trained: "
    "before `YesNo` no history is read once then"
)


@operator(
    "prompt", "recbench",
    paper="Liu et al., Can LLMs Outshine Conventional Recommenders? A Comparative Evaluation, "
    "NeurIPS 2025",
)  # fmt: skip
class RecBench:
    """The prompt of RecBench: a request, the clicks numbered from the oldest, the candidate, and
    the question.

    Before `predict YesNo` they are one text. Before a predictor of vectors, such as `Cosine`, the
    clicks alone are one text and the candidate another, both without request and question, as
    RecBench matches. An item of one attribute is its value, one of several `name: value` joined by
    commas, unless `content` has words of its own. Every piece is tokenised by itself, unless
    `tokenise` says otherwise.
    """

    class Config:
        form: Literal["simple", "chat"] = param(
            "simple", doc="the short request, or one at length, for models that tend to chat"
        )
        chat_template: bool = param(
            False, doc="the text as a user's message in the model's own chat template"
        )
        e5: bool = param(
            False, doc="`query: ` before the clicks and `passage: ` before an item, as E5 learned"
        )
        tokenise: Literal["pieces", "whole"] = param("pieces", since=True, doc=TOKENISE)

    example = 'flatten LM("FOLDER", prompt=recbench) -> predict YesNo'


@operator("prompt", "template", primary="text")
class Template:
    """A prompt of your own, with `{clicks}` and `{candidate}` in it.

    Up to the candidate all is read once per history, and what follows once per candidate; with the
    candidate first each pair is read whole. Before a predictor of vectors, what ends with
    `{clicks}` is the user's text, the rest the item's.
    """

    class Config:
        text: str = param(doc="the whole prompt, with `{clicks}` and `{candidate}` in it")
        click: str = param(
            "({k}) {item}\n", doc="a click: `{item}` is what it says, `{k}` its number from 1 on"
        )
        chat_template: bool = param(
            False, doc="the text as a user's message in the model's own chat template"
        )
        tokenise: Literal["pieces", "whole"] = param("pieces", since=True, doc=TOKENISE)

    example = (
        'flatten LM("FOLDER", prompt=template("Read:\\n{clicks}Next: {candidate}\\nRead it? ")) '
        "-> predict YesNo"
    )
