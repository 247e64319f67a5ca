"""The prompt of a language model that reads histories, as token ids, before any data is read.

Every piece is tokenised by itself, so that a history and a candidate join exactly wherever the text
is cut between them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from legoc.data.reading.chat import frame_chat
from legoc.language.declaring.declare import Attribute
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.checkpoints import Named
from legoc.language.ir.spec import Call, Data, Prompt, Spec


# What is asked of a model, in the words of the benchmark.
SIMPLE = (
    'You are a recommender. Please response "YES" or "NO" to represent whether this user is '
    "interested in this item. "
)
# The same for models that would rather talk.
CHAT = (
    "You are a recommender. First comes what a user has read, in the order of reading, then one "
    "candidate item. Decide whether the user is interested in the candidate. Response with the one "
    'word "YES" or the one word "NO": no other word, no explanation. You begin now. '
)
CLICKS, CANDIDATE, QUESTION = (
    "User behavior sequence: \n",
    "Candidate item: ",
    "\nAnswer (Yes/No): ",
)
NUMBER, ITEM = "{k}", "{item}"
# The most tokens of a prompt where neither the settings nor the model name a bound.
LIMIT = 4096
# An item has at most so large a part of a prompt, as in RecBench's fine-tuning.
SHARE = 5


@dataclass(frozen=True, kw_only=True)
class Words:
    """A prompt as text: before the clicks, a click before and behind what it says, before and
    behind the candidate."""

    before: tuple[str, ...]
    number: str
    between: str
    candidate: tuple[str, ...]
    after: tuple[str, ...]


def is_joined(spec: Spec) -> bool:
    """Whether the clicks and a candidate are one text: an answer is asked for."""
    return spec.types.user == "Prefix"


def word(call: Call, *, joined: bool) -> Words:
    """The words of a prompt."""
    if call.op == "template":
        return word_template(call)
    query, passage = ("query: ", "passage: ") if call["e5"] else ("", "")
    request = CHAT if call["form"] == "chat" else SIMPLE
    return Words(
        before=(query, *([request] if joined else []), CLICKS),
        number="({k}) ", between="\n",
        candidate=(passage, CANDIDATE),
        after=(QUESTION,) if joined else (),
    )  # fmt: skip


def word_template(call: Call) -> Words:
    """The words of a template, whose form the check has seen to."""
    before, _, rest = call["text"].partition("{clicks}")
    candidate, _, after = rest.partition("{candidate}")
    number, _, between = call["click"].partition(ITEM)
    return Words(
        before=(before,), number=number, between=between, candidate=(candidate,), after=(after,)
    )


def label_parts(data: Data) -> list[Attribute | Prompt]:
    """What is read of an item: its content as it is written, or without words between several
    attributes `name: value`, joined by commas."""
    parts = list(data.content)
    if len(parts) < 2 or any(isinstance(part, Prompt) for part in parts):
        return parts
    labelled: list[Attribute | Prompt] = []
    for place, attribute in enumerate(data.attributes):
        label = f"{attribute.name}: " if not place else f", {attribute.name}: "
        labelled += [Prompt(text=label), attribute]
    return labelled


def plan_prompt(
    call: Call, named: Named, folder: Path, tokenizer: Any, *,
    joined: bool, longest: int, history: int, positions: int | None,
) -> dict[str, Any]:  # fmt: skip
    """The prompt that `legoc_runtime.prompting` lays out. call: the stage. longest: the most tokens
    of an item.

    Raises E0636 where not even one click and a candidate fit, E0638 where a chat template is asked
    for and there is none.
    """
    words = word(call["prompt"], joined=joined)
    opening, closing = "", ""
    if joined and call["prompt"]["chat_template"]:
        opening, closing = frame_chat(folder, named)

    def encode(*texts: str) -> list[int]:
        made = (tokenizer.encode(text, add_special_tokens=False).ids for text in texts if text)
        return [place for ids in made for place in ids]

    asked = call["limit"]
    limit = min(asked or positions or LIMIT, positions or asked or LIMIT)
    numbers = [encode(words.number.replace(NUMBER, str(k))) for k in range(1, history + 1)]
    prompt = {
        "before": encode(*([opening] if joined else []), *words.before),
        "numbers": numbers,
        "between": encode(words.between),
        "candidate": encode(*words.candidate),
        "after": encode(*words.after, closing),
        "each": max(min(longest, limit // SHARE), 1),
        "limit": limit,
        "joined": joined,
    }
    verify_room(prompt, named, asked=asked is not None)
    return prompt


def verify_room(prompt: Mapping[str, Any], named: Named, *, asked: bool) -> None:
    """E0636 where a prompt has no room for one click beside a candidate."""
    tail = len(prompt["candidate"]) + prompt["each"] + len(prompt["after"])
    click = max((len(ids) for ids in prompt["numbers"][:1]), default=0)
    click += prompt["each"] + len(prompt["between"])
    head = len(prompt["before"])
    needed = head + click + tail if prompt["joined"] else max(head + click, tail)
    if needed <= prompt["limit"]:
        return
    bound = "`limit` allows" if asked else f"`{named.shown}` reads"
    raise fail(
        "E0636",
        f"a prompt of one click has {needed:,} tokens, and {bound} {prompt['limit']:,}",
        f"write `limit={needed}` or more, or a prompt of fewer words"
        if asked
        else "write a prompt of fewer words, or name a model that reads more",
        notes=(
            f"{head} tokens before the clicks, up to {click} of a click, up to {tail} of the "
            "candidate and what follows",
        ),
    )


def find_answers(call: Call, named: Named, tokenizer: Any) -> tuple[int, ...]:
    """The ids of the answer words of YesNo, those of yes first. Raises E0637 for a word that is not
    one token of its own, or that both answers share."""
    ids = [find_answer(text, named, tokenizer) for text in (*call["yes"], *call["no"])]
    yes, no = ids[: len(call["yes"])], ids[len(call["yes"]) :]
    shared = set(yes) & set(no)
    if shared:
        name = tokenizer.id_to_token(min(shared))
        raise fail(
            "E0637",
            f"`yes` and `no` share the token {name!r} of `{named.shown}`: every score would be 0",
            'write other words, such as yes=["YES"], no=["NO"]',
        )
    return tuple(ids)


def find_answer(text: str, named: Named, tokenizer: Any) -> int:
    """The id of an answer word: an entry of the vocabulary as it is written, else what its text is
    read as."""
    direct = tokenizer.token_to_id(text)
    unknown = find_unknown_id(tokenizer)
    if direct is not None and direct != unknown:
        return direct
    found = tokenizer.encode(text, add_special_tokens=False)
    if len(found.ids) == 1 and found.ids[0] != unknown:
        return found.ids[0]
    seen = " ".join(repr(token) for token in found.tokens) or "nothing"
    what = "a token it does not know" if unknown in found.ids else f"{len(found.ids)} tokens"
    raise fail(
        "E0637",
        f"the answer {text!r} is no single token of `{named.shown}`: it reads {what}, {seen}",
        f"write a word that is one: {propose(text, tokenizer)}",
    )


def find_unknown_id(tokenizer: Any) -> int | None:
    """The id of what a tokenizer does not know; None where it knows every byte."""
    name = getattr(tokenizer.model, "unk_token", None)
    if name is not None:
        return tokenizer.token_to_id(name)
    return getattr(tokenizer.model, "unk_id", None)


def propose(text: str, tokenizer: Any) -> str:
    """Spellings of a word that are tokens of the model."""
    bare = text.strip()
    forms = [bare, bare.lower(), bare.upper(), bare.title()]
    known: list[str] = []
    for form in dict.fromkeys([*forms, *(f" {form}" for form in forms)]):
        ids = tokenizer.encode(form, add_special_tokens=False).ids
        if len(ids) == 1 and ids[0] != find_unknown_id(tokenizer):
            known.append(f'"{form}"')
    return ", ".join(known[:4]) or "none of its usual spellings is; choose another word"
