"""The prompt of a language model that reads histories, as token ids, before any data is read.

Every piece is tokenised by itself, so that a history and a candidate join exactly wherever the text
is cut between them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from legoc.data.reading.chat import frame_chat
from legoc.data.reading.checkpoint import read_config
from legoc.data.reading.own_tokenizer import PLACE
from legoc.data.reading.special_tokens import find_mask
from legoc.language.declaring.declare import Attribute
from legoc.language.diagnosing.diagnostics import fail
from legoc.language.ir.asking_forms import candidate_leads, is_cut_anew, reads_both_ways
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
    behind the candidate; with `first` the candidate's part leads and `closing` ends the text."""

    before: tuple[str, ...]
    number: str
    between: str
    candidate: tuple[str, ...]
    after: tuple[str, ...]
    first: bool = False
    closing: tuple[str, ...] = ()

    def framed(self, opening: str, closing: str) -> "Words":
        """The same with texts at both ends."""
        if self.first:
            return replace(
                self, candidate=(opening, *self.candidate), closing=(*self.closing, closing)
            )
        return replace(self, before=(opening, *self.before), after=(*self.after, closing))


def is_joined(spec: Spec) -> bool:
    """Whether the clicks and a candidate are one text: an answer is asked for."""
    return "flatten" in spec.model and spec.types.user in ("Prefix", "Seq[Tokens]")


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
    number, _, between = call["click"].partition(ITEM)
    if candidate_leads(call):
        candidate, _, rest = call["text"].partition("{candidate}")
        after, _, closing = rest.partition("{clicks}")
        return Words(
            before=(), number=number, between=between, candidate=(candidate,), after=(after,),
            first=True, closing=(closing,),
        )  # fmt: skip
    before, _, rest = call["text"].partition("{clicks}")
    candidate, _, after = rest.partition("{candidate}")
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
    if joined and call["prompt"]["chat_template"]:
        words = words.framed(*frame_chat(folder, named))
    mask = ask_at_mask(call, folder, tokenizer) if joined else ()

    def encode(*texts: str) -> list[int]:
        made = (tokenizer.encode(text, add_special_tokens=False).ids for text in texts if text)
        return [place for ids in made for place in ids]

    asked = call["limit"]
    limit = min(asked or positions or LIMIT, positions or asked or LIMIT)
    numbers = [encode(words.number.replace(NUMBER, str(k))) for k in range(1, history + 1)]
    prompt = {
        "before": encode(*words.before),
        "numbers": numbers,
        "between": encode(words.between),
        "candidate": encode(*words.candidate),
        "after": encode(*words.after),
        "each": max(min(longest, limit // SHARE), 1),
        "limit": limit,
        "joined": joined,
    }
    if words.first or words.closing or mask:
        prompt |= {"first": words.first, "closing": [*encode(*words.closing), *mask]}
    if joined and is_cut_anew(call["prompt"]):
        # An item may be cut to a few characters, and then its frame has to fit.
        verify_room({**prompt, "each": 1}, named, asked=asked is not None)
        return {**prompt, "each": max(longest, 1), "whole": write_whole(words)}
    verify_room(prompt, named, asked=asked is not None)
    return prompt


def ask_at_mask(call: Call, folder: Path, tokenizer: Any) -> tuple[int, ...]:
    """The mask token at which a model that reads in both directions says a word; none for others,
    nor for a text that is tokenised at once, which RecBench ends without."""
    config = read_config(folder)
    if is_cut_anew(call["prompt"]) or not reads_both_ways(config):
        return ()
    found = find_mask(folder, tokenizer)
    if found is None:
        raise fail(
            "E0652",
            f"the tokenizer in `{folder}` has no mask token, at which a `{config['model_type']}` "
            "says a word",
            "use the tokenizer.json that was published with these weights",
        )
    return (found,)


def write_whole(words: Words) -> dict[str, str]:
    """The texts of a prompt that is tokenised at once."""
    return {
        "before": "".join(words.before), "number": words.number, "between": words.between,
        "candidate": "".join(words.candidate), "after": "".join(words.after),
        "closing": "".join(words.closing), "tokenizer": PLACE,
    }  # fmt: skip


def verify_room(prompt: Mapping[str, Any], named: Named, *, asked: bool) -> None:
    """E0636 where a prompt has no room for one click beside a candidate."""
    tail = len(prompt["candidate"]) + prompt["each"] + len(prompt["after"])
    click = max((len(ids) for ids in prompt["numbers"][:1]), default=0)
    click += prompt["each"] + len(prompt["between"])
    head = len(prompt["before"]) + len(prompt.get("closing", ()))
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
            f"{head} tokens around the clicks, up to {click} of a click, up to {tail} of the "
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
