"""A language model on this machine that answers many questions together.

The tokens with which all questions of a batch begin are read once, and their keys and values are
shared. The rest is padded on the left behind them; a question that is answered leaves the batch.
Greedy answers are those of each question alone.

Letters: B questions, P tokens they share, L further tokens of the longest, T tokens so far.
"""

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from legoc.data.reading.checkpoint import obtain_folder, read_config, read_positions, verify_folder
from legoc.generating.answering import Question, Reply, Tokens
from legoc.generating.prompts import Messages
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.ir.checkpoints import Named
from legoc.language.ir.spec import Call
from legoc.progress import Progress


# Questions that are sorted by length together: a few batches, so that answers come early.
SORTED = 16
# Shared tokens from which on it is worth to read them apart.
SHARED = 8


@dataclass(frozen=True, eq=False, kw_only=True)
class Local:
    """model, tokenizer: those of transformers. ends: tokens that end an answer. room: positions the
    model has, None for one without an end. takes: what its forward may be told."""

    model: Any
    tokenizer: Any
    settings: Call
    template: bool
    ends: frozenset[int]
    room: int | None
    takes: frozenset[str]

    def encode(self, messages: Messages) -> list[int]:
        if self.template:
            found = self.tokenizer.apply_chat_template(
                [dict(message) for message in messages], add_generation_prompt=True,
                tokenize=False,
            )  # fmt: skip
            # The template writes the special tokens itself.
            return self.tokenizer(found, add_special_tokens=False)["input_ids"]
        text = "\n\n".join(message["content"] for message in messages) + "\n"
        return self.tokenizer(text)["input_ids"] or [next(iter(self.ends), 0)]

    def fits(self, messages: Messages) -> bool:
        if self.room is None:
            return True
        return len(self.encode(messages)) + self.settings["max"] <= self.room

    def answers(self, questions: Sequence[Question]) -> Iterator[tuple[Question, Reply]]:
        size = self.settings["batch"]
        for begin in range(0, len(questions), size * SORTED):
            group = [(q, self.encode(q.messages)) for q in questions[begin : begin + size * SORTED]]
            group.sort(key=lambda pair: -len(pair[1]))
            for place in range(0, len(group), size):
                batch = group[place : place + size]
                written = self.write([ids for _, ids in batch])
                for (question, ids), (made, cut) in zip(batch, written, strict=True):
                    text = self.tokenizer.decode(made, skip_special_tokens=True)
                    counted = Tokens(read=len(ids), written=len(made))
                    yield question, Reply(text=text, tokens=counted, cut=cut)

    @torch.inference_mode()
    def write(self, prompts: Sequence[Sequence[int]]) -> list[tuple[list[int], bool]]:
        """The tokens behind each prompt, and whether they were cut at the most there may be."""
        most = self.settings["max"]
        device = self.model.device
        shared = shared_length(prompts)
        shared = shared if len(prompts) > 1 and shared >= SHARED else 0
        rests = [list(ids[shared:]) for ids in prompts]
        longest = max(map(len, rests))
        ids_BL = torch.zeros(len(rests), longest, dtype=torch.long)
        mask_BL = torch.zeros(len(rests), longest, dtype=torch.long)
        for row, ids in enumerate(rests):
            ids_BL[row, longest - len(ids) :] = torch.tensor(ids)
            mask_BL[row, longest - len(ids) :] = 1
        mask_BT = torch.cat([torch.ones(len(rests), shared, dtype=torch.long), mask_BL], 1)
        ids_BL, mask_BT = ids_BL.to(device), mask_BT.to(device)
        cache = None
        if shared:
            ids_1P = torch.tensor([list(prompts[0][:shared])], device=device)
            cache = self.step(ids_1P, torch.ones_like(ids_1P), None).past_key_values
            cache.batch_repeat_interleave(len(rests))
        made: list[list[int]] = [[] for _ in rests]
        cut = [False] * len(rests)
        rows = list(range(len(rests)))
        generators = [self.generator(prompt) for prompt in prompts]
        found = self.step(ids_BL, mask_BT, cache)
        while rows:
            cache = found.past_key_values
            chosen = self.choose(found.logits[:, -1], [generators[row] for row in rows])
            kept: list[int] = []
            for place, (row, token) in enumerate(zip(rows, chosen, strict=True)):
                if token in self.ends:
                    continue
                made[row].append(token)
                cut[row] = len(made[row]) >= most
                if not cut[row]:
                    kept.append(place)
            if not kept:
                break
            if len(kept) < len(rows):
                places = torch.tensor(kept, device=device)
                cache.batch_select_indices(places)
                mask_BT = mask_BT[places]
                rows = [rows[place] for place in kept]
                chosen = [chosen[place] for place in kept]
            mask_BT = torch.cat([mask_BT, mask_BT.new_ones(len(rows), 1)], 1)
            found = self.step(torch.tensor(chosen, device=device)[:, None], mask_BT, cache)
        return list(zip(made, cut, strict=True))

    def step(self, ids_BL: torch.Tensor, mask_BT: torch.Tensor, cache: Any) -> Any:
        """The model on further tokens; positions count the real tokens of each row."""
        positions_BT = (mask_BT.cumsum(1) - 1).clamp(min=0)
        told: dict[str, Any] = {}
        if "position_ids" in self.takes:
            told["position_ids"] = positions_BT[:, -ids_BL.shape[1] :]
        if "logits_to_keep" in self.takes:
            # The vocabulary is wide, and the last place of a row is its last real token.
            told["logits_to_keep"] = 1
        return self.model(
            input_ids=ids_BL, attention_mask=mask_BT, past_key_values=cache, use_cache=True, **told
        )

    def choose(
        self, logits_BV: torch.Tensor, generators: Sequence[torch.Generator | None]
    ) -> list[int]:
        if generators[0] is None:
            return logits_BV.argmax(-1).tolist()
        chances_BV = (logits_BV.float() / self.settings["temperature"]).softmax(-1).cpu()
        return [
            int(torch.multinomial(chances_V, 1, generator=generator))
            for chances_V, generator in zip(chances_BV, generators, strict=True)
        ]

    def generator(self, prompt: Sequence[int]) -> torch.Generator | None:
        """Of a question's own, so that an answer does not hang on those beside it."""
        if self.settings["temperature"] == 0:
            return None
        import zlib

        state = zlib.crc32(" ".join(map(str, prompt)).encode(), self.settings["seed"])
        return torch.Generator().manual_seed(state)

    def close(self) -> None:
        pass


def shared_length(prompts: Sequence[Sequence[int]]) -> int:
    """Tokens with which all prompts begin; one of each is left, for something must be read."""
    first, last = min(prompts), max(prompts)
    length = 0
    for one, other in zip(first, last, strict=False):
        if one != other:
            break
        length += 1
    return min(length, min(map(len, prompts)) - 1)


def open_local(settings: Call, progress: Progress) -> Local:
    """The model of a folder or a hub. Raises E0650 and E0651 where it is not there or not whole,
    E0927 for one that cannot write."""
    import os

    path = settings["path"]
    folder = path if os.path.isabs(path) else None
    named = Named(op="LM", folder=folder, hub=None if folder else path)
    found = obtain_folder(named, progress)
    verify_folder(found)
    tokenizer = open_tokenizer(found)
    model = open_weights(found, settings["dtype"])
    template = find_template(tokenizer, settings["chat_template"], found)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Local(
        model=model.to(device).eval(),
        tokenizer=tokenizer,
        settings=settings,
        template=template,
        ends=find_ends(model, tokenizer),
        room=read_positions(read_config(found)),
        takes=frozenset(inspect.signature(model.forward).parameters),
    )


def open_weights(folder: Path, dtype: str) -> Any:
    import transformers
    from transformers import AutoConfig, AutoModelForCausalLM
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    encoder = config.model_type in ENCODERS and not getattr(config, "is_decoder", False)
    if config.model_type not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES or encoder:
        raise cannot_write(
            folder, f"a model of type `{config.model_type}` reads and does not write"
        )
    try:
        model, told = AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=getattr(torch, dtype),
            output_loading_info=True,
        )  # fmt: skip
    except (OSError, ValueError, KeyError) as error:
        raise cannot_write(folder, str(error).splitlines()[0]) from error
    if told["missing_keys"]:
        lacking = min(told["missing_keys"])
        raise cannot_write(folder, f"its weights lack `{lacking}`, so it would write at random")
    return model


# Families that read both ways; transformers has causal forms of them that nobody trained.
ENCODERS = frozenset(
    ("bert", "roberta", "camembert", "electra", "xlm-roberta", "xlm-roberta-xl", "rembert",
     "roformer", "megatron-bert", "ernie", "data2vec-text", "roberta-prelayernorm", "modernbert")
)  # fmt: skip


def open_tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    if (folder / "tokenizer_config.json").is_file():
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))


def find_template(tokenizer: Any, asked: bool | None, folder: Path) -> bool:
    """Whether the chat template is used: where there is one, unless something else is said."""
    there = bool(getattr(tokenizer, "chat_template", None))
    if asked and not there:
        raise fail(
            "E0927",
            f"the language model in `{folder}` has no chat template",
            "leave `chat_template` out: it is then asked in plain text",
        )
    return there if asked is None else asked


def find_ends(model: Any, tokenizer: Any) -> frozenset[int]:
    found: set[int] = set()
    for given in (model.generation_config.eos_token_id, tokenizer.eos_token_id):
        found.update(given if isinstance(given, list) else () if given is None else (given,))
    return frozenset(found)


def cannot_write(folder: Path, reason: str) -> LegoError:
    return fail(
        "E0927",
        f"the language model in `{folder}` cannot answer: {reason}",
        "name a model that writes on from a text, saved with its head "
        "(`AutoModelForCausalLM`), or one behind an interface: `API(...)`",
    )
