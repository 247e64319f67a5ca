"""Checks between an operator that reads items and the data, beyond their types."""

from collections.abc import Mapping, Sequence

from legoc.language.declaring.declare import Attribute, Declaration
from legoc.language.declaring.types import Id, Seq, Tokens, parse_signature
from legoc.language.diagnosing.diagnostics import Diagnostic
from legoc.language.diagnosing.document import Span
from legoc.language.ir.asking_forms import candidate_leads, is_cut_anew
from legoc.language.ir.checkpoints import count_layers
from legoc.language.ir.spec import Call, Data, Prompt
from legoc.language.typing import wording_data, wording_models
from legoc.language.typing.arguments import Arguments
from legoc.language.typing.inference import Typed


# Tokenizers that learn their words from the items.
LEARNED = ("words", "subwords")


def check_reading(stage: Typed, data: Data, content: Span | None) -> tuple[Diagnostic, ...]:
    """What a stage reads of an item: prompt text, attributes at all, not too many tokens.

    content: where the list is written, if it is.
    """
    declaration = stage.arguments.declaration
    if parse_signature(declaration.signature or "").input not in (Tokens(), Seq(Tokens())):
        return ()
    operator = f"{stage.role} {declaration.name}"
    place = stage.arguments.span
    if not data.attributes:
        return (wording_data.nothing_to_read(operator, place, content),)
    if not declaration.pretrained and any(isinstance(part, Prompt) for part in data.content):
        return (wording_data.prompt_unread(operator, place, content),)
    given = stage.arguments.values.get("path")
    most = None if given is not None else declaration.facts.get("positions")
    total = sum(tokens_of(attribute) for attribute in data.attributes)
    if isinstance(most, int) and total > most:
        return (wording_data.too_long(operator, place, content, total, most),)
    return ()


def check_words(
    stages: Sequence[Typed], data: Data, spans: Mapping[str, Span]
) -> tuple[Diagnostic, ...]:
    """What is said of words, where nothing reads them: a language model has tokens and an embedding
    of its own, and an item table has no tokens at all. And words of `vectors` where there are none.

    spans: where the fields of the data record are written.
    """
    if data.vectors is None and data.tokenizer is not None and data.tokenizer.args.get("more"):
        return (wording_models.no_vectors(spans.get("tokenizer.more", spans["tokenizer"])),)
    content = next((stage.arguments for stage in stages if stage.role == "content"), None)
    flatten = next((stage.arguments for stage in stages if stage.role == "flatten"), None)
    if content is None:
        return ()
    declaration, place = content.declaration, content.span
    operator = f"content {declaration.name}"
    if not declaration.pretrained:
        if data.vectors is None or flatten is not None or not is_table(declaration):
            return ()
        return (wording_models.no_words(operator, place, spans["vectors"]),)
    found: list[Diagnostic] = []
    if flatten is not None:
        other = f"flatten {flatten.declaration.name}"
        found.append(wording_models.two_tokenizers(operator, place, other, flatten.span))
    if data.vectors is not None:
        found.append(wording_models.own_embedding(operator, place, spans["vectors"]))
    if data.tokenizer is not None and data.tokenizer.op in LEARNED:
        words = data.tokenizer.op
        found.append(wording_models.own_tokens(operator, place, words, spans["tokenizer"]))
    return tuple(found)


def check_names(
    stages: Sequence[Typed], data: Data, content: Span | None
) -> tuple[Diagnostic, ...]:  # fmt: skip
    """A flatten stage reads one sequence of tokens beside the attributes that a content stage reads
    apart, so none of those may have its name.

    content: where the list is written, if it is.
    """
    apart = any(stage.arguments.declaration.layout == "fields" for stage in stages)
    flatten = next((stage.arguments for stage in stages if stage.role == "flatten"), None)
    if flatten is None or not apart:
        return ()
    operator = f"flatten {flatten.declaration.name}"
    return tuple(
        wording_data.named_as_tokens(attribute.name, flatten.span, operator, content)
        for attribute in data.attributes
        if attribute.name in ("tokens", "tokens_mask")
    )


def check_asking(stages: Sequence[Typed], predictor: Arguments | None) -> tuple[Diagnostic, ...]:
    """What a language model that reads histories is asked: a template has its places, in the order
    in which a history is read once, and an answer its words."""
    found: list[Diagnostic] = []
    for stage in stages:
        arguments = stage.arguments
        prompt = arguments.values.get("prompt")
        predicts = None if predictor is None else predictor.declaration
        answers = predicts is None or "whole" in predicts.facts
        if is_cut_anew(prompt) and predicts is not None and not answers:
            place = arguments.spans.get("prompt.tokenise", arguments.place("prompt"))
            found.append(wording_models.cut_apart(place, predicts.name))
        if not isinstance(prompt, Call) or prompt.op != "template":
            continue
        wrong = check_template(prompt, arguments)
        if not wrong and candidate_leads(prompt):
            place = arguments.spans.get("prompt.text", arguments.place("prompt"))
            wrong.append(
                wording_models.candidate_first(place)
                if answers
                else wording_models.no_user_text(place)
            )
        found += wrong
    if predictor is not None and predictor.declaration.name == "YesNo":
        found += check_answers(predictor)
    return tuple(found)


def check_template(prompt: Call, arguments: Arguments) -> list[Diagnostic]:
    """E0407 where a template lacks one of its places or has it twice; nothing of other prompts."""
    if prompt.op != "template":
        return []
    found: list[Diagnostic] = []
    text, click = prompt.args["text"], prompt.args["click"]
    place = arguments.spans.get("prompt.text", arguments.place("prompt"))
    for mark in ("{clicks}", "{candidate}"):
        if text.count(mark) != 1:
            found.append(wording_models.misplaced(place, mark, text.count(mark)))
    if click.count("{item}") != 1:
        place = arguments.spans.get("prompt.click", place)
        found.append(wording_models.misplaced(place, "{item}", click.count("{item}")))
    return found


def check_answers(predictor: Arguments) -> list[Diagnostic]:
    yes, no = predictor.values.get("yes"), predictor.values.get("no")
    if yes is None or no is None:
        return []
    for name, words in (("yes", yes), ("no", no)):
        if not words:
            return [wording_models.no_answer(predictor.place(name), name)]
    shared = [word for word in yes if word in no]
    if shared:
        return [
            wording_models.shared_answer(predictor.place("yes"), predictor.place("no"), shared[0])
        ]
    return []


def check_users(stages: Sequence[Typed], data: Data, place: Span | None) -> tuple[Diagnostic, ...]:
    """Attributes of users join the vector of a user, so there has to be one, and it must not be
    what encodes the items as well.

    place: where the attributes are written.
    """
    if not data.user or not stages:
        return ()
    last = stages[-1]
    if isinstance(last.made, Seq) or last.role == "flatten" == stages[0].role:
        operator = f"{last.role} {last.arguments.declaration.name}"
        clicks = isinstance(last.made, Seq) and last.role != "flatten"
        return (wording_data.no_user_vector(operator, last.arguments.span, place, clicks),)
    return ()


def is_table(declaration: Declaration) -> bool:
    """Whether an operator has a row for each item and reads nothing of it but its number."""
    return isinstance(parse_signature(declaration.signature or "").input, Id)


def tokens_of(attribute: Attribute) -> int:
    """The most tokens an attribute can have: a number is one of its bins."""
    return 1 if attribute.kind == "number" else attribute.length


def check_layers(stage: Typed) -> tuple[Diagnostic, ...]:
    """`split` of a language model lies within its blocks, as its folder or its declaration counts
    them, and `lora` has some to stand in."""
    arguments = stage.arguments
    split = arguments.values.get("split")
    if not arguments.declaration.pretrained or not isinstance(split, int):
        return ()
    count = count_layers(arguments.values, arguments.declaration)
    if split == -1 or split == count:
        if arguments.values.get("lora") is None:
            return ()
        return (wording_models.nothing_tuned(arguments.place("lora"), arguments.place("split")),)
    if count is None or -count - 1 <= split <= count:
        return ()
    name = arguments.declaration.name
    return (wording_models.split_outside(name, arguments.place("split"), split, count),)
